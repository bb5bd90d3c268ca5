"""The web edge as a browser meets it: a real server on loopback, real WebSockets, real clouds."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

import labs
from labs import web
from labs import workspace as place
from labs.classroom import Fault, JournalError
from labs.cloud import Pace
from labs.uploads import LARGEST_UPLOAD
from labs.web import COOKIE, file_url
from labs.workspace import Workspace

LAB = labs.lab("lab01_thumbnail")
PROJECT = Path(__file__).parents[1]
QUICK = "def handler(event, context):\n    print('ran')\n"
PNG = LAB.samples[1].file.read_bytes()
Message = dict[str, Any]  # what arrives is JSON; the tests say what they expect of it


def until(true: Callable[[], object], within: float = 20.0) -> None:
    """Wait for something that is bound to come."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


@dataclass(frozen=True)
class Browser:
    """What a page of the app at `port` can do for one learner."""

    port: int
    learner: str | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookie = {} if self.learner is None else {"Cookie": f"{COOKIE}={self.learner}"}
        try:
            connection.request(method, path, body, {**cookie, **(headers or {})})  # type: ignore[arg-type]
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def upload(self, run: str, name: str | None, body: object, lang: str = "en", **headers: str) -> Answer:
        query = f"lang={lang}" + ("" if name is None else f"&name={quote(name, safe='')}")
        return self.ask("POST", f"/api/upload/{run}?{query}", body, {"Origin": self.origin, **headers})

    @contextmanager
    def watch(self, path: str, after: int | None = 0, origin: str | None = None) -> Iterator["Feed"]:
        cookie = {"Cookie": f"{COOKIE}={self.learner}"}
        address = f"ws://127.0.0.1:{self.port}/{path}"
        with connect(address, additional_headers=cookie, origin=Origin(origin or self.origin)) as socket:
            if after is not None:
                socket.send(json.dumps({"after": after}))
            yield Feed(socket)


class Feed:
    """One WebSocket; keeps what it has heard."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[Message] = []

    def hear(self, wanted: Callable[[Message], object], within: float = 20.0) -> Message:
        """Listen until a message comes that is wanted."""
        deadline = time.monotonic() + within
        while True:
            message = json.loads(self.socket.recv(max(0.01, deadline - time.monotonic())))
            self.heard.append(message)
            if wanted(message):
                return dict(message)

    def until_kind(self, kind: str) -> list[Message]:
        """Listen until a record of this kind comes; give all records."""
        self.hear(lambda message: any(record["kind"] == kind for record in message.get("records", ())))
        return self.records

    @property
    def records(self) -> list[Message]:
        """All records since the last reset."""
        found: list[Message] = []
        for message in self.heard:
            if message["type"] == "reset":
                found = []
            found += message.get("records", ())
        return found


def page(request: Request) -> HTMLResponse:
    return HTMLResponse("<!doctype html><title>page</title>")


def script(request: Request) -> PlainTextResponse:
    return PlainTextResponse("")


def application() -> Starlette:
    routes = [*web.routes, Route("/", page), Route("/_stcore/health", script)]
    return Starlette(routes=routes, middleware=web.middleware, lifespan=web.lifespan)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve the routes as st.App does, and see that the end of the server is the end of everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVERLESS_LAB_DATA", str(tmp_path_factory.mktemp("data")))
        place.close()
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application(), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        until(lambda: server.started)
        yield int(listening.getsockname()[1])
        clouds = [one._cloud.pid for one in place.workspaces()._by_run.values() if one._cloud is not None]
        host = place.host().pid
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
        assert host is not None
        until(lambda: all(ended(pid) for pid in [host, *clouds]))


@pytest.fixture
def browser(port: int, request: pytest.FixtureRequest) -> Browser:
    return Browser(port, "".join(letter for letter in request.node.name if letter.isalnum())[:60])


@pytest.fixture
def workspace(browser: Browser) -> Iterator[Workspace]:
    assert browser.learner is not None
    made = place.workspaces().open(browser.learner, LAB)
    yield made
    made.close()


# the cookie
def test_a_page_brings_a_cookie_that_stays(port: int) -> None:
    first = Browser(port).ask("GET", "/").headers["Set-Cookie"]
    name, _, rest = first.partition("=")
    learner, *attributes = rest.split("; ")
    assert name == COOKIE
    assert len(learner) >= 32
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert "Secure" not in attributes
    again = Browser(port, learner).ask("GET", "/").headers["Set-Cookie"]
    assert again.startswith(f"{COOKIE}={learner};")
    other = Browser(port, "no body").ask("GET", "/").headers["Set-Cookie"]
    assert not other.startswith((f"{COOKIE}={learner};", f"{COOKIE}=no"))
    assert web.learner_of({COOKIE: learner}) == learner
    assert web.learner_of({COOKIE: "no body"}) is None
    assert web.learner_of({}) is None


@pytest.mark.parametrize("path", ["/assets/parts/flow.js", "/_stcore/health", "/healthz", "/api/files/a/b/c"])
def test_what_is_no_page_brings_none(port: int, path: str) -> None:
    assert "Set-Cookie" not in Browser(port).ask("GET", path).headers


# assets and health
@pytest.mark.parametrize(
    ("path", "kind", "kept"),
    [
        ("parts/flow.js", "text/javascript; charset=utf-8", "no-cache"),
        ("parts/flow.js?v=0123", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("parts/flow.css", "text/css; charset=utf-8", "no-cache"),
        ("fonts/lab-sans.woff2", "font/woff2", "public, max-age=31536000, immutable"),
    ],
)
def test_assets_are_kept_as_long_as_they_are_right(port: int, path: str, kind: str, kept: str) -> None:
    answer = Browser(port).ask("GET", f"/assets/{path}")
    assert (answer.status, answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (200, kind, kept)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = Browser(port).ask("GET", f"/assets/{path}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize("path", ["fonts/nothing.woff2", "../labs/web.py", "%2e%2e/labs/web.py", "..%2flabs/web.py"])
def test_nothing_else_is_served(port: int, path: str) -> None:
    answer = Browser(port).ask("GET", f"/assets/{path}")
    assert answer.status == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_health(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Browser(port).ask("GET", "/healthz")
    assert answer.status == 200
    assert json.loads(answer.body)["status"] == "ok"

    def damaged() -> None:
        raise JournalError(Fault.CORRUPTED, "journal")

    monkeypatch.setattr(place, "journal", damaged)
    degraded = json.loads(Browser(port).ask("GET", "/healthz").body)
    assert (degraded["status"], degraded["journal"]) == ("degraded", "corrupted")


# uploads
def test_anything_may_be_uploaded_and_waits_for_the_page(browser: Browser, workspace: Workspace) -> None:
    for name, body in (("사진 1+1.png", PNG), ("notes.txt", b"no picture"), ("empty.bin", b""), ("100%&?#.jpg", b"x")):
        answer = browser.upload(workspace.run_id, name, body)
        taken = json.loads(answer.body)
        assert (answer.status, taken["name"], taken["size"]) == (200, name, len(body))
        assert workspace.take_upload(taken["id"]) == (name, body)
    assert not workspace.alive


def test_names_that_look_the_same_are_the_same(browser: Browser, workspace: Workspace) -> None:
    decomposed = "\u1107\u1161\u1103\u1161.png"
    assert json.loads(browser.upload(workspace.run_id, decomposed, b"").body)["name"] == "바다.png"


def test_the_largest_file_is_taken(browser: Browser, workspace: Workspace) -> None:
    answer = browser.upload(workspace.run_id, "large.bin", bytes(LARGEST_UPLOAD))
    assert json.loads(answer.body)["size"] == LARGEST_UPLOAD == 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("lang", "message"),
    [
        ("en", "cat.png is 50 MB. Files may have up to 10 MB."),
        ("ko", "cat.png 파일은 너무 커요(50 MB). 10 MB 이하만 올릴 수 있어요."),
    ],
)
def test_fifty_megabytes_are_refused(browser: Browser, workspace: Workspace, lang: str, message: str) -> None:
    answer = browser.upload(workspace.run_id, "cat.png", bytes(50 * 1024 * 1024), lang)
    assert (answer.status, answer.error) == (413, message)


def test_a_size_that_was_not_announced_is_capped_all_the_same(browser: Browser, workspace: Workspace) -> None:
    pieces = (bytes(1024 * 1024) for _ in range(12))
    answer = browser.upload(workspace.run_id, "cat.png", pieces)
    assert (answer.status, answer.error) == (413, "cat.png is too large. Files may have up to 10 MB.")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "no name"),
        ("", "no name"),
        ("  ", "no name"),
        ("../../etc/passwd", "../../etc/passwd reads like a path"),
        ("C:\\photo.png", "like a path"),
        ("..", "like a path"),
        ("a\x00b.png", "a\ufffdb.png has characters that cannot be shown"),
        ("line\nbreak.png", "cannot be shown"),
        ("\u202egnp.exe", "cannot be shown"),
        ("한" * 400, "is too long: an S3 key has up to 1024 bytes"),
        ("x" * 1025, "is too long"),
    ],
)
def test_hostile_names_are_refused(browser: Browser, workspace: Workspace, name: str | None, message: str) -> None:
    answer = browser.upload(workspace.run_id, name, b"x")
    assert answer.status == 400
    assert message in answer.error
    assert len(answer.error) < 200
    korean = browser.upload(workspace.run_id, name, b"x", "ko")
    assert korean.error != answer.error


def test_uploads_come_from_our_pages_and_to_ones_own_run(browser: Browser, workspace: Workspace) -> None:
    run = workspace.run_id
    assert Browser(browser.port, "somebodyelse").upload(run, "a.png", b"x").status == 404
    assert Browser(browser.port).upload(run, "a.png", b"x").status == 404
    assert browser.upload("nothing", "a.png", b"x").error == "This page is out of date. Load it again, then try once more."
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{browser.port + 1}", f"ftp://127.0.0.1:{browser.port}"):
        assert browser.upload(run, "a.png", b"x", Origin=origin).status == 403
    assert browser.ask("POST", f"/api/upload/{run}?name=a.png", b"x").status == 403
    assert browser.ask("GET", f"/api/upload/{run}?name=a.png").status == 405


def test_the_language_is_asked_for_or_remembered_or_guessed(browser: Browser, workspace: Workspace) -> None:
    def say(**headers: str) -> str:
        path = f"/api/upload/{workspace.run_id}"
        return browser.ask("POST", path, b"x", {"Origin": browser.origin, **headers}).error

    korean, english = "파일 이름이 비어 있어요.", "The file has no name."
    assert say().startswith(english)
    assert say(**{"Accept-Language": "ko-KR,ko;q=0.9"}).startswith(korean)
    place.journal().set_language(workspace.learner, "ko")
    assert say(**{"Accept-Language": "en"}).startswith(korean)
    assert browser.upload(workspace.run_id, "", b"x", "xx").error.startswith(korean)
    assert browser.upload(workspace.run_id, "", b"x", "en").error.startswith(english)


# files
def test_only_pictures_are_shown_in_place(browser: Browser, workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    bucket = workspace.outputs["Photos"]
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    jpeg = LAB.samples[0].file.read_bytes()
    objects = {
        "여름 바다 1+1.png": (PNG, "image/png", "inline"),
        "a/b c%2F?#.jpg": (jpeg, "image/jpeg", "inline"),
        "pretends.png": (svg, "application/octet-stream", "attachment"),
        "page.html": (b"<script>alert(1)</script>", "application/octet-stream", "attachment"),
        'quote".txt': (b"", "application/octet-stream", "attachment"),
    }
    for key, (body, kind, disposition) in objects.items():
        workspace.put(key, body)
        answer = browser.ask("GET", "/" + file_url(workspace.run_id, bucket, key))
        assert (answer.status, answer.body) == (200, body), key
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"].startswith(disposition)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    path = "/" + file_url(workspace.run_id, bucket, "page.html")
    assert Browser(browser.port, "somebodyelse").ask("GET", path).status == 404
    assert browser.ask("GET", "/" + file_url(workspace.run_id, bucket, "nothing")).error == "There is no such file."
    assert browser.ask("GET", "/" + file_url(workspace.run_id, "nothing", "nothing")).status == 404
    assert browser.ask("GET", "/" + file_url("nothing", bucket, "page.html")).status == 404


# events
def test_a_real_upload_is_told_as_it_happens_and_resumed(browser: Browser, workspace: Workspace) -> None:
    workspace.set_pace(Pace.LIVE, 10)
    workspace.deploy((LAB.solutions[0] / "handler.py").read_text())
    with browser.watch(workspace.events_url) as feed:
        assert feed.hear(lambda message: message["type"] == "clock")["pace"] == "live"
        sample = LAB.samples[0]
        workspace.put(sample.key, sample.file.read_bytes())
        records = feed.until_kind("environment.frozen")
        assert [record["id"] for record in records] == list(range(1, len(records) + 1))
        order = ["api.call", "s3.notification", "event.queued", "init.started", "invocation.started", "invocation.ended"]
        found = [str(record["kind"]) for record in records]
        assert sorted(order, key=found.index) == order
        assert records[found.index("s3.notification")]["cause"] == records[found.index("api.call")]["id"]
        times = [record["t"] for record in records]
        assert times == sorted(times)
        assert len([message for message in feed.heard if message["type"] == "records"]) > 2, "one by one, not all at the end"
        assert feed.hear(lambda message: message["type"] == "clock" and message["idle"])["t"] >= times[-1]
    assert tuple(records) == workspace.records()

    middle = len(records) // 2
    with browser.watch(workspace.events_url, after=middle) as resumed:
        resumed.until_kind("environment.frozen")
        assert resumed.records == records[middle:]
        assert all(message["type"] != "reset" for message in resumed.heard)


def test_the_clock_is_told_when_its_pace_changes(browser: Browser, workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    with ExitStack() as tabs:
        feeds = [tabs.enter_context(browser.watch(workspace.events_url)) for _ in range(2)]

        def change(pace: Pace, factor: float) -> None:
            workspace.set_pace(pace, factor)
            for feed in feeds:
                clock = feed.hear(lambda message: message["type"] == "clock" and message["pace"] == pace)
                assert (clock["factor"], clock["idle"], type(clock["t"])) == (factor, True, int)

        change(Pace.PAUSED, 1.0)
        change(Pace.LIVE, 60.0)
        change(Pace.PAUSED, 1.0)
        change(Pace.LIVE, 1.0)
        time.sleep(0.5)
        late = tabs.enter_context(browser.watch(workspace.events_url))
        clock, real = late.hear(lambda message: message["type"] == "clock"), workspace.clock
        assert real is not None
        assert 0 <= real.now - clock["t"] < 1e9
        assert workspace.watchers == 3
    until(lambda: workspace.watchers == 0)
    assert workspace._listeners == []


def test_starting_over_resets_and_old_tabs_hear_everything_anew(browser: Browser, workspace: Workspace) -> None:
    old = workspace.events_url
    with browser.watch(old) as feed:
        workspace.set_pace(Pace.LIVE, 100)
        workspace.deploy(QUICK)
        workspace.put("a.txt", b"a")
        assert feed.until_kind("environment.frozen")[0]["id"] == 1
        first = workspace.events_url
        workspace.fresh()
        feed.hear(lambda message: message["type"] == "reset")
        feed.until_kind("deployed")
        assert [record["kind"] for record in feed.records] == ["deployed"]
        assert all(message["type"] != "gone" for message in feed.heard)
    for address, after in ((old, 0), (first, 12), (f"api/runs/{workspace.run_id}/events", 12)):
        with browser.watch(address, after=after) as again:
            again.hear(lambda message: message["type"] == "reset")
            again.until_kind("deployed")
            assert len(again.records) == 1


def test_a_killed_cloud_is_gone_and_the_next_one_is_watched_again(browser: Browser, workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    with browser.watch(workspace.events_url) as feed:
        feed.until_kind("deployed")
        assert workspace._cloud is not None
        os.kill(workspace._cloud.pid, signal.SIGKILL)
        feed.hear(lambda message: message["type"] == "gone")
        with pytest.raises(ConnectionClosed):
            feed.socket.recv(10)
    assert workspace.error == "error.cloud_gone"
    with browser.watch(workspace.events_url) as late:
        late.hear(lambda message: message["type"] == "gone")
        assert [record["kind"] for record in late.records] == ["deployed"]
    assert workspace.take_notice() == "error.cloud_gone"
    workspace.deploy(QUICK)
    with browser.watch(workspace.events_url) as after:
        workspace.put("a.txt", b"a")
        after.until_kind("api.call")


def test_after_a_restart_the_journals_run_is_told_and_then_the_new_one(browser: Browser) -> None:
    assert browser.learner is not None
    record: Message = {"id": 1, "t": 0, "cause": None, "kind": "deployed", "resource": "stack:x", "detail": {}, "measured": {}}
    place.journal().save_run(browser.learner, LAB.id, {"records": [record]})
    workspace = place.workspaces().open(browser.learner, LAB)
    with browser.watch(workspace.events_url) as feed:
        assert feed.until_kind("deployed")[0]["resource"] == "stack:x"
        workspace.deploy(QUICK)
        feed.hear(lambda message: message["type"] == "reset")
        assert feed.until_kind("deployed")[0]["resource"] == "stack:lab01-thumbnail"
    workspace.close()


def test_nobody_else_hears_it(browser: Browser, workspace: Workspace) -> None:
    for stranger, path, origin, status in (
        (Browser(browser.port, "somebodyelse"), workspace.events_url, None, 404),
        (browser, "api/runs/nothing/events", None, 404),
        (browser, workspace.events_url, "http://evil.example", 403),
        (browser, workspace.events_url, "null", 403),
    ):
        with pytest.raises(InvalidStatus) as refusal, stranger.watch(path, origin=origin):
            pass
        assert refusal.value.response.status_code == status


@pytest.mark.parametrize("hello", ["nonsense", "[]", "{}", '{"after": -1}', '{"after": "1"}', '{"after": null}', b"\xff"])
def test_a_strange_hello_is_hung_up_on(browser: Browser, workspace: Workspace, hello: str | bytes) -> None:
    with browser.watch(workspace.events_url, after=None) as feed:
        feed.socket.send(hello)
        with pytest.raises(ConnectionClosed) as closed:
            feed.socket.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_too_many_tabs_are_turned_away(browser: Browser, workspace: Workspace) -> None:
    with ExitStack() as tabs:
        for _ in range(16):
            tabs.enter_context(browser.watch(workspace.events_url))
        until(lambda: workspace.watchers == 16)
        late = tabs.enter_context(browser.watch(workspace.events_url, after=None))
        with pytest.raises(ConnectionClosed):
            late.socket.recv(10)
    until(lambda: workspace.watchers == 0)


# the app's end
APP = """
import sys, uvicorn
from tests.test_web import application
uvicorn.run(application(), port=int(sys.argv[1]), log_level="error")
"""


def test_the_server_ends_with_everything_that_it_started() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        environment = {**os.environ, "TMPDIR": folder, "SERVERLESS_LAB_DATA": f"{folder}/d", "PYTHONPATH": str(PROJECT)}
        server = subprocess.Popen([sys.executable, "-c", APP, str(port)], cwd=PROJECT, env=environment)
        try:

            def up() -> bool:
                try:
                    return Browser(port).ask("GET", "/healthz").status == 200
                except OSError:
                    return False

            until(up)
            tasks = Path(f"/proc/{server.pid}/task").glob("*/children")
            children = [int(pid) for path in tasks for pid in path.read_text().split()]
            assert children
            server.send_signal(signal.SIGTERM)
            server.wait(20)
        finally:
            server.kill()
            server.wait()
        until(lambda: all(ended(pid) for pid in children))
        assert [path.name for path in Path(folder).iterdir()] == ["d"]
