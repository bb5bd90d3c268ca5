"""Serverless Lab: the Streamlit entry. `streamlit run app.py`, `uvicorn app:app`."""

import logging
import secrets
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from labs import labs, web
from labs import page as lab_page
from labs.classroom import JournalError, Learner
from labs.workspace import journal
from lessons import home, lessons
from lessons import page as lesson_page
from lessons.parts.component import ASSETS
from lessons.text import Language, guess, t
from lessons.visit import HOME, Visit

ICON = ASSETS / "images" / "icon.svg"


def failed(error: Exception) -> bool:
    """Say in the learner's language that something of ours broke."""
    code = secrets.token_hex(3)
    logging.getLogger("app").error("%s: %s", code, type(error).__name__)
    asked = st.query_params.get("lang")
    language = Language(asked) if asked in set(Language) else guess(st.context.locale)
    if isinstance(error, JournalError):
        st.error(f"**{t('journal.heading', language)}**  \n{t(error.key, language, path=error.path)}", icon=":material/save:")
    else:
        st.error(t("error.unexpected", language, code=code), icon=":material/error:")
    return True


app = st.App(__file__, routes=web.routes, middleware=web.middleware, lifespan=web.lifespan, on_script_error=failed)


def main() -> None:
    """Draw the page that was asked for."""
    try:
        draw()
    except JournalError as error:
        # Nothing works without the journal: whoever can mend it is told how.
        failed(error)


def draw() -> None:
    """Draw what every page has, then the page itself."""
    st.set_page_config(page_icon=ICON, layout="wide", initial_sidebar_state="collapsed")
    st.html(ASSETS / "parts" / "page.css")
    st.logo(ICON, size="medium")
    learner = known_learner()
    with st.container(horizontal=True, horizontal_alignment="right", key="top"):
        language = chosen_language(learner)
    pages: dict[str, st.Page] = {}
    visit = Visit(learner, language, journal(), zone(), pages)
    words = partial(t, language=language)
    pages[HOME] = st.Page(partial(home.show, visit), title=words("nav.home"), icon=":material/home:", default=True)
    for lesson in lessons():
        show = partial(lesson_page.show, lesson, visit)
        pages[lesson.id] = st.Page(show, title=lesson.title.of(language), icon=":material/menu_book:", url_path=lesson.id)
    for lab in labs():
        show = partial(lab_page.show, lab, visit)
        pages[lab.id] = st.Page(show, title=lab.title.of(language), icon=":material/science:", url_path=lab.id)
    page = st.navigation(
        {
            "": [pages[HOME]],
            words("nav.lessons"): [pages[lesson.id] for lesson in lessons()],
            words("nav.labs"): [pages[lab.id] for lab in labs()],
        },
        position="top",
    )
    title = page.title if page is not pages[HOME] else words("app.tagline")
    st.set_page_config(page_title=f"{title} · {words('app.title')}")
    page.run()


def known_learner() -> Learner:
    """Return the learner whom the cookie names; without cookies one who is known in this browser tab only."""
    found = web.learner_of(st.context.cookies)
    if found is None:
        found = st.session_state.setdefault("learner", f"tab-{secrets.token_urlsafe(12)}")
    return journal().learner(found)


def chosen_language(learner: Learner) -> Language:
    """Let the learner choose: the address says which language a page is in, the journal remembers it for the next visit."""
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


def zone() -> ZoneInfo | None:
    """Return the browser's time zone."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError):
        return None


if __name__ == "__main__":
    main()
