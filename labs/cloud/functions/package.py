"""Unpack deployment packages, within bounds."""

import io
import stat
import zipfile
from pathlib import Path

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
