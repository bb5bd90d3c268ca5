"""A learner's code of one lab, as one browser tab sees it: saved as it is typed, never lost. No page."""

from dataclasses import dataclass
from datetime import datetime

from labs.classroom import Draft, Journal, JournalError, Saved
from labs.model import Lab


@dataclass(slots=True)
class Desk:
    """The text in one tab's editor and what the journal knows of it.

    `rev` grows whenever the text is replaced by something other than typing: the editor then takes it over.
    """

    journal: Journal
    learner: str
    lab: Lab
    code: str = ""
    version: int = 0
    rev: int = 0
    saved_at: datetime | None = None
    fault: JournalError | None = None
    conflict: Saved | None = None
    replaced: int | None = None  # the draft that a reset or a restore put aside

    def __post_init__(self) -> None:
        self.code = self.lab.start
        self.look()

    def look(self) -> bool:
        """Take over what another tab of the same learner has saved since; tell whether the text changed."""
        if self.conflict is not None or self.fault is not None:
            return False
        draft = self.journal.draft(self.learner, self.lab.id)
        if draft is None or draft.version == self.version:
            return False
        before = self.code
        self._show(draft)
        return self.code != before

    def type(self, code: str) -> None:
        """Save what was typed. Where another tab was first, both texts are kept and the learner decides."""
        if code == self.code and self.fault is None:
            return
        self.code, self.replaced = code, None
        try:
            saved = self.journal.save_draft(self.learner, self.lab.id, code, self.version)
        except JournalError as error:
            self.fault = error
            return
        self.fault = None
        if saved.conflict:
            self.conflict = saved
        else:
            self.version, self.saved_at = saved.draft.version, saved.draft.at

    def save_again(self) -> None:
        """Try once more to save after a fault."""
        if self.fault is not None:
            self.type(self.code)

    def keep_mine(self) -> None:
        """Settle a conflict in favour of this tab; the other text stays in the history."""
        if self.conflict is not None:
            draft, self.conflict = self.conflict.draft, None
            self._show(self.journal.restore(self.learner, draft.id))

    def take_theirs(self) -> None:
        """Settle a conflict in favour of the other tab; this tab's text stays in the history."""
        if self.conflict is not None:
            self.conflict = None
            draft = self.journal.draft(self.learner, self.lab.id)
            if draft is not None:
                self._show(draft)

    def reset(self) -> None:
        """Go back to the code that the lab starts from."""
        before = self._aside()
        self._show(self.journal.reset_draft(self.learner, self.lab.id))
        self.replaced = before

    def restore(self, draft: int) -> None:
        """Bring a draft of the history back."""
        before = self._aside()
        self._show(self.journal.restore(self.learner, draft))
        self.replaced = before

    def undo(self) -> None:
        """Bring back what the last reset or restore put aside."""
        if self.replaced is not None:
            draft = self.replaced
            self._show(self.journal.restore(self.learner, draft))
            self.replaced = None

    def history(self) -> tuple[Draft, ...]:
        """Return every text that is kept, newest first."""
        return self.journal.drafts(self.learner, self.lab.id)

    def draft_id(self) -> int | None:
        """Return the id of the current draft, or None while nothing was saved."""
        draft = self.journal.draft(self.learner, self.lab.id)
        return None if draft is None else draft.id

    @property
    def changed(self) -> bool:
        """Tell whether the text differs from the lab's start."""
        return self.code != self.lab.start

    def _aside(self) -> int | None:
        """Give the draft that is about to be replaced."""
        draft = self.journal.draft(self.learner, self.lab.id)
        return draft.id if draft is not None and draft.code is not None else None

    def _show(self, draft: Draft) -> None:
        self.code, self.version, self.saved_at = draft.text(self.lab.start), draft.version, draft.at
        self.rev += 1
        self.replaced = None
