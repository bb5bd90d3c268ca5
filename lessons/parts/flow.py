"""The flow view: what happened in a cloud, live or from a recording; the browser's half is assets/parts/flow.js."""

from collections.abc import Mapping, Sequence

from lessons.parts.component import browser_part
from lessons.parts.sentences import VARIANTS, sentences

__all__ = ["flow_view", "sentences"]

_flow = browser_part(
    "event_flow",
    js="parts/flow.js",
    function="flow",
    css="parts/flow.css",
    html='<div class="flow"></div>\n',
)


def flow_view(
    key: str,
    *,
    run_url: str | None,
    records: Sequence[Mapping[str, object]] = (),
    text: Mapping[str, str],
    selected: int | None = None,
    height: int | None = None,
) -> int | None:
    """Draw a trace and return the id of the record that the learner has picked, if any.

    `run_url` is the base-relative address of the run's WebSocket, None for a recording. `text` is `sentences(language)`.
    `records` are the records known so far, as `Record.to_json()` gives them; pass the same ones at every rerun, since the
    WebSocket brings what is new and other records start the view afresh.
    """
    result = _flow(
        key=key,
        data={
            "run": run_url,
            "records": [dict(record) for record in records],
            "text": dict(text),
            "variants": VARIANTS,
            "locale": text["language.code"],
            "selected": selected,
            "height": height,
        },
        on_selected_change=_nothing,
    )
    picked = result.get("selected")
    return picked if isinstance(picked, int) else None


def _nothing() -> None:
    """Stand in for a callback: Streamlit reports only the values that have one."""
