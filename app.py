"""Serverless Lab: the Streamlit entry, for `streamlit run app.py` and `uvicorn app:app`."""

from dataclasses import replace
from functools import partial

import streamlit as st

from labs import labs, web
from labs import page as lab_page
from labs.classroom import JournalError
from lessons import home, lessons
from lessons import page as lesson_page
from lessons.parts import shell
from lessons.visit import HOME

# The server imports this file for the app, and runs it as __main__ for every page that somebody opens.
app = st.App(__file__, routes=web.routes, middleware=web.middleware, lifespan=web.lifespan, on_script_error=shell.failed)


def main() -> None:
    """Draw the page that was asked for."""
    try:
        draw()
    except JournalError as error:
        shell.failed(error)


def draw() -> None:
    """Draw what every page has, then the page itself: home, a lesson or a lab."""
    pages: dict[str, st.Page] = {}
    visit = replace(shell.begin(), pages=pages)
    pages[HOME] = st.Page(partial(home.show, visit), title=visit.t("nav.home"), icon=":material/home:", default=True)
    for lesson in lessons():
        show = partial(lesson_page.show, lesson, visit)
        title = lesson.title.of(visit.language)
        pages[lesson.id] = st.Page(show, title=title, icon=":material/menu_book:", url_path=lesson.id)
    for lab in labs():
        show = partial(lab_page.show, lab, visit)
        pages[lab.id] = st.Page(show, title=lab.title.of(visit.language), icon=":material/science:", url_path=lab.id)
    sections = {
        "": [pages[HOME]],
        visit.t("nav.lessons"): [pages[lesson.id] for lesson in lessons()],
        visit.t("nav.labs"): [pages[lab.id] for lab in labs()],
    }
    page = st.navigation(sections, position="top")
    title = visit.t("app.tagline") if page is pages[HOME] else page.title
    st.set_page_config(page_title=f"{title} · {visit.t('app.title')}")
    page.run()


if __name__ == "__main__":
    main()
