"""A lesson as data: everything in its folder, read and validated. No page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path

from labs.content import ContentError, Section, Table, Text, read_sections, read_toml, unique
from labs.model import compare_sections
from labs.model import load as load_lab
from lessons.blocks import Block, Explain, LabHere, Part, Predict, Quiz, Sources, read_blocks
from lessons.questions import Prediction, QuizQuestion, read_prediction, read_quiz

__all__ = ["ContentError", "Lesson", "Source", "Text", "load"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a claim comes from, and when it was true."""

    title: str
    url: str
    as_of: date
    claim: Text


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson."""

    id: str
    folder: Path
    title: Text
    summary: Text
    minutes: int
    goals: tuple[Text, ...]
    lab: str | None
    prediction: Prediction | None
    quiz: tuple[QuizQuestion, ...]
    sources: tuple[Source, ...]
    ko: tuple[Part, ...]
    en: tuple[Part, ...]

    def parts(self, language: str) -> tuple[Part, ...]:
        """Return the text in a language: one part for each heading, made of blocks."""
        return {"ko": self.ko, "en": self.en}[language]

    def observe(self, records: Sequence[object]) -> Mapping[str, object]:
        """Compute from a trace what the prediction's questions ask for, by each question's `observe`."""
        module = import_module(f"lessons.{self.id}.observe")
        outcomes: Mapping[str, object] = module.observe(records)
        return outcomes


def load(folder: Path) -> Lesson:
    """Read a lesson from its folder, or raise ContentError."""
    project = folder.parents[1]
    table = read_toml(folder / "lesson.toml")
    lab = table.string("lab") if table.has("lab") else None
    if lab is not None and not (project / "labs" / lab / "lab.toml").is_file():
        raise table.error("lab", f"there is no labs/{lab}; name a folder of labs/")
    ko, en = (read_sections(folder / f"{language}.md", deepest=3) for language in ("ko", "en"))
    compare_sections(folder, ko, en)
    lesson = Lesson(
        id=folder.name,
        folder=folder,
        title=table.text("title"),
        summary=table.text("summary"),
        minutes=table.integer("minutes", least=1),
        goals=read_goals(table),
        lab=lab,
        prediction=read_prediction(table.table("prediction")) if table.has("prediction") else None,
        quiz=read_quiz(folder / "quiz.toml"),
        sources=tuple(read_source(source) for source in table.tables("sources", optional=True)),
        ko=read_parts(folder / "ko.md", ko, project, lab),
        en=read_parts(folder / "en.md", en, project, lab),
    )
    table.value("prediction", None)
    table.finish()
    validate(lesson, table, project)
    return lesson


def read_parts(file: Path, sections: tuple[Section, ...], project: Path, lab: str | None) -> tuple[Part, ...]:
    """Read the blocks of every section."""
    return tuple(
        Part(section.level, section.anchor, section.title, read_blocks(file, section, project, lab)) for section in sections
    )


def read_goals(table: Table) -> tuple[Text, ...]:
    """Read what the learner can do afterwards."""
    goals = table.table("goals")
    ko, en = goals.strings("ko"), goals.strings("en")
    goals.finish()
    if len(ko) != len(en):
        raise table.error("goals", "has another number of goals in ko than in en; write the same goals")
    return tuple(Text(*pair) for pair in zip(ko, en, strict=True))


def read_source(table: Table) -> Source:
    """Read a source; its date may be a string or a TOML date."""
    as_of = table.value("as_of")
    try:
        day = as_of if isinstance(as_of, date) else date.fromisoformat(str(as_of))
    except ValueError:
        raise table.error("as_of", f"is {as_of!r}; write a date like 2026-01-31") from None
    url = table.string("url")
    if not url.startswith("https://"):
        raise table.error("url", "must begin with https://")
    source = Source(table.string("title"), url, day, table.text("claim"))
    table.finish()
    return source


def validate(lesson: Lesson, table: Table, project: Path) -> None:
    """Refuse a lesson whose parts do not fit each other."""
    ko, en = ([kind(block) for part in lesson.parts(language) for block in part.blocks] for language in ("ko", "en"))
    if [name for name in ko if name != "Prose"] != [name for name in en if name != "Prose"]:
        raise ContentError(lesson.folder / "en.md", "", "has other {directives} than ko.md; use the same, in one order")
    there = {Predict: lesson.prediction, LabHere: lesson.lab, Quiz: lesson.quiz, Sources: lesson.sources}
    names = {Predict: "predict", LabHere: "lab", Quiz: "quiz", Sources: "sources", Explain: "explain"}
    for block, name in names.items():
        count = ko.count(block.__name__)
        needed = bool(there.get(block, lesson.prediction))
        if count != needed:
            advice = f"has {{{name}}} {count} times; write it {'once' if needed else 'only with something to show'}"
            raise ContentError(lesson.folder / "ko.md", f"{{{name}}}", advice)
    run = [ko.index(name) for name in ("Predict", "LabHere", "Explain") if name in ko]
    if run != sorted(run):
        raise ContentError(lesson.folder / "ko.md", "{predict}", "must come before {lab}, and {explain} after it")
    if lesson.prediction is None:
        return
    unique((question.id for question in lesson.prediction.questions), table, "prediction.questions")
    samples = {sample.id for sample in load_lab(project / "labs" / lesson.lab).samples} if lesson.lab else set()
    for number, upload in enumerate(lesson.prediction.uploads):
        if upload.sample not in samples:
            advice = f"the lab has no sample {upload.sample}; it has {', '.join(sorted(samples))}"
            raise table.error(f"prediction.uploads[{number}].sample", advice)
    if not (lesson.folder / "observe.py").is_file():
        raise ContentError(lesson.folder / "observe.py", "", "is missing; compute there what the questions ask for")


def kind(block: Block) -> str:
    """Return the name of a block's type."""
    return type(block).__name__
