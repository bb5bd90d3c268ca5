"""Live views of clouds: one task per watched cloud listens to it, and every browser that watches is told what is new.

All of this runs in the web server's event loop; nothing runs for a cloud that nobody watches.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TypedDict

import anyio

from labs.recording import JsonRecord
from labs.workspace import Workspace

_BATCH = 500  # records in one message
_PAUSE = 0.2  # real seconds before a cloud is asked again that broke off

_log = logging.getLogger(__name__)


class State(TypedDict):
    """The state of a cloud's time, as it tells it."""

    now: int
    pace: str
    factor: float
    idle: bool


class News(TypedDict):
    """What a cloud answers to /watch."""

    records: list[JsonRecord]
    pace_version: int
    state: State


@dataclass(frozen=True, slots=True)
class Tick:
    """The state of a cloud's time, and when we heard of it."""

    t: int
    pace: str
    factor: float
    idle: bool
    heard: float

    def message(self) -> dict[str, object]:
        """Say what time it is now."""
        passed = (time.monotonic() - self.heard) * self.factor * 1e9 if self.pace == "live" else 0
        return {"type": "clock", "t": self.t + round(passed), "pace": self.pace, "factor": self.factor, "idle": self.idle}


class Watch:
    """One workspace and those who watch it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._loop = asyncio.get_running_loop()
        self._stirred = asyncio.Event()  # a cloud has started or ended
        self._news = asyncio.Event()  # replaced by another one each time that it is set
        self._tick: Tick | None = None
        workspace.listen(self._stir)
        self._task = self._loop.create_task(self._follow())

    def _stir(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the app is ending
            self._loop.call_soon_threadsafe(self._stirred.set)

    def close(self) -> None:
        """Stop listening to the cloud."""
        self._workspace.unlisten(self._stir)
        self._task.cancel()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    # from the cloud
    async def _follow(self) -> None:
        while True:
            self._stirred.clear()
            line, self._tick = self._workspace.line, None
            self._tell()
            if line is None:
                await self._stirred.wait()
                continue
            listening = self._loop.create_task(self._listen(line.number, line.control_path))
            stirred = self._loop.create_task(self._stirred.wait())
            try:
                await asyncio.wait({listening, stirred}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                listening.cancel()
                stirred.cancel()
            if listening.done() and not self._stirred.is_set():
                await anyio.to_thread.run_sync(self._workspace.check)
                await asyncio.sleep(_PAUSE)

    async def _listen(self, number: int, path: str) -> None:
        """Take in what a cloud says until it breaks off."""
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except OSError:
            return
        version = -1
        try:
            while True:
                after = self._workspace.snapshot().last
                body = json.dumps({"after": after, "pace_version": version}).encode()
                writer.write(b"POST /watch HTTP/1.1\r\nHost: cloud\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
                answer = await _answer(reader)
                version, state = answer["pace_version"], answer["state"]
                self._workspace.learn(number, answer["records"])
                self._tick = Tick(state["now"], state["pace"], state["factor"], state["idle"], time.monotonic())
                self._tell()
        except (OSError, EOFError):
            return
        except (ValueError, KeyError, asyncio.LimitOverrunError):
            _log.exception("a cloud's answer was not understood")
        finally:
            writer.close()

    # to the browsers
    async def messages(self, after: int, number: int | None) -> AsyncIterator[dict[str, object]]:
        """Yield what to tell a browser that knows the records of cloud `number` up to `after`, until the cloud is gone."""
        told: Tick | None = None
        while True:
            news = self._news
            snapshot, gone = self._workspace.snapshot(), self._workspace.gone
            number = snapshot.number if number is None else number
            if number != snapshot.number or after > snapshot.last:
                yield {"type": "reset"}
                number, after, told = snapshot.number, 0, None
            new = snapshot.since(after)
            for begin in range(0, len(new), _BATCH):
                yield {"type": "records", "records": new[begin : begin + _BATCH]}
            after = snapshot.last
            tick = self._tick
            if tick is not None and tick is not told:
                told = tick
                yield tick.message()
            if gone:
                yield {"type": "gone"}
                return
            await news.wait()


class Watching:
    """Every watched workspace of this server."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}

    @contextlib.contextmanager
    def watch(self, workspace: Workspace) -> Iterator[Watch]:
        """Watch a workspace together with whoever else does."""
        watch = self._watches.get(workspace.run_id)
        if watch is None:
            watch = self._watches[workspace.run_id] = Watch(workspace)
        workspace.watchers += 1
        try:
            yield watch
        finally:
            workspace.watchers -= 1
            if workspace.watchers == 0:
                del self._watches[workspace.run_id]
                watch.close()


async def _answer(reader: asyncio.StreamReader) -> News:
    """Read one HTTP answer. Raises EOFError when the cloud hangs up, ValueError for what is not understood."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    length = next(int(line.partition(":")[2]) for line in head if line.startswith("content-length:"))
    if not head[0].startswith("http/1.1 200"):
        raise ValueError(head[0])
    news: News = json.loads(await reader.readexactly(length))
    return news
