"""A Runtime API just large enough to invoke a handler in a sandbox, or in a process without one."""

import contextlib
import json
import os
import queue
import socket
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pytest

from labs.cloud.functions.sandbox import Sandboxed, Spec, Tier, probe, start, why_not

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Posted:
    """What the runtime posted, and where to."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Return response, error or init error."""
        return "init error" if "/init/" in self.path else self.path.rpartition("/")[2]

    def json(self) -> object:
        """Return the document."""
        found: object = json.loads(self.body)
        return found


@dataclass(slots=True)
class RuntimeApi:
    """Serve events on a listening socket and keep what comes back."""

    listener: socket.socket
    events: "queue.Queue[bytes | None]" = field(default_factory=queue.Queue)
    posted: "queue.Queue[Posted]" = field(default_factory=queue.Queue)
    asked: threading.Event = field(default_factory=threading.Event)  # for its first event

    def __post_init__(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while (request := _read(stream)) is not None:
                line, headers, body = request
                if line.startswith("GET"):
                    self.asked.set()
                    if (event := self.events.get()) is None:
                        break
                    connection.sendall(_event(event))
                else:
                    self.posted.put(Posted(line.split()[1], headers, body))
                    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def _read(stream: BinaryIO) -> tuple[str, dict[str, str], bytes] | None:
    line = stream.readline().decode().strip()
    if not line:
        return None
    headers = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return line, headers, stream.read(int(headers.get("content-length", 0)))


def _event(body: bytes) -> bytes:
    deadline = round(time.time() * 1000) + 60_000
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Lambda-Runtime-Aws-Request-Id: request-1\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:f\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True, slots=True)
class Running:
    """A started environment with its Runtime API."""

    sandboxed: Sandboxed
    api: RuntimeApi

    def invoke(self, event: object = None) -> object:
        """Invoke the handler; return its result, or raise AssertionError with its error."""
        posted = self.post(event)
        assert posted.kind == "response", posted.body.decode()
        return posted.json()

    def post(self, event: object = None) -> Posted:
        """Invoke the handler; return what came back."""
        self.api.events.put(json.dumps(event).encode())
        return self.api.posted.get(timeout=20)

    def output(self) -> bytes:
        """Return what was printed and not read yet."""
        text = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.sandboxed.output, MEGABYTE):
                text += piece
        return text

    def ended(self) -> int:
        """Wait for the end; return the status."""
        wait_until(lambda: self.sandboxed.exit_status() is not None)
        status = self.sandboxed.exit_status()
        assert status is not None
        return status


def available(wanted: Tier) -> Tier:
    """Return the tier, or skip; where tests must not be skipped, a missing tier 2 is a failure."""
    reason = why_not(wanted)
    if reason is not None:
        message = f"tier {wanted.value} is not available: {reason}. {probe().advice}"
        if wanted is Tier.ISOLATED and os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return wanted


@contextlib.contextmanager
def running(
    tier: Tier,
    folder: Path,
    code: str,
    *,
    memory_mb: int = 256,
    environment: Mapping[str, str] | None = None,
    layers: tuple[Path, ...] = (),
) -> Iterator[Running]:
    """Start an environment whose handler module is `code`."""
    folder.chmod(0o755)
    (folder / "handler.py").write_text(textwrap.dedent(code))
    sandboxed = start(Spec(folder, "handler.handler", environment or {}, memory_mb, 16, 1, None, 7, layers), tier)
    api = RuntimeApi(sandboxed.runtime)
    try:
        yield Running(sandboxed, api)
    finally:
        sandboxed.kill()
        api.events.put(None)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition, and fail when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
