"""Reading content: TOML tables with typed keys, Markdown in sections, and errors that say what to do."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PLACE = re.compile(r"\{(\w+)\}")
_HEADING = re.compile(r"(?P<hashes>#{2,6}) +(?P<title>.*?)(?: +\{#(?P<anchor>[^}]*)\})? *")
_ANCHOR = re.compile(r"[a-z][a-z0-9-]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MISSING = object()


class ContentError(ValueError):
    """A mistake in a lesson's or lab's folder: which file, which key, what to do."""

    def __init__(self, file: Path, key: str, advice: str) -> None:
        super().__init__(f"{file}: {key}: {advice}" if key else f"{file}: {advice}")
        self.file = file
        self.key = key
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Korean and in English."""

    ko: str
    en: str

    def of(self, language: str) -> str:
        """Return the words in a language, "ko" or "en"."""
        return {"ko": self.ko, "en": self.en}[language]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the Markdown below it. Level 0 is what stands before the first heading."""

    level: int
    anchor: str
    title: str
    body: str


class Table:
    """A TOML table whose every key must be asked for; `finish` refuses the ones that nobody asked for."""

    def __init__(self, file: Path, data: Mapping[str, object], where: str = "") -> None:
        self.file = file
        self._data = data
        self._where = where
        self._asked: set[str] = set()

    def error(self, key: str, advice: str) -> ContentError:
        """Return an error about one of this table's keys."""
        return ContentError(self.file, f"{self._where}{key}".rstrip("."), advice)

    def has(self, key: str) -> bool:
        """Tell whether a key is there."""
        return key in self._data

    def keys(self) -> Iterable[str]:
        """Return the keys in the order of the file."""
        return self._data.keys()

    def value(self, key: str, default: object = _MISSING) -> object:
        """Return a value of any kind."""
        self._asked.add(key)
        value = self._data.get(key, default)
        if value is _MISSING:
            raise self.error(key, "is missing; add it")
        return value

    def string(self, key: str, default: str | None = None) -> str:
        """Return a string that says something."""
        value = self.value(key, _MISSING if default is None else default)
        if not isinstance(value, str) or not (value.strip() or value == default):
            raise self.error(key, "must be a string that is not empty")
        return value

    def choice(self, key: str, options: Iterable[str], default: str | None = None) -> str:
        """Return a string out of some."""
        value = self.string(key, default)
        if value not in (allowed := list(options)):
            raise self.error(key, f"is {value!r}; use one of {', '.join(allowed)}")
        return value

    def number(self, key: str, default: float | None = None) -> int | float:
        """Return a number."""
        value = self.value(key, _MISSING if default is None else default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, "must be a number")
        return value

    def integer(self, key: str, *, least: int = 0, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.number(key, default)
        if not isinstance(value, int) or value < least:
            raise self.error(key, f"must be a whole number of {least} or more")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self.value(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return value

    def strings(self, key: str, *, optional: bool = False) -> tuple[str, ...]:
        """Return a list of strings."""
        value = self.value(key, () if optional else _MISSING)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.error(key, "must be a list of strings")
        found = tuple(item for item in value if isinstance(item, str) and item.strip())
        if len(found) != len(value):
            raise self.error(key, "must be a list of strings that are not empty")
        return found

    def integers(self, key: str) -> tuple[int, ...]:
        """Return a list of whole numbers."""
        value = self.value(key)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.error(key, "must be a list of whole numbers")
        found = tuple(item for item in value if isinstance(item, int) and not isinstance(item, bool))
        if len(found) != len(value):
            raise self.error(key, "must be a list of whole numbers")
        return found

    def text(self, key: str) -> Text:
        """Return words in both languages."""
        table = self.table(key)
        text = Text(table.string("ko").strip(), table.string("en").strip())
        table.finish()
        return text

    def table(self, key: str) -> "Table":
        """Return a table within this one."""
        value = self.value(key)
        if not isinstance(value, Mapping):
            raise self.error(key, "must be a table")
        return Table(self.file, value, f"{self._where}{key}.")

    def tables(self, key: str, *, optional: bool = False) -> tuple["Table", ...]:
        """Return a list of tables, [[key]] in the file."""
        value = self.value(key, () if optional else _MISSING)
        if not isinstance(value, Sequence) or not all(isinstance(item, Mapping) for item in value):
            raise self.error(key, f"must be a list of tables; write [[{key}]]")
        return tuple(Table(self.file, item, f"{self._where}{key}[{n}].") for n, item in enumerate(value))

    def finish(self) -> None:
        """Refuse keys that mean nothing: most are misspelt."""
        for key in self._data:
            if key not in self._asked:
                raise self.error(key, f"means nothing here; known are {', '.join(sorted(self._asked))}")


def read_text(file: Path) -> str:
    """Read a text file."""
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise ContentError(file, "", "is missing; add it") from None
    except UnicodeDecodeError as error:
        raise ContentError(file, "", f"is not UTF-8 ({error}); save it as UTF-8") from error


def read_toml(file: Path) -> Table:
    """Read a TOML file."""
    try:
        return Table(file, tomllib.loads(read_text(file)))
    except tomllib.TOMLDecodeError as error:
        raise ContentError(file, "", f"is not TOML: {error}") from error


def read_sections(file: Path, *, deepest: int = 2) -> tuple[Section, ...]:
    """Split Markdown at its headings down to a level; code in fences is left alone."""
    sections: list[Section] = []
    level, anchor, title = 0, "", ""
    body: list[str] = []

    def end() -> None:
        if level or "".join(body).strip():
            sections.append(Section(level, anchor, title, "\n".join(body).strip("\n")))

    for number, (line, fenced) in enumerate(fences(file, read_text(file)), start=1):
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading is None or len(heading["hashes"]) > deepest:
            if heading and heading["anchor"]:
                raise ContentError(file, f"line {number}", f"headings below level {deepest} have no anchor; remove it")
            body.append(line)
            continue
        end()
        level, anchor, title, body = len(heading["hashes"]), heading["anchor"] or "", heading["title"], []
        if not _ANCHOR.fullmatch(anchor):
            raise ContentError(file, f"line {number}", f"write an anchor of a-z, 0-9 and -: ## {title} {{#some-name}}")
        if anchor in {section.anchor for section in sections}:
            raise ContentError(file, f"line {number}", f"the anchor {anchor} is taken; choose another")
    end()
    return tuple(sections)


def fences(file: Path, text: str) -> Iterator[tuple[str, bool]]:
    """Yield every line of Markdown, and whether it belongs to a fenced code block."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        closes = bool(mark and fence and mark[1].startswith(fence) and line.strip() == mark[1])
        yield line, bool(fence or mark)
        if closes:
            fence = ""
        elif mark and not fence:
            fence = mark[1]
    if fence:
        raise ContentError(file, "", f"a code block is never closed; end it with {fence}")


def places(text: str) -> frozenset[str]:
    """Return the names of a text's {placeholders}."""
    return frozenset(PLACE.findall(text))


def unique(items: Iterable[str], table: Table, key: str) -> None:
    """Refuse an id that is used twice."""
    seen: set[str] = set()
    for item in items:
        if item in seen:
            raise table.error(key, f"the id {item} is used twice; choose another")
        seen.add(item)
