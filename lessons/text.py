"""The pages' words in a language: assets/text/{ko,en}.toml."""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

TEXT = Path(__file__).parents[1] / "assets" / "text"
_PLACE = re.compile(r"\{(\w+)\}")


class Language(StrEnum):
    """A language of the pages."""

    KO = "ko"
    EN = "en"

    @property
    def own_name(self) -> str:
        """Return the language's name in itself."""
        return {"ko": "한국어", "en": "English"}[self.value]


def guess(locale: str | None) -> Language:
    """Guess the language from a browser's locale, such as ko-KR."""
    return Language.KO if re.match(r"ko\b", (locale or "").replace("_", "-").lower()) else Language.EN


def t(key: str, language: Language, **params: object) -> str:
    """Return one text of the pages, with its {placeholders} filled."""
    texts = words(language)
    if key not in texts:
        raise KeyError(f"no text {key!r}; add it to {path(language)} and to the other languages' files")

    def fill(place: re.Match[str]) -> str:
        if place[1] not in params:
            raise KeyError(f"text {key!r} in {path(language)} needs {place[1]}=...")
        return str(params[place[1]])

    return _PLACE.sub(fill, texts[key])


def table(name: str, language: Language) -> Mapping[str, str]:
    """Return a table's texts with their placeholders unfilled, for a browser part that fills them itself."""
    texts = words(language)
    start = f"{name}."
    found = {key.removeprefix(start): text for key, text in texts.items() if key.startswith(start)}
    if not found:
        raise KeyError(f"no table [{name}] in {path(language)}")
    return MappingProxyType(found)


@cache
def words(language: Language) -> Mapping[str, str]:
    """Return every text of a language by its dotted key."""
    with path(language).open("rb") as file:
        tables = tomllib.load(file)
    return MappingProxyType({f"{name}.{key}": str(text) for name, texts in tables.items() for key, text in texts.items()})


def path(language: Language) -> Path:
    """Return the file of a language."""
    return TEXT / f"{language}.toml"
