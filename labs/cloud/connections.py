"""The owner's line to a cloud: HTTP with JSON over its private Unix socket, one connection per request under way."""

import contextlib
import http.client
import select
import socket
from collections.abc import Mapping

from labs.cloud import wire

PATIENCE = 30.0  # real seconds without any sign of life


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("cloud", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def send_json(self, path: str, body: Mapping[str, object]) -> None:
        """Send a request."""
        self.request("POST", path, wire.dumps(body), {"Content-Type": "application/json"})

    def receive_json(self) -> tuple[int, Mapping[str, object]]:
        """Wait for the answer; give its status and content. Raises OSError, HTTPException or ValueError."""
        response = self.getresponse()
        answer = wire.loads(response.read())
        if not isinstance(answer, dict):
            raise ValueError("the cloud's answer is no JSON object")
        return response.status, answer


class Connections:
    """Ask a cloud from any number of threads at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: list[Connection] = []
        self._closed = False

    def ask(self, path: str, body: Mapping[str, object]) -> tuple[int, Mapping[str, object]]:
        """Exchange one request for its answer, however long that takes while the cloud shows signs of life.

        Raises TimeoutError for a cloud that does not, ConnectionError for one that is gone.
        """
        if self._closed:
            raise ConnectionError("the cloud has been closed")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Connection(self._path, PATIENCE)
        try:
            connection.send_json(path, body)
            self._await(connection)
            answer = connection.receive_json()
        except TimeoutError:
            connection.close()
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise ConnectionError("the cloud does not answer any more") from error
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        if self._closed:
            self.close()
        return answer

    def _await(self, connection: Connection) -> None:
        # An answer may need the future of a clock that is paused. A cloud that tells the time meanwhile is not stuck.
        poll = select.poll()
        poll.register(connection.sock, select.POLLIN)
        while not poll.poll(PATIENCE * 1000):
            with contextlib.closing(Connection(self._path, PATIENCE)) as other:
                other.send_json("/state", {})
                other.receive_json()

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        while self._idle:
            with contextlib.suppress(IndexError):
                self._idle.pop().close()
