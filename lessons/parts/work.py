"""The learner's work on a lab page: the task or the verdict on the left, the code on the right, the evidence below."""

from typing import TYPE_CHECKING

import streamlit as st

from labs import page as frame
from labs.diagnosis import findings
from lessons.parts import checks, code
from lessons.parts.flow import flow_view, sentences
from lessons.parts.signals import scroll_to

if TYPE_CHECKING:
    from labs.page import LabPage

_PANELS = ("task", "result")
_PANEL_HEIGHT = 596  # pixels; as tall as the code beside it


def show(page: "LabPage") -> None:
    """Draw it, and do what its buttons say."""
    key = page.key
    with st.container(key=f"{key}_work", gap="small"):
        left, right = st.columns([5, 8], gap="medium")
        with right:
            _tools(page)
            code.after_reset(f"{key}_replaced", page)
            found = findings(page.bench.records) if page.bench.deployed else []
            code.editor(f"{key}_editor", page, found)
        with left:
            _panel(page)
        if st.session_state.get(f"{key}_diff"):
            code.difference(f"{key}_difference", page.bench.desk, page.visit)
    _evidence(page)


def _tools(page: "LabPage") -> None:
    """Draw the buttons above the code, and do what they say."""
    key, visit = page.key, page.visit

    def check() -> None:
        page.want()
        trouble = page.bench.check()
        st.session_state[f"{key}_trouble"] = trouble
        checks.forget_evidence(f"{key}_checks")
        if trouble is None:
            st.session_state[f"{key}_panel"] = "result"

    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_tools"):
        st.button(
            visit.t("run.deploy"),
            key=f"{key}_deploy",
            type="primary",
            icon=":material/rocket_launch:",
            on_click=page.want,
            args=("deploy",),
        )
        st.button(visit.t("run.check"), key=f"{key}_check", icon=":material/checklist:", on_click=check)
        st.space("stretch")
        st.toggle(visit.t("diff.show"), key=f"{key}_diff", on_change=page.want)
        code.history(f"{key}_history", page)
    if page.wanted("deploy"):
        with st.spinner(visit.t("run.deploying")):
            page.complain(page.bench.deploy())
    if trouble := st.session_state.pop(f"{key}_trouble", None):
        page.complain(trouble)


def _panel(page: "LabPage") -> None:
    key, visit = page.key, page.visit
    st.session_state.setdefault(f"{key}_panel", "task")
    panel = st.segmented_control(
        visit.t("lab.panel"),
        _PANELS,
        required=True,
        format_func=lambda name: visit.t(f"lab.{name}"),
        key=f"{key}_panel",
        label_visibility="collapsed",
        on_change=page.want,
    )
    with st.container(height=_PANEL_HEIGHT, border=True, key=f"{key}_{panel}_panel"):
        if panel == "result":
            checks.results(f"{key}_checks", page.bench, visit)
        else:
            frame.task(page.lab, visit)


def _evidence(page: "LabPage") -> None:
    """Show the recording in which a check found what it says."""
    key, visit = f"{page.key}_checks", page.visit
    wanted = checks.evidence(key, page.bench)
    if wanted is None:
        return
    check, turn = wanted
    with st.container(key=f"{page.key}_evidence", border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{visit.t('grade.evidence_of', title=check.title.of(visit.language))}**", width="content")
            st.button(
                visit.t("grade.evidence_close"),
                key=f"{key}_close",
                type="tertiary",
                icon=":material/close:",
                on_click=lambda: checks.forget_evidence(key),
            )
        st.caption(visit.t("grade.evidence_help"))
        records = [record.to_json() for record in check.evidence]
        text = sentences(visit.language)
        flow_view(f"{key}_flow_{check.id}", run_url=None, records=records, text=text, selected=check.record)
    scroll_to(f"{key}_scroll", to=f"{page.key}_evidence", turn=turn)
