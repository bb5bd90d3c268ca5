"""Pack code into the zip that Lambda takes, with nothing in it that changes from run to run."""

import io
import zipfile
from pathlib import Path


class PackingError(Exception):
    """There is no code to pack; the message says where it was looked for."""


def pack(code: Path) -> bytes:
    """Pack a folder, or a single file as handler.py, into a zip with nothing in it that changes from run to run.

    Raises PackingError for code that is not there.
    """
    if not code.exists():
        raise PackingError(f"{code}: there is no such file or folder")
    files = (
        {"handler.py": code}
        if code.is_file()
        else {
            str(path.relative_to(code)): path
            for path in sorted(code.rglob("*"))
            if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
        }
    )
    if not files:
        raise PackingError(f"{code}: there is no code in this folder")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name, path in files.items():
            information = zipfile.ZipInfo(name)
            information.external_attr = 0o644 << 16
            information.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(information, path.read_bytes())
    return archive.getvalue()


def pack_source(source: str) -> bytes:
    """Pack one handler's source text."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        information = zipfile.ZipInfo("handler.py")
        information.external_attr = 0o644 << 16
        # An editor can send unpaired surrogates; Python says what is wrong with them when it reads the file.
        package.writestr(information, source.encode("utf-8", "surrogatepass"))
    return archive.getvalue()
