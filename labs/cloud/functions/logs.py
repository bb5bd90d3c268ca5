"""What an environment prints and what the platform adds: log lines in the trace and in CloudWatch Logs."""

import base64
import datetime

from labs.cloud import moto_seams
from labs.cloud.kernel import Kernel
from labs.cloud.kinds import Kind
from labs.cloud.limits import LOG_BYTES_PER_INVOCATION, LOG_TAIL
from labs.cloud.moto_seams import FunctionVersion
from labs.cloud.trace import Recorder


class EnvironmentLog:
    """One environment's log stream."""

    def __init__(
        self, kernel: Kernel, recorder: Recorder, function: FunctionVersion, resource: str, task_root: str, stream_id: str
    ) -> None:
        self._kernel = kernel
        self._recorder = recorder
        self._function = function
        self._resource = resource
        self._task_root = task_root.encode()
        day = datetime.datetime.fromtimestamp(kernel.wall_ns / 1e9, datetime.UTC)
        self.stream = f"{day:%Y/%m/%d}/[{function.version}]{stream_id}"
        self._raw = bytearray()
        self._kept = 0
        self._dropped = 0
        self._tail: list[str] = []
        self.request_id: str | None = None
        self.cause: int | None = None

    def feed(self, data: bytes) -> None:
        """Take raw output; what exceeds the bound per invocation is counted and thrown away."""
        room = LOG_BYTES_PER_INVOCATION.value - self._kept
        self._raw += data[:room]
        self._kept += min(len(data), room)
        self._dropped += max(0, len(data) - room)

    def begin(self, request_id: str | None, cause: int) -> None:
        """Say which invocation, and which record, the coming lines belong to."""
        self.request_id, self.cause = request_id, cause
        self._kept = self._dropped = 0
        self._tail = []

    def flush(self, *, final: bool) -> None:
        """Turn whole lines into log events; at the end of an invocation the last, unfinished line too."""
        data = bytes(self._raw)
        end = len(data) if final else data.rfind(b"\n") + 1
        del self._raw[:end]
        text = data[:end].replace(self._task_root, b"/var/task").decode("utf-8", "replace")
        # The runtime client joins the lines of one message by carriage returns, so that they stay one event.
        lines = [line.replace("\r", "\n") for line in text.split("\n") if line]
        if final and self._dropped:
            lines.append(f"[serverless-lab] {self._dropped} more bytes of output were dropped")
            self._dropped = 0
        for line in lines:
            self._recorder.add(
                Kind.LOG_LINE, self._resource, {"message": line, "request_id": self.request_id}, cause=self.cause
            )
        self.platform(*lines)

    def platform(self, *lines: str) -> None:
        """Write lines of the platform (START, END, REPORT) to the log stream; they are not records of their own."""
        if lines:
            self._tail += lines
            messages = [line + "\n" for line in lines]
            moto_seams.write_log(self._function.log_group, self.stream, self._kernel.wall_ns // 1_000_000, messages)

    def tail(self) -> bytes:
        """Give the last of this invocation's log, as LogType=Tail returns it."""
        return base64.b64encode("".join(line + "\n" for line in self._tail).encode()[-LOG_TAIL.value :])
