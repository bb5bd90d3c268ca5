"""The one renderer of labs: a page of its own, or a part of a lesson."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from labs.cloud.functions.sandbox import Tier
from labs.desk import Desk
from labs.diagnosis import findings
from labs.model import Lab
from labs.workbench import Trouble, Workbench, pythons, tier
from labs.workspace import workspaces
from lessons.parts import account, checks, code
from lessons.parts.diagram import alt_text, architecture
from lessons.parts.flow import flow_view, sentences
from lessons.parts.signals import rerun_on_news, scroll_to
from lessons.visit import Visit

_PANELS = ("task", "result")
_PANEL_HEIGHT = 596  # pixels; as tall as the code beside it


class Guide(Protocol):
    """What a lesson adds to the lab that it shows."""

    def draw(self, page: "LabPage") -> None:
        """Draw above the cloud."""

    def news(self, page: "LabPage") -> bool:
        """Hear that something happened; tell whether the whole page should be drawn again."""


class OwnPage(Protocol):
    """What a lab's own page.py has."""

    def stimulus(self, page: "LabPage") -> None:
        """Offer what makes something happen."""

    def outcome(self, page: "LabPage") -> None:
        """Show what came of it."""

    def stored(self, outputs: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Name the buckets and tables to show."""


def show(lab: Lab, visit: Visit, guide: Guide | None = None) -> None:
    """Show a lab; `guide` is the lesson that it stands in."""
    if guide is None:
        _header(lab, visit)
    if tier() is Tier.PLAIN:
        st.error(visit.t("isolation.tier_0"), icon=":material/gpp_bad:")
    _lab(lab, visit, guide)


@cache
def own_page(lab: str) -> OwnPage | None:
    """Return what is special about a lab's page, or None."""
    name = f"labs.{lab}.page"
    return import_module(name) if find_spec(name) else None


@st.fragment
def _lab(lab: Lab, visit: Visit, guide: Guide | None) -> None:
    LabPage(lab, visit, guide).show()


class LabPage:
    """One lab for one learner, in one run of the script."""

    def __init__(self, lab: Lab, visit: Visit, guide: Guide | None) -> None:
        self.lab, self.visit, self.guide = lab, visit, guide
        self.key = lab.id
        desk = st.session_state.get(f"{self.key}_desk")
        if not isinstance(desk, Desk):
            desk = st.session_state[f"{self.key}_desk"] = Desk(visit.journal, visit.learner.id, lab)
        workspace = workspaces().open(visit.learner.id, lab)
        self.bench = Workbench(lab, visit.learner.id, visit.journal, desk, workspace)
        self.own: OwnPage | None = own_page(lab.id)

    def show(self) -> None:
        """Draw everything, and do what was asked for."""
        st.session_state[f"{self.key}_drawing"] = True
        try:
            self._draw()
        finally:
            st.session_state[f"{self.key}_drawing"] = False
        self._todo.clear()

    # The browser reruns one fragment at a time. Where a click comes together with the text that was typed before it, the
    # editor's fragment is the one: so clicks leave a note, and whichever fragment runs sees to it that it is read.
    @property
    def _todo(self) -> set[str]:
        todo: set[str] = st.session_state.setdefault(f"{self.key}_todo", set())
        return todo

    def want(self, what: str = "") -> None:
        """Ask for something to be done, or just to be drawn again; for callbacks."""
        # What was typed may come with the same message as the click that is about it.
        code.save_typed(f"{self.key}_editor", self.bench.desk)
        self._todo.add(what)

    def wanted(self, what: str) -> bool:
        """Tell whether something was asked for; it is up to the caller then."""
        asked = what in self._todo
        self._todo.discard(what)
        return asked

    def catch_up(self) -> None:
        """Draw the page again if a fragment in it ran alone and something was asked for; the last thing it does."""
        if self._todo and not st.session_state.get(f"{self.key}_drawing"):
            st.rerun()

    def _draw(self) -> None:
        """Draw; in a lesson the cloud comes first, because watching comes before changing."""
        if self.bench.desk.look():
            st.toast(self.visit.t("draft.taken_over"), icon=":material/tab:")
        if self.guide is None:
            self._work()
            self._cloud()
        else:
            self._cloud()
            self._work()
        for place in ("flow", "evidence"):
            scroll_to(f"{self.key}_scroll_{place}", to=f"{self.key}_{place}", turn=self._turn(place))

    def complain(self, trouble: Trouble | None) -> bool:
        """Say what did not work; tell whether all went well."""
        if trouble is None:
            return True
        st.error(self.visit.t(trouble.key, **trouble.params), icon=":material/error:")
        return False

    def scroll_to(self, place: str) -> None:
        """Scroll to a part of the page, once."""
        st.session_state[f"{self.key}_turn_{place}"] = self._turn(place) + 1

    def _turn(self, place: str) -> int:
        return int(st.session_state.get(f"{self.key}_turn_{place}", 0))

    # the learner's work
    def _work(self) -> None:
        key, visit = self.key, self.visit
        with st.container(key=f"{key}_work", gap="small"):
            left, right = st.columns([5, 8], gap="medium")
            with right:
                self._tools()
                code.after_reset(f"{key}_replaced", self)
                found = findings(self.bench.records) if self.bench.deployed else []
                code.editor(f"{key}_editor", self, found)
            with left:
                self._panel()
            if st.session_state.get(f"{key}_diff"):
                code.difference(f"{key}_difference", self.bench.desk, visit)
        self._evidence()

    def _tools(self) -> None:
        """Draw the buttons above the code, and do what they say."""
        key, visit, bench = self.key, self.visit, self.bench
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_tools"):
            st.button(
                visit.t("run.deploy"),
                key=f"{key}_deploy",
                type="primary",
                icon=":material/rocket_launch:",
                on_click=self.want,
                args=("deploy",),
            )
            st.button(
                visit.t("run.check"),
                key=f"{key}_check",
                icon=":material/checklist:",
                on_click=self._check,
            )
            st.space("stretch")
            st.toggle(visit.t("diff.show"), key=f"{key}_diff", on_change=self.want)
            code.history(f"{key}_history", self)
        if self.wanted("deploy"):
            with st.spinner(visit.t("run.deploying")):
                self.complain(bench.deploy())
        if trouble := st.session_state.pop(f"{key}_trouble", None):
            self.complain(trouble)

    def _check(self) -> None:
        self.want()
        trouble = self.bench.check()
        st.session_state[f"{self.key}_trouble"] = trouble
        checks.forget_evidence(f"{self.key}_checks")
        if trouble is None:
            st.session_state[f"{self.key}_panel"] = "result"

    def _panel(self) -> None:
        key, visit = self.key, self.visit
        st.session_state.setdefault(f"{key}_panel", "task")
        panel = st.segmented_control(
            visit.t("lab.panel"),
            _PANELS,
            required=True,
            format_func=lambda name: visit.t(f"lab.{name}"),
            key=f"{key}_panel",
            label_visibility="collapsed",
            on_change=self.want,
        )
        with st.container(height=_PANEL_HEIGHT, border=True, key=f"{key}_{panel}_panel"):
            if panel == "result":
                checks.results(f"{key}_checks", self.bench, visit)
            else:
                _task(self.lab, visit)

    def _evidence(self) -> None:
        """Show the recording in which a check found what it says."""
        key, visit = f"{self.key}_checks", self.visit
        wanted = checks.evidence(key, self.bench)
        if wanted is None:
            return
        check, turn = wanted
        with st.container(key=f"{self.key}_evidence", border=True):
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
        scroll_to(f"{key}_scroll", to=f"{self.key}_evidence", turn=turn)

    # the learner's cloud
    def _cloud(self) -> None:
        key, visit, bench = self.key, self.visit, self.bench
        with st.container(key=f"{key}_cloud", gap="small"):
            with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_cloud_head"):
                st.subheader(visit.t("cloud.heading"), anchor=False, width="content")
                if self.guide is not None:
                    _chips(self.lab, visit)
                st.space("stretch")
                trouble = account.pace(f"{key}_pace", bench, visit, self.want)
                st.button(
                    visit.t("run.reset_cloud"),
                    key=f"{key}_fresh",
                    icon=":material/restart_alt:",
                    help=visit.t("run.reset_cloud_help"),
                    on_click=self.want,
                    args=("fresh",),
                )
            self.complain(trouble)
            if self.wanted("fresh"):
                with st.spinner(visit.t("run.starting")):
                    self.complain(bench.fresh())
            if self.guide is not None:
                self.guide.draw(self)
            left, outcome = st.columns([1, 1], gap="medium")
            if self.own is not None:
                with left:
                    self.own.stimulus(self)
            with st.container(key=f"{key}_flow"):
                flow_view(
                    f"{key}_live_flow",
                    run_url=bench.run_url,
                    text=sentences(visit.language),
                    selected=None,
                )
            stored = st.container()
        _live(self.lab, self.visit, self.guide, outcome, stored)

    def outcome(self) -> None:
        """Show what came of the stimulus, and what went wrong in the newest run."""
        visit, workspace = self.visit, self.bench.workspace
        if not workspace.alive and workspace.error is not None:
            # Told here: what the learner does next need not be refused for it, but starts a new cloud.
            workspace.take_notice()
            st.warning(visit.t(workspace.error, **workspace.error_params), icon=":material/cloud_off:")
        elif workspace.kept_at is not None:
            st.caption(f":material/history: {visit.t('run.last_run', time=visit.clock_time(workspace.kept_at))}")
        for finding in findings(self.bench.records):
            said = code.said(finding, visit, markdown=True)
            (st.error if finding.harmful else st.info)(said, icon=":material/report:" if finding.harmful else ":material/info:")
        if self.own is not None:
            self.own.outcome(self)

    def stored(self) -> None:
        """Show what lies in the cloud."""
        visit, bench = self.visit, self.bench
        if not bench.workspace.alive and not bench.records:
            st.caption(visit.t("cloud.none"))
            return
        buckets, tables = self.own.stored(bench.workspace.outputs) if self.own is not None else ([], [])
        labels = [visit.t(f"cloud.{name}") for name in ("objects", "items", "logs")]
        in_objects, in_items, in_logs = st.tabs(labels, key=f"{self.key}_stored", on_change=self.want)
        if in_objects.open:
            with in_objects:
                account.objects(bench, visit, buckets)
        if in_items.open:
            with in_items:
                account.items(bench, visit, tables)
        if in_logs.open:
            with in_logs:
                account.logs(bench, visit)


@st.fragment
def _live(lab: Lab, visit: Visit, guide: Guide | None, outcome: DeltaGenerator, stored: DeltaGenerator) -> None:
    """Draw what depends on the cloud, again whenever something has happened there.

    One fragment for two places: the browser reruns one fragment at a time, and news is for both.
    """
    page = LabPage(lab, visit, guide)
    known = page.bench.newest
    with outcome:
        page.outcome()
    with stored:
        page.stored()
    if rerun_on_news(f"{page.key}_news", run_url=page.bench.run_url, known=known):
        shown = f"{page.key}_shown"
        lines = [finding.line for finding in findings(page.bench.records)]
        changed = st.session_state.get(shown, []) != lines
        st.session_state[shown] = lines
        # The editor shows the line of an error, and a lesson its outcome: both stand outside of this fragment.
        if (guide is not None and guide.news(page)) or changed:
            st.rerun()
    page.catch_up()


def _header(lab: Lab, visit: Visit) -> None:
    st.title(lab.title.of(visit.language), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", key="lab_head"):
        st.markdown(lab.summary.of(visit.language), width="stretch")
        _chips(lab, visit)


def _chips(lab: Lab, visit: Visit) -> None:
    """Say how well the code is kept apart, what runs it, and where this cloud is not AWS."""
    found = tier()
    declared, actual = pythons(lab)
    icon, colour = {
        Tier.PLAIN: (":material/gpp_bad:", "red"),
        Tier.CONFINED: (":material/gpp_maybe:", "orange"),
        Tier.ISOLATED: (":material/verified_user:", "green"),
    }[found]
    label = f"{visit.t(f'isolation.short_{found.value}')} · {actual}"
    with st.popover(label, icon=icon, type="tertiary", key=f"{lab.id}_about_{colour}"):
        st.markdown(f"**{visit.t('isolation.heading')}**  \n{visit.t(f'isolation.tier_{found.value}')}")
        same = actual.removeprefix("Python ").startswith(declared.removeprefix("python") + ".")
        which = visit.t("python.same" if same else "python.really", declared=f"`{declared}`", actual=actual)
        st.markdown(f"**{visit.t('python.which')}**  \n{which}")
        st.markdown(f"**{visit.t('fidelity.heading')}**  \n{visit.t('fidelity.clock')} {visit.t(f'pace.{lab.durations}')}")
        st.markdown(visit.t("fidelity.roles"))


def _task(lab: Lab, visit: Visit) -> None:
    for section in lab.task(visit.language):
        if section.level:
            marks = "####" if section.level == 2 else "#####"
            st.markdown(f"{marks} {section.title}", anchors=False)
        if section.body:
            st.markdown(section.body, anchors=False)
    st.markdown(f"#### {visit.t('run.diagram_heading')}", anchors=False)
    diagram(lab, visit.language)


def diagram(lab: Lab, language: str) -> None:
    """Draw the lab's architecture."""
    dot, alt = _diagram(lab.template, language)
    st.graphviz_chart(dot, width="stretch", alt=alt)


@cache
def _diagram(template: Path, language: str) -> tuple[str, str]:
    return architecture(template, language), alt_text(template, language)
