"""The HTTP front: non-blocking listeners on one thread, for any AWS client and for the Runtime API.

It parses requests and writes answers; it decides nothing. Each request is handed to the callback of its listener together
with a Reply that may be used at once or much later (a synchronous invocation, a long poll).
"""

import contextlib
import http.client
import selectors
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import httptools

MAX_BODY = 128 * 1024 * 1024  # bytes; far above every AWS limit that a lab meets, far below what hurts the machine
MAX_HEADERS = 64 * 1024
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read whole."""

    method: str
    target: str  # as sent: path and query, percent-encoded
    headers: Mapping[str, str]  # names in lower case; the last of repeated ones
    body: bytes = field(repr=False)
    lines: tuple[tuple[str, str], ...] = ()  # every header line as sent; empty where no socket was involved

    @property
    def raw_path(self) -> str:
        """Give the percent-encoded path."""
        return self.target.partition("?")[0]

    @property
    def path(self) -> str:
        """Give the decoded path."""
        return unquote(self.raw_path)

    @property
    def query_string(self) -> str:
        """Give the query as sent."""
        return self.target.partition("?")[2]

    @property
    def query(self) -> dict[str, str]:
        """Give the query's parameters; blank values are kept."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)


class Reply:
    """The place where the answer to one request goes. Answering a client that has gone away is not an error."""

    def __init__(self, connection: "Connection", head: bool, keep_alive: bool) -> None:
        self._connection = connection
        self._head = head
        self._keep_alive = keep_alive
        self.sent = False

    @property
    def gone(self) -> bool:
        """Tell whether the client has hung up."""
        return self._connection.closed

    def send(self, response: Response) -> None:
        """Write the answer in one piece."""
        if self.sent:
            raise RuntimeError("this request has been answered")
        self.sent = True
        reason = http.client.responses.get(response.status, "")
        lines = [f"HTTP/1.1 {response.status} {reason}"]
        names = set()
        for name, value in response.headers:
            names.add(name.lower())
            if name.lower() not in {"connection", "transfer-encoding"}:
                lines.append(f"{name}: {value}")
        if "content-length" not in names and response.status not in (204, 304):
            lines.append(f"Content-Length: {len(response.body)}")
        lines.append("Connection: keep-alive" if self._keep_alive else "Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        self._connection.write(head if self._head else head + response.body, close=not self._keep_alive)


OnRequest = Callable[[Request, Reply], None]


class Connection:
    """One client connection: parse what arrives, buffer what leaves."""

    def __init__(self, front: "Front", sock: socket.socket, on_request: OnRequest) -> None:
        self._front = front
        self._socket = sock
        self._on_request = on_request
        self._outgoing = bytearray()
        self._close_after_write = False
        self.closed = False
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}
        self._lines: list[tuple[str, str]] = []
        self._headers_size = 0
        self._body = bytearray()
        self._refused: Response | None = None

    # httptools callbacks
    def on_message_begin(self) -> None:
        self._target, self._headers, self._lines, self._headers_size = b"", {}, [], 0
        self._body = bytearray()
        self._refused = None

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_size += len(name) + len(value)
        if self._headers_size > MAX_HEADERS:
            self._refused = Response(431)
            return
        self._lines.append((name.decode("latin-1"), value.decode("latin-1")))
        self._headers[self._lines[-1][0].lower()] = self._lines[-1][1]

    def on_headers_complete(self) -> None:
        # botocore waits a second for this line before it sends an object.
        if self._headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if len(self._body) + len(body) > MAX_BODY:
            self._refused = Response(413, (("Content-Type", "text/plain"),), b"request body too large")
            return
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        reply = Reply(self, head=method == "HEAD", keep_alive=self._parser.should_keep_alive())
        if self._refused is not None:
            reply.send(self._refused)
            return
        target = self._target.decode("latin-1")
        request = Request(method, target, self._headers, bytes(self._body), tuple(self._lines))
        self._body = bytearray()
        self._on_request(request, reply)

    # sockets
    def readable(self) -> None:
        """Read and parse what is there."""
        try:
            data = self._socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", close=True)

    def write(self, data: bytes, *, close: bool = False) -> None:
        """Send now what the socket takes and the rest when it can."""
        if self.closed:
            return
        self._close_after_write |= close
        self._outgoing += data
        self.writable()

    def writable(self) -> None:
        """Send more of what is waiting."""
        try:
            while self._outgoing:
                sent = self._socket.send(memoryview(self._outgoing)[:_CHUNK])
                del self._outgoing[:sent]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.close()
            return
        if not self._outgoing and self._close_after_write:
            self.close()
            return
        self._front.watch(self._socket, self, write=bool(self._outgoing))

    def ready(self, mask: int) -> None:
        """Handle what the selector saw."""
        if mask & selectors.EVENT_WRITE:
            self.writable()
        if mask & selectors.EVENT_READ and not self.closed:
            self.readable()

    def close(self) -> None:
        """Hang up."""
        if not self.closed:
            self.closed = True
            self._front.forget(self._socket)
            with contextlib.suppress(OSError):
                self._socket.close()


class Listener:
    """A listening socket and the connections that came in through it."""

    def __init__(self, front: "Front", sock: socket.socket, on_request: OnRequest, limit: int) -> None:
        self._front = front
        self._socket = sock
        self._on_request = on_request
        self._limit = limit
        self._connections: list[Connection] = []

    def ready(self, mask: int) -> None:
        """Accept what is waiting."""
        try:
            accepted, _ = self._socket.accept()
        except OSError:
            return
        self._connections = [connection for connection in self._connections if not connection.closed]
        if len(self._connections) >= self._limit:
            accepted.close()
            return
        accepted.setblocking(False)
        with contextlib.suppress(OSError):
            # Without it every small answer waits 40 ms for a delayed acknowledgement.
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._front, accepted, self._on_request)
        self._connections.append(connection)
        self._front.watch(accepted, connection, write=False)

    def close(self) -> None:
        """Stop listening and hang up on everybody."""
        self._front.forget(self._socket)
        self._socket.close()
        for connection in self._connections:
            connection.close()


Watched = Connection | Listener | Callable[[int], None]


class Front:
    """All sockets of one process, watched by one selector."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._watching: dict[int, tuple[int, Watched]] = {}

    def listen(self, sock: socket.socket, on_request: OnRequest, *, limit: int = 256) -> Listener:
        """Serve HTTP on a listening socket; at most `limit` connections at once."""
        sock.setblocking(False)
        listener = Listener(self, sock, on_request, limit)
        self.watch(sock, listener, write=False)
        return listener

    def watch(self, source: socket.socket | int, watched: Watched, *, write: bool) -> None:
        """Watch a file descriptor, or change what it is watched for."""
        descriptor = source if isinstance(source, int) else source.fileno()
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0)
        known = self._watching.get(descriptor)
        if known is None:
            self._selector.register(descriptor, mask, watched)
        elif known != (mask, watched):
            self._selector.modify(descriptor, mask, watched)
        self._watching[descriptor] = (mask, watched)

    def forget(self, source: socket.socket | int) -> None:
        """Stop watching; a descriptor that is not watched is left alone."""
        descriptor = source if isinstance(source, int) else source.fileno()
        if self._watching.pop(descriptor, None) is not None:
            self._selector.unregister(descriptor)

    def poll(self, seconds: float | None) -> bool:
        """Handle what the sockets have, waiting at most `seconds`. Tell whether there was anything."""
        events = self._selector.select(seconds)
        for key, mask in events:
            watched: Watched = key.data
            if callable(watched):
                watched(mask)
            else:
                watched.ready(mask)
        return bool(events)

    def drain(self, most: int = 1000) -> None:
        """Handle everything that has been sent already: a connection to accept may hold a request to read."""
        while most and self.poll(0):
            most -= 1

    def close(self) -> None:
        """Stop watching everything."""
        self._selector.close()
        self._watching.clear()


def bind(port: int) -> socket.socket:
    """Listen on loopback. Port 0 takes a free one. Raises OSError for a busy port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock
