"""The stand-in for awslambdaric's native client posts the same documents, byte for byte."""

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from labs.cloud.functions import sandbox
from tests.cloud.environments import Posted, RuntimeApi

_INSIDE = Path(sandbox.__file__).parent / "inside"
_RUN = "import sys; from awslambdaric.__main__ import main; main(['awslambdaric', sys.argv[1]])"

_CASES = {
    "KeyError": ("handler.handler", "def handler(event, context):\n    return {}['없는 키']\n"),
    "Decimal": ("handler.handler", "import decimal\ndef handler(event, context):\n    return decimal.Decimal('1.10')\n"),
    "NaN": ("handler.handler", "def handler(event, context):\n    return float('nan')\n"),
    "missing module": ("handler.handler", "import no_such_module\n"),
    "SyntaxError": ("handler.handler", "def handler(event, context:\n"),
    "bytes": ("handler.handler", "def handler(event, context):\n    return b'\\xff\\x00'\n"),
    "set": ("handler.handler", "def handler(event, context):\n    return {1}\n"),
    "missing handler": ("handler.nothing", "def handler(event, context):\n    return 1\n"),
    "bad handler string": ("handler", "def handler(event, context):\n    return 1\n"),
    "context": (
        "handler.handler",
        "def handler(event, context):\n"
        "    return [event, context.aws_request_id, context.invoked_function_arn, context.client_context]\n",
    ),
}


@pytest.mark.parametrize("case", _CASES)
def test_stand_in_and_native_client_post_the_same(case: str, tmp_path: Path) -> None:
    packages = _packages()
    if not list(packages.glob("runtime_client.*.so")):
        pytest.skip("awslambdaric has no native client here: install it on Linux with CPython 3.11 to 3.14")
    handler, code = _CASES[case]
    (tmp_path / "handler.py").write_text(code)
    native = _post(handler, [packages, tmp_path])
    stand_in = _post(handler, [_INSIDE, packages, tmp_path])
    assert (stand_in.path, stand_in.body) == (native.path, native.body)
    names = {"content-type", "lambda-runtime-function-xray-error-cause", "lambda-runtime-function-error-type", "user-agent"}
    assert _only(stand_in, names) == _only(native, names)


def _packages() -> Path:
    found = importlib.util.find_spec("awslambdaric")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent.parent


def _only(posted: Posted, names: set[str]) -> dict[str, str]:
    return {name: value for name, value in posted.headers.items() if name in names}


def _post(handler: str, path: list[Path]) -> Posted:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = RuntimeApi(listener)
        api.events.put('{"사진": "고양이.png"}'.encode())
        environment = {
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        }
        command = [sys.executable, "-c", _RUN, handler]
        process = subprocess.Popen(command, env=environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            return api.posted.get(timeout=20)
        finally:
            process.kill()
            process.wait()
