"""The code editor and the diff view; the browser's half is assets/parts/editor.js."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from lessons.parts.component import browser_part

_editor = browser_part(
    "code_editor",
    js="parts/editor.js",
    function="editor",
    css="parts/editor.css",
    vendored="vendor/codemirror.js",
    html="""\
<div class="editor">
  <div class="code"></div>
  <ul class="problems" aria-live="polite"></ul>
  <p class="hint" id="hint"></p>
</div>
""",
)

_diff = browser_part(
    "code_diff",
    js="parts/editor.js",
    function="diff",
    css="parts/editor.css",
    vendored="vendor/codemirror.js",
    html='<div class="diff"></div>\n',
)


@dataclass(frozen=True)
class Diagnostic:
    """Something wrong with one line of the code; lines count from 1."""

    line: int
    message: str


@dataclass(frozen=True)
class EditorState:
    """What the editor holds, and whether the learner has just pressed Ctrl+Enter."""

    code: str
    run: bool


def code_editor(
    key: str,
    *,
    code: str,
    rev: int,
    label: str,
    hint: str,
    diagnostics: Sequence[Diagnostic] = (),
    read_only: bool = False,
    height: int = 420,
    lang: str = "en",
    on_change: Callable[[], None] | None = None,
    on_run: Callable[[], None] | None = None,
) -> EditorState:
    """Show an editor for Python and return what it holds.

    The text on the screen is the learner's: `code` replaces it only when `rev` differs from the last time.
    """
    draft = _code(_stored(key, "draft"), rev)
    result = _editor(
        key=key,
        data={
            # The newest text, not the first one: an editor that the page takes away and shows again starts from it.
            "code": code if draft is None else draft,
            "rev": rev,
            "label": label,
            "hint": hint,
            "diagnostics": [asdict(each) for each in diagnostics],
            "read_only": read_only,
            "height": height,
            "lang": lang,
        },
        on_draft_change=on_change or _nothing,
        on_run_change=on_run or _nothing,
    )
    # Ctrl+Enter carries the text that it was pressed on.
    run = _code(result.get("run"), rev)
    for latest in (run, _code(result.get("draft"), rev)):
        if latest is not None:
            return EditorState(latest, run=run is not None)
    return EditorState(code, run=False)


def typed(key: str, *, rev: int) -> str | None:
    """Return what the learner has made of revision `rev`, or None if it is untouched; for use in callbacks."""
    run, draft = _code(_stored(key, "run"), rev), _code(_stored(key, "draft"), rev)
    return draft if run is None else run


def code_diff(key: str, *, before: str, after: str, label: str, lang: str = "en") -> None:
    """Show what changed from one text to another, line by line."""
    _diff(key=key, data={"before": before, "after": after, "label": label, "lang": lang})


def _nothing() -> None:
    """Stand in for a callback: Streamlit reports only the values that have one."""


def _stored(key: str, name: str) -> object:
    state: object = st.session_state.get(key)
    return state.get(name) if isinstance(state, dict) else None


def _code(value: object, rev: int) -> str | None:
    """Take the text out of a message of the browser, unless it belongs to another revision."""
    if isinstance(value, dict) and value.get("rev") == rev and isinstance(value.get("code"), str):
        return str(value["code"])
    return None
