"""What you read: lessons in Korean and English."""

from functools import cache
from pathlib import Path

from labs.model import folders
from lessons.model import Lesson, load

__all__ = ["Lesson", "lesson", "lessons"]


@cache
def lessons() -> tuple[Lesson, ...]:
    """Return every lesson, in order; a folder here is a lesson."""
    return tuple(load(folder) for folder in folders(Path(__file__).parent, "l[0-9]*_*"))


def lesson(id: str) -> Lesson:
    """Return one lesson, or raise KeyError."""
    for found in lessons():
        if found.id == id:
            return found
    raise KeyError(f"no lesson {id!r}; there are {', '.join(each.id for each in lessons())}")
