"""The quiz: one question after the other, and afterwards a reason for every option."""

from collections.abc import Mapping, Sequence

import streamlit as st

from lessons.questions import QuizQuestion
from lessons.visit import Visit


@st.fragment
def quiz(key: str, lesson: str, questions: Sequence[QuizQuestion], visit: Visit) -> None:
    """Ask, explain and remember; every question can be tried again."""
    answers = _answers(lesson, visit)
    for number, question in enumerate(questions, start=1):
        with st.container(border=True, key=f"{key}_{question.id}"):
            _question(f"{key}_{question.id}", lesson, number, question, answers.get(question.id), visit)
    done = [is_right(question, answers[question.id]) for question in questions if question.id in answers]
    if len(done) == len(questions):
        score = visit.t("quiz.score", right=sum(done), total=len(done))
        (st.success if all(done) else st.info)(score, icon=":material/school:")


def is_right(question: QuizQuestion, chosen: Sequence[int]) -> bool:
    """Tell whether the chosen options, by position, are the correct ones."""
    return set(chosen) == {place for place, option in enumerate(question.options) if option.correct}


def _question(key: str, lesson: str, number: int, question: QuizQuestion, answer: Sequence[int] | None, visit: Visit) -> None:
    st.markdown(f"**{number}. {question.text.of(visit.language)}**")
    again = f"{key}_again"
    if answer is not None and not st.session_state.get(again):
        _explained(question, answer, visit)
        st.button(
            visit.t("quiz.retry"),
            key=f"{key}_retry",
            type="tertiary",
            icon=":material/replay:",
            on_click=lambda: st.session_state.update({again: True}),
        )
        return
    _fields(key, question, visit)

    def check() -> None:
        chosen = _chosen(key, question)
        if chosen:
            visit.journal.save_quiz_answer(visit.learner.id, lesson, question.id, chosen)
        st.session_state[again] = not chosen

    if st.button(visit.t("quiz.check"), key=f"{key}_check", on_click=check) and st.session_state[again]:
        st.warning(visit.t("quiz.unanswered"), icon=":material/edit:")


def _fields(key: str, question: QuizQuestion, visit: Visit) -> None:
    texts = [option.text.of(visit.language) for option in question.options]
    if question.several:
        st.caption(visit.t("quiz.choose_all"))
        for place, text in enumerate(texts):
            st.checkbox(text, key=f"{key}_{place}", on_change="ignore")
    else:
        st.radio(
            visit.t("quiz.choose_one"),
            range(len(texts)),
            index=None,
            format_func=lambda place: texts[place],
            key=f"{key}_choice",
            label_visibility="collapsed",
            on_change="ignore",
        )


def _chosen(key: str, question: QuizQuestion) -> list[int]:
    """Return what is chosen in the fields, as positions."""
    if question.several:
        return [place for place in range(len(question.options)) if st.session_state.get(f"{key}_{place}")]
    one = st.session_state.get(f"{key}_choice")
    return [one] if isinstance(one, int) else []


def _explained(question: QuizQuestion, chosen: Sequence[int], visit: Visit) -> None:
    """Say how the answer was, then why each option is right or wrong."""
    correct = {place for place, option in enumerate(question.options) if option.correct}
    if is_right(question, chosen):
        st.success(visit.t("quiz.right"), icon=":material/check_circle:")
    else:
        st.warning(visit.t("quiz.partly" if correct & set(chosen) else "quiz.wrong"), icon=":material/info:")
    for place, option in enumerate(question.options):
        mark = ":green[:material/check:]" if option.correct else ":gray[:material/close:]"
        tags = "".join(
            f" :{colour}-badge[{visit.t(text)}]"
            for colour, text, there in (
                ("green", "quiz.right_answer", option.correct),
                ("blue", "quiz.your_answer", place in chosen),
            )
            if there
        )
        text, why = option.text.of(visit.language), option.explanation.of(visit.language)
        st.markdown(f"{mark} **{text}**{tags}  \n{why}")


def _answers(lesson: str, visit: Visit) -> Mapping[str, Sequence[int]]:
    """Return the newest answer to each question, as positions."""
    found: dict[str, Sequence[int]] = {}
    for entry in visit.journal.quiz_answers(visit.learner.id, lesson):
        if isinstance(entry.data, list):
            found[entry.name] = [place for place in entry.data if isinstance(place, int)]
    return found
