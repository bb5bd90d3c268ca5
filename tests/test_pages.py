"""Every page in both languages, without a browser: it runs, it speaks one language, and it asks before anything can be run."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from labs import labs, workspace
from labs.classroom import Fault, Journal, JournalError
from labs.cloud.functions.sandbox import Tier
from lessons import lessons
from lessons.text import Language, t

APP = Path(__file__).parents[1] / "app.py"
LESSON, LAB = lessons()[0], labs()[0]
PAGES = ["", *(lesson.id for lesson in lessons()), *(lab.id for lab in labs())]
LEARNER = "tester"
HANGUL = re.compile(r"[가-힣]")
LATIN_WORDS = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep everything in a folder of its own."""
    monkeypatch.setenv("SERVERLESS_LAB_DATA", str(tmp_path))
    monkeypatch.setattr("labs.web.learner_of", lambda cookies: LEARNER)  # AppTest has no cookies
    workspace.close()
    yield tmp_path
    workspace.close()


def visit(page: str, language: Language = Language.KO) -> AppTest:
    """Open a page. AppTest cannot switch to a page that is a function, so its hash is set by hand."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params["lang"] = language.value
    app._page_hash = calc_hash(page)
    return app.run()


def journal() -> Journal:
    return workspace.journal()


def texts(app: AppTest) -> list[str]:
    """List what the page says."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success", "button", "radio")
    said: list[str] = []
    for kind in kinds:
        for element in app.get(kind):
            said.append(str(getattr(element, "label", None) or getattr(element, "value", "")))
    return said


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button}


def ordered(app: AppTest) -> list[str]:
    """List the items of the question about order, as they stand."""
    return [each.value.split(" &ensp; ")[1] for each in app.markdown if re.match(r"\*\*\d\*\* &ensp; ", each.value)]


def predict(app: AppTest) -> AppTest:
    """Answer every question of the lesson's prediction."""
    for radio in app.radio:
        if str(radio.key).startswith("predict_"):
            radio.set_value(0)
    return app.button(key=f"predict_{LESSON.id}_submit").click().run()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("page", PAGES)
def test_page_runs(page: str, language: Language) -> None:
    app = visit(page, language)
    assert not app.exception
    assert not app.error
    assert app.title


@pytest.mark.parametrize("page", PAGES)
def test_page_speaks_one_language(page: str) -> None:
    for text in texts(visit(page, Language.EN)):
        if not text.endswith((".png", ".jpg")):  # names of files have a language of their own
            assert not HANGUL.search(re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)), text
    for text in texts(visit(page, Language.KO)):
        plain = re.sub(r"```.*?```|`[^`]*`|:material/\w+:|\S*[_/.]\S*", "", text, flags=re.DOTALL)
        assert HANGUL.search(plain) or not LATIN_WORDS.search(plain), text


def test_nothing_can_be_run_before_the_prediction() -> None:
    app = visit(LESSON.id)
    assert f"predict_{LESSON.id}_submit" in keys(app)
    assert not [key for key in keys(app) if key.startswith((LAB.id, "experiment_"))]
    assert len(app.get("bidi_component")) == 1  # says what language the page is in; neither editor nor flow
    app = app.button(key=f"predict_{LESSON.id}_submit").click().run()
    assert [each.value for each in app.warning] == [t("prediction.incomplete", Language.KO)]
    app = predict(app)
    assert not app.exception
    assert f"experiment_{LESSON.id}_run" in keys(app)
    assert f"{LAB.id}_deploy" in keys(app)
    kept = journal().prediction(LEARNER, LESSON.id)
    assert kept is not None
    assert isinstance(kept.data, dict)
    assert set(kept.data) == {question.id for question in LESSON.prediction.questions} if LESSON.prediction else False


def test_order_is_changed_by_buttons() -> None:
    app = visit(LESSON.id)
    before = ordered(app)
    app = app.button(key=f"predict_{LESSON.id}_order_down_0").click().run()
    assert ordered(app) == [before[1], before[0], *before[2:]]


def test_quiz_explains_every_option() -> None:
    app = predict(visit(LESSON.id))
    question = LESSON.quiz[0]
    right = next(place for place, option in enumerate(question.options) if option.correct)
    wrong = next(place for place, option in enumerate(question.options) if not option.correct)
    key = f"quiz_{LESSON.id}_{question.id}"
    app = app.button(key=f"{key}_check").click().run()
    assert t("quiz.unanswered", Language.KO) in [each.value for each in app.warning]
    app.radio(key=f"{key}_choice").set_value(wrong)
    app = app.button(key=f"{key}_check").click().run()
    assert not app.exception
    said = "\n".join(each.value for each in app.markdown)
    assert all(option.explanation.ko in said for option in question.options)
    assert t("quiz.wrong", Language.KO) in [each.value for each in app.warning]
    app = app.button(key=f"{key}_retry").click().run()
    app.radio(key=f"{key}_choice").set_value(right)
    app = app.button(key=f"{key}_check").click().run()
    assert t("quiz.right", Language.KO) in [each.value for each in app.success]
    assert [entry.attempt for entry in journal().quiz_answers(LEARNER, LESSON.id)] == [1, 2]


@pytest.mark.parametrize("name", ["", "   ", "\u3164"])
def test_empty_name_is_refused(name: str) -> None:
    app = visit("")
    app.text_input(key="learner_name").set_value(name)
    app = next(button for button in app.button if button.label == t("learner.name_save", Language.KO)).click().run()
    assert [each.value for each in app.warning] == [t("name.empty", Language.KO)]


def test_name_is_kept_and_cannot_be_markup() -> None:
    app = visit("", Language.EN)
    app.text_input(key="learner_name").set_value("**Ada** ![x](http://example.com/x.png)")
    app = next(button for button in app.button if button.label == t("learner.name_save", Language.EN)).click().run()
    assert not app.exception
    assert journal().learner(LEARNER).name.startswith("**Ada**")
    assert not [each.value for each in app.caption if "![x](" in each.value]


def test_draft_is_saved_and_comes_back_on_another_page() -> None:
    app = visit(LAB.id)
    rev = app.session_state[f"{LAB.id}_desk"].rev
    app.session_state[f"{LAB.id}_editor"] = {"draft": {"rev": rev, "code": "x = 1\n"}}
    app = app.run()
    assert not app.exception
    draft = journal().draft(LEARNER, LAB.id)
    assert draft is not None
    assert draft.code == "x = 1\n"
    app._page_hash = calc_hash("")
    app.run()
    app._page_hash = calc_hash(LAB.id)
    app = app.run()
    assert app.session_state[f"{LAB.id}_desk"].code == "x = 1\n"


def test_deploy_and_upload_without_a_browser() -> None:
    app = visit(LAB.id)
    app = app.button(key=f"{LAB.id}_deploy").click().run()
    assert not app.exception
    assert not app.error
    app = app.button(key=f"{LAB.id}_put_sea").click().run()
    assert not app.error
    assert workspace.workspaces().open(LEARNER, LAB).objects("photos-123456789012")[0]["key"] == "sea.jpg"


@pytest.mark.parametrize("language", Language)
def test_journal_that_cannot_be_opened_is_told(data: Path, language: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    file = data / "file"
    file.write_text("not a folder")
    monkeypatch.setenv("SERVERLESS_LAB_DATA", str(file))
    app = visit("", language)
    assert not app.exception
    assert t("journal.heading", language) in app.error[0].value


def test_a_save_that_fails_is_told_and_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit(LAB.id)

    def full(self: Journal, *args: object, **named: object) -> None:
        raise JournalError(Fault.DISK_FULL, "/data/journal.sqlite3")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "save_draft", full)
        rev = app.session_state[f"{LAB.id}_desk"].rev
        app.session_state[f"{LAB.id}_editor"] = {"draft": {"rev": rev, "code": "precious\n"}}
        app = app.run()
        assert not app.exception
        assert t("editor.save_failed", Language.KO) in app.error[0].value
        assert t("journal.disk_full", Language.KO, path="/data/journal.sqlite3") in app.error[0].value
    app = app.button(key=f"{LAB.id}_editor_again").click().run()
    assert not app.error
    draft = journal().draft(LEARNER, LAB.id)
    assert draft is not None
    assert draft.code == "precious\n"


def test_a_cloud_that_died_is_told_and_the_next_upload_starts_another() -> None:
    app = visit(LAB.id)
    app = app.button(key=f"{LAB.id}_put_sea").click().run()
    place = workspace.workspaces().open(LEARNER, LAB)
    cloud = place._cloud
    assert cloud is not None
    os.kill(cloud.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while place.alive and time.monotonic() < deadline:
        place.records()
        time.sleep(0.05)
    app = app.run()
    assert not app.exception
    assert t("error.cloud_gone", Language.KO) in [each.value for each in app.warning]
    app = app.button(key=f"{LAB.id}_put_mountain").click().run()
    assert not app.error
    assert t("error.cloud_gone", Language.KO) not in [each.value for each in app.warning]
    assert [each["key"] for each in place.objects(place.outputs["Photos"])] == ["mountain.png"]


@pytest.mark.parametrize("found", Tier)
def test_isolation_is_said_on_the_page(found: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.page.tier", lambda: found)
    app = visit(LAB.id)
    warned = t("isolation.tier_0", Language.KO) in [each.value for each in app.error]
    assert warned == (found is Tier.PLAIN)
    assert t(f"isolation.tier_{found.value}", Language.KO) in "\n".join(texts(app))
