"""The one renderer of labs: a page of its own, or a part of a lesson."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import streamlit as st

from labs.cloud.functions.sandbox import Tier
from labs.desk import Desk
from labs.model import Lab
from labs.workbench import Trouble, Workbench, pythons, tier
from labs.workspace import workspaces
from lessons.parts import cloud, code, work
from lessons.parts.diagram import alt_text, architecture
from lessons.parts.signals import scroll_to
from lessons.visit import Visit


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

    def again(self) -> "LabPage":
        """Return the same for a fragment that runs alone, later: what was read for this run is old by then."""
        return LabPage(self.lab, self.visit, self.guide)

    def _draw(self) -> None:
        """Draw; in a lesson the cloud comes first, because watching comes before changing."""
        if self.bench.desk.look():
            st.toast(self.visit.t("draft.taken_over"), icon=":material/tab:")
        parts = (work.show, cloud.show) if self.guide is None else (cloud.show, work.show)
        for part in parts:
            part(self)

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

    def complain(self, trouble: Trouble | None) -> bool:
        """Say what did not work; tell whether all went well."""
        if trouble is None:
            return True
        st.error(self.visit.t(trouble.key, **trouble.params), icon=":material/error:")
        return False

    def scroll_to(self, place: str) -> None:
        """Scroll to a part of the page, once."""
        turns = f"{self.key}_turn_{place}"
        st.session_state[turns] = st.session_state.get(turns, 0) + 1

    def scrolling(self, place: str) -> None:
        """Draw what scrolls to a part of the page."""
        turn = int(st.session_state.get(f"{self.key}_turn_{place}", 0))
        scroll_to(f"{self.key}_scroll_{place}", to=f"{self.key}_{place}", turn=turn)


@cache
def own_page(lab: str) -> OwnPage | None:
    """Return what is special about a lab's page, or None."""
    name = f"labs.{lab}.page"
    return import_module(name) if find_spec(name) else None


def _header(lab: Lab, visit: Visit) -> None:
    st.title(lab.title.of(visit.language), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", key="lab_head"):
        st.markdown(lab.summary.of(visit.language), width="stretch")
        about(lab, visit)


def about(lab: Lab, visit: Visit) -> None:
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


def task(lab: Lab, visit: Visit) -> None:
    """Show what there is to do."""
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
