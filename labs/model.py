"""A lab as data: everything in its folder, read and validated. No AWS, no page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from labs.content import ContentError, Section, Table, Text, places, read_sections, read_text, read_toml, unique

__all__ = ["Check", "ContentError", "Durations", "Lab", "Pace", "Sample", "Section", "Text", "folders", "load"]

RUNGS = 3
ID = re.compile(r"[a-z][a-z0-9_]*")
FILES = ("template.yaml", "handler.py", "test_lab.py")


class Pace(StrEnum):
    """How fast the lab page's clock runs at first."""

    INSTANT = "instant"
    LIVE = "live"
    PAUSED = "paused"


class Durations(StrEnum):
    """Where durations come from on the lab page."""

    MODELLED = "modelled"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is graded: a step of the task, its points, its three hints and what to say when it passed."""

    id: str
    task: int
    points: int
    title: Text
    hints: tuple[Text, Text, Text]
    passed: Text


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that the lab page offers to upload under a key."""

    id: str
    file: Path
    key: str
    title: Text


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab."""

    id: str
    folder: Path
    title: Text
    summary: Text
    concept: str
    minutes: int
    points: int
    pace: Pace
    durations: Durations
    seeds: tuple[int, ...]
    prerequisites: tuple[str, ...]
    faults: tuple[str, ...]
    checks: tuple[Check, ...]
    samples: tuple[Sample, ...]
    messages: Mapping[str, Text]
    start: str
    ko: tuple[Section, ...]
    en: tuple[Section, ...]

    def task(self, language: str) -> tuple[Section, ...]:
        """Return the task in a language; headings of level 2 and 3 are sections of their own."""
        return {"ko": self.ko, "en": self.en}[language]

    def check(self, id: str) -> Check:
        """Return one of the checks."""
        return next(check for check in self.checks if check.id == id)

    @property
    def template(self) -> Path:
        """Return the AWS SAM template."""
        return self.folder / "template.yaml"

    @property
    def handler(self) -> Path:
        """Return the file that the learner starts from."""
        return self.folder / "handler.py"

    @property
    def tests(self) -> Path:
        """Return the file with the checks."""
        return self.folder / "test_lab.py"

    @property
    def solutions(self) -> tuple[Path, ...]:
        """Return the folders that must pass."""
        return folders(self.folder / "solutions", "*")

    @property
    def mistakes(self) -> tuple[Path, ...]:
        """Return the folders that must fail."""
        return folders(self.folder / "mistakes", "*")


def folders(parent: Path, pattern: str) -> tuple[Path, ...]:
    """Return the folders that hold something, by name. Python leaves __pycache__ behind where one was removed."""
    return tuple(
        folder
        for folder in sorted(parent.glob(pattern))
        if folder.is_dir() and folder.name != "__pycache__" and any(i.name != "__pycache__" for i in folder.iterdir())
    )


def load(folder: Path) -> Lab:
    """Read a lab from its folder, or raise ContentError."""
    table = read_toml(folder / "lab.toml")
    if table.string("id") != folder.name:
        raise table.error("id", f"must be the folder's name, {folder.name}")
    for name in FILES:
        read_text(folder / name)
    passed, messages = read_messages(folder)
    checks = read_checks(table, folder, passed)
    lab = Lab(
        id=folder.name,
        folder=folder,
        title=table.text("title"),
        summary=table.text("summary"),
        concept=table.string("concept"),
        minutes=table.integer("minutes", least=1),
        points=table.integer("points", least=1),
        pace=Pace(table.choice("pace", Pace, Pace.LIVE)),
        durations=Durations(table.choice("durations", Durations, Durations.MODELLED)),
        seeds=table.integers("seeds"),
        prerequisites=table.strings("prerequisites", optional=True),
        faults=table.strings("faults", optional=True),
        checks=checks,
        samples=tuple(read_sample(sample, folder) for sample in table.tables("samples", optional=True)),
        messages=messages,
        start=read_text(folder / "handler.py"),
        ko=read_sections(folder / "ko.md", deepest=3),
        en=read_sections(folder / "en.md", deepest=3),
    )
    table.finish()
    validate(lab, table)
    return lab


def validate(lab: Lab, table: Table) -> None:
    """Refuse a lab whose parts do not fit each other."""
    if not lab.seeds:
        raise table.error("seeds", "needs at least one seed")
    if (total := sum(check.points for check in lab.checks)) != lab.points:
        raise table.error("points", f"is {lab.points}, but the checks give {total}; make them equal")
    unique((sample.id for sample in lab.samples), table, "samples")
    compare_sections(lab.folder, lab.ko, lab.en)
    for number, check in enumerate(lab.checks):
        if f"task-{check.task}" not in {section.anchor for section in lab.ko}:
            advice = f"there is no step {{#task-{check.task}}} in ko.md and en.md; add it"
            raise table.error(f"checks[{number}].task", advice)


def compare_sections(folder: Path, ko: tuple[Section, ...], en: tuple[Section, ...]) -> None:
    """Refuse two languages that are not built alike."""
    if not ko:
        raise ContentError(folder / "ko.md", "", "has no section; begin one with ## title {#anchor}")
    for file, mine, other in ((folder / "en.md", en, ko), (folder / "ko.md", ko, en)):
        shape = [(section.level, section.anchor) for section in other]
        for section in mine:
            if (section.level, section.anchor) not in shape:
                advice = "the other language has no such section at this level; write the same sections in both"
                raise ContentError(file, f"{{#{section.anchor}}}", advice)
    if [section.anchor for section in ko] != [section.anchor for section in en]:
        raise ContentError(folder / "en.md", "", "has its sections in another order than ko.md; use the same order")


def read_checks(table: Table, folder: Path, passed: Mapping[str, Text]) -> tuple[Check, ...]:
    """Read the checks with their hints."""
    hints = read_toml(folder / "hints.toml")
    checks = []
    for entry in table.tables("checks"):
        id = entry.string("id")
        if not ID.fullmatch(id):
            raise entry.error("id", "use a-z, 0-9 and _ only")
        if id not in passed:
            raise ContentError(folder / "messages.ko.toml", f"passed.{id}", "is missing; say what was achieved")
        checks.append(
            Check(
                id=id,
                task=entry.integer("task", least=1),
                points=entry.integer("points", least=1),
                title=entry.text("title"),
                hints=read_hints(hints, id),
                passed=passed[id],
            )
        )
        entry.finish()
    unique((check.id for check in checks), table, "checks")
    hints.finish()
    for id in passed:
        if id not in {check.id for check in checks}:
            raise ContentError(folder / "messages.ko.toml", f"passed.{id}", "there is no such check; remove it")
    return tuple(checks)


def read_hints(hints: Table, check: str) -> tuple[Text, Text, Text]:
    """Read the three rungs of one check: where to look, why, nearly the code."""
    entry = hints.table(check)
    ko, en = entry.strings("ko"), entry.strings("en")
    entry.finish()
    if len(ko) != RUNGS or len(en) != RUNGS:
        raise hints.error(check, f"needs {RUNGS} hints in each language: where to look, why, nearly the code")
    return Text(ko[0], en[0]), Text(ko[1], en[1]), Text(ko[2], en[2])


def read_sample(table: Table, folder: Path) -> Sample:
    """Read a file offered for upload."""
    sample = Sample(table.string("id"), folder / table.string("file"), table.string("key"), table.text("title"))
    table.finish()
    if not sample.file.is_file() or not sample.file.resolve().is_relative_to(folder.resolve()):
        raise table.error("file", "there is no such file in the lab's folder; add it")
    return sample


def read_messages(folder: Path) -> tuple[Mapping[str, Text], Mapping[str, Text]]:
    """Read what is said about passed checks, and the feedback by message id."""
    ko, en = (read_toml(folder / f"messages.{language}.toml") for language in ("ko", "en"))
    passed = merge(ko.table("passed"), en.table("passed"))
    return passed, merge(ko, en, besides=("passed",))


def merge(ko: Table, en: Table, besides: tuple[str, ...] = ()) -> Mapping[str, Text]:
    """Put the two languages together; they must have the same ids and the same {placeholders}."""
    texts = {}
    for key in dict.fromkeys([*ko.keys(), *en.keys()]):
        if key in besides:
            continue
        text = Text(ko.string(key).strip(), en.string(key).strip())
        if different := places(text.ko) ^ places(text.en):
            raise en.error(key, f"{{{'}, {'.join(sorted(different))}}} stands in one language only; use it in both")
        texts[key] = text
    return MappingProxyType(texts)
