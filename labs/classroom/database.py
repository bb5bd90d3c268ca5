"""The file under the journal: opening, transactions, faults in plain words, backup."""

import errno
import json
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, make_url, select
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from labs.classroom.tables import Base, SchemaRow, now

SCHEMA = 1
MIGRATIONS: tuple[Callable[[Connection], None], ...] = ()  # MIGRATIONS[n] takes version n + 1 to n + 2
PATIENCE = 10.0  # seconds to wait for another writer


class Fault(StrEnum):
    """What is wrong with the journal."""

    CORRUPTED = "corrupted"
    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    LOCKED = "locked"
    NEWER = "newer"
    FOREIGN = "foreign"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"


ADVICE = {
    Fault.CORRUPTED: "the file is damaged; it was left as it is. Move it aside and put a backup in its place",
    Fault.DISK_FULL: "nothing more can be written; free some disk space. What was saved before is safe",
    Fault.READ_ONLY: "no permission to write there; change it, or set SERVERLESS_LAB_DATA to another folder",
    Fault.LOCKED: "another program holds the file; close it and try again",
    Fault.NEWER: "a newer version of Serverless Lab wrote this file; update, or use another data folder",
    Fault.FOREIGN: "this file belongs to another program; use another data folder",
    Fault.TOO_LARGE: "that is too large to be saved; make it smaller",
    Fault.UNAVAILABLE: "cannot be opened; check that the path exists and is a file",
}
FAULTS = {
    sqlite3.SQLITE_CORRUPT: Fault.CORRUPTED,
    sqlite3.SQLITE_NOTADB: Fault.CORRUPTED,
    sqlite3.SQLITE_FULL: Fault.DISK_FULL,
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    sqlite3.SQLITE_PERM: Fault.READ_ONLY,
    sqlite3.SQLITE_BUSY: Fault.LOCKED,
    sqlite3.SQLITE_LOCKED: Fault.LOCKED,
    sqlite3.SQLITE_TOOBIG: Fault.TOO_LARGE,
    sqlite3.SQLITE_IOERR: Fault.UNAVAILABLE,
    sqlite3.SQLITE_NOMEM: Fault.UNAVAILABLE,
}
# SQLite says "full" for ENOSPC only; quotas and file size limits arrive as failed writes.
FAILED_WRITES = {
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}


class JournalError(Exception):
    """The journal cannot do its work; `key` names the message for the learner."""

    def __init__(self, code: Fault, path: str) -> None:
        super().__init__(f"journal {path}: {ADVICE[code]}")
        self.code = code
        self.path = path
        self.key = f"journal.{code}"


def sqlite_fault(error: BaseException | None, path: Path) -> Fault | None:
    """Say which fault an SQLite error is, or None where the mistake is in our own SQL."""
    code = getattr(error, "sqlite_errorcode", None)  # absent on errors that Python's own layer raises
    if not isinstance(code, int):
        return None
    if code in FAILED_WRITES:
        return Fault.DISK_FULL
    if code & 0xFF == sqlite3.SQLITE_CANTOPEN:
        return Fault.UNAVAILABLE if os.access(path.parent, os.W_OK) else Fault.READ_ONLY
    return FAULTS.get(code & 0xFF)


def os_fault(error: OSError) -> Fault:
    """Say which fault an operating system error is."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Fault.DISK_FULL
    return Fault.READ_ONLY if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else Fault.UNAVAILABLE


class Database:
    """One database with its transactions; every fault comes out as JournalError."""

    def __init__(self, target: str | Path) -> None:
        url = make_url(target) if isinstance(target, str) and "://" in target else URL.create("sqlite", database=str(target))
        self.name = url.render_as_string(hide_password=True) if url.host else (url.database or "")
        self.path = Path(self.name) if url.get_backend_name() == "sqlite" else None
        if self.path is not None and self.name in ("", ":memory:"):
            raise ValueError("the journal needs a file; give a path")
        self._turn = threading.Lock()  # SQLite has one writer: threads queue here fairly instead of polling the file
        with self._faults():
            if self.path is not None:
                create_private(self.path)
            self._engine = create_engine(url, pool_size=5, max_overflow=20, pool_timeout=PATIENCE)
            if self.path is not None:
                prepare_sqlite(self._engine)
        self._writer = self._engine.execution_options(immediate=True)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Read in one transaction: everything seen is of one moment."""
        with self._faults(), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Write in one transaction: all of it is on the disk afterwards, or none of it."""
        with self._faults():
            if not self._turn.acquire(timeout=PATIENCE):
                raise JournalError(Fault.LOCKED, self.name)
            try:
                with Session(self._writer) as session, session.begin():
                    yield session
            finally:
                self._turn.release()

    def backup(self, to: Path) -> None:
        """Copy the whole database to a new file while it is in use."""
        path = self._file()
        with self._faults(to):
            part = to.with_name(to.name + ".part")
            part.unlink(missing_ok=True)
            create_private(part)
            with closing(sqlite3.connect(path, timeout=PATIENCE)) as source, closing(sqlite3.connect(part)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")  # so that the copy is one file that stands alone
            os.replace(part, to)

    def restore(self, source: Path) -> Path:
        """Take a backup's content over and return where the content until now was put."""
        path = self._file()
        with self._faults(source):
            if not source.is_file():
                raise JournalError(Fault.UNAVAILABLE, str(source))
            with closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as old:
                check_backup(old, source)
                aside = unused(path.with_name(f"{path.stem}-before-restore-{now():%Y%m%dT%H%M%SZ}{path.suffix}"))
                self.backup(aside)
                with self._turn, closing(sqlite3.connect(path, timeout=PATIENCE)) as live:
                    old.backup(live)
        return aside

    def _file(self) -> Path:
        if self.path is None:
            raise NotImplementedError("back PostgreSQL up with pg_dump and pg_restore")
        return self.path

    def _open(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self.write() as session:
                    prepare_schema(session.connection(), self.name)
                return
            except JournalError as error:
                # Two processes that create the same file meet here: SQLite does not wait when it turns WAL on.
                if error.code is not Fault.LOCKED or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    @contextmanager
    def _faults(self, path: Path | None = None) -> Iterator[None]:
        where = str(path or self.name)
        file = path or self.path
        try:
            yield
        except PoolTimeout as error:
            raise JournalError(Fault.LOCKED, where) from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            fault = Fault.UNAVAILABLE if isinstance(error, OperationalError) else None
            if file is not None:
                fault = sqlite_fault(error.orig if isinstance(error, DBAPIError) else error, file)
            if fault is None:
                raise
            raise JournalError(fault, where) from error
        except (zlib.error, json.JSONDecodeError) as error:
            raise JournalError(Fault.CORRUPTED, where) from error
        except OSError as error:
            raise JournalError(os_fault(error), where) from error


def create_private(path: Path) -> None:
    """Create folder and file for the owner's eyes only; SQLite gives its side files the same permissions."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Never open and close an existing file here: that would drop SQLite's locks of this whole process.
        if path.is_file() and path.stat().st_mode & 0o077 and path.stat().st_uid == os.getuid():
            path.chmod(0o600)


def unused(path: Path) -> Path:
    """Return a path that no file has."""
    number = 1
    candidate = path
    while candidate.exists():
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate


def prepare_sqlite(engine: Engine) -> None:
    """Make every SQLite connection durable, patient and honest about transactions."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            f"busy_timeout={int(PATIENCE * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later cannot wait for another writer; so writers say so at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")


def prepare_schema(connection: Connection, name: str) -> None:
    """Create the tables in an empty database, or bring an older journal up to date."""
    if connection.dialect.name == "sqlite":
        found: object = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise JournalError(Fault.CORRUPTED, name)
    tables = inspect(connection).get_table_names()
    if not tables:
        Base.metadata.create_all(connection)
        connection.execute(insert(SchemaRow).values(version=SCHEMA, created=now()))
        return
    if SchemaRow.__tablename__ not in tables:
        raise JournalError(Fault.FOREIGN, name)
    version = connection.execute(select(SchemaRow.version)).scalar_one()
    if version > SCHEMA:
        raise JournalError(Fault.NEWER, name)
    for migrate in MIGRATIONS[version - 1 :]:
        migrate(connection)


def check_backup(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a backup that is damaged, foreign or newer, before anything is replaced."""
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise JournalError(Fault.CORRUPTED, str(path))
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (SchemaRow.__tablename__,)).fetchone():
        raise JournalError(Fault.FOREIGN, str(path))
    version: object = connection.execute("SELECT version FROM journal").fetchone()[0]
    if version != SCHEMA:
        raise JournalError(Fault.NEWER, str(path))
