"""A small app that shows every browser part; test_parts.py drives it."""

import json
import os
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lessons.parts.component import ASSETS
from lessons.parts.editor import Diagnostic, code_diff, code_editor, typed
from lessons.parts.upload import UploadLabels, upload

CAP = 200_000
START = 'import boto3\n\n\ndef handler(event, context):\n    return {"ok": True}\n'
RESET = "# 처음 코드예요\nx = 1\n"
LABELS = UploadLabels(
    drop="여기에 사진을 끌어다 놓으세요",
    choose="파일 고르기",
    cancel="그만두기",
    limit="한 번에 하나, {cap}까지",
    sending="{name} 올리는 중 {percent}%",
    sent="올렸어요: {name} ({size})",
    too_big="{name} 파일은 {size}예요. {cap}까지 올릴 수 있어요.",
    refused="{name} 파일은 올릴 수 없는 종류예요.",
    one_file="한 번에 한 파일만 올려 주세요.",
    failed="{name} 파일을 올리지 못했어요. 연결을 확인하고 다시 해 보세요.",
)


async def receive(request: Request) -> JSONResponse:
    """Keep the bytes for the test to compare, or answer as the real route does when it refuses them."""
    name, body = request.query_params["name"], await request.body()
    if name == "refuse.txt":
        return JSONResponse({"error": "서버가 받지 않았어요."}, status_code=413)
    folder = Path(os.environ["UPLOADS"])
    (folder / "received").write_bytes(body)
    (folder / "received.json").write_text(json.dumps({"name": name, "token": request.path_params["token"]}))
    return JSONResponse({"id": "u1", "name": name, "size": len(body)})


app = st.App(
    __file__,
    routes=[
        Route("/api/upload/{token}", receive, methods=["POST"]),
        Mount("/assets", StaticFiles(directory=ASSETS)),
    ],
)


def ran() -> None:
    """Keep what Ctrl+Enter was pressed on, as a page would before its script runs."""
    st.session_state["ran"] = typed("editor", rev=st.session_state["rev"])


def main() -> None:
    """Show the parts and, as text, what Python has of them."""
    st.set_page_config(page_title="parts", layout="centered")
    st.html(ASSETS / "parts" / "page.css")
    store = st.session_state
    store.setdefault("rev", 1)
    store.setdefault("runs", 0)
    st.title("사진이 올라오면 함수가 깨어나요")
    left, middle, right = st.columns(3)
    left.button("Rerun", key="rerun", type="primary")
    if middle.button("Reset", key="reset"):
        store["rev"] += 1
        store["draft"] = RESET
    problems = [Diagnostic(5, "NameError: 이름 'tru'를 찾을 수 없어요."), Diagnostic(99, "끝")]
    if not right.toggle("Problems", key="problems"):
        problems = []
    if (typed("editor", rev=store["rev"]) or "").endswith("하"):  # a message in the middle of a syllable
        problems = [Diagnostic(99, "덜 쓴 글자")]
    hidden = st.toggle("Hidden", key="hidden")
    if not hidden:
        state = code_editor(
            "editor",
            code=store.get("draft", START),
            rev=store["rev"],
            label="핸들러 코드",
            hint="Ctrl+Enter: 실행 · Esc 다음 Tab: 편집기에서 나가기",
            diagnostics=problems,
            height=240,
            lang="ko",
            on_run=ran,
        )
        store["runs"] += state.run
        store["draft"] = state.code
    st.text(f"runs={store['runs']}")
    st.text(f"ran={json.dumps(store.get('ran'))}")
    st.code(json.dumps(store.get("draft"), ensure_ascii=False), language="json")
    code_diff("diff", before=START, after=store.get("draft") or START, label="처음과 달라진 곳", lang="ko")
    if uploaded := upload("upload", url="api/upload/t-1", labels=LABELS, max_bytes=CAP):
        store["uploaded"] = [uploaded.id, uploaded.name, uploaded.size]
    st.text(f"uploaded={json.dumps(store.get('uploaded'), ensure_ascii=False)}")


if __name__ == "__main__":
    main()
