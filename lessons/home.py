"""The home page: what this is, where to begin, and how far the learner has come."""

import streamlit as st

from labs import Lab, labs
from labs.classroom import InvalidName
from lessons import Lesson, lessons
from lessons.parts.quiz import is_right
from lessons.visit import Visit

_STEPS = (
    ("predict", ":material/lightbulb:"),
    ("run", ":material/play_circle:"),
    ("explain", ":material/compare_arrows:"),
    ("check", ":material/checklist:"),
)


def show(visit: Visit) -> None:
    """Show the home page."""
    with st.container(key="home", gap="medium"):
        _welcome(visit)
        _steps(visit)
        _map(visit)
        _name(visit)


def _welcome(visit: Visit) -> None:
    with st.container(key="welcome", gap="small"):
        name = visit.learner.name
        st.caption(visit.t("learner.greeting", name=escaped(name)) if name else visit.t("app.title"))
        st.title(visit.t("home.heading"), anchor=False)
        st.markdown(visit.t("home.intro"))
        following = next((lesson for lesson in lessons() if _lesson_state(lesson, visit) != "passed"), None)
        if following is not None:
            begun = following is not lessons()[0] or _lesson_state(following, visit) == "started"
            title = following.title.of(visit.language)
            label = visit.t("home.go_on", title=title) if begun else visit.t("home.start")
            if st.button(label, key="start", type="primary", icon=":material/arrow_forward:"):
                st.switch_page(visit.pages[following.id])


def _steps(visit: Visit) -> None:
    with st.container(key="steps"):
        for (step, icon), column in zip(_STEPS, st.columns(len(_STEPS), gap="medium"), strict=True):
            with column:
                st.markdown(f"{icon}  \n{visit.t(f'home.how_{step}')}")


def _map(visit: Visit) -> None:
    """Show every lesson beside its lab."""
    st.header(visit.t("home.map_heading"), anchor=False)
    by_id = {lab.id: lab for lab in labs()}
    with_lesson = {lesson.lab for lesson in lessons()}
    for number, lesson in enumerate(lessons(), start=1):
        with st.container(key=f"map_{lesson.id}"):
            left, right = st.columns(2, gap="medium")
            with left:
                _lesson_card(number, lesson, visit)
            if lesson.lab is not None:
                with right:
                    _lab_card(by_id[lesson.lab], visit)
    for lab in labs():
        if lab.id not in with_lesson:
            _lab_card(lab, visit)


def _lesson_card(number: int, lesson: Lesson, visit: Visit) -> None:
    state = _lesson_state(lesson, visit)
    with st.container(border=True, height="stretch", key=f"card_{lesson.id}"):
        _card_head(visit.t("home.lesson_number", number=number), visit.t("home.minutes", minutes=lesson.minutes), state, visit)
        st.page_link(visit.pages[lesson.id], label=f"**{lesson.title.of(visit.language)}**", icon=":material/menu_book:")
        st.markdown(lesson.summary.of(visit.language))


def _lab_card(lab: Lab, visit: Visit) -> None:
    best = visit.journal.best(visit.learner.id, lab.id)
    points = best.points if best is not None else None
    state = "passed" if points == lab.points else "started" if visit.journal.draft(visit.learner.id, lab.id) else "not_started"
    with st.container(border=True, height="stretch", key=f"card_{lab.id}"):
        _card_head(visit.t("home.lab"), visit.t("home.minutes", minutes=lab.minutes), state, visit)
        st.page_link(visit.pages[lab.id], label=f"**{lab.title.of(visit.language)}**", icon=":material/science:")
        st.markdown(lab.summary.of(visit.language))
        st.progress((points or 0) / lab.points, text=visit.t("home.best", points=points or 0, total=lab.points))


def _card_head(kind: str, minutes: str, state: str, visit: Visit) -> None:
    colour, icon = {
        "passed": ("green", ":material/check:"),
        "started": ("blue", ":material/more_horiz:"),
        "not_started": ("gray", ":material/circle:"),
    }[state]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{kind} · {minutes}", width="content")
        st.badge(visit.t(f"home.{state}"), icon=icon, color=colour)  # type: ignore[arg-type]


def _lesson_state(lesson: Lesson, visit: Visit) -> str:
    """Tell how far a lesson is: passed once every question of its quiz was answered rightly."""
    entries = visit.journal.quiz_answers(visit.learner.id, lesson.id)
    questions = {question.id: question for question in lesson.quiz}
    right = set()
    for entry in entries:
        chosen = [place for place in entry.data if isinstance(place, int)] if isinstance(entry.data, list) else []
        if entry.name in questions and is_right(questions[entry.name], chosen):
            right.add(entry.name)
    if len(right) == len(questions):
        return "passed"
    return "started" if entries or visit.journal.prediction(visit.learner.id, lesson.id) else "not_started"


def _name(visit: Visit) -> None:
    """Ask for a name; nothing depends on it."""
    with st.container(border=True, key="name"):
        st.markdown(f"**{visit.t('learner.rename' if visit.learner.name else 'home.name_heading')}**")
        form = st.form("name_form", border=False)
        with form, st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                visit.t("learner.name_label"),
                value=visit.learner.name,
                key="learner_name",
                label_visibility="collapsed",
                placeholder=visit.t("learner.name_label"),
                width=320,
            )
            pressed = st.form_submit_button(visit.t("learner.name_save"))
        st.caption(visit.t("learner.name_help"))
        if pressed:
            try:
                learner = visit.journal.rename(visit.learner.id, name)
            except InvalidName as refusal:
                st.warning(visit.t(refusal.key), icon=":material/edit:")
            else:
                st.session_state["name_saved"] = learner.name
                st.rerun()
        if saved := st.session_state.pop("name_saved", None):
            st.success(visit.t("learner.name_saved", name=escaped(str(saved))), icon=":material/check:")


def escaped(text: str) -> str:
    """Keep Markdown from reading a learner's text."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+-.!|$~:&" else letter for letter in text)
