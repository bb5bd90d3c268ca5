"""Files that a learner has handed in and the page has not put anywhere yet: which are taken, and where they wait."""

import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, field

from labs.classroom.names import TURNING

LARGEST_UPLOAD = 10 * 1024 * 1024  # bytes
LONGEST_KEY = 1024  # bytes of UTF-8; Amazon S3 user guide: naming objects (2026-11)
_KEPT = 3  # uploads that wait at once, of one learner in one lab
_WAITS = 600.0  # real seconds


class RefusedNameError(ValueError):
    """A file name that cannot become a key; `key` names the message for the learner."""

    def __init__(self, key: str) -> None:
        super().__init__(f"file name refused: {key}")
        self.key = key


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that waits."""

    id: str
    name: str
    body: bytes = field(repr=False)
    since: float = field(default_factory=time.monotonic)


class Uploads:
    """The files that wait for one workspace's page; the oldest makes room. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Upload] = OrderedDict()

    def add(self, name: str, body: bytes) -> Upload:
        """Keep a file until it is taken. Raises RefusedNameError."""
        upload = Upload(secrets.token_urlsafe(12), clean_file_name(name), body)
        with self._lock:
            self._waiting[upload.id] = upload
            while len(self._waiting) > _KEPT:
                self._waiting.popitem(last=False)
        return upload

    def take(self, id: str) -> Upload | None:
        """Give a file away, once."""
        with self._lock:
            return self._waiting.pop(id, None)

    def expire(self, now: float) -> None:
        """Forget what nobody came for."""
        with self._lock:
            for upload in list(self._waiting.values()):
                if now - upload.since > _WAITS:
                    del self._waiting[upload.id]


def clean_file_name(name: str) -> str:
    """Return the name as it becomes an object's key. Raises RefusedNameError.

    S3 would take nearly all of these names. They are refused because a file has no such name unless somebody made it up.
    """
    # macOS writes Hangul in pieces: the same name to the eye, another key to S3.
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise RefusedNameError("upload.name_empty")
    if any(letter in TURNING or unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in name):
        raise RefusedNameError("upload.name_control")
    if "/" in name or "\\" in name or name in {".", ".."}:
        raise RefusedNameError("upload.name_path")
    if len(name.encode()) > LONGEST_KEY:
        raise RefusedNameError("upload.name_long")
    return name


def shown_name(name: str) -> str:
    """Return a name as it can stand in a message: without what cannot be seen, and not too long."""
    seen = "".join("\ufffd" if unicodedata.category(letter)[0] == "C" else letter for letter in name)
    return seen if len(seen) <= 60 else seen[:59] + "…"


def size_text(count: int, *, down: bool = False) -> str:
    """Write a number of bytes as the browser's half does: rounded up, a cap rounded down."""
    amount, unit = float(count), "B"
    for larger in ("KB", "MB", "GB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    digits = 1 if unit == "B" or amount >= 100 else 10
    whole = int(amount * digits) if down else -int(-amount * digits // 1)
    text = f"{whole / digits:.1f}".removesuffix(".0")
    return f"{text} {unit}"
