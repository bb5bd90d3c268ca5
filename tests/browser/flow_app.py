"""A small app with the flow view and a WebSocket as the lab page has it; test_flow.py drives it.

The test plays the cloud: it posts what the server is to say at /api/runs/<id>/tell, and reads at /api/runs/<id>/heard what
browsers have said.
"""

import asyncio
import json
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from lessons.parts.component import ASSETS
from lessons.parts.diagram import alt_text, architecture
from lessons.parts.flow import flow_view, sentences


class Run:
    """One cloud as the web server knows it."""

    def __init__(self) -> None:
        self.records: list[dict[str, object]] = []
        self.clock: dict[str, object] | None = None
        self.gone = False
        self.sockets: set[WebSocket] = set()
        self.heard: list[object] = []
        self.closed = 0


RUNS: dict[str, Run] = {}


async def events(socket: WebSocket) -> None:
    """Send what the browser has not seen, then everything that is told."""
    run = RUNS.setdefault(socket.path_params["run"], Run())
    await socket.accept()
    try:
        hello = await socket.receive_json()
        run.heard.append(hello)
        after = hello["after"]
        await socket.send_json(
            {"type": "records", "records": [record for record in run.records if int(str(record["id"])) > after]}
        )
        if run.clock:
            await socket.send_json(run.clock)
        if run.gone:
            await socket.send_json({"type": "gone"})
        run.sockets.add(socket)
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        run.closed += 1
    finally:
        run.sockets.discard(socket)


async def tell(request: Request) -> JSONResponse:
    """Say something to every browser of a run: a message of the protocol, or {"type": "cut"} to hang up."""
    run = RUNS.setdefault(request.path_params["run"], Run())
    message = await request.json()
    quiet = message.pop("quiet", False)
    kind = message["type"]
    if kind == "records":
        run.records += message["records"]
    elif kind == "clock":
        run.clock = message
    elif kind == "reset":
        run.records = []
    elif kind == "gone":
        run.gone = True
    for socket in list(run.sockets):
        if kind == "cut":
            await socket.close(1012)
        elif not quiet:
            await socket.send_json(message)
    await asyncio.sleep(0)
    return JSONResponse({"browsers": len(run.sockets)})


async def heard(request: Request) -> JSONResponse:
    """Tell what browsers have said."""
    run = RUNS.setdefault(request.path_params["run"], Run())
    return JSONResponse({"heard": run.heard, "closed": run.closed, "open": len(run.sockets)})


app = st.App(
    __file__,
    routes=[
        Mount("/assets", StaticFiles(directory=ASSETS)),
        WebSocketRoute("/api/runs/{run}/events", events),
        Route("/api/runs/{run}/tell", tell, methods=["POST"]),
        Route("/api/runs/{run}/heard", heard),
    ],
)


def main() -> None:
    """Show the flow view of ?run=<id>, or of the recording ?file=<path>, or draw ?template=<path>; in ?lang=<language>."""
    st.set_page_config(page_title="flow", layout="wide")
    st.html(ASSETS / "parts" / "page.css")
    language = st.query_params.get("lang", "ko")
    run, recording = st.query_params.get("run"), st.query_params.get("file")
    records = json.loads(Path(recording).read_text()) if recording else []
    if template := st.query_params.get("template"):
        st.graphviz_chart(architecture(Path(template), language), alt=alt_text(Path(template), language))
        return
    left, right = st.columns(2)
    left.button("Rerun", key="rerun")
    if not right.toggle("Hidden", key="hidden"):
        wanted = st.query_params.get("selected")
        picked = flow_view(
            "flow",
            run_url=f"api/runs/{run}/events" if run else None,
            records=records,
            text=sentences(language),
            selected=int(wanted) if wanted else None,
        )
        st.text(f"picked={picked}")


if __name__ == "__main__":
    main()
