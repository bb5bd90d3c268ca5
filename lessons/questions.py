"""Questions: what a learner predicts before a run, and the quiz after it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from labs.content import Table, Text, read_toml, unique

Value: TypeAlias = str | int
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that the prediction is about: a sample of the lab, at a virtual second."""

    sample: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to choose from or to put into order."""

    value: Value
    text: Text


@dataclass(frozen=True, slots=True)
class Question:
    """What every question of a prediction has. `observe` names the outcome that answers it, `points_at` the kind
    of record that shows it, and `feedback` is what to say where prediction and observation differ."""

    id: str
    observe: str
    points_at: str
    text: Text
    feedback: Text

    def matches(self, answer: object, outcome: object) -> bool:
        """Tell whether an answer is what was observed."""
        return answer == outcome


@dataclass(frozen=True, slots=True)
class NumberQuestion(Question):
    """Answered by a whole number from `least` to `most`."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ChoiceQuestion(Question):
    """Answered by the value of one option."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class OrderQuestion(Question):
    """Answered by all values in an order."""

    options: tuple[Option, ...]

    def matches(self, answer: object, outcome: object) -> bool:
        """Tell whether an order is the one observed."""
        both = (answer, outcome)
        return all(isinstance(each, Sequence) and not isinstance(each, str) for each in both) and as_list(answer) == as_list(
            outcome
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is asked before the run, and the uploads that the questions are about."""

    title: Text
    uploads: tuple[Upload, ...]
    questions: tuple[NumberQuestion | ChoiceQuestion | OrderQuestion, ...]


@dataclass(frozen=True, slots=True)
class QuizOption:
    """One answer of a quiz question, with the reason why it is right or wrong."""

    text: Text
    correct: bool
    explanation: Text


@dataclass(frozen=True, slots=True)
class QuizQuestion:
    """A question of the quiz; one option is correct, or several."""

    id: str
    text: Text
    options: tuple[QuizOption, ...]

    @property
    def several(self) -> bool:
        """Tell whether more than one option is to be chosen."""
        return sum(option.correct for option in self.options) > 1


def as_list(value: object) -> list[object]:
    """Return a sequence as a list: JSON knows no tuples."""
    return list(value) if isinstance(value, Sequence) else [value]


def read_prediction(table: Table) -> Prediction:
    """Read [prediction] of lesson.toml."""
    uploads = []
    for entry in table.tables("uploads", optional=True):
        uploads.append(Upload(entry.string("sample"), entry.number("at_s")))
        if uploads[-1].at_s < 0:
            raise entry.error("at_s", "must be 0 or more")
        entry.finish()
    questions = tuple(read_question(entry) for entry in table.tables("questions"))
    if not questions:
        raise table.error("questions", "ask at least one")
    prediction = Prediction(table.text("title"), tuple(uploads), questions)
    table.finish()
    return prediction


def read_question(table: Table) -> NumberQuestion | ChoiceQuestion | OrderQuestion:
    """Read one question of a prediction."""
    kind = table.choice("kind", ("number", "choice", "order"))
    about = (
        read_id(table),
        table.string("observe"),
        table.string("points_at"),
        table.text("text"),
        table.text("feedback"),
    )
    if kind == "number":
        number = NumberQuestion(*about, table.integer("least", default=0), table.integer("most", default=999))
        if number.least >= number.most:
            raise table.error("most", f"must be more than {number.least}")
        table.finish()
        return number
    options = read_options(table)
    table.finish()
    return ChoiceQuestion(*about, options) if kind == "choice" else OrderQuestion(*about, options)


def read_options(table: Table) -> tuple[Option, ...]:
    """Read the options of a question; their values differ."""
    options = []
    for entry in table.tables("options"):
        value = entry.value("value")
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise entry.error("value", "must be a string or a whole number")
        options.append(Option(value, entry.text("text")))
        entry.finish()
    if len(options) < 2:
        raise table.error("options", "give at least two")
    unique((str(option.value) for option in options), table, "options")
    return tuple(options)


def read_quiz(file: Path) -> tuple[QuizQuestion, ...]:
    """Read quiz.toml."""
    table = read_toml(file)
    questions = tuple(read_quiz_question(entry) for entry in table.tables("questions"))
    table.finish()
    unique((question.id for question in questions), table, "questions")
    return questions


def read_quiz_question(table: Table) -> QuizQuestion:
    """Read one question of the quiz."""
    options = []
    for entry in table.tables("options"):
        options.append(QuizOption(entry.text("text"), entry.flag("correct"), entry.text("explanation")))
        entry.finish()
    question = QuizQuestion(read_id(table), table.text("text"), tuple(options))
    table.finish()
    if len(options) < 2 or not any(option.correct for option in options) or all(option.correct for option in options):
        raise table.error("options", "give at least one that is correct and one that is not")
    return question


def read_id(table: Table) -> str:
    """Read an id that can be a key in the journal."""
    id = table.string("id")
    if not _ID.fullmatch(id):
        raise table.error("id", "use a-z, 0-9 and _ only")
    return id
