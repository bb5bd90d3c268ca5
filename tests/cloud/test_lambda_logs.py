"""Logs and metrics of functions."""

import base64
import datetime
import json
from typing import Any

from labs.cloud import Cloud, Kind
from tests.cloud.conftest import Bench
from tests.cloud.test_lambda_init import log_of


def logging(bench: Bench, **config: str) -> None:
    """Configure the logs of `f`."""
    bench.cloud.call("lambda", "UpdateFunctionConfiguration", FunctionName="f", LoggingConfig=config)


def test_json_logs_have_awss_system_events(bench: Bench) -> None:
    """AWS Lambda developer guide: Configuring JSON and plain text log formats."""
    bench.deploy(
        "import logging\ndef handler(event, context):\n    logging.getLogger().warning('careful')\n    print('plain')\n"
    )
    logging(bench, LogFormat="JSON")
    bench.invoke()
    init, start, warning, plain, report = log_of(bench)
    assert plain == "plain"
    assert [json.loads(line)["type"] for line in (init, start, report)] == [
        "platform.initStart",
        "platform.start",
        "platform.report",
    ]
    assert json.loads(start)["record"]["version"] == "$LATEST"
    told = json.loads(report)["record"]
    assert told["status"] == "success"
    assert set(told["metrics"]) == {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"}
    written = json.loads(warning)
    assert (written["level"], written["message"]) == ("WARNING", "careful")
    assert written["requestId"] == json.loads(start)["record"]["requestId"]


def test_log_levels_filter_what_applications_and_the_system_write(bench: Bench) -> None:
    """AWS Lambda developer guide: Log-level filtering (application and system log levels)."""
    bench.deploy(
        """
        import logging
        logger = logging.getLogger()
        def handler(event, context):
            logger.info("quiet")
            logger.error("loud")
        """
    )
    logging(bench, LogFormat="JSON", ApplicationLogLevel="ERROR", SystemLogLevel="WARN")
    bench.invoke()
    (line,) = log_of(bench)
    assert json.loads(line)["message"] == "loud"
    logging(bench, LogFormat="JSON", ApplicationLogLevel="INFO", SystemLogLevel="DEBUG")
    bench.invoke()
    kinds = [json.loads(line).get("type") or json.loads(line)["message"] for line in log_of(bench)]
    names = ["initStart", "initReport", "start", "quiet", "loud", "loud", "runtimeDone", "report"]
    assert sorted(kinds) == sorted(name if name in ("quiet", "loud") else f"platform.{name}" for name in names)


def test_a_timeout_is_a_warning_in_json(bench: Bench) -> None:
    """AWS Lambda developer guide: System log level event mapping (report with status other than success: WARN)."""
    bench.deploy("import time\ndef handler(event, context):\n    time.sleep(9)\n", timeout=1)
    logging(bench, LogFormat="JSON", SystemLogLevel="WARN")
    bench.invoke()
    done, report = map(json.loads, log_of(bench))
    assert (done["type"], report["type"], report["record"]["status"]) == (
        "platform.runtimeDone",
        "platform.report",
        "timeout",
    )


def test_the_tail_is_the_last_four_kilobytes(bench: Bench) -> None:
    """AWS SDK service model: Invoke, LogResult is the last 4 KB of the execution log."""
    bench.deploy("def handler(event, context):\n    for n in range(200):\n        print(n, 'x' * 100)\n")
    answer = bench.cloud.call("lambda", "Invoke", FunctionName="f", LogType="Tail")
    tail = base64.b64decode(str(answer["LogResult"])).decode()
    assert len(tail) == 4096
    assert tail.splitlines()[-1].startswith("REPORT RequestId: ")
    assert "LogResult" not in bench.cloud.call("lambda", "Invoke", FunctionName="f")


def test_the_lines_of_one_print_are_one_event(bench: Bench) -> None:
    """AWS Lambda developer guide: Log and monitor Python Lambda functions."""
    bench.deploy("def handler(event, context):\n    print('one\\ntwo')\n    print('three')\n")
    bench.invoke()
    assert [record.detail["message"] for record in bench.cloud.trace.of(Kind.LOG_LINE)] == ["one\ntwo", "three"]


def metric(cloud: Cloud, name: str, statistic: str = "Sum") -> float | None:
    """Give a metric of `f` over the first hour."""
    start = datetime.datetime(2026, 1, 2, 9, 0, tzinfo=datetime.UTC)
    found: Any = cloud.call(
        "cloudwatch",
        "GetMetricStatistics",
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": "FunctionName", "Value": "f"}],
        StartTime=start,
        EndTime=start + datetime.timedelta(hours=1),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    return float(found[0][statistic]) if found else None


def test_lambda_s_metrics_are_in_cloudwatch(bench: Bench) -> None:
    """AWS Lambda developer guide: Types of metrics for Lambda functions."""
    cloud = bench.cloud
    bench.deploy("def handler(event, context):\n    if event: raise ValueError(event)\n")
    bench.invoke(0)
    bench.invoke(1)
    cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="Event", Payload=b"1")
    cloud.run()
    cloud.call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    cloud.call("lambda", "Invoke", FunctionName="f", InvocationType="Event", Payload=b"0")
    cloud.run()
    names = ("Invocations", "Errors", "Throttles", "AsyncEventsReceived", "AsyncEventsDropped")
    assert {name: metric(cloud, name) for name in names} == {
        "Invocations": 5,
        "Errors": 4,
        "Throttles": 1,
        "AsyncEventsReceived": 2,
        "AsyncEventsDropped": 2,
    }
    assert metric(cloud, "ConcurrentExecutions", "Maximum") == 1
    assert (metric(cloud, "AsyncEventAge", "Maximum") or 0) > 180_000
    longest = max(float(str(record.detail["duration_ms"])) for record in cloud.trace.of(Kind.INVOCATION_ENDED))
    assert abs((metric(cloud, "Duration", "Maximum") or 0) - longest) < 0.01
