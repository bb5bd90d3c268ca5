"""A submission as bytes: read within bounds and packed, never imported, compiled or unpacked here."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from labs.cloud.trace import JSON
from labs.grading.result import Reason

HANDLER = "handler.py"
MOST_BYTES = 5_000_000
MOST_FILES = 500


class UnreadableError(Exception):
    """A submission that cannot be graded; nobody loses a point for it."""

    def __init__(self, message_id: str, **params: JSON) -> None:
        super().__init__(f"{message_id} {params}")
        self.reason = Reason(message_id, params)


@dataclass(frozen=True, slots=True)
class Submission:
    """Packed code, and a digest of its files."""

    package: bytes
    digest: str


def read(path: Path) -> Submission:
    """Read a file, which stands for handler.py, or a folder. Raises UnreadableError."""
    try:
        if path.is_file():
            return pack({HANDLER: _read(path, path.name, MOST_BYTES)})
        if path.is_dir():
            return pack(_read_folder(path))
    except OSError as error:
        raise UnreadableError("grading.not_readable", path=str(path), error=error.strerror or str(error)) from error
    raise UnreadableError("grading.no_such_file", path=str(path))


def pack(files: dict[str, bytes]) -> Submission:
    """Pack files by name. Raises UnreadableError for code that is no text."""
    for name, body in files.items():
        if name.endswith(".py") or name == HANDLER:
            try:
                text = body.decode("utf-8")
            except UnicodeDecodeError:
                text = "\0"
            if "\0" in text:
                raise UnreadableError("grading.not_text", file=name)
    digest = hashlib.sha256()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in sorted(files.items()):
            digest.update(f"{name}\n{len(body)}\n".encode() + body)
            # A date of 1980: the package must not differ from run to run.
            information = zipfile.ZipInfo(name)
            information.external_attr = 0o644 << 16
            information.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(information, body)
    return Submission(archive.getvalue(), digest.hexdigest())


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for path in sorted(folder.rglob("*")):
        # A link could lead anywhere on the machine that grades.
        if path.is_symlink() or not path.is_file() or "__pycache__" in path.parts:
            continue
        name = path.relative_to(folder).as_posix()
        if any(folder.joinpath(*Path(name).parts[:depth]).is_symlink() for depth in range(1, name.count("/") + 1)):
            continue
        if len(files) == MOST_FILES:
            raise UnreadableError("grading.too_many_files", most=MOST_FILES)
        files[name] = _read(path, name, left)
        left -= len(files[name])
    if HANDLER not in files:
        raise UnreadableError("grading.no_handler_file", file=HANDLER)
    return files


def _read(path: Path, name: str, most: int) -> bytes:
    with path.open("rb") as file:
        body = file.read(most + 1)
    if len(body) > most:
        raise UnreadableError("grading.too_large", file=name, most=MOST_BYTES)
    return body
