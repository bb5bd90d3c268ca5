"""Small signals between the page and Python; the browser's half is assets/parts/signals.js."""

from collections.abc import Mapping

from lessons.parts.component import browser_part

_HTML = '<div class="signal"></div>\n'
_news = browser_part("news", js="parts/signals.js", function="news", css="parts/signals.css", html=_HTML)
_scroll = browser_part("scroll", js="parts/signals.js", function="scroll", css="parts/signals.css", html=_HTML)
_language = browser_part("language", js="parts/signals.js", function="language", css="parts/signals.css", html=_HTML)


def rerun_on_news(key: str, *, run_url: str, known: int) -> bool:
    """Rerun the fragment around this when a flow view of the same run hears of records after `known`.

    A page that shows what is in a cloud need not poll then. Returns whether this run is such a rerun.
    """
    result = _news(key=f"signal_{key}", data={"run": run_url, "known": known}, on_news_change=_nothing)
    return result.get("news") is not None


def scroll_to(key: str, *, to: str, turn: int) -> None:
    """Scroll the element of key `to` into view, once for every higher `turn`; 0 is no scrolling."""
    _scroll(key=f"signal_{key}", data={"to": to, "turn": turn})


def _nothing() -> None:
    """Stand in for a callback: Streamlit reports only the values that have one."""


def speak(key: str, *, language: str, labels: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """Say what language the page is in, and give Streamlit's own labels and links in it."""
    _language(key=f"signal_{key}", data={"language": language, "labels": dict(labels), "texts": dict(texts)})
