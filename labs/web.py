"""The web edge beside Streamlit: assets, live events, uploads, objects' bytes, the learner's cookie, the app's life.

    app = st.App(__file__, routes=web.routes, middleware=web.middleware, lifespan=web.lifespan)

No Streamlit in here, and no AWS either: clouds are processes of their own.
"""

import asyncio
import gc
import json
import logging
import mimetypes
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote

import anyio
from starlette.datastructures import QueryParams
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from labs import workspace as place
from labs.classroom import JournalError
from labs.cloud.functions.sandbox import probe
from labs.cookies import COOKIE, LearnerCookie, learner_of, same_origin
from labs.uploads import LARGEST_UPLOAD, LONGEST_KEY, RefusedNameError, shown_name, size_text
from labs.watching import Watching
from labs.workspace import Workspace, workspaces
from lessons.text import Language, guess, t

__all__ = ["COOKIE", "file_url", "learner_of", "lifespan", "middleware", "routes"]

ASSETS = Path(__file__).parents[1] / "assets"
_UPLOAD_WITHIN = 300.0  # real seconds
_HELLO_WITHIN = 10.0  # real seconds
_MOST_WATCHERS = 16  # of one workspace
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
# What a browser may show in place; anything else, SVG first of all, could carry a script.
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)

_log = logging.getLogger(__name__)
_watching = Watching()

# What Python knows of these differs from machine to machine, and browsers refuse modules of another type.
for _type, _ending in (("text/javascript", ".js"), ("text/javascript", ".mjs"), ("font/woff2", ".woff2"), ("text/css", ".css")):
    mimetypes.add_type(_type, _ending)


class Assets(StaticFiles):
    """Files that browsers keep: for good what never changes under its address, and else until they have asked."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        response = await super().get_response(path, scope)
        for_good = path.startswith(("fonts/", "vendor/")) or "v" in parse_qs(scope["query_string"].decode("latin-1"))
        response.headers["Cache-Control"] = _FOREVER if for_good and response.status_code < 400 else _ASK_AGAIN
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def file_url(run_id: str, bucket: str, key: str) -> str:
    """Return the address of an object's bytes, relative to the app."""
    return f"api/files/{run_id}/{quote(bucket)}/{quote(key)}"


async def events(socket: WebSocket) -> None:
    """Tell a browser what happens in its learner's cloud: after {"after": id}, records, clock, reset and gone."""
    workspace = _own_workspace(socket)
    if workspace is None or not same_origin(socket):
        await socket.send_denial_response(Response(status_code=404 if workspace is None else 403))
        return
    await socket.accept()
    if workspace.watchers >= _MOST_WATCHERS:
        await socket.close(1013)
        return
    try:
        hello = await asyncio.wait_for(socket.receive_json(), _HELLO_WITHIN)
        after = hello["after"]
        if not isinstance(after, int) or after < 0:
            raise ValueError
    except (ValueError, KeyError, TypeError, TimeoutError, RuntimeError):
        await socket.close(1008)
        return
    except WebSocketDisconnect:
        return
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_send_events, socket, workspace, after, _number(socket.query_params))
        try:
            while True:
                await socket.receive()
        except (WebSocketDisconnect, RuntimeError):
            tasks.cancel_scope.cancel()


async def _send_events(socket: WebSocket, workspace: Workspace, after: int, number: int | None) -> None:
    try:
        with _watching.watch(workspace) as watch:
            async for message in watch.messages(after, number):
                await socket.send_text(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
        await socket.close()
    except (WebSocketDisconnect, RuntimeError):
        return  # the browser has gone; whoever receives notices too


async def upload(request: Request) -> Response:
    """Take a file in and keep it for the page, or say in the learner's language why not."""
    language = await _language(request)
    workspace = _own_workspace(request)
    if not same_origin(request):
        return _refusal(403, t("error.cross_origin", language))
    if workspace is None:
        return _refusal(404, t("error.run_unknown", language))
    name = request.query_params.get("name", "")
    cap = size_text(LARGEST_UPLOAD, down=True)
    try:
        announced = int(request.headers.get("content-length", "0"))
    except ValueError:
        announced = 0
    if announced > LARGEST_UPLOAD:
        return _refusal(413, t("upload.too_big", language, name=shown_name(name), size=size_text(announced), cap=cap))
    body = bytearray()
    try:
        async with asyncio.timeout(_UPLOAD_WITHIN):
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST_UPLOAD:
                    return _refusal(413, t("error.upload_too_large", language, name=shown_name(name), cap=cap))
    except (TimeoutError, ClientDisconnect):
        return _refusal(408, t("upload.failed", language, name=shown_name(name)))
    try:
        taken = workspace.uploads.add(name, bytes(body))
    except RefusedNameError as error:
        return _refusal(400, t(error.key, language, name=shown_name(name), most=LONGEST_KEY))
    return _json({"id": taken.id, "name": taken.name, "size": len(taken.body)})


async def file(request: Request) -> Response:
    """Answer with the bytes of an object in the learner's cloud; only pictures are shown in place."""
    workspace = _own_workspace(request)
    bucket, key = request.path_params["bucket"], request.path_params["key"]
    body = None if workspace is None else await anyio.to_thread.run_sync(workspace.object, bucket, key)
    if body is None:
        return _refusal(404, t("error.no_file", await _language(request)))
    kind = _picture(body)
    headers = {
        "Content-Disposition": "inline" if kind else f"attachment; filename*=UTF-8''{quote(key.rpartition('/')[2], safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
    }
    return Response(body, media_type=kind or "application/octet-stream", headers=headers)


async def health(request: Request) -> Response:
    """Say whether the app can do its work."""

    def look() -> dict[str, object]:
        fault = None
        try:
            place.journal()
        except JournalError as error:
            fault = str(error.code)
        return {"status": "ok" if fault is None else "degraded", "journal": fault or "ok", "clouds": workspaces().clouds}

    return _json(await anyio.to_thread.run_sync(look))


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Make ready what a first learner would wait for, and leave nothing behind."""
    await anyio.to_thread.run_sync(_warm)
    # What is here now stays; the garbage collector need not look at it again.
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(place.close)


def _warm() -> None:
    probe()
    place.host()
    try:
        place.journal()
    except JournalError:
        # Pages say so to everyone who comes; without the app nobody would hear of it.
        _log.exception("the journal cannot be opened")


def _own_workspace(connection: HTTPConnection) -> Workspace | None:
    workspace = workspaces().by_run(connection.path_params["run_id"])
    learner = learner_of(connection.cookies)
    return workspace if workspace is not None and workspace.learner == learner else None


async def _language(request: Request) -> Language:
    asked = request.query_params.get("lang")
    if asked not in set(Language):
        learner = learner_of(request.cookies)
        try:
            known = await anyio.to_thread.run_sync(
                lambda: None if learner is None else place.journal().learner(learner).language
            )
        except JournalError:
            known = None
        asked = known if known in set(Language) else guess(request.headers.get("accept-language"))
    return Language(asked or Language.KO)


def _number(query: QueryParams) -> int | None:
    number = query.get("cloud", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def _picture(body: bytes) -> str | None:
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _PICTURES if body.startswith(start)), None)


def _refusal(status: int, message: str) -> Response:
    return _json({"error": message}, status)


def _json(content: Mapping[str, object], status: int = 200) -> Response:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


routes: list[BaseRoute] = [
    Mount("/assets", Assets(directory=ASSETS), name="assets"),
    WebSocketRoute("/api/runs/{run_id}/events", events),
    Route("/api/upload/{run_id}", upload, methods=["POST"]),
    Route("/api/files/{run_id}/{bucket}/{key:path}", file, methods=["GET"]),
    Route("/healthz", health, methods=["GET"]),
]
middleware = [Middleware(LearnerCookie)]
