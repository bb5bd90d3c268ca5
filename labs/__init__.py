"""What you run: labs on an AWS account inside this machine."""

from functools import cache
from pathlib import Path

from labs.model import Lab, folders, load

__all__ = ["Lab", "lab", "labs"]


@cache
def labs() -> tuple[Lab, ...]:
    """Return every lab, in order; a folder here is a lab."""
    return tuple(load(folder) for folder in folders(Path(__file__).parent, "lab[0-9]*_*"))


def lab(id: str) -> Lab:
    """Return one lab, or raise KeyError."""
    for found in labs():
        if found.id == id:
            return found
    raise KeyError(f"no lab {id!r}; there are {', '.join(each.id for each in labs())}")
