"""What the learner expects, asked before anything can be run, and set beside what happened afterwards."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import streamlit as st

from lessons.questions import ChoiceQuestion, NumberQuestion, OrderQuestion, Prediction
from lessons.visit import Visit

Question: TypeAlias = NumberQuestion | ChoiceQuestion | OrderQuestion
Answer: TypeAlias = str | int | list[str | int]
Answers: TypeAlias = Mapping[str, object]


@st.fragment
def ask(key: str, prediction: Prediction, visit: Visit, keep: Callable[[dict[str, Answer]], None]) -> None:
    """Ask every question; call `keep` with the answers once all of them are there."""
    with st.container(border=True, key=key):
        st.markdown(f"**{prediction.title.of(visit.language)}**")
        st.caption(visit.t("prediction.before_running"))
        given = {question.id: _field(f"{key}_{question.id}", question, visit) for question in prediction.questions}
        pressed = st.button(visit.t("prediction.submit"), key=f"{key}_submit", type="primary", icon=":material/lightbulb:")
        answers = {id: answer for id, answer in given.items() if answer is not None}
        if pressed and len(answers) < len(given):
            st.warning(visit.t("prediction.incomplete"), icon=":material/edit:")
        elif pressed:
            keep(answers)
            st.rerun()


def kept(key: str, prediction: Prediction, answers: Answers, visit: Visit) -> None:
    """Show the answers that stand."""
    with st.container(border=True, key=key):
        st.markdown(f":green[:material/check_circle:] {visit.t('prediction.kept')}")
        for question in prediction.questions:
            st.markdown(f"{question.text.of(visit.language)}  \n**{in_words(question, answers.get(question.id), visit)}**")


def compared(
    key: str,
    prediction: Prediction,
    answers: Answers,
    outcomes: Mapping[str, object],
    records: Mapping[str, int],
    visit: Visit,
) -> int | None:
    """Set prediction and outcome side by side; return the record that the learner wants to see, if any."""
    wanted: int | None = None
    for number, question in enumerate(prediction.questions, start=1):
        answer, outcome = answers.get(question.id), outcomes.get(question.observe)
        right = question.matches(answer, outcome)
        with st.container(border=True, key=f"{key}_{question.id}"):
            heading, verdict = st.columns([4, 1], vertical_alignment="top")
            heading.markdown(f"**{number}. {question.text.of(visit.language)}**")
            with verdict.container(horizontal=True, horizontal_alignment="right"):
                if right:
                    st.badge(visit.t("prediction.match"), icon=":material/check:", color="green")
                else:
                    st.badge(visit.t("prediction.differs"), icon=":material/close:", color="orange")
            mine, seen = st.columns(2)
            mine.caption(visit.t("prediction.yours"))
            mine.markdown(in_words(question, answer, visit))
            seen.caption(visit.t("prediction.observed"))
            seen.markdown(in_words(question, outcome, visit))
            if not right:
                st.markdown(question.feedback.of(visit.language))
            record = records.get(question.id)
            if record is not None:
                label = f"{visit.t('grade.evidence')} ({visit.t('grade.evidence_record', id=record)})"
                if st.button(label, key=f"{key}_{question.id}_see", type="tertiary", icon=":material/timeline:"):
                    wanted = record
    return wanted


def in_words(question: Question, answer: object, visit: Visit) -> str:
    """Say an answer, or an outcome, in the words of the question's options."""
    if answer is None:
        return visit.t("prediction.no_answer")
    if isinstance(question, NumberQuestion):
        return visit.t("prediction.unit_times", count=answer)
    texts: dict[object, str] = {option.value: option.text.of(visit.language) for option in question.options}
    values: Sequence[object] = answer if isinstance(answer, Sequence) and not isinstance(answer, str) else [answer]
    # The outcome of code that somebody changed may be none of the options.
    known = [texts.get(value) or _other(value, visit) for value in values]
    if isinstance(question, OrderQuestion):
        return "  \n".join(f"{place}. {text}".replace(". ", "\\. ", 1) for place, text in enumerate(known, start=1)) or "–"
    return ", ".join(known)


def _other(value: object, visit: Visit) -> str:
    return visit.t("prediction.unit_times", count=value) if isinstance(value, int) else f"`{value}`"


def _field(key: str, question: Question, visit: Visit) -> Answer | None:
    """Show one question and return its answer, or None."""
    text = question.text.of(visit.language)
    if isinstance(question, NumberQuestion):
        number = st.number_input(
            text, question.least, question.most, value=None, step=1, key=key, width=240, persist_state="session"
        )
        return None if number is None else int(number)
    if isinstance(question, OrderQuestion):
        return _order(key, text, question, visit)
    chosen = st.radio(
        text,
        range(len(question.options)),
        index=None,
        format_func=lambda index: question.options[index].text.of(visit.language),
        key=key,
        persist_state="session",
    )
    return None if chosen is None else question.options[chosen].value


def _order(key: str, text: str, question: OrderQuestion, visit: Visit) -> Answer:
    """Let the learner put the options into an order, by buttons that a keyboard reaches too."""
    store = f"{key}_order"
    order: list[int] = st.session_state.setdefault(store, list(range(len(question.options))))

    def swap(at: int) -> None:
        order[at], order[at + 1] = order[at + 1], order[at]

    st.markdown(f"**{text}**")
    st.caption(visit.t("prediction.order_help"))
    with st.container(key=store, gap="xsmall"):
        for place, index in enumerate(order):
            item = question.options[index].text.of(visit.language)
            with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"{store}_row_{place}"):
                st.markdown(f"**{place + 1}** &ensp; {item}", width="stretch")
                st.button(
                    visit.t("prediction.move_up", item=item),
                    key=f"{key}_up_{place}",
                    type="tertiary",
                    icon=":material/arrow_upward:",
                    disabled=place == 0,
                    on_click=swap,
                    args=(place - 1,),
                )
                st.button(
                    visit.t("prediction.move_down", item=item),
                    key=f"{key}_down_{place}",
                    type="tertiary",
                    icon=":material/arrow_downward:",
                    disabled=place == len(order) - 1,
                    on_click=swap,
                    args=(place,),
                )
    return [question.options[index].value for index in order]
