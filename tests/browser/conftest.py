"""What browser tests share: a real server on loopback, a real Chromium, and the rule that nothing leaves loopback."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
LOOPBACK = {"127.0.0.1", "localhost", ""}  # "" is a blob: or data: URL
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60
expect.set_options(timeout=20_000)  # a busy machine is no failure


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _healthy(url: str) -> bool:
    try:
        with urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def _serve(script: Path, log: Path, env: Mapping[str, str]) -> Iterator[str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _healthy(url):
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"{script.name} did not start:\n{log.read_text(errors='replace')}")
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[str]]:
    """Return serve(script, **environment): a context in which the app runs, giving its URL."""

    def start(script: Path, **env: str) -> AbstractContextManager[str]:
        return _serve(script, tmp_path_factory.mktemp("server") / "log.txt", env)

    return start


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start the Chromium of this machine once for all tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "no Chromium: install the package `chromium` (Debian) or `chromium-browser` (Ubuntu) to run these tests"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    env: dict[str, str | float | bool] = {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("chromium"))}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=QUIET, env=env)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a fresh page; at the end, fail if it asked for anything beyond loopback or if its code raised an error."""
    asked: list[str] = []
    errors: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 900}, locale="ko-KR") as context:
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.set_default_timeout(20_000)
        yield page
    strangers = [url for url in asked if (urlsplit(url).hostname or "") not in LOOPBACK]
    assert not strangers, f"the page asked for {strangers}"
    assert not errors, f"the page's own code failed: {errors}"


@pytest.fixture(scope="session")
def wait_idle() -> Callable[[Page], None]:
    """Return wait_idle(page): wait until the script of the page has run to its end."""

    def wait(page: Page) -> None:
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()

    return wait
