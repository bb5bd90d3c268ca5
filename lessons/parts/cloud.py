"""The learner's cloud on a lab page: how time passes, what makes something happen, what happens, what there is then."""

from typing import TYPE_CHECKING

import streamlit as st

from labs import page as frame
from labs.diagnosis import findings
from lessons.parts import account, code
from lessons.parts.flow import flow_view, sentences
from lessons.parts.signals import rerun_on_news

if TYPE_CHECKING:
    from labs.page import LabPage

_MINE = "cloud"  # asked for by what only changes the cloud's own part of the page


def show(page: "LabPage") -> None:
    """Draw it, and draw it again by itself whenever something has happened there."""
    _cloud(page)


@st.fragment
def _cloud(page: "LabPage") -> None:
    page = page.again()
    key, visit, bench = page.key, page.visit, page.bench
    known = bench.newest
    with st.container(key=f"{key}_cloud", gap="small"):
        _head(page)
        if page.guide is not None:
            page.guide.draw(page)
        if page.own is not None:
            left, right = st.columns([1, 1], gap="medium")
            with left:
                page.own.stimulus(page)
            with right:
                _outcome(page)
        with st.container(key=f"{key}_flow"):
            flow_view(f"{key}_live_flow", run_url=bench.run_url, text=sentences(visit.language))
        _stored(page)
    page.scrolling("flow")
    if rerun_on_news(f"{key}_news", run_url=bench.run_url, known=known):
        _spread(page)
    page.wanted(_MINE)
    page.catch_up()


def _spread(page: "LabPage") -> None:
    """Draw the whole page again if what has happened matters outside of the cloud's own part."""
    shown = f"{page.key}_shown"
    lines = [finding.line for finding in findings(page.bench.records)]
    changed = st.session_state.get(shown, []) != lines
    st.session_state[shown] = lines
    # The editor marks the line of an error; a lesson sets prediction and outcome side by side.
    if (page.guide is not None and page.guide.news(page)) or changed:
        st.rerun()


def _head(page: "LabPage") -> None:
    key, visit = page.key, page.visit
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_cloud_head"):
        st.subheader(visit.t("cloud.heading"), anchor=False, width="content")
        if page.guide is not None:
            frame.about(page.lab, visit)
        st.space("stretch")
        trouble = account.pace(f"{key}_pace", page.bench, visit, lambda: page.want(_MINE))
        st.button(
            visit.t("run.reset_cloud"),
            key=f"{key}_fresh",
            icon=":material/restart_alt:",
            help=visit.t("run.reset_cloud_help"),
            on_click=page.want,
            args=("fresh",),
        )
    page.complain(trouble)
    if page.wanted("fresh"):
        with st.spinner(visit.t("run.starting")):
            started = page.complain(page.bench.fresh())
        if started:
            page.want()


def _outcome(page: "LabPage") -> None:
    """Show what came of the stimulus, and what went wrong in the newest run."""
    visit, workspace = page.visit, page.bench.workspace
    if not workspace.alive and workspace.error is not None:
        # Told here: what the learner does next need not be refused for it, but starts a new cloud.
        workspace.take_notice()
        st.warning(visit.t(workspace.error, **workspace.error_params), icon=":material/cloud_off:")
    elif workspace.kept_at is not None:
        st.caption(f":material/history: {visit.t('run.last_run', time=visit.clock_time(workspace.kept_at))}")
    for finding in findings(page.bench.records):
        said = code.said(finding, visit, markdown=True)
        if finding.harmful:
            st.error(said, icon=":material/report:")
        else:
            st.info(said, icon=":material/info:")
    if page.own is not None:
        page.own.outcome(page)


def _stored(page: "LabPage") -> None:
    """Show what lies in the cloud."""
    visit, bench = page.visit, page.bench
    if not bench.workspace.alive and not bench.records:
        st.caption(visit.t("cloud.none"))
        return
    buckets, tables = page.own.stored(bench.workspace.outputs) if page.own is not None else ([], [])
    labels = [visit.t(f"cloud.{name}") for name in ("objects", "items", "logs")]
    in_objects, in_items, in_logs = st.tabs(labels, key=f"{page.key}_stored", on_change=lambda: page.want(_MINE))
    if in_objects.open:
        with in_objects:
            account.objects(bench, visit, buckets)
    if in_items.open:
        with in_items:
            account.items(bench, visit, tables)
    if in_logs.open:
        with in_logs:
            account.logs(bench, visit)
