"""The cloud as its owner sees it: started in a process of its own, driven from here, gone when it is closed."""

import datetime
import http.client
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from labs.cloud import wire
from labs.cloud.connections import Connection, Connections
from labs.cloud.host import CloudHost, Forked, clean_environment
from labs.cloud.kernel import SECOND, Pace, RunEnd
from labs.cloud.packing import PackingError, pack
from labs.cloud.trace import Record, Trace

if TYPE_CHECKING:
    import botocore.client

_PROJECT = Path(__file__).resolve().parent.parent.parent
_START_TIMEOUT = 60.0  # real seconds; a cold start of all imports on a busy machine takes a few
_CALL_TIMEOUT = 600.0
_END_WITHIN = 10.0
# Instant clouds start here, so that a trace does not depend on the day it was made.
FIXED_EPOCH = datetime.datetime(2026, 1, 2, 9, 0, tzinfo=datetime.UTC)


class CloudError(Exception):
    """An AWS operation was refused, with AWS's own code and message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class DeploymentError(Exception):
    """A template or its code cannot be deployed; the message says what and where."""


class CloudGoneError(Exception):
    """The cloud's process has ended."""


class CloudSlowError(Exception):
    """The cloud's process is there and shows no sign of life; what was asked of it may happen yet."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its name, its Outputs, and the trace record of its deployment."""

    name: str
    outputs: Mapping[str, str]
    record: int


@dataclass(frozen=True, slots=True)
class Clock:
    """The state of a cloud's time. `now` in virtual nanoseconds since the epoch."""

    now: int
    epoch_ns: int
    pace: Pace
    factor: float
    idle: bool


@dataclass(frozen=True, slots=True)
class News:
    """What a watcher learns at once: new records and the state of time."""

    records: tuple[Record, ...]
    clock: Clock


class Cloud:
    """An AWS account inside this machine, with its own clock. Use it as a context manager.

    `durations` is "modelled" (deterministic) or "measured" (the real time that code takes). A live cloud starts at the
    present; an instant one at a fixed instant, so that its trace does not depend on the day. `quotas` sets limits of
    Lambda's by the names of labs/cloud/functions/quotas.py: {"concurrency": 50, "retry_base_s": 5}.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        pace: Pace = Pace.INSTANT,
        factor: float = 1.0,
        durations: str = "modelled",
        host: CloudHost | None = None,
        port: int = 0,
        quotas: Mapping[str, float] | None = None,
    ) -> None:
        if durations not in ("modelled", "measured"):
            raise ValueError(f'durations are "modelled" or "measured", not {durations!r}')
        from labs.cloud.functions.quotas import Quotas
        from labs.cloud.functions.sandbox import probe

        unknown = (quotas or {}).keys() - Quotas.__dataclass_fields__.keys()
        if unknown:
            raise ValueError(f"no such quota: {', '.join(sorted(unknown))}")

        self.seed, self.durations = seed, durations
        self.tier = probe().tier
        epoch = FIXED_EPOCH if pace is Pace.INSTANT else datetime.datetime.now(datetime.UTC)
        settings = wire.dumps(
            {
                "seed": seed,
                "pace": pace,
                "factor": factor,
                "measured": durations == "measured",
                "port": port,
                "tier": int(self.tier),
                "epoch_ns": int(epoch.timestamp()) * SECOND,
                **(quotas or {}),
            }
        )
        self._lifeline, theirs = socket.socketpair()
        self._process: subprocess.Popen[bytes] | None = None
        if host is not None:
            host.fork(settings, theirs)
        else:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "labs.cloud", "one", str(theirs.fileno()), settings.decode()],
                pass_fds=[theirs.fileno()],
                cwd=_PROJECT,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        theirs.close()
        try:
            announced = self._await_announcement()
        except BaseException:
            self.close()
            raise
        self.port, self.pid = int(str(announced["port"])), int(str(announced["pid"]))
        self._control_path = str(announced["control"])
        self._control = Connections(self._control_path)
        if self._process is None:
            self._forked = Forked(self.pid)

    def _await_announcement(self) -> Mapping[str, object]:
        self._lifeline.settimeout(_START_TIMEOUT)
        data = b""
        while not data.endswith(b"\n"):
            piece = self._lifeline.recv(4096)
            if not piece:
                raise CloudGoneError("the cloud ended while it was starting (is its port busy?)")
            data += piece
        self._lifeline.setblocking(False)
        announced = wire.loads(data)
        if not isinstance(announced, dict):
            raise CloudGoneError("the cloud did not say where it is")
        return announced

    # AWS
    @property
    def endpoint(self) -> str:
        """Give the URL for any AWS client: the CLI's --endpoint-url, or AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> "botocore.client.BaseClient":
        """Give a boto3 client of this cloud."""
        import boto3
        import botocore.config

        # No time-outs and no retries: virtual time decides how long an answer takes.
        config = botocore.config.Config(
            retries={"total_max_attempts": 1}, read_timeout=_CALL_TIMEOUT, s3={"addressing_style": "path"}
        )
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="AKIAOUTSIDEOUTSIDE00",
            aws_secret_access_key="outside",
            config=config,
        )

    def call(self, service: str, operation: str, /, **parameters: object) -> dict[str, object]:
        """Call an AWS operation by its AWS name, without the SDK in this process. Raises CloudError."""
        answer = self._ask("/call", {"service": service, "operation": operation, "parameters": parameters}, CloudError)
        result = answer["result"]
        return result if isinstance(result, dict) else {}

    def look(self, service: str, operation: str, /, **parameters: object) -> dict[str, object]:
        """Call an operation that only reads, without a trace: for those who watch and are no part of what happens."""
        asked = {"service": service, "operation": operation, "parameters": parameters, "unseen": True}
        result = self._ask("/call", asked, CloudError)["result"]
        return result if isinstance(result, dict) else {}

    def deploy(self, template: str | Path, *, code: str | Path, name: str | None = None) -> Stack:
        """Deploy a SAM template with a folder or a single file as its functions' code. Raises DeploymentError.

        A single file replaces `handler.py` in the folder of the template. An existing stack of the same name is updated.
        """
        template = Path(template)
        try:
            body = template.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DeploymentError(f"{template}: {error}") from error
        try:
            package = pack(Path(code))
        except PackingError as error:
            raise DeploymentError(str(error)) from error
        return self.deploy_package(body, package, name=name or template.resolve().parent.name.replace("_", "-"))

    def deploy_package(self, template: str, package: bytes, *, name: str) -> Stack:
        """Deploy a template's text with a packed zip. Raises DeploymentError."""
        answer = self._ask("/deploy", {"name": name, "template": template, "package": package}, DeploymentError)
        outputs = answer["outputs"]
        named = {str(key): str(value) for key, value in outputs.items()} if isinstance(outputs, dict) else {}
        return Stack(str(answer["name"]), named, int(str(answer["record"])))

    # time
    def run(self, *, limit: float | None = None) -> RunEnd:
        """Let things happen until nothing is left, or `limit` virtual seconds have passed (default: seven days)."""
        answer = self._ask("/run", {} if limit is None else {"limit_ns": round(limit * SECOND)}, CloudError)
        return RunEnd(str(answer["end"]))

    def advance(self, seconds: float) -> None:
        """Move time on by virtual seconds, letting happen whatever falls in between."""
        self._ask("/advance", {"ns": round(seconds * SECOND)}, CloudError)

    def step(self) -> None:
        """Let things happen until the trace has one more record."""
        self._ask("/step", {}, CloudError)

    def set_pace(self, pace: Pace, *, factor: float = 1.0) -> None:
        """Say how time meets the wall clock from here on; `factor` virtual seconds per real second when live."""
        self._ask("/pace", {"pace": pace, "factor": factor}, CloudError)

    @property
    def clock(self) -> Clock:
        """Give the state of time."""
        return _clock(self._ask("/state", {}, CloudError))

    @property
    def now(self) -> datetime.datetime:
        """Give the virtual time."""
        clock = self.clock
        return datetime.datetime.fromtimestamp((clock.epoch_ns + clock.now) / SECOND, datetime.UTC)

    # what happened
    @property
    def trace(self) -> Trace:
        """Give everything that has happened."""
        return Trace(self.records(after=0))

    def records(self, *, after: int) -> tuple[Record, ...]:
        """Give the records after this id."""
        return _records(self._ask("/trace", {"after": after}, CloudError))

    def watch(self, *, after: int = 0) -> Iterator[News]:
        """Yield news as they happen, on a connection of its own, until the cloud is gone. Blocks."""
        connection = Connection(self._control_path, None)
        version: object = -1
        try:
            while True:
                connection.send_json("/watch", {"after": after, "pace_version": version})
                _, answer = connection.receive_json()
                records = _records(answer)
                version = answer["pace_version"]
                if records:
                    after = records[-1].id
                state = answer["state"]
                yield News(records, _clock(state if isinstance(state, dict) else {}))
        except (OSError, http.client.HTTPException, ValueError):
            return
        finally:
            connection.close()

    # the process
    def _ask(
        self, path: str, body: Mapping[str, object], refusal: type[CloudError] | type[DeploymentError]
    ) -> Mapping[str, object]:
        try:
            status, answer = self._control.ask(path, body)
        except TimeoutError as error:
            raise CloudSlowError("the cloud shows no sign of life") from error
        except ConnectionError as error:
            raise CloudGoneError("the cloud does not answer any more") from error
        if status == 200:
            return answer
        message = str(answer.get("message", ""))
        if refusal is DeploymentError:
            raise DeploymentError(message)
        raise CloudError(str(answer.get("code", "InvalidRequest")), message, int(str(answer.get("status", status))))

    @property
    def ended(self) -> bool:
        """Tell whether the cloud's process is gone, without asking it."""
        try:
            return not self._lifeline.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    @property
    def control_path(self) -> str:
        """Give the Unix socket on which the process answers its owner (see labs/cloud/control.py)."""
        return self._control_path

    @property
    def alive(self) -> bool:
        """Tell whether the cloud still answers."""
        try:
            self._ask("/state", {}, CloudError)
        except (CloudGoneError, CloudSlowError):
            return False
        return True

    def close(self) -> None:
        """End the cloud and everything that runs in it."""
        self._lifeline.close()
        if hasattr(self, "_control"):
            self._control.close()
        if self._process is not None:
            try:
                self._process.wait(_END_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        elif hasattr(self, "_forked"):
            self._forked.end(_END_WITHIN)
        if hasattr(self, "_control_path"):
            # The process removes its own folder; this is for one that was killed.
            shutil.rmtree(Path(self._control_path).parent, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _records(answer: Mapping[str, object]) -> tuple[Record, ...]:
    records = answer["records"]
    return tuple(Record.from_json(record) for record in records) if isinstance(records, list) else ()


def _clock(state: Mapping[str, object]) -> Clock:
    return Clock(
        now=int(str(state["now"])),
        epoch_ns=int(str(state["epoch_ns"])),
        pace=Pace(str(state["pace"])),
        factor=float(str(state["factor"])),
        idle=bool(state["idle"]),
    )
