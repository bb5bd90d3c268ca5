"""moto's application on the kernel's thread, at virtual time, with chance that follows from the seed."""

import datetime
import io
import random
import time
import uuid

import moto.server
import time_machine
from moto.moto_api._internal import mock_random
from werkzeug.test import run_wsgi_app

from labs.cloud.front import Request, Response

ACCOUNT = "123456789012"
REGION = "us-east-1"


def seed(number: int) -> None:
    """Make everything that moto draws follow from `number`: its own generator, `random` and `uuid`."""
    mock_random.seed(number)
    random.seed(number)
    ids = random.Random(f"uuid/{number}")

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=ids.getrandbits(128), version=4)

    uuid.uuid4 = uuid4


class VirtualTime:
    """Hold moto's clocks at virtual time. Monotonic clocks, thread time-outs and sockets stay real."""

    now: int | None = None  # the exact time of the process's cloud; the travelled clock loses nanoseconds on its way

    def __init__(self, wall_ns: int) -> None:
        self._now = VirtualTime.now = wall_ns
        start = datetime.datetime.fromtimestamp(0, datetime.UTC)
        self._traveller = time_machine.travel(start, tick=False).start()
        self._traveller.shift(datetime.timedelta(microseconds=wall_ns // 1000))

    def move(self, wall_ns: int) -> None:
        """Set the clocks, nanoseconds since 1970."""
        self._traveller.shift((wall_ns - self._now) / 1e9)
        self._now = VirtualTime.now = wall_ns


def now_ns() -> int:
    """Give the cloud's time in nanoseconds since 1970; the real one where there is no cloud."""
    return time.time_ns() if VirtualTime.now is None else VirtualTime.now


class Moto:
    """moto's WSGI application, called on the kernel's thread without a socket."""

    def __init__(self) -> None:
        self._app = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)
        self.wait: tuple[str, int] | None = None  # the queue and seconds of the long poll that the last request asked for

    def answer(self, request: Request) -> Response:
        """Let moto answer one request."""
        self.wait = None
        environ: dict[str, object] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": request.path.encode("utf-8").decode("latin-1"),
            "RAW_URI": request.target,
            "REQUEST_URI": request.target,
            "QUERY_STRING": request.query_string,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "4566",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(request.body)),
        }
        for name, value in request.headers.items():
            if name in ("content-length", "transfer-encoding", "expect"):
                continue
            variable = name.upper().replace("-", "_")
            environ[variable if name == "content-type" else f"HTTP_{variable}"] = value
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        body = b"".join(chunks)
        code = int(status.partition(" ")[0])
        return Response(code, tuple((name, value) for name, value in headers.items()), body)
