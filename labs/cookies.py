"""Who is asking: a learner is a random id in a cookie, given with the first page. It says nothing about anybody."""

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labs.classroom.names import clean_id

COOKIE = "serverless_lab_learner"
_KEPT = 400 * 24 * 3600  # seconds; browsers keep none for longer
_NOT_PAGES = ("/static/", "/_stcore/", "/assets/", "/media/", "/component/", "/api/")


def learner_of(cookies: Mapping[str, str]) -> str | None:
    """Return the learner whom a browser's cookies name, if they do."""
    try:
        return clean_id(cookies.get(COOKIE, ""))
    except ValueError:
        return None


def same_origin(connection: HTTPConnection) -> bool:
    """Tell whether a page of ours is asking: browsers say from where with every POST and every WebSocket."""
    origin, host = urlsplit(connection.headers.get("origin", "")), connection.headers.get("host", "")
    return origin.scheme in ("http", "https") and bool(host) and origin.netloc.lower() == host.lower()


class LearnerCookie:
    """ASGI middleware: give the cookie with every page, so that it is renewed before it ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "GET" or str(scope["path"]).startswith(_NOT_PAGES):
            await self._app(scope, receive, send)
            return
        learner = learner_of(HTTPConnection(scope).cookies) or secrets.token_urlsafe(24)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and Headers(raw=message["headers"]).get("content-type", "").startswith(
                "text/html"
            ):
                MutableHeaders(scope=message).append("set-cookie", _cookie(learner, secure=scope["scheme"] == "https"))
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _cookie(learner: str, *, secure: bool) -> str:
    return f"{COOKIE}={learner}; Max-Age={_KEPT}; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
