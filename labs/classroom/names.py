"""Who the learner is, and which names are accepted."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

LONGEST_NAME = 60
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Letters by category, yet nothing is seen: the Hangul fillers and the blank braille pattern.
INVISIBLE = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"}
# Cf holds the joiners that some scripts and emoji need; the ones that turn the direction of text are refused.
TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}


class NameFault(StrEnum):
    """Why a name was refused."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTERS = "control_characters"


class InvalidName(ValueError):
    """A name that is refused; `key` names the message for the learner."""

    def __init__(self, code: NameFault) -> None:
        super().__init__(f"name refused: {code}")
        self.code = code
        self.key = f"name.{code}"


@dataclass(frozen=True, slots=True)
class Learner:
    """One learner: a random id from a cookie, the name shown (may be empty) and the language chosen (if any)."""

    id: str
    name: str = ""
    language: str | None = None


def clean_name(name: str) -> str:
    """Return the name as it is stored, or raise InvalidName."""
    name = unicodedata.normalize("NFC", name.strip())
    if any(character in TURNING or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name):
        raise InvalidName(NameFault.CONTROL_CHARACTERS)
    if not any(unicodedata.category(c)[0] not in "CZM" and c not in INVISIBLE for c in name):
        raise InvalidName(NameFault.EMPTY)
    if len(name) > LONGEST_NAME:
        raise InvalidName(NameFault.TOO_LONG)
    return name


def clean_id(learner: str) -> str:
    """Return the id, or raise ValueError when it cannot be one of ours."""
    if not ID.fullmatch(learner):
        raise ValueError("a learner id is 1 to 64 of A-Z a-z 0-9 _ -; give the browser a new cookie")
    return learner
