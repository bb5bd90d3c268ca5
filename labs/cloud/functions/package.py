"""Unpack deployment packages, within bounds."""

import hashlib
import io
import stat
import zipfile
from pathlib import Path

from labs.cloud import moto_seams
from labs.cloud.moto_seams import FunctionVersion

MAX_BYTES = 250 * 1024 * 1024  # Lambda's own limit for an unpacked package, AWS developer guide: Lambda quotas (2026-11-20)
MAX_ENTRIES = 10_000


class PackageError(Exception):
    """A deployment package cannot be unpacked; the message says why."""


def unpack(archive: bytes, target: Path) -> None:
    """Unpack a zip into an empty folder. Raises PackageError for a broken, oversized or escaping archive."""
    target.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as package:
            entries = package.infolist()
            if len(entries) > MAX_ENTRIES:
                raise PackageError(f"the package has {len(entries)} entries, more than {MAX_ENTRIES}")
            left = MAX_BYTES
            for entry in entries:
                mode = entry.external_attr >> 16
                if stat.S_ISLNK(mode):
                    raise PackageError(f"the package has a link: {entry.filename}")
                destination = (target / entry.filename).resolve()
                if not destination.is_relative_to(target.resolve()):
                    raise PackageError(f"the package has an entry outside itself: {entry.filename}")
                if entry.is_dir():
                    destination.mkdir(parents=True, exist_ok=True)
                    continue
                destination.parent.mkdir(parents=True, exist_ok=True)
                with package.open(entry) as source:
                    data = source.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise PackageError(f"the package is larger than {MAX_BYTES} bytes unpacked")
                destination.write_bytes(data)
        # The environment runs as nobody: what Lambda asks of a package's modes, ours has whatever the umask here.
        for path in (target, *target.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        raise PackageError(f"the package cannot be unpacked: {error}") from error


class Packages:
    """Keep what is unpacked of functions and layers, one folder per content."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    def code(self, function: FunctionVersion) -> Path:
        """Give the folder of a function's code. Raises PackageError."""
        return self._folder([function.code])

    def layers(self, function: FunctionVersion) -> tuple[Path, ...]:
        """Give the one folder that a function's layers make under /opt; a later layer replaces files of earlier ones."""
        archives = [moto_seams.layer_code(arn) for arn in function.layers]
        return (self._folder(archives),) if any(archives) else ()

    def _folder(self, archives: list[bytes]) -> Path:
        target = self._workspace / hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in archives)).hexdigest()
        if not target.exists():
            for archive in archives:
                unpack(archive, target)
        return target
