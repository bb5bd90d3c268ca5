"""Every way in which code goes wrong is told by its own message, with the line where there is one; in a real cloud."""

import json
from pathlib import Path

import pytest

from labs import labs
from labs.cloud import Cloud, CloudHost
from labs.diagnosis import Finding, findings
from lessons.text import Language, t

LAB = labs()[0]
CASES: dict[str, tuple[str, int | None, str]] = {
    "syntax": ("import os\n\ndef handler(event, context)\n    return 1\n", 3, "expected ':'"),
    "no_handler": ("def handle(event, context):\n    return 1\n", None, "handler"),
    "no_module": ("import numpyy\n\ndef handler(event, context):\n    pass\n", None, "numpyy"),
    "init_error": ("\nx = 1 / 0\n\ndef handler(event, context):\n    pass\n", 2, "ZeroDivisionError"),
    "exception": ("def helper():\n    return {}['a']\n\ndef handler(event, context):\n    helper()\n", 2, "KeyError"),
    "exited": ("import sys\n\ndef handler(event, context):\n    sys.exit(3)\n", None, "exit status 3"),
    "exited_in_init": ("import sys\nsys.exit(1)\n", None, "exit status 1"),
    "result_too_large": ("def handler(event, context):\n    return 'x' * 10_000_000\n", None, ""),
    "result_not_json": ("def handler(event, context):\n    return object()\n", None, "JSON"),
    "output_dropped": ("def handler(event, context):\n    for _ in range(1000): print('x' * 100_000)\n", None, "99,"),
    "timeout": ("import time\n\ndef handler(event, context):\n    time.sleep(60)\n", None, "10"),
    "spinning": ("def handler(event, context):\n    while True:\n        pass\n", None, "10"),
}


def found(code: str, host: CloudHost, folder: Path) -> list[Finding]:
    file = folder / "handler.py"
    file.write_text(code)
    with Cloud(1, host=host) as cloud:
        stack = cloud.deploy(LAB.template, code=file)
        cloud.call("s3", "PutObject", Bucket=stack.outputs["Photos"], Key="a.txt", Body=b"x")
        cloud.run(limit=20)
        # As the page gets them.
        return findings(json.loads(json.dumps([record.to_json() for record in cloud.trace])))


@pytest.mark.parametrize("case", CASES)
def test_each_way_to_fail_has_its_message(case: str, host: CloudHost, tmp_path: Path) -> None:
    code, line, named = CASES[case]
    [finding] = found(code, host, tmp_path)
    assert (finding.key, finding.line) == (case, line)
    assert finding.harmful == (case != "output_dropped")
    for language in Language:
        said = t(f"diagnosis.{finding.key}", language, **finding.params)
        assert named in said


def test_what_went_well_needs_no_message(host: CloudHost, tmp_path: Path) -> None:
    assert found(LAB.start, host, tmp_path) == []


def test_nothing_happened_yet() -> None:
    assert findings([]) == []
