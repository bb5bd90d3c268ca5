"""What every page stands in: who visits, in which language, and what to say when something of ours breaks."""

import logging
import secrets
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from labs import web
from labs.classroom import JournalError, Learner
from labs.workspace import journal
from lessons.parts.component import ASSETS
from lessons.parts.signals import speak
from lessons.text import Language, guess, t
from lessons.visit import Visit

ICON = ASSETS / "images" / "icon.svg"

# Streamlit's words for screen readers, and the texts that take their place.
_LABELS = {"App pages": "pages", "Logo": "logo", "Navigate to home page": "home", "progress": "progress"}
_SKIP = "Skip to main content"

_log = logging.getLogger(__name__)


def begin() -> Visit:
    """Set the page up, let the learner choose a language, and return the visit. Raises JournalError."""
    st.set_page_config(page_icon=ICON, layout="wide", initial_sidebar_state="collapsed")
    st.html(ASSETS / "parts" / "page.css")
    st.logo(ICON, size="medium")
    learner = _learner()
    with st.container(horizontal=True, horizontal_alignment="right", key="top"):
        language = _language(learner)
        _speak(language)
    return Visit(learner, language, journal(), _zone())


def failed(error: Exception) -> bool:
    """Say in the learner's language that something of ours broke, and leave a trace of it in the log."""
    asked = st.query_params.get("lang")
    language = Language(asked) if asked in set(Language) else guess(st.context.locale)
    if isinstance(error, JournalError):
        said = f"**{t('journal.heading', language)}**  \n{t(error.key, language, path=error.path)}"
    else:
        code = secrets.token_hex(3)
        _log.error("what the page calls %s is: %s", code, error, exc_info=error)
        said = t("error.unexpected", language, code=code)
    st.error(said, icon=":material/error:")
    return True


def _learner() -> Learner:
    """Return the learner whom the cookie names; without cookies one who is known in this browser tab only."""
    found = web.learner_of(st.context.cookies)
    if found is None:
        found = st.session_state.setdefault("learner", f"tab-{secrets.token_urlsafe(12)}")
    return journal().learner(found)


def _language(learner: Learner) -> Language:
    """Let the learner choose: the address says which language a page is in, the journal keeps it for the next visit."""
    asked = st.query_params.get("lang")
    known = (
        asked if asked in set(Language) else st.session_state.get("language") or learner.language or guess(st.context.locale)
    )
    st.session_state["lang"] = Language(known)

    def choose() -> None:
        st.query_params["lang"] = st.session_state["lang"].value
        journal().set_language(learner.id, st.session_state["lang"])

    st.segmented_control(
        "한국어 / English",
        list(Language),
        required=True,
        format_func=lambda each: each.own_name,
        key="lang",
        label_visibility="collapsed",
        on_change=choose,
    )
    language = st.session_state["language"] = Language(known)
    if asked != language:
        st.query_params["lang"] = language.value
    return language


def _speak(language: Language) -> None:
    """Let what Streamlit itself says be said in the page's language."""

    def said(label: str, name: str) -> dict[str, str]:
        # After a change of language it is the other language's words that are to be replaced.
        return dict.fromkeys([label, *(t(f"chrome.{name}", each) for each in Language)], t(f"chrome.{name}", language))

    labels = {before: now for label, name in _LABELS.items() for before, now in said(label, name).items()}
    speak("chrome", language=language, labels=labels, texts=said(_SKIP, "skip"))


def _zone() -> ZoneInfo | None:
    """Return the browser's time zone."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError):
        return None
