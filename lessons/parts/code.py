"""The learner's code on a lab page: the editor, what became of every save, the way back to older texts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import streamlit as st

from labs.classroom import JournalError
from labs.desk import Desk
from labs.diagnosis import Finding
from labs.workbench import Workbench
from lessons.parts.editor import Diagnostic, code_diff, code_editor, typed
from lessons.visit import Visit

HEIGHT = 470  # pixels
_LISTED = 12  # versions of the history that are offered at once


class Page(Protocol):
    """The lab page around the code."""

    bench: Workbench
    visit: Visit

    def want(self, what: str = "") -> None:
        """Ask for something to be done, or just to be drawn again."""

    def catch_up(self) -> None:
        """Draw the page again if something was asked for."""


@st.fragment
def editor(key: str, page: Page, found: Sequence[Finding]) -> None:
    """Show the editor and save what is typed; Ctrl+Enter asks the page to deploy."""
    desk, visit = page.bench.desk, page.visit
    if desk.conflict is not None:
        _conflict(key, desk, visit)

    def save() -> None:
        save_typed(key, desk)

    state = code_editor(
        key,
        code=desk.code,
        rev=desk.rev,
        label=visit.t("editor.label", file="handler.py"),
        hint=visit.t("editor.hint"),
        diagnostics=[Diagnostic(each.line, said(each, visit)) for each in found if each.line is not None],
        read_only=desk.conflict is not None,
        height=HEIGHT,
        lang=visit.language,
        on_change=save,
        on_run=lambda: page.want("deploy"),
    )
    if state.code != desk.code and desk.conflict is None:
        desk.type(state.code)
    _saved(key, page.bench, visit)
    page.catch_up()


def save_typed(key: str, desk: Desk) -> None:
    """Save what the editor's last message says."""
    text = typed(key, rev=desk.rev)
    if text is not None and desk.conflict is None:
        desk.type(text)


def said(finding: Finding, visit: Visit, *, markdown: bool = False) -> str:
    """Say what went wrong in a run."""
    params = {name: _code(value) if markdown else _plain(value) for name, value in finding.params.items()}
    return visit.t(f"diagnosis.{finding.key}", **params)


def _code(value: str | int) -> str:
    return str(value) if isinstance(value, int) or not value else f"`{_plain(value)}`"


def _plain(value: str | int) -> str:
    return " ".join(str(value).replace("`", "\u02cb").split())[:300]


def _saved(key: str, bench: Workbench, visit: Visit) -> None:
    """Tell what became of the last save and whether the cloud runs this text."""
    desk = bench.desk
    if desk.fault is not None:
        st.error(f"{visit.t('editor.save_failed')}  \n{visit.t(desk.fault.key, path=desk.fault.path)}", icon=":material/save:")
        st.button(visit.t("error.retry"), key=f"{key}_again", on_click=desk.save_again)
        return
    saved = visit.t("editor.saved_at", time=visit.clock_time(desk.saved_at)) if desk.saved_at else ""
    where = visit.t("run.deployed" if bench.deployed else "run.not_deployed")
    mark = ":material/cloud_done:" if bench.deployed else ":material/cloud_off:"
    with st.container(horizontal=True, horizontal_alignment="distribute", key=f"{key}_status"):
        st.caption(f"{mark} {where}", width="content")
        if saved:
            st.caption(f":material/check: {saved}", width="content")


def _conflict(key: str, desk: Desk, visit: Visit) -> None:
    with st.container(border=True, key=f"{key}_conflict"):
        st.warning(f"**{visit.t('draft.conflict_heading')}**  \n{visit.t('draft.conflict')}", icon=":material/tab:")
        with st.container(horizontal=True):
            st.button(
                visit.t("draft.keep_this"), key=f"{key}_mine", type="primary", on_click=_guarded, args=(desk, desk.keep_mine)
            )
            st.button(visit.t("draft.take_other"), key=f"{key}_theirs", on_click=_guarded, args=(desk, desk.take_theirs))


def history(key: str, page: Page) -> None:
    """Offer the way back: to the lab's start, and to every text that is kept."""
    desk, visit = page.bench.desk, page.visit

    def do(action: Callable[[], None]) -> None:
        page.want()
        _guarded(desk, action)

    with st.popover(visit.t("draft.history"), icon=":material/history:", key=key, on_change=page.want) as popover:
        if not popover.open:
            return
        st.markdown(visit.t("draft.reset_confirm"))
        st.button(
            visit.t("draft.reset"),
            key=f"{key}_reset",
            icon=":material/restart_alt:",
            on_click=do,
            args=(desk.reset,),
            disabled=not desk.changed,
        )
        st.caption(visit.t("draft.history_help"))
        drafts = [draft for draft in desk.history() if draft.code != desk.code]
        if not drafts:
            st.caption(visit.t("draft.history_empty"))
        for draft in drafts[:_LISTED]:
            with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_{draft.id}"):
                tag = f" :blue-badge[{visit.t('draft.history_checked')}]" if draft.checked else ""
                lines = (draft.code or "").count("\n") + 1
                when = visit.clock_time(draft.at)
                st.markdown(f"**{when}** · {visit.t('draft.lines', count=lines)}{tag}", width="stretch")
                st.button(
                    visit.t("draft.restore"),
                    key=f"{key}_restore_{draft.id}",
                    type="tertiary",
                    on_click=do,
                    args=(partial(desk.restore, draft.id),),
                )


def after_reset(key: str, page: Page) -> None:
    """Say where the replaced text is, and offer it back."""
    desk, visit = page.bench.desk, page.visit
    if desk.replaced is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=key):
        st.markdown(f":material/inventory_2: {visit.t('draft.replaced')}", width="stretch")
        st.button(visit.t("draft.undo"), key=f"{key}_undo", icon=":material/undo:", on_click=_guarded, args=(desk, desk.undo))


def difference(key: str, desk: Desk, visit: Visit) -> None:
    """Show what changed since the lab's start."""
    if desk.changed:
        code_diff(key, before=desk.lab.start, after=desk.code, label=visit.t("diff.label"), lang=visit.language)
    else:
        st.info(visit.t("diff.none"), icon=":material/difference:")


def _guarded(desk: Desk, action: Callable[[], None]) -> None:
    """Do something with the journal; a fault of it is shown where saves are."""
    try:
        action()
    except JournalError as error:
        desk.fault = error
