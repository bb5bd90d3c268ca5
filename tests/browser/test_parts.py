"""The editor, the diff view and the upload part, in a real browser."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

APP = Path(__file__).with_name("parts_app.py")
CAP = 200_000
SAMPLES = Path(__file__).parents[2] / "assets" / "images"
DARK = "rgb(18, 24, 27)"


@dataclass(frozen=True)
class Server:
    """The running app, and the folder in which it keeps what was uploaded."""

    url: str
    uploads: Path


@pytest.fixture(scope="module")
def server(serve: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the small app with every part in it."""
    uploads = tmp_path_factory.mktemp("uploads")
    with serve(APP, UPLOADS=str(uploads)) as url:
        yield Server(url, uploads)


@pytest.fixture
def parts(page: Page, server: Server, wait_idle: Callable[[Page], None]) -> Page:
    """Open the app and wait for the editor."""
    page.goto(server.url)
    expect(editor(page)).to_be_visible()
    wait_idle(page)
    return page


def editor(page: Page) -> Locator:
    """Return the text box of the editor."""
    return page.get_by_role("textbox", name="핸들러 코드")


def in_python(page: Page) -> Locator:
    """Return the place that shows, as JSON, the code that Python has."""
    return page.get_by_test_id("stCode").first


def press(page: Page, key: str) -> None:
    """Press the button or switch of this key."""
    page.locator(f".st-key-{key}").locator("button, label").first.click()


def write(page: Page, text: str) -> None:
    """Put the cursor at the very end of the code and type."""
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def compose(page: Page, *stages: str) -> None:
    """Show the stages of one Korean syllable as an input method does, then commit the last."""
    session = page.context.new_cdp_session(page)
    for stage in stages:
        session.send("Input.imeSetComposition", {"text": stage, "selectionStart": 1, "selectionEnd": 1})
        page.wait_for_timeout(60)
    session.send("Input.insertText", {"text": stages[-1]})


def test_typing_reaches_python_and_survives_reruns(parts: Page) -> None:
    write(parts, "value = 1")
    expect(in_python(parts)).to_contain_text("value = 1")  # by the pause alone
    press(parts, "rerun")
    write(parts, " + 2")
    press(parts, "rerun")  # before the pause is over: leaving the editor sends the draft
    expect(in_python(parts)).to_contain_text("value = 1 + 2")
    expect(editor(parts)).to_contain_text("value = 1 + 2")
    assert parts.get_by_text("runs=0").is_visible()


def test_draft_survives_the_editor_being_taken_away(parts: Page) -> None:
    write(parts, "kept = True")
    expect(in_python(parts)).to_contain_text("kept = True")
    press(parts, "hidden")
    expect(editor(parts)).to_have_count(0)
    press(parts, "hidden")
    expect(editor(parts)).to_contain_text("def handler")


def test_korean_text_and_composition_survive_reruns(parts: Page) -> None:
    write(parts, "# 사진을 줄여요 ")
    for stages in (["ㅎ", "하", "한"], ["ㄱ", "그", "글"]):
        compose(parts, *stages)
    expect(in_python(parts)).to_contain_text("# 사진을 줄여요 한글")
    expect(editor(parts)).to_contain_text("# 사진을 줄여요 한글")


def test_syllable_is_not_broken_by_what_the_server_sends(parts: Page) -> None:
    write(parts, "# ")
    session = parts.context.new_cdp_session(parts)
    session.send("Input.imeSetComposition", {"text": "하", "selectionStart": 1, "selectionEnd": 1})
    # The pause sends "하", the script runs, and its answer, a diagnostic, arrives in the middle of the syllable.
    expect(in_python(parts)).to_contain_text("# 하")
    parts.wait_for_timeout(500)
    session.send("Input.imeSetComposition", {"text": "한", "selectionStart": 1, "selectionEnd": 1})
    session.send("Input.insertText", {"text": "한"})
    parts.keyboard.type("글")
    expect(in_python(parts)).to_contain_text("# 한글")
    expect(editor(parts).locator(".cm-line").last).to_have_text("# 한글")


def test_new_revision_replaces_the_text_and_old_drafts_do_not_come_back(parts: Page) -> None:
    write(parts, "mine = 1")
    expect(in_python(parts)).to_contain_text("mine = 1")
    press(parts, "reset")
    expect(editor(parts)).to_contain_text("처음 코드예요")
    expect(editor(parts)).not_to_contain_text("mine = 1")
    expect(in_python(parts)).to_contain_text("처음 코드예요")
    press(parts, "rerun")
    expect(in_python(parts)).to_contain_text("처음 코드예요")
    write(parts, "y = 2")
    expect(in_python(parts)).to_contain_text("y = 2")


def test_undo_takes_a_replacement_back(parts: Page) -> None:
    write(parts, "mine = 1")
    press(parts, "reset")
    expect(editor(parts)).to_contain_text("처음 코드예요")
    editor(parts).click()
    parts.keyboard.press("Control+z")
    expect(editor(parts)).to_contain_text("mine = 1")
    expect(in_python(parts)).to_contain_text("mine = 1")


def test_diagnostics_are_shown_in_the_gutter_and_below(parts: Page) -> None:
    press(parts, "problems")
    part = parts.locator(".st-key-editor")
    expect(part.locator(".cm-lint-marker-error")).to_have_count(2)
    expect(part.locator(".cm-lintRange-error").first).to_have_text('return {"ok": True}')
    # Line 99 does not exist: its message is kept and its mark goes to the last line.
    first, last = part.get_by_role("listitem").all()
    expect(last).to_contain_text("99")
    first.get_by_role("button", name="NameError").click()
    expect(part.locator(".cm-activeLine")).to_have_text('    return {"ok": True}')
    press(parts, "problems")
    expect(part.locator(".cm-lint-marker-error")).to_have_count(0)


def test_ctrl_enter_runs_once_with_the_newest_text(parts: Page) -> None:
    write(parts, "fast = 1")
    parts.keyboard.press("Control+Enter")
    expect(parts.get_by_text("runs=1")).to_be_visible()
    expect(parts.get_by_text("ran=")).to_contain_text("fast = 1")
    expect(in_python(parts)).to_contain_text("fast = 1")
    press(parts, "rerun")
    parts.wait_for_timeout(600)  # longer than the pause: nothing may echo
    expect(parts.get_by_text("runs=1")).to_be_visible()
    expect(editor(parts).locator(".cm-line").last).to_have_text("fast = 1")


def test_keyboard_can_leave_and_screen_readers_are_told_how(parts: Page) -> None:
    box = editor(parts)
    expect(box).to_have_attribute("aria-multiline", "true")
    expect(box).to_have_accessible_description("Ctrl+Enter: 실행 · Esc 다음 Tab: 편집기에서 나가기")
    write(parts, "x")
    parts.keyboard.press("Tab")
    expect(box).to_be_focused()
    parts.keyboard.press("Escape")
    parts.keyboard.press("Tab")
    expect(box).not_to_be_focused()


def test_colours_follow_the_theme(parts: Page) -> None:
    code = parts.locator(".st-key-editor .code")
    keyword = parts.locator(".st-key-editor .cm-line span").first  # `import`

    def seen() -> tuple[str, str]:
        return (
            str(code.evaluate("e => getComputedStyle(e).backgroundColor")),
            str(keyword.evaluate("e => getComputedStyle(e).color")),
        )

    light = seen()
    parts.emulate_media(color_scheme="dark")
    expect(parts.get_by_test_id("stApp")).to_have_css("background-color", DARK)
    dark = seen()
    assert light[0] != dark[0]
    assert light[1] != dark[1]


def test_fonts_are_our_own(parts: Page) -> None:
    loaded = parts.evaluate("[...document.fonts].filter(each => each.status === 'loaded').map(each => each.family)")
    assert {"Lab Sans", "Lab Mono"} <= {name.strip('"') for name in loaded}


def test_diff_shows_what_changed(parts: Page) -> None:
    diff = parts.get_by_role("textbox", name="처음과 달라진 곳")
    expect(diff).to_be_visible()
    expect(diff.locator(".cm-changedLine")).to_have_count(0)
    write(parts, "added = 1\n")
    expect(diff.locator(".cm-changedLine")).to_have_text("added = 1")
    expect(diff.locator(".cm-deletedLine")).to_have_count(0)
    diff.click()
    parts.keyboard.type("no")
    expect(diff).not_to_contain_text("no")


def test_upload_posts_the_bytes_and_reports(parts: Page, server: Server) -> None:
    body = (SAMPLES / "mountain lake.jpg").read_bytes()
    parts.locator(".st-key-upload input[type=file]").set_input_files(
        {"name": "고양이 사진 +1.jpg", "mimeType": "image/jpeg", "buffer": body}
    )
    expect(parts.get_by_text(f'uploaded=["u1", "고양이 사진 +1.jpg", {len(body)}]')).to_be_visible()
    expect(parts.locator(".st-key-upload").get_by_role("status")).to_contain_text("올렸어요: 고양이 사진 +1.jpg (")
    assert (server.uploads / "received").read_bytes() == body
    assert json.loads((server.uploads / "received.json").read_text()) == {"name": "고양이 사진 +1.jpg", "token": "t-1"}


def test_upload_shows_the_picture_and_only_pictures(parts: Page) -> None:
    chooser = parts.locator(".st-key-upload input[type=file]")
    pixel = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30"/></svg>'
    chooser.set_input_files({"name": "점.svg", "mimeType": "image/svg+xml", "buffer": pixel})
    expect(parts.get_by_role("img", name="점.svg")).to_be_visible()
    chooser.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"})
    expect(parts.get_by_text("notes.txt", exact=False).first).to_be_visible()
    expect(parts.locator(".st-key-upload img")).to_be_hidden()


def test_too_big_is_refused_before_anything_is_sent(parts: Page) -> None:
    sent: list[str] = []
    parts.on("request", lambda request: sent.append(request.url))
    parts.locator(".st-key-upload input[type=file]").set_input_files(
        {"name": "큰 사진.png", "mimeType": "image/png", "buffer": bytes(CAP + 1)}
    )
    expect(parts.get_by_role("alert")).to_have_text("큰 사진.png 파일은 196 KB예요. 195 KB까지 올릴 수 있어요.")
    assert not [url for url in sent if "api/upload" in url]


def test_the_servers_own_reason_is_shown(parts: Page) -> None:
    parts.locator(".st-key-upload input[type=file]").set_input_files(
        {"name": "refuse.txt", "mimeType": "text/plain", "buffer": b"x"}
    )
    expect(parts.get_by_role("alert")).to_have_text("서버가 받지 않았어요.")
    expect(parts.get_by_text("uploaded=null")).to_be_visible()


def test_lost_connection_is_told(parts: Page) -> None:
    parts.route("**/api/upload/**", lambda route: route.abort())
    parts.locator(".st-key-upload input[type=file]").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}
    )
    expect(parts.get_by_role("alert")).to_contain_text("a.txt 파일을 올리지 못했어요.")


def test_file_can_be_dropped(parts: Page, server: Server) -> None:
    transfer = parts.evaluate_handle(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["dropped"], "drop.txt", { type: "text/plain" }));
          return transfer;
        }"""
    )
    zone = parts.locator(".st-key-upload .zone")
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": transfer})
    expect(parts.get_by_text('uploaded=["u1", "drop.txt", 7]')).to_be_visible()
    assert (server.uploads / "received").read_bytes() == b"dropped"


def test_keyboard_opens_the_file_chooser(parts: Page) -> None:
    button = parts.locator(".st-key-upload").get_by_role("button", name="파일 고르기")
    button.focus()
    with parts.expect_file_chooser() as chooser:
        parts.wait_for_timeout(500)  # Playwright catches file choosers only a moment after it is asked to
        parts.keyboard.press("Enter")
    assert not chooser.value.is_multiple()
