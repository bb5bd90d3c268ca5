"""Nothing that was saved is ever lost: a model of the draft history, driven by Hypothesis."""

import tempfile
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from labs.classroom import Journal

KEPT = 4
LAB = "lab"
TEXTS = st.text(st.sampled_from("ab"), max_size=4)
TABS = st.integers(0, 2)


class Tabs(RuleBasedStateMachine):
    """Three tabs of one learner type, save, reset, restore and check; the app restarts now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal"
        self.journal = Journal(self.path, kept_drafts=KEPT)
        self.shown = [0, 0, 0]  # the version each tab shows
        self.head: str | None = None
        self.version = 0
        self.saved: list[str] = []  # every text that became a draft, oldest first
        self.forever: set[str] = set()

    @rule(tab=TABS, text=TEXTS)
    def save(self, tab: int, text: str) -> None:
        history = {draft.code for draft in self.journal.drafts("ann", LAB)}
        saved = self.journal.save_draft("ann", LAB, text, self.shown[tab])
        assert saved.draft.code == text
        same = self.version > 0 and text == self.head
        assert saved.conflict == (self.shown[tab] != self.version and not same)
        if saved.conflict:
            if text not in history:
                self.saved.append(text)
            self.forever.add(text)
        else:
            if not same:
                self.saved.append(text)
            self.head, self.version = text, saved.current.version
            self.shown[tab] = self.version

    @rule(tab=TABS)
    def look(self, tab: int) -> None:
        draft = self.journal.draft("ann", LAB)
        self.shown[tab] = draft.version if draft else 0

    @rule(tab=TABS)
    def reset(self, tab: int) -> None:
        if self.version and self.head is not None:
            self.forever.add(self.head)
        draft = self.journal.reset_draft("ann", LAB)
        self.head, self.version = None, draft.version
        self.shown[tab] = draft.version

    @rule(tab=TABS, data=st.data())
    def restore(self, tab: int, data: st.DataObject) -> None:
        drafts = self.journal.drafts("ann", LAB)
        if drafts:
            chosen = data.draw(st.sampled_from(drafts))
            if self.head is not None:
                self.forever.add(self.head)
            draft = self.journal.restore("ann", chosen.id)
            assert draft.code == chosen.code
            assert draft.code is not None
            self.saved.append(draft.code)
            self.head, self.version = draft.code, draft.version
            self.shown[tab] = draft.version

    @rule()
    def check(self) -> None:
        draft = self.journal.draft("ann", LAB)
        if draft is not None and draft.code is not None:
            self.journal.save_result("ann", LAB, {"points": 1}, draft=draft.id)
            self.forever.add(draft.code)

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(self.path, kept_drafts=KEPT)

    @invariant()
    def nothing_is_lost(self) -> None:
        history = [draft.code for draft in self.journal.drafts("ann", LAB)]
        assert len(history) == len(set(history))
        latest = list(dict.fromkeys(reversed(self.saved)))[:KEPT]
        assert self.forever | set(latest) <= set(history)
        draft = self.journal.draft("ann", LAB)
        assert (draft.code if draft else None) == self.head
        assert (draft.version if draft else 0) == self.version

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()


# Shrinking a failure of so many disk writes takes longer than a test may run.
TestTabs = Tabs.TestCase
TestTabs.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, phases=set(Phase) - {Phase.shrink})
