"""The one renderer of lessons."""

import re
from html import escape

import streamlit as st

from labs import lab as lab_of
from labs import page as lab_page
from labs.cloud import Pace
from labs.model import Lab
from labs.page import LabPage
from labs.workbench import attempt
from lessons import lessons
from lessons.blocks import Block, Code, Diagram, Explain, LabHere, Part, Predict, Prose, Quiz, Sources
from lessons.experiment import Experiment, last_outcome, save_outcome
from lessons.model import Lesson
from lessons.parts.flow import flow_view, sentences
from lessons.parts.prediction import Answer, ask, compared, kept
from lessons.parts.quiz import quiz
from lessons.parts.signals import scroll_to
from lessons.visit import HOME, Visit

PROSE = 740  # pixels: about 40 Korean or 80 Latin letters to a line
_CITATION = re.compile(r"\[(\d+)\](?!\()")
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


def show(lesson: Lesson, visit: Visit) -> None:
    """Show a lesson: what comes after the prediction appears when the prediction has been made."""
    LessonPage(lesson, visit).show()


class LessonPage:
    """One lesson for one learner."""

    def __init__(self, lesson: Lesson, visit: Visit) -> None:
        self.lesson, self.visit = lesson, visit
        entry = visit.journal.prediction(visit.learner.id, lesson.id)
        data = entry.data if entry is not None else None
        self.answers = dict(data) if isinstance(data, dict) else None
        self.lab: Lab | None = lab_of(lesson.lab) if lesson.lab else None

    def show(self) -> None:
        """Draw everything that may be seen by now."""
        with st.container(horizontal_alignment="center", gap="medium", key="lesson"):
            self._header()
            for part in self.lesson.parts(self.visit.language):
                self._part(part)
                if self.locked and any(isinstance(block, LabHere) for block in part.blocks):
                    break
            self._footer()

    @property
    def locked(self) -> bool:
        """Tell whether the prediction is still to be made."""
        return self.lesson.prediction is not None and self.answers is None

    def _header(self) -> None:
        lesson, visit = self.lesson, self.visit
        with st.container(width=PROSE, gap="small"):
            st.title(lesson.title.of(visit.language), anchor=False)
            st.markdown(f"#### {lesson.summary.of(visit.language)}", anchors=False)
            st.caption(f":material/schedule: {visit.t('home.minutes', minutes=lesson.minutes)}")
            with st.container(border=True, key="goals", gap="xsmall"):
                st.markdown(f"**{visit.t('lesson.goals')}**")
                st.markdown("\n".join(f"- {goal.of(visit.language)}" for goal in lesson.goals))

    def _part(self, part: Part) -> None:
        if part.level:
            with st.container(width=PROSE):
                title = st.header if part.level == 2 else st.subheader
                title(part.title, anchor=part.anchor)
        for block in part.blocks:
            self._block(block)

    def _block(self, block: Block) -> None:
        if isinstance(block, LabHere):
            self._lab()
        elif isinstance(block, Explain):
            self._explain()
        else:
            with st.container(width=PROSE):
                self._narrow(block)

    def _narrow(self, block: Block) -> None:
        lesson, visit = self.lesson, self.visit
        match block:
            case Prose(markdown):
                st.markdown(cited(markdown), anchors=False)
            case Diagram():
                if self.lab is not None:
                    lab_page.diagram(self.lab, visit.language)
            case Code(path, _, text):
                st.code(text, block.language, wrap_lines=True)
                st.caption(visit.t("lesson.code_caption", file=f"`{path}`"))
            case Predict() if lesson.prediction is not None:
                if self.answers is None:
                    ask(f"predict_{lesson.id}", lesson.prediction, visit, self._keep)
                else:
                    kept(f"predicted_{lesson.id}", lesson.prediction, self.answers, visit)
            case Sources():
                self._sources()
            case Quiz():
                quiz(f"quiz_{lesson.id}", lesson.id, lesson.quiz, visit)

    def _keep(self, answers: dict[str, Answer]) -> None:
        self.visit.journal.save_prediction(self.visit.learner.id, self.lesson.id, answers)

    def _lab(self) -> None:
        if self.locked:
            with st.container(width=PROSE), st.container(border=True, key="locked"):
                st.markdown(f":material/lock: {self.visit.t('prediction.locked')}")
        elif self.lab is not None:
            lab_page.show(self.lab, self.visit, guide=Guide(self.lesson, self.lab, self.visit))

    def _explain(self) -> None:
        """Set prediction and outcome side by side, with the recording that shows each of them."""
        lesson, visit = self.lesson, self.visit
        outcome = last_outcome(visit.journal, visit.learner.id, lesson)
        with st.container(width=PROSE, key="explain"):
            if outcome is None or lesson.prediction is None or self.answers is None:
                st.info(visit.t("lesson.run_first"), icon=":material/arrow_upward:")
                return
            key = f"explain_{lesson.id}"
            wanted = compared(key, lesson.prediction, self.answers, outcome.outcomes, outcome.records, visit)
        if wanted is not None:
            st.session_state[key] = wanted
            st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1
        selected = st.session_state.get(key)
        if isinstance(selected, int):
            with st.container(key="explain_flow", border=True):
                st.markdown(f"**{visit.t('lesson.recording')}**")
                flow_view(f"{key}_flow", run_url=None, records=outcome.trace, text=sentences(visit.language), selected=selected)
            scroll_to(f"{key}_scroll", to="explain_flow", turn=st.session_state.get(f"{key}_turn", 0))

    def _sources(self) -> None:
        visit = self.visit
        items = "".join(
            f'<li id="source-{number}"><a href="{escape(source.url)}" target="_blank" rel="noreferrer">{escape(source.title)}'
            f"</a><br>{escape(source.claim.of(visit.language))} "
            f"<small>({escape(visit.t('lesson.as_of', date=source.as_of.isoformat()))})</small></li>"
            for number, source in enumerate(self.lesson.sources, start=1)
        )
        st.html(f'<ol class="lab-sources">{items}</ol>')

    def _footer(self) -> None:
        visit = self.visit
        with st.container(width=PROSE), st.container(horizontal=True, key="footer"):
            st.page_link(visit.pages[HOME], label=visit.t("nav.back_home"), icon=":material/home:")
            if self.lab is not None and not self.locked:
                label = visit.t("nav.to_lab", title=self.lab.title.of(visit.language))
                st.page_link(visit.pages[self.lab.id], label=label, icon=":material/science:")
            following = next((lesson for lesson in lessons() if lesson.id > self.lesson.id), None)
            if following is not None:
                label = visit.t("nav.next", title=following.title.of(visit.language))
                st.page_link(visit.pages[following.id], label=label, icon=":material/arrow_forward:")


class Guide:
    """What a lesson adds to its lab: the run that the prediction is about."""

    def __init__(self, lesson: Lesson, lab: Lab, visit: Visit) -> None:
        self.lesson, self.lab, self.visit = lesson, lab, visit
        self._key = f"experiment_{lesson.id}"

    @property
    def experiment(self) -> Experiment | None:
        """Return the run that was started in this browser tab, if any."""
        found = st.session_state.get(self._key)
        return found if isinstance(found, Experiment) else None

    def draw(self, page: LabPage) -> None:
        """Offer the run, and say how far it has come."""
        prediction, visit = self.lesson.prediction, self.visit
        if prediction is None or not prediction.uploads:
            return
        experiment = self.experiment
        running = experiment is not None and not experiment.saved and experiment.error is None
        done = last_outcome(visit.journal, visit.learner.id, self.lesson) is not None
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="experiment"):
            with st.container(gap="xsmall", width="stretch"):
                st.markdown(f"**{prediction.title.of(visit.language)}**")
                shown = done and not running
                st.caption(visit.t("lesson.experiment_done" if shown else "lesson.experiment_help"))
                if shown and (anchor := self._explained_at()):
                    st.markdown(f":material/arrow_downward: [{visit.t('lesson.to_explain')}](#{anchor})")
            st.button(
                visit.t("lesson.experiment_again" if done else "lesson.experiment"),
                key=f"{self._key}_run",
                type="secondary" if done else "primary",
                icon=":material/play_arrow:",
                disabled=running,
                on_click=page.want,
                args=("experiment",),
            )
        if page.wanted("experiment"):
            with st.spinner(visit.t("run.starting")):
                trouble = page.bench.fresh() or page.bench.set_pace(Pace.LIVE, 1.0)
            if page.complain(trouble):
                started = Experiment(prediction.uploads, self.lab, after=page.bench.newest)
                st.session_state[self._key] = started
                started.start(page.bench)
                page.scroll_to("flow")
        if experiment is not None and experiment.error is not None:
            page.complain(attempt(experiment.fail))

    def _explained_at(self) -> str | None:
        """Return the anchor under which prediction and outcome stand side by side."""
        parts = self.lesson.parts(self.visit.language)
        return next((part.anchor for part in parts if any(isinstance(block, Explain) for block in part.blocks)), None)

    def news(self, page: LabPage) -> bool:
        """Keep the outcome when it is there; tell whether the whole page should be drawn again."""
        experiment = self.experiment
        if experiment is None or experiment.saved or experiment.error is not None:
            return False
        trace = experiment.trace(page.bench.records)
        if not experiment.ended(trace):
            return False
        save_outcome(self.visit.journal, self.visit.learner.id, self.lesson, trace)
        experiment.saved = True
        return True


def cited(markdown: str) -> str:
    """Turn [3] into a link to the third source, outside of code."""
    pieces = _CODE.split(markdown)
    return "".join(piece if piece.startswith("`") else _CITATION.sub(r"[\\[\1\\]](#source-\1)", piece) for piece in pieces)
