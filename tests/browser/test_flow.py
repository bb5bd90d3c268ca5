"""The flow view in a real browser, fed by a real WebSocket."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

from lessons.parts.sentences import sentences
from lessons.parts.transcript import transcript
from tests.flow_traces import (
    HOSTILE,
    Record,
    Story,
    every_sentence,
    failing_upload,
    many_records,
    one_upload,
    warm_upload,
    whole_story,
)

pytestmark = pytest.mark.browser

APP = Path(__file__).with_name("flow_app.py")


@dataclass(frozen=True)
class App:
    """The running app, and what a cloud behind it says."""

    url: str
    folder: Path

    def tell(self, run: str, **message: object) -> None:
        """Have the server say something to every browser of a run."""
        body = json.dumps(message).encode()
        urlopen(Request(f"{self.url}/api/runs/{run}/tell", body, {"Content-Type": "application/json"})).read()

    def records(self, run: str, records: Sequence[Mapping[str, object]], quiet: bool = False) -> None:
        """Have new records arrive; quietly when no browser is to be told yet."""
        self.tell(run, type="records", records=records, quiet=quiet)

    def heard(self, run: str) -> dict[str, object]:
        """Ask what browsers have told the server."""
        answer: dict[str, object] = json.loads(urlopen(f"{self.url}/api/runs/{run}/heard").read())
        return answer

    def live(self, run: str, **query: str) -> str:
        """Return the address of a page that watches a run."""
        return f"{self.url}/?{urlencode({'run': run, **query})}"

    def recording(self, name: str, records: Sequence[Record], **query: str) -> str:
        """Return the address of a page that shows a recording."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(records))
        return f"{self.url}/?{urlencode({'file': str(path), **query})}"


@pytest.fixture(scope="module")
def app(serve: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Run the small app with the flow view in it."""
    with serve(APP) as url:
        yield App(url, tmp_path_factory.mktemp("recordings"))


def flow(page: Page, records: int) -> Locator:
    """Return the component once it knows so many records."""
    component = page.locator(".flow[data-ready]")
    expect(component).to_have_attribute("data-records", str(records), timeout=15_000)
    return component


def show(page: Page, url: str, records: int) -> Locator:
    """Open a page and wait for its flow view."""
    page.goto(url)
    return flow(page, records)


def table_rows(component: Locator) -> list[list[str]]:
    """Read the table, page after page, from its first row on."""
    if not component.locator("details[open]").count():
        component.locator("summary").click()
    earlier, later = component.locator(".pager button").first, component.locator(".pager button").last
    while earlier.is_enabled() and earlier.is_visible():
        earlier.click()
    rows: list[list[str]] = []
    while True:
        cells = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        rows += component.locator("tbody tr").evaluate_all(cells)
        if not later.is_visible() or not later.is_enabled():
            return rows
        later.click()


def test_records_arrive_without_a_rerun(app: App, page: Page) -> None:
    """The component is drawn once; records and time reach it over its WebSocket."""
    records = whole_story().records
    component = show(page, app.live("arrive"), 0)
    expect(component.locator(".start")).to_contain_text("아직 아무 일도 일어나지 않았어요")
    component.evaluate("host => { host.mark = host.querySelector('.stage svg'); }")
    app.records("arrive", records[:2])
    flow(page, 2)
    app.records("arrive", records[2:14])
    flow(page, 14)
    expect(component.get_by_role("treeitem").first).to_contain_text("cat.png 객체를 올렸어요")
    expect(component.locator(".bars .bar.success")).to_have_count(1)
    page.locator(".st-key-rerun button").click()
    app.records("arrive", records[2:])
    flow(page, len(records))
    assert component.evaluate("host => host.mark === host.querySelector('.stage svg')")
    assert app.heard("arrive")["heard"] == [{"after": 0}]


def test_reconnect_resumes_after_the_last_record(app: App, page: Page) -> None:
    """A lost connection comes back by itself and asks only for what is new."""
    records = one_upload().records
    component = show(page, app.live("again"), 0)
    app.records("again", records[:5])
    flow(page, 5)
    app.tell("again", type="cut")
    expect(component.get_by_role("status")).to_contain_text("연결이 끊겨서")
    app.records("again", records[5:], quiet=True)
    flow(page, len(records))
    expect(component.get_by_role("status")).to_be_hidden()
    assert app.heard("again")["heard"] == [{"after": 0}, {"after": 5}]


def test_reset_and_gone(app: App, page: Page) -> None:
    """A new cloud starts from nothing; an ended one stays to be read, and nobody asks for it again."""
    story = one_upload()
    component = show(page, app.live("ends"), 0)
    app.records("ends", story.records)
    flow(page, len(story.records))
    app.tell("ends", type="reset")
    flow(page, 0)
    app.records("ends", story.records[:3])
    flow(page, 3)
    app.tell("ends", type="gone")
    expect(component.get_by_role("status")).to_contain_text("이 클라우드는 끝났어요")
    expect(component.get_by_role("treeitem")).to_have_count(2)
    page.wait_for_timeout(1500)
    assert app.heard("ends") == {"heard": [{"after": 0}], "closed": 1, "open": 0}


def test_taking_the_part_away_closes_its_socket(app: App, page: Page) -> None:
    """A page that no longer shows the flow view holds no connection."""
    show(page, app.live("leaves"), 0)
    assert app.heard("leaves")["open"] == 1
    page.locator(".st-key-Hidden label, .stCheckbox label").first.click()
    expect(page.locator(".flow")).to_have_count(0)
    page.wait_for_timeout(500)
    assert app.heard("leaves") == {"heard": [{"after": 0}], "closed": 1, "open": 0}


def test_live_time_moves_by_itself(app: App, page: Page) -> None:
    """Between two messages the time axis goes on at the pace of the cloud; a paused cloud stands still."""
    component = show(page, app.live("clock"), 0)
    records = one_upload().records
    app.records("clock", records)
    now = int(str(records[-1]["t"])) + 50_000_000
    app.tell("clock", type="clock", t=now, pace="live", factor=10.0, idle=False)
    expect(component.get_by_text("실시간 ×10")).to_be_visible()
    read = "host => Number(host.querySelector('.time').textContent.split(':')[1])"
    before = component.evaluate(read)
    page.wait_for_timeout(1200)
    passed = component.evaluate(read) - before
    assert 8 < passed < 20
    expect(component.locator(".foldlabel").last).to_contain_text("초")
    app.tell("clock", type="clock", t=now + 30_000_000_000, pace="paused", factor=10.0, idle=False)
    expect(component.get_by_text("시간이 멈춰 있어요")).to_be_visible()
    before = component.evaluate(read)
    page.wait_for_timeout(400)
    assert component.evaluate(read) == before


def test_hostile_text_is_text(app: App, page: Page) -> None:
    """A key or a log line that looks like HTML is shown, not interpreted; it cannot reverse the writing either."""
    story = one_upload(HOSTILE)
    story.add("log.line", "environment:thumbnail/1", {"message": HOSTILE, "request_id": "r"}, 8)
    component = show(page, app.recording("hostile", story.records, selected="2"), len(story.records))
    component.locator("summary").click()
    expect(component.get_by_role("treeitem").first).to_contain_text('<img src=x onerror="window.hacked=1">')
    expect(component.locator(".detail")).to_contain_text("<b>굵게</b>")
    assert component.locator("img, b, script").count() == 0
    assert page.evaluate("window.hacked") is None
    shown = component.evaluate("host => host.querySelector('.tree').textContent + host.querySelector('.table').textContent")
    assert "\u202e" not in shown


def test_keyboard_steps_through_events(app: App, page: Page) -> None:
    """Arrow keys move the time cursor in all three views; what has not happened yet is not shown."""
    records = one_upload().records
    component = show(page, app.recording("keys", records), len(records))
    slider, lanes = component.get_by_role("slider"), component.locator(".lanes")
    component.locator("summary").click()
    expect(component.locator("tbody tr")).to_have_count(len(records))
    lanes.focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value(str(len(records) - 2))
    expect(component.locator("tbody tr")).to_have_count(len(records) - 2)
    expect(component.locator(".bars .bar.success")).to_have_count(0)
    expect(component.locator(".bars .bar.running")).to_have_count(1)
    expect(component.locator('tr[aria-current="true"]')).to_have_count(1)
    expect(component.locator('[role="treeitem"][aria-selected="true"]')).to_contain_text("PutItem")
    page.keyboard.press("Home")
    expect(component.locator("tbody tr")).to_have_count(0)
    expect(component.locator(".bars .bar")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("1")
    assert "스택을 배포했어요" in str(slider.get_attribute("aria-valuetext"))
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(component.locator("tbody tr")).to_have_count(2)
    lanes.focus()
    page.keyboard.press("End")
    expect(component.locator("tbody tr")).to_have_count(len(records))
    expect(page.get_by_text("picked=None")).to_be_visible()


def test_tree_by_keyboard(app: App, page: Page) -> None:
    """The tree follows the usual keys: down, right to open, enter to choose; Python hears of the choice."""
    records = one_upload().records
    component = show(page, app.recording("tree", records), len(records))
    rows = component.get_by_role("treeitem")
    rows.first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    created = component.get_by_role("treeitem", name="콜드 스타트).")
    expect(created).to_be_focused()
    expect(created).to_have_attribute("aria-expanded", "false")
    count = rows.count()
    page.keyboard.press("ArrowRight")
    expect(created).to_have_attribute("aria-expanded", "true")
    expect(rows).to_have_count(count + 2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("picked=5")).to_be_visible()
    expect(component.locator(".rings .ring")).to_have_count(1)
    expect(component.locator(".detail")).to_contain_text("environment.created")


def test_a_click_selects_everywhere(app: App, page: Page) -> None:
    """A bar that is clicked is found again in the tree, in the details and in Python."""
    records = whole_story().records
    component = show(page, app.recording("click", records), len(records))
    component.locator(".bars .bar.timeout").click()
    wanted = next(record for record in records if record["kind"] == "invocation.ended" and "timeout" in str(record["detail"]))
    expect(page.get_by_text(f"picked={wanted['id']}")).to_be_visible()
    expect(component.locator('[role="treeitem"][aria-selected="true"]')).to_contain_text("함수의 제한 시간을 넘겼어요")
    component.locator(".detail button.link").click()
    expect(page.get_by_text(f"picked={wanted['cause']}")).to_be_visible()


def test_selected_from_python(app: App, page: Page) -> None:
    """A page can point at the event that it talks about."""
    records = whole_story().records
    component = show(page, app.recording("points", records, selected="30"), len(records))
    expect(component.locator('[role="treeitem"][aria-selected="true"]')).to_contain_text("UnidentifiedImageError")
    expect(component.locator(".rings .ring")).to_be_visible()
    component = show(page, app.recording("inside", records, selected="7"), len(records))
    expect(component.locator('[role="treeitem"][aria-selected="true"]')).to_contain_text("INIT이 성공했어요")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_table_equals_transcript(app: App, page: Page, language: str) -> None:
    """Browser and Python say the same of every record, down to the last rounded digit."""
    records = every_sentence()
    component = show(page, app.recording("all", records, lang=language), len(records))
    lines = transcript(records, language)
    assert table_rows(component) == [[line.time, line.sentence, line.resource, line.why, str(line.id)] for line in lines]
    text = sentences(language)
    assert component.locator("thead th").all_text_contents() == [
        text[f"ui.{name}"] for name in ("time", "what", "resource", "why", "id")
    ]
    expect(component).to_have_attribute("lang", language)


def test_announces_in_batches(app: App, page: Page) -> None:
    """Many new events are one announcement."""
    records = one_upload().records
    component = show(page, app.live("speaks"), 0)
    component.evaluate(
        """host => {
            const live = host.querySelector('[aria-live=polite]');
            host.said = [];
            new MutationObserver(() => host.said.push(live.textContent)).observe(live, {childList: true, characterData: true});
        }"""
    )
    for record in records:
        app.records("speaks", [record])
    flow(page, len(records))
    page.wait_for_timeout(2500)
    said = component.evaluate("host => host.said")
    assert 1 <= len(said) <= 2
    assert said[-1].endswith(transcript(records, "ko")[-1].sentence)


def test_play_stops_at_the_end(app: App, page: Page) -> None:
    """Playing moves the cursor from the stimulus to the latest event and stops there."""
    story = one_upload()
    component = show(page, app.recording("plays", story.records), len(story.records))
    slider = component.get_by_role("slider")
    component.get_by_role("button", name="보기 재생").click()
    expect(component.get_by_role("button", name="보기 멈춤")).to_be_visible()
    assert int(slider.input_value()) < len(story.records)
    expect(component.get_by_role("button", name="보기 재생")).to_be_visible()
    expect(slider).to_have_value(str(len(story.records)))


def test_waits_are_folded_and_marked(app: App, page: Page) -> None:
    """The two waits for a retry are folded, each with its length, and drawn as dashed lines."""
    story: Story = one_upload()
    warm_upload(story)
    failing_upload(story)
    component = show(page, app.recording("folds", story.records), len(story.records))
    labels = component.locator(".foldlabel").all_text_contents()
    assert "⋯ 1분" in labels
    assert "⋯ 2분" in labels
    expect(component.locator(".life .span.retry")).to_have_count(2)
    fits = "lanes => lanes.scrollWidth <= lanes.clientWidth"
    assert component.locator(".lanes").evaluate(fits)


def test_five_thousand_records(app: App, page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    """With 5,000 records the view stays small and scrubbing stays quick; the time is printed, for it depends on the machine."""
    records = many_records(5000)
    component = show(page, app.recording("many", records), len(records))
    scrub = """async (host) => {
        const slider = host.querySelector('input[type=range]');
        const times = [];
        for (let n = 0; n < 60; n += 1) {
            slider.value = String(1 + Math.floor((n * 0.618034 % 1) * Number(slider.max)));
            const start = performance.now();
            slider.dispatchEvent(new Event('input'));
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            times.push(performance.now() - start);
        }
        times.sort((a, b) => a - b);
        return [times[30], times[57], host.querySelectorAll('*').length];
    }"""
    for zoom in ("as opened", "everything in view"):
        if zoom == "everything in view":
            component.get_by_role("button", name="전체 보기").click()
        middle, slow, elements = component.evaluate(scrub)
        with capsys.disabled():
            print(f"\nscrub 5,000 records, {zoom}: p50 {middle:.0f} ms, p95 {slow:.0f} ms, {elements} elements")
        assert elements < 3000
    assert component.locator(".lanes").evaluate("lanes => lanes.scrollWidth <= lanes.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_architecture_is_drawn_in_the_browser(app: App, page: Page) -> None:
    """The DOT source needs no Graphviz on the server, and comes with its description."""
    template = Path(__file__).parents[2] / "labs" / "lab01_thumbnail" / "template.yaml"
    page.goto(f"{app.url}/?{urlencode({'template': str(template)})}")
    drawing = page.locator("svg g.graph")
    expect(drawing).to_contain_text("MakeThumbnail")
    expect(drawing).to_contain_text("s3:ObjectCreated:*")
    expect(drawing.locator("g.node")).to_have_count(4)
