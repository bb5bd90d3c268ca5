"""A learner's whole way through the app, in a real browser, in both languages; and what must not lose their work."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from labs import labs
from lessons import lessons
from lessons.text import Language, t

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
APP = ROOT / "app.py"
LAB, LESSON = labs()[0], lessons()[0]
PHOTO = ROOT / "assets" / "images" / "고양이 사진.png"
SOLUTION = (LAB.folder / "solutions" / "pillow" / "handler.py").read_text("utf-8")
MISTAKE = (LAB.folder / "mistakes" / "key_not_decoded" / "handler.py").read_text("utf-8")
GRADED = 60_000  # milliseconds; a grading takes about five seconds on an idle machine

Serve = Callable[..., AbstractContextManager[str]]


def key(page: Page, name: str) -> Locator:
    """Find what has this Streamlit key."""
    return page.locator(f".st-key-{name}")


def press(page: Page, name: str) -> None:
    """Click the button of this key."""
    key(page, name).locator("button").first.click()


def editor(page: Page) -> Locator:
    return page.locator(f".st-key-{LAB.id}_editor .cm-content")


def paste(page: Page, code: str) -> None:
    """Replace the code as a paste does; what follows must not wait for it to be saved."""
    editor(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)


def choose_file(page: Page, file: Path | FilePayload) -> None:
    """Choose a file as a learner does: the click into the chooser leaves the editor."""
    with page.expect_file_chooser() as chooser:
        key(page, f"{LAB.id}_upload").locator(".choose").click()
    chooser.value.set_files(file)


def thumbnail(page: Page, language: Language) -> Locator:
    return page.get_by_role("img", name=f"{t('upload.thumbnail', language)}: ")


def check(page: Page, language: Language) -> Locator:
    """Have the code checked and wait for the verdict."""
    press(page, f"{LAB.id}_check")
    progress = page.get_by_test_id("stProgress")
    expect(progress).to_be_visible()
    expect(progress).to_have_count(0, timeout=GRADED)
    return key(page, f"{LAB.id}_result_panel")


def records(page: Page) -> Locator:
    """Find the flow view of the learner's own cloud."""
    return page.locator(f".st-key-{LAB.id}_flow .flow")


def open_lab(page: Page, url: str, language: Language = Language.KO) -> None:
    page.goto(f"{url}/{LAB.id}?lang={language}")
    expect(editor(page)).to_be_visible()


@pytest.mark.parametrize("language", Language)
def test_journey(page: Page, serve: Serve, tmp_path: Path, language: Language) -> None:
    with serve(APP, SERVERLESS_LAB_DATA=str(tmp_path)) as url:
        page.goto(f"{url}/?lang={language}")
        expect(page.get_by_role("heading", level=1)).to_have_text(t("home.heading", language))
        press(page, "start")
        expect(page.get_by_role("heading", level=1)).to_have_text(LESSON.title.of(language))
        assert f"lang={language}" in page.url
        expect(page.locator("html")).to_have_attribute("lang", language)

        # The prediction comes before anything can be run.
        expect(page.get_by_text(t("prediction.locked", language))).to_be_visible()
        expect(key(page, f"experiment_{LESSON.id}_run")).to_have_count(0)
        expect(key(page, f"{LAB.id}_deploy")).to_have_count(0)
        questions = page.locator(f".st-key-predict_{LESSON.id} [data-testid=stRadio]")
        expect(questions).to_have_count(3)
        for number in range(3):
            questions.nth(number).get_by_test_id("stRadioOption").first.click()
        press(page, f"predict_{LESSON.id}_submit")
        expect(page.get_by_text(t("prediction.kept", language))).to_be_visible()

        # Prediction and outcome side by side, with what to think and the event that shows it.
        press(page, f"experiment_{LESSON.id}_run")
        compared = key(page, f"explain_{LESSON.id}_runs")
        expect(compared).to_contain_text(t("prediction.differs", language), timeout=30_000)
        question = next(each for each in LESSON.prediction.questions if each.id == "runs") if LESSON.prediction else None
        assert question is not None
        expect(compared).to_contain_text(question.feedback.of(language)[:30])
        press(page, f"explain_{LESSON.id}_runs_see")
        expect(key(page, "explain_flow").locator(".tree [aria-selected=true]")).to_be_visible()

        # The code that the lab starts from fails, and says why.
        panel = check(page, language)
        expect(panel).to_contain_text(t("grade.points", language, points=0, total=LAB.points))
        expect(panel.get_by_test_id("stExpander").first).to_contain_text(LAB.checks[0].title.of(language))
        expect(panel.get_by_test_id("stExpander").first).to_contain_text("thumbnails-123456789012")

        # A known mistake is called by its name, with the event that proves it, and hints.
        paste(page, MISTAKE)
        panel = check(page, language)
        expect(panel).to_contain_text(LAB.messages["key_not_decoded"].of(language)[:24])
        panel.get_by_role("button", name=t("grade.evidence", language)).first.click()
        expect(key(page, f"{LAB.id}_evidence").locator(".tree [aria-selected=true]")).to_contain_text("NoSuchKey")
        for _ in range(3):
            panel.locator("[class*=_hints_next] button").first.click()
        expect(panel).to_contain_text("unquote_plus")

        # A real picture, uploaded without deploying first, becomes a thumbnail.
        paste(page, SOLUTION)
        choose_file(page, PHOTO)
        picture = thumbnail(page, language)
        expect(picture).to_be_visible(timeout=30_000)
        assert picture.evaluate("img => [img.complete, Math.max(img.naturalWidth, img.naturalHeight)]") == [True, 128]
        expect(records(page).locator(".tree")).to_contain_text(PHOTO.name)
        expect(records(page).locator(".tree")).to_contain_text("PutItem")

        panel = check(page, language)
        expect(panel).to_contain_text(t("grade.points", language, points=LAB.points, total=LAB.points))
        expect(panel).to_contain_text(t("grade.passed", language))

        # Nothing of it is lost by loading the page again ...
        page.reload()
        expect(editor(page)).to_contain_text("LONGEST_SIDE")
        expect(thumbnail(page, language)).to_be_visible()
        expect(key(page, f"explain_{LESSON.id}_runs")).to_be_visible()

    # ... nor by starting the app again.
    with serve(APP, SERVERLESS_LAB_DATA=str(tmp_path)) as url:
        open_lab(page, url, language)
        expect(editor(page)).to_contain_text("LONGEST_SIDE")
        expect(records(page).locator(".tree")).to_contain_text(PHOTO.name)
        page.get_by_role("radio", name=t("lab.result", language)).click()
        expect(key(page, f"{LAB.id}_result_panel")).to_contain_text(t("grade.passed", language))
        page.goto(f"{url}/?lang={language}")
        best = t("home.best", language, points=LAB.points, total=LAB.points)
        expect(key(page, f"card_{LAB.id}")).to_contain_text(best)


@pytest.fixture(scope="module")
def app(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the app once for the tests below; each has a learner of its own."""
    with serve(APP, SERVERLESS_LAB_DATA=str(tmp_path_factory.mktemp("data"))) as url:
        yield url


def test_reset_keeps_the_old_code_and_gives_it_back(page: Page, app: str) -> None:
    open_lab(page, app)
    paste(page, "mine = 1\n")
    press(page, f"{LAB.id}_history")
    page.get_by_role("button", name=t("draft.reset", Language.KO)).click()
    expect(editor(page)).to_contain_text("TODO 1")
    press(page, f"{LAB.id}_replaced_undo")
    expect(editor(page)).to_contain_text("mine = 1")
    expect(editor(page)).not_to_contain_text("TODO 1")
    # From the history, too.
    press(page, f"{LAB.id}_history")
    page.get_by_role("button", name=t("draft.reset", Language.KO)).click()
    expect(editor(page)).to_contain_text("TODO 1")
    page.reload()
    expect(editor(page)).to_contain_text("TODO 1")
    press(page, f"{LAB.id}_history")
    page.get_by_role("button", name=t("draft.restore", Language.KO)).first.click()
    expect(editor(page)).to_contain_text("mine = 1")


def test_difference_to_the_start_is_one_click_away(page: Page, app: str) -> None:
    open_lab(page, app)
    paste(page, LAB.start + "\nextra = 1\n")
    key(page, f"{LAB.id}_diff").locator("label").click()
    difference = page.get_by_role("textbox", name=t("diff.label", Language.KO))
    expect(difference.locator(".cm-changedLine")).to_contain_text(["", "extra = 1"])


def test_two_tabs_keep_both_texts(page: Page, app: str) -> None:
    open_lab(page, app)
    other = page.context.new_page()
    open_lab(other, app)
    paste(page, "first = 1\n")
    expect(page.get_by_text("저장했어요")).to_be_visible()
    paste(other, "second = 2\n")
    notice = other.get_by_text(t("draft.conflict_heading", Language.KO))
    expect(notice).to_be_visible()
    expect(editor(other)).to_contain_text("second = 2")
    press(other, f"{LAB.id}_editor_theirs")
    expect(notice).to_have_count(0)
    expect(editor(other)).to_contain_text("first = 1")
    press(other, f"{LAB.id}_history")
    other.get_by_role("button", name=t("draft.restore", Language.KO)).first.click()
    expect(editor(other)).to_contain_text("second = 2")


def test_what_is_too_large_or_no_picture_is_told(page: Page, app: str, tmp_path: Path) -> None:
    open_lab(page, app)
    huge = tmp_path / "huge.png"
    huge.write_bytes(bytes(50 * 1024 * 1024))
    choose_file(page, huge)
    expect(page.get_by_role("alert").filter(has_text="huge.png")).to_contain_text("10 MB")
    choose_file(page, {"name": "no picture.jpg", "mimeType": "image/jpeg", "buffer": b"just words"})
    expect(key(page, f"{LAB.id}_cloud")).to_contain_text(t("upload.not_image", Language.KO, name="no picture.jpg"))
    expect(records(page).locator(".tree")).to_contain_text("no picture.jpg")


def test_time_can_be_stopped_and_stepped(page: Page, app: str) -> None:
    open_lab(page, app)
    step = key(page, f"{LAB.id}_pace_step").get_by_role("button")
    expect(step).to_be_disabled()
    page.get_by_role("radio", name=t("pace.paused", Language.KO)).click()
    press(page, f"{LAB.id}_put_sea")
    expect(records(page).locator(".tree")).to_contain_text("sea.jpg", timeout=30_000)
    expect(records(page)).not_to_contain_text("INIT을 시작했어요")
    before = records(page).get_attribute("data-records") or ""
    expect(step).to_be_enabled()
    step.click()
    expect(records(page)).not_to_have_attribute("data-records", before)
    expect(records(page).locator(".tree")).to_contain_text("알림을 보냈어요")
    page.get_by_role("radio", name=t("pace.live_60", Language.KO)).click()
    expect(records(page).locator(".tree")).to_contain_text("호출이 성공했어요")


def test_errors_of_the_code_are_marked_where_they_are(page: Page, app: str) -> None:
    open_lab(page, app)
    paste(page, "import os\n\ndef handler(event, context)\n    return 1\n")
    page.keyboard.press("Control+Enter")
    expect(key(page, f"{LAB.id}_editor_status")).to_contain_text(t("run.deployed", Language.KO))
    press(page, f"{LAB.id}_put_sea")
    problems = page.locator(f".st-key-{LAB.id}_editor .problems")
    expect(problems).to_contain_text("3", timeout=30_000)
    expect(page.locator(f".st-key-{LAB.id}_editor .cm-lint-marker-error")).to_have_count(1)
    paste(page, "def handler(event, context):\n    while True:\n        pass\n")
    page.keyboard.press("Control+Enter")
    expect(problems).to_be_empty()


def test_keyboard_alone_reaches_code_and_check(page: Page, app: str) -> None:
    open_lab(page, app)
    editor(page).focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("# typed")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor(page)).not_to_be_focused()
    key(page, f"{LAB.id}_check").get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stProgress")).to_be_visible()
