"""When things go wrong under the journal: kill -9, damage, a full disk, no permission, a lock."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.classroom import Fault, Journal, JournalError

PROJECT = Path(__file__).parents[2]
LAB = "lab01_thumbnail"
NOBODY = 65534


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Run code in another process of this project."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=150)
    assert process.returncode == 0, err
    return out.strip()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an ordinary user may enter, which pytest's own folders do not allow."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


WRITER = """
import sys
from labs.classroom import Journal
journal = Journal(sys.argv[1])
version = 0
while True:
    version = journal.save_draft("ann", "lab01_thumbnail", f"text {version + 1}", version).draft.version
    print(version, flush=True)
"""


def test_what_was_confirmed_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    confirmed = 0
    for lines in (1, 7, 23):
        process = python(WRITER.replace("version = 0", f"version = {confirmed}"), str(path))
        assert process.stdout is not None
        for _ in range(lines):
            confirmed = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        confirmed = max([confirmed, *(int(line) for line in process.stdout if line.endswith("\n"))])  # also what was buffered
        process.communicate(timeout=150)
        with Journal(path) as journal:
            draft = journal.draft("ann", LAB)
            assert draft is not None
            assert draft.version in (confirmed, confirmed + 1)  # the last one may be on disk but not yet reported
            assert draft.code == f"text {draft.version}"
            confirmed = draft.version
            history = journal.drafts("ann", LAB)
            assert [d.version for d in history] == list(range(confirmed, max(0, confirmed - 50), -1))


def test_processes_that_open_a_new_journal_at_once(tmp_path: Path) -> None:
    code = "import sys; from labs.classroom import Journal; Journal(sys.argv[1]).rename(sys.argv[2], 'x'); print('ok')"
    processes = [python(code, str(tmp_path / "data" / "journal"), f"learner{n}") for n in range(4)]
    assert [output(process) for process in processes] == ["ok"] * 4
    with Journal(tmp_path / "data" / "journal") as journal:
        assert len(journal.learners()) == 4


def filled(path: Path) -> bytes:
    with Journal(path) as journal:
        for number in range(60):
            journal.save_draft(f"learner{number}", LAB, os.urandom(1000).hex(), 0)
    return path.read_bytes()


@pytest.mark.parametrize("at", [0, 4096, 40_000])
def test_a_damaged_file_is_reported_and_left_alone(tmp_path: Path, at: int) -> None:
    path = tmp_path / "journal"
    content = bytearray(filled(path))
    content[at : at + 2000] = b"\xa5" * 2000
    path.write_bytes(content)
    with pytest.raises(JournalError) as refused:
        Journal(path)
    assert (refused.value.code, refused.value.key) == (Fault.CORRUPTED, "journal.corrupted")
    assert refused.value.path == str(path)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == content


def test_a_truncated_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    content = filled(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(JournalError) as refused:
        Journal(path)
    assert refused.value.code is Fault.CORRUPTED
    assert path.read_bytes() == content[: len(content) // 2]


def test_a_damaged_text_is_reported_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.save_draft("ann", LAB, "x", 0)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE drafts SET code = x'00ff00ff'")
    with Journal(path) as journal, pytest.raises(JournalError) as refused:
        journal.draft("ann", LAB)
    assert refused.value.code is Fault.CORRUPTED


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE notes (text)")
    with pytest.raises(JournalError) as refused:
        Journal(path)
    assert refused.value.code is Fault.FOREIGN


def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE journal SET version = 99")
    with pytest.raises(JournalError) as refused:
        Journal(path)
    assert refused.value.code is Fault.NEWER


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError) as refused:
        Journal(tmp_path / "file" / "journal")
    assert refused.value.code is Fault.UNAVAILABLE
    with pytest.raises(JournalError) as refused:
        Journal(tmp_path)
    assert refused.value.code is Fault.UNAVAILABLE


FULL = """
import resource, sys
from labs.classroom import Journal, JournalError
journal = Journal(sys.argv[1])
version = journal.save_draft("ann", "lab", "safe", 0).draft.version
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
import random
try:
    for number in range(1000):
        version = journal.save_draft("ann", "lab", random.randbytes(2000).hex(), version).draft.version
except JournalError as error:
    assert journal.draft("ann", "lab").version == version, "reading still works, and the failed save left nothing"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    version = journal.save_draft("ann", "lab", "after", version).draft.version
    print(error.code, version)
"""


def test_a_full_disk_loses_nothing_and_passes(tmp_path: Path) -> None:
    code, version = output(python(FULL, str(tmp_path / "journal"))).split()
    assert code == Fault.DISK_FULL
    with Journal(tmp_path / "journal") as journal:
        draft = journal.draft("ann", "lab")
        assert draft is not None
        assert (draft.code, draft.version) == ("after", int(version))


FULL_AT_START = """
import resource, sys
from labs.classroom import Journal, JournalError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    Journal(sys.argv[1])
except JournalError as error:
    print(error.code)
"""


def test_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert output(python(FULL_AT_START, str(path))) == Fault.DISK_FULL
    with Journal(path) as journal:  # with space again, the empty file it left is no obstacle
        journal.rename("ann", "Ann")


UNPRIVILEGED = """
import os, sys
from pathlib import Path
import labs.classroom
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    labs.classroom.Journal.open(Path(sys.argv[1])).rename("ann", "Ann")
except labs.classroom.JournalError as error:
    print(error.code, error.path)
"""


def test_a_folder_that_is_read_only(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    assert output(python(UNPRIVILEGED, str(open_folder / "data"))).startswith(Fault.READ_ONLY)
    assert output(python(UNPRIVILEGED, str(open_folder))) == f"{Fault.READ_ONLY} {open_folder / 'journal.sqlite3'}"


def test_a_journal_in_a_folder_that_became_read_only(open_folder: Path) -> None:
    content = filled(open_folder / "journal.sqlite3")
    (open_folder / "journal.sqlite3").chmod(0o444)
    open_folder.chmod(0o555)
    assert output(python(UNPRIVILEGED, str(open_folder))).startswith(Fault.READ_ONLY)
    assert (open_folder / "journal.sqlite3").read_bytes() == content


def test_a_locked_journal_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.classroom.database.PATIENCE", 0.3)
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.save_draft("ann", LAB, "mine", 0)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        draft = journal.draft("ann", LAB)  # reading does not wait for a writer
        assert draft is not None
        assert draft.code == "mine"
        with pytest.raises(JournalError) as refused:
            journal.rename("ann", "Ann")
        assert (refused.value.code, refused.value.path) == (Fault.LOCKED, str(path))
        with pytest.raises(JournalError) as refused:
            Journal(path)
        assert refused.value.code is Fault.LOCKED
        other.close()
        journal.rename("ann", "Ann")


def test_a_backup_to_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path)
    code = """
import resource, sys
from pathlib import Path
from labs.classroom import Journal, JournalError
journal = Journal(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
try:
    journal.backup(Path(sys.argv[2]))
except JournalError as error:
    print(error.code)
"""
    assert output(python(code, str(path), str(tmp_path / "copy"))) == Fault.DISK_FULL
    assert not (tmp_path / "copy").exists()
