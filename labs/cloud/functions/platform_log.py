"""What Lambda itself writes to a function's log: INIT_START, START, END, REPORT and INIT_REPORT, as text or as JSON.

Sources: AWS Lambda developer guide, "Lambda runtime environment lifecycle" (INIT_REPORT) and "Configuring JSON and plain text
log formats" (system log events and their levels); 2026-11-20.
"""

import datetime
import json
import math
from dataclasses import dataclass

from labs.cloud.functions.invocation import Status
from labs.cloud.functions.logs import EnvironmentLog
from labs.cloud.functions.runtime_api import Failure
from labs.cloud.kernel import Kernel
from labs.cloud.moto_seams import FunctionVersion, runtime_version_arn
from labs.cloud.trace import JSON

_LEVELS = ("DEBUG", "INFO", "WARN")
_STATUS = {Status.SUCCESS: "success", Status.TIMEOUT: "timeout", Status.ERROR: "error", Status.CRASH: "error"}


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one finished invocation. Times in milliseconds, memory in MB.

    `status` is how the invocation ended for its caller; an exception in the handler is no failure of the environment.
    """

    request_id: str
    duration_ms: float
    init_ms: float | None
    memory_mb: int
    max_memory_mb: int
    status: Status
    failure: Failure | None
    broken: bool

    @property
    def billed_ms(self) -> int:
        """Give the billed duration, which includes INIT (since 2025-08-01, AWS Compute Blog 2025-04-29)."""
        return math.ceil(self.duration_ms + (self.init_ms or 0.0))


class PlatformLog:
    """Write Lambda's own lines in the format and from the level that the function's LoggingConfig asks for."""

    def __init__(self, kernel: Kernel, function: FunctionVersion, log: EnvironmentLog, initialization: str) -> None:
        self._kernel, self._function, self._log = kernel, function, log
        self._initialization = initialization
        self._json = function.log_format == "JSON"

    def init_start(self) -> None:
        """Say that INIT begins."""
        arn = runtime_version_arn(self._function.runtime)
        version = f"{self._function.runtime.replace('python', 'python:')}.v1"
        if self._json:
            record: dict[str, JSON] = {
                "initializationType": self._initialization,
                "phase": "init",
                "runtimeVersion": version,
                "runtimeVersionArn": arn,
                "functionName": self._function.name,
                "functionVersion": self._function.version,
            }
            self._event("initStart", "INFO", record)
        else:
            self._log.platform(f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}")

    def init_report(self, ms: float, phase: str, status: Status, failure: Failure | None) -> None:
        """Say how INIT ended; Lambda does so when it failed, and when it happened ahead of an invocation."""
        failed = status is not Status.SUCCESS
        if self._json:
            record: dict[str, JSON] = {
                "initializationType": self._initialization,
                "phase": phase,
                "status": _STATUS[status],
                "metrics": {"durationMs": round(ms, 2)},
            }
            if failure is not None and status is not Status.TIMEOUT:
                record["errorType"] = failure.error_type
            level = "WARN" if failed else "DEBUG" if self._initialization == "on-demand" else "INFO"
            self._event("initReport", level, record)
        elif failed or self._initialization != "on-demand":
            fields = [f"INIT_REPORT Init Duration: {ms:.2f} ms", f"Phase: {phase}"]
            if failed:
                fields.append(f"Status: {_STATUS[status]}")
            if failure is not None and status is not Status.TIMEOUT:
                fields.append(f"Error Type: {failure.error_type}")
            self._log.platform("\t".join(fields))

    def start(self, request_id: str) -> None:
        """Say that an invocation begins."""
        if self._json:
            self._event("start", "INFO", {"requestId": request_id, "version": self._function.version})
        else:
            self._log.platform(f"START RequestId: {request_id} Version: {self._function.version}")

    def report(self, report: Report) -> None:
        """Say how an invocation ended."""
        if self._json:
            self._json_report(report)
        else:
            self._log.platform(*self._text_report(report))

    def _json_report(self, report: Report) -> None:
        status = _STATUS[report.status] if report.broken else "success"
        metrics: dict[str, JSON] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.max_memory_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 3)
        record: dict[str, JSON] = {"requestId": report.request_id, "metrics": metrics, "status": status}
        if report.broken and report.failure is not None and status == "error":
            record["errorType"] = report.failure.error_type
        done: dict[str, JSON] = {name: value for name, value in record.items() if name != "metrics"}
        self._event("runtimeDone", "WARN" if report.broken else "DEBUG", done)
        self._event("report", "WARN" if report.broken else "INFO", record)

    def _text_report(self, report: Report) -> list[str]:
        found = []
        if report.status is Status.TIMEOUT:
            found.append(f"{self._stamp()} {report.request_id} Task timed out after {report.duration_ms / 1000:.2f} seconds")
        elif report.status is Status.CRASH and report.failure is not None:
            found += [report.failure.message, report.failure.error_type]
        fields = [
            f"REPORT RequestId: {report.request_id}",
            f"Duration: {report.duration_ms:.2f} ms",
            f"Billed Duration: {report.billed_ms} ms",
            f"Memory Size: {report.memory_mb} MB",
            f"Max Memory Used: {report.max_memory_mb} MB",
        ]
        if report.init_ms is not None:
            fields.append(f"Init Duration: {report.init_ms:.2f} ms")
        if report.status is Status.TIMEOUT:
            fields.append("Status: timeout")
        elif report.broken and report.failure is not None:
            fields.append(f"Status: error\tError Type: {report.failure.error_type}")
        return [*found, f"END RequestId: {report.request_id}", "\t".join(fields)]

    def _event(self, kind: str, level: str, record: dict[str, JSON]) -> None:
        if _LEVELS.index(level) >= _LEVELS.index(self._function.system_log_level):
            event = {"time": self._stamp(), "type": f"platform.{kind}", "record": record}
            self._log.platform(json.dumps(event, separators=(",", ":")))

    def _stamp(self) -> str:
        now = datetime.datetime.fromtimestamp(self._kernel.wall_ns / 1e9, datetime.UTC)
        return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
