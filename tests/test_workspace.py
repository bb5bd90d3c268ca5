"""One learner's cloud through all that can become of it: shared, paused, killed, stuck, unused, and the app restarted."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import labs
from labs import learner_cloud
from labs.classroom import Fault, Journal, JournalError
from labs.cloud import CloudError, Pace, RunEnd, connections
from labs.cloud import cloud as engine
from labs.workspace import BusyError, UnavailableError, Workspace, Workspaces

LAB = labs.lab("lab01_thumbnail")
PROJECT = Path(__file__).parents[1]
QUICK = "def handler(event, context):\n    print('saw', event['Records'][0]['s3']['object']['key'])\n"
SLEEPER = "import time\ndef handler(event, context):\n    time.sleep(5)\n    print('slept')\n"


def until(true: Callable[[], object], within: float = 20.0) -> None:
    """Wait for something that is bound to come."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def kinds(workspace: Workspace) -> list[str]:
    return [str(record["kind"]) for record in workspace.records()]


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill(workspace: Workspace) -> int:
    assert workspace._cloud is not None
    pid = workspace._cloud.pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: ended(pid))
    return pid


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return Journal.open(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def all_of_them(journal: Journal) -> Iterator[Workspaces]:
    made = Workspaces(journal=journal, most_clouds=30)
    yield made
    made.close()


@pytest.fixture
def workspace(all_of_them: Workspaces, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    name = "".join(letter for letter in request.node.name if letter.isalnum())[:60]
    made = all_of_them.open(name, LAB)
    made.set_pace(Pace.INSTANT)
    yield made
    made.close()


def test_opening_is_cheap_and_tabs_share_one(all_of_them: Workspaces) -> None:
    one = all_of_them.open("minsu", LAB)
    assert all_of_them.open("minsu", LAB) is one
    assert all_of_them.by_run(one.run_id) is one
    assert all_of_them.open("yuna", LAB) is not one
    assert len(one.run_id) >= 20
    assert not one.alive
    assert one.clock is None
    assert one.idle
    assert one.deployed_source is None
    assert (one.records(), one.objects("photos"), one.items("table"), one.logs(), one.object("b", "k")) == (
        (),
        [],
        [],
        [],
        None,
    )
    one.step()
    one.advance(60)
    assert not one.alive
    with pytest.raises(ValueError, match="learner"):
        all_of_them.open("no/body", LAB)


def test_code_is_replaced_in_place_and_data_and_clock_go_on(workspace: Workspace) -> None:
    first = workspace.deploy(QUICK)
    assert first.started
    assert workspace.deployed_source == QUICK
    photos = workspace.outputs["Photos"]
    workspace.put("a.txt", b"not a picture")
    before = workspace.clock
    second = workspace.deploy(QUICK.replace("saw", "now saw"))
    assert not second.started
    workspace.put("b.txt", b"")
    assert [(each["key"], each["size"]) for each in workspace.objects(photos)] == [("a.txt", 13), ("b.txt", 0)]
    assert workspace.object(photos, "a.txt") == b"not a picture"
    assert before is not None
    assert workspace.clock is not None
    assert workspace.clock.now > before.now
    said = [line["message"] for line in workspace.logs() if "saw" in line["message"]]
    assert said == ["saw a.txt", "now saw b.txt"]
    assert workspace.end is RunEnd.IDLE


def test_looking_leaves_no_trace(workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    workspace.put("a.txt", b"a")
    before = workspace.records()
    workspace.objects(workspace.outputs["Photos"])
    workspace.object(workspace.outputs["Photos"], "a.txt")
    workspace.items(workspace.outputs["Metadata"])
    workspace.logs()
    assert workspace.objects("nothing") == []
    assert workspace.items("nothing") == []
    assert workspace.object(workspace.outputs["Photos"], "nothing") is None
    assert workspace.records() == before
    workspace.call("s3", "ListBuckets")
    assert workspace.records()[-1]["kind"] == "api.call"
    with pytest.raises(CloudError, match="NoSuchBucket"):
        workspace.call("s3", "ListObjectsV2", Bucket="nothing")


def test_a_solution_makes_a_thumbnail_and_an_item(workspace: Workspace) -> None:
    workspace.deploy((LAB.solutions[0] / "handler.py").read_text())
    sample = LAB.samples[0]
    workspace.put(sample.key, sample.file.read_bytes())
    (item,) = workspace.items(workspace.outputs["Metadata"])
    assert item["key"] == sample.key
    assert isinstance(item["width"], int)
    thumbnail = workspace.object(workspace.outputs["Thumbnails"], sample.key)
    assert thumbnail is not None
    assert thumbnail.startswith((b"\x89PNG", b"\xff\xd8"))


def test_starting_over_keeps_the_code_and_nothing_else(workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    workspace.put("a.txt", b"a")
    run, address = workspace.run_id, workspace.events_url
    assert workspace.fresh().started
    assert workspace.deployed_source == QUICK
    assert workspace.objects(workspace.outputs["Photos"]) == []
    assert kinds(workspace) == ["deployed"]
    assert workspace.run_id == run
    assert workspace.events_url != address
    workspace.fresh(SLEEPER)
    assert workspace.deployed_source == SLEEPER
    assert workspace.take_notice() is None


def test_without_a_deployment_the_draft_runs(all_of_them: Workspaces, journal: Journal, workspace: Workspace) -> None:
    journal.save_draft(workspace.learner, LAB.id, QUICK, 0)
    workspace.put("a.txt", b"a")
    assert workspace.deployed_source == QUICK
    assert "invocation.ended" in kinds(workspace)


def test_code_that_is_no_code_is_deployed_all_the_same(workspace: Workspace) -> None:
    for source in ("", "def handler(:\n", "\ud800"):
        workspace.deploy(source)
        workspace.put("a.txt", b"a")
        last = [record["detail"] for record in workspace.records() if record["kind"] == "invocation.ended"][-1]
        assert isinstance(last, dict)
        assert last["status"] in ("error", "crash"), source
        assert last["error_message"], source


def test_a_killed_cloud_is_told_of_once_and_replaced(workspace: Workspace, journal: Journal) -> None:
    workspace.deploy(QUICK)
    workspace.put("a.txt", b"a")
    happened = workspace.records()
    run = workspace.run_id
    kill(workspace)
    with pytest.raises(UnavailableError) as refusal:
        workspace.put("b.txt", b"b")
    assert refusal.value.key == "error.cloud_gone" == workspace.error
    assert workspace.records() == happened
    kept = journal.last_run(workspace.learner, LAB.id)
    assert isinstance(kept, dict)
    assert tuple(kept["records"]) == happened
    workspace.put("b.txt", b"b")
    assert [each["key"] for each in workspace.objects(workspace.outputs["Photos"])] == ["b.txt"]
    assert (workspace.deployed_source, workspace.run_id) == (QUICK, run)
    assert workspace.error is None
    assert workspace.take_notice() is None


def test_a_death_that_a_look_finds_is_told_by_the_next_action_or_as_a_notice(workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    kill(workspace)
    assert workspace.objects(workspace.outputs["Photos"]) == []
    assert workspace.clock is None
    with pytest.raises(UnavailableError):
        workspace.call("s3", "ListBuckets")
    workspace.deploy(QUICK)
    kill(workspace)
    workspace.records()
    assert workspace.deploy(QUICK).started
    assert workspace.take_notice() == "error.cloud_gone"
    assert workspace.take_notice() is None
    workspace.put("a.txt", b"a")


def test_a_dead_host_is_replaced(all_of_them: Workspaces, workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    dead = all_of_them.hosts.host()
    assert dead.pid is not None
    os.kill(dead.pid, signal.SIGKILL)
    workspace.put("a.txt", b"a")  # its cloud lives on
    assert workspace.fresh().started
    assert all_of_them.hosts.host() is not dead


def test_a_pause_in_the_middle_of_an_api_call_harms_nothing(workspace: Workspace) -> None:
    """Ten minutes are too long for a test; here the SDK would give up after one second, and the pause takes three."""
    source = (
        "import boto3, os\nfrom botocore.config import Config\n"
        "s3 = boto3.client('s3', config=Config(read_timeout=1, connect_timeout=1, retries={'total_max_attempts': 3}))\n"
        "def handler(event, context):\n    s3.put_object(Bucket=os.environ['THUMBNAILS'], Key='k', Body=b'')\n"
    )
    workspace.deploy(source)
    workspace.set_pace(Pace.PAUSED)
    workspace.put("a.txt", b"a")
    while "invocation.started" not in kinds(workspace):
        workspace.step()
    before = workspace.records()
    time.sleep(3)
    assert workspace.records() == before
    assert not workspace.idle
    workspace.set_pace(Pace.LIVE, 100)
    until(lambda: "invocation.ended" in kinds(workspace))
    details = [record["detail"] for record in workspace.records() if record["kind"] in ("api.call", "invocation.ended")]
    assert [detail["status"] for detail in details if isinstance(detail, dict)] == [200, 200, "success"]


def test_a_call_outlives_a_pause_longer_than_our_patience(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    workspace.deploy(SLEEPER)
    workspace.set_pace(Pace.LIVE, 1)
    with ThreadPoolExecutor(1) as pool:
        event = b'{"Records": []}'
        answer = pool.submit(workspace.call, "lambda", "Invoke", FunctionName="thumbnail", Payload=event)
        until(lambda: "invocation.started" in kinds(workspace))
        workspace.set_pace(Pace.PAUSED)
        time.sleep(1.5)
        assert not answer.done()
        workspace.set_pace(Pace.LIVE, 100)
        assert answer.result(20)["StatusCode"] == 200
    assert workspace.error is None


def test_a_cloud_that_hangs_is_slow_and_can_be_left_behind(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    monkeypatch.setattr(engine, "_END_WITHIN", 0.3)
    workspace.deploy(QUICK)
    assert workspace._cloud is not None
    pid = workspace._cloud.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(UnavailableError) as refusal:
        workspace.put("a.txt", b"a")
    assert (refusal.value.key, workspace.error) == ("error.cloud_slow", "error.cloud_slow")
    began = time.monotonic()
    for _ in range(20):
        workspace.records()
        workspace.objects("photos")
    assert time.monotonic() - began < 1
    os.kill(pid, signal.SIGCONT)
    workspace.put("b.txt", b"b")
    assert workspace.error is None
    os.kill(pid, signal.SIGSTOP)
    workspace.fresh()
    until(lambda: ended(pid))
    workspace.put("c.txt", b"c")


def test_steps_and_paces(workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    workspace.set_pace(Pace.PAUSED)
    workspace.put("a.txt", b"a")
    known = len(workspace.records())
    workspace.step()
    assert len(workspace.records()) > known
    assert "invocation.started" not in kinds(workspace)
    workspace.advance(30)
    assert workspace.idle
    workspace.set_pace(Pace.LIVE, 10)
    clock = workspace.clock
    assert clock is not None
    assert (clock.pace, clock.factor) == (Pace.LIVE, 10)
    workspace.fresh()
    clock = workspace.clock
    assert clock is not None
    assert (clock.pace, clock.factor) == (Pace.LIVE, 10)
    assert abs(clock.epoch_ns / 1e9 - time.time()) < 60


def test_many_tabs_at_once_start_one_cloud(all_of_them: Workspaces, workspace: Workspace) -> None:
    before = all_of_them.clouds
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(workspace.put, f"{number}.txt", b"x") for number in range(8)]:
            done.result()
    assert all_of_them.clouds == before + 1
    assert len(workspace.objects(workspace.outputs["Photos"])) == 8


def test_uploads_go_to_the_new_cloud_when_another_tab_starts_over(workspace: Workspace) -> None:
    workspace.deploy(QUICK)
    stop = threading.Event()

    def put() -> int:
        count = 0
        while not stop.is_set():
            workspace.put("a.txt", b"a")
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(put)
        for _ in range(3):
            workspace.fresh()
        stop.set()
        assert counting.result() > 0
    assert workspace.error is None


def test_an_unused_cloud_is_closed_and_its_run_kept(
    workspace: Workspace, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.deploy(QUICK)
    workspace.put("a.txt", b"a")
    assert workspace._cloud is not None
    pid = workspace._cloud.pid
    monkeypatch.setattr(learner_cloud, "IDLE", 0.5)
    until(lambda: workspace._cloud is None)
    until(lambda: ended(pid))
    assert workspace.error == "error.cloud_idle"
    assert workspace.gone
    assert "invocation.ended" in kinds(workspace)
    kept = journal.last_run(workspace.learner, LAB.id)
    assert isinstance(kept, dict)
    assert len(kept["records"]) == len(workspace.records())
    monkeypatch.undo()
    with pytest.raises(UnavailableError) as refusal:
        workspace.put("b.txt", b"b")
    assert refusal.value.key == "error.cloud_idle"
    workspace.put("b.txt", b"b")


def test_what_happened_is_saved_without_being_asked(workspace: Workspace, journal: Journal) -> None:
    workspace.set_pace(Pace.LIVE, 10)
    workspace.deploy(QUICK)
    workspace.put("a.txt", b"a")

    def saved() -> bool:
        kept = journal.last_run(workspace.learner, LAB.id)
        return isinstance(kept, dict) and any(record["kind"] == "invocation.ended" for record in kept["records"])

    until(saved)


def test_a_journal_that_takes_nothing_stops_nobody(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> int:
        raise JournalError(Fault.DISK_FULL, "journal")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "save_run", full)
        workspace.deploy(QUICK)
        workspace.put("a.txt", b"a")
        workspace.records()
        workspace.save()
        assert workspace.not_saved == "journal.disk_full"
    workspace.save()
    assert workspace.not_saved is None


def test_room_is_made_where_nobody_is_and_else_there_is_none(all_of_them: Workspaces, journal: Journal) -> None:
    small = Workspaces(most_clouds=1, journal=journal)
    spare, small.hosts = small.hosts, all_of_them.hosts
    spare.close()
    first, second = small.open("first", LAB), small.open("second", LAB)
    try:
        first.deploy(QUICK)
        with pytest.raises(BusyError) as refusal:
            second.deploy(QUICK)
        assert refusal.value.key == "error.cloud_busy"
        first.fresh()
        first.used -= 100
        first.watchers = 1
        with pytest.raises(BusyError):
            second.deploy(QUICK)
        first.watchers = 0
        second.deploy(QUICK)
        assert (first.alive, first.error, small.clouds) == (False, "error.cloud_idle", 1)
        second.used -= 100
        first.deploy(QUICK)
    finally:
        small._ending.set()
        first.close()
        second.close()
    assert small.clouds == 0


def test_after_a_restart_of_the_app_the_last_run_is_shown(all_of_them: Workspaces, journal: Journal) -> None:
    before = all_of_them.open("returns", LAB)
    before.set_pace(Pace.INSTANT)
    before.deploy(QUICK)
    before.put("a.txt", b"a")
    happened, outputs = before.records(), before.outputs
    before.close()
    again = Workspaces(journal=journal)
    spare, again.hosts = again.hosts, all_of_them.hosts
    spare.close()
    try:
        after = again.open("returns", LAB)
        assert after.run_id != before.run_id
        assert after.records() == happened
        assert after.outputs == outputs
        assert after.kept_at is not None
        assert [line["message"] for line in after.logs()] == ["saw a.txt"]
        assert not after.gone
        assert (after.alive, after.deployed_source, after.objects(outputs["Photos"])) == (False, None, [])
        after.set_pace(Pace.INSTANT)
        after.put("b.txt", b"b")
        assert after.deployed_source == QUICK
        assert after.kept_at is None
        after.close()
    finally:
        again._ending.set()


def test_uploads_wait_for_the_page_and_not_for_ever(workspace: Workspace) -> None:
    ids = [workspace.uploads.add(f"{number}.png", b"x").id for number in range(5)]
    assert workspace.take_upload(ids[4]) == ("4.png", b"x")
    assert workspace.take_upload(ids[4]) is None
    assert workspace.take_upload(ids[0]) is None
    workspace.uploads.expire(time.monotonic() + 3600)
    assert workspace.take_upload(ids[3]) is None


PROGRAM = """
import os, sys
from labs import lab, web, workspace
from labs.cloud import Pace
here = workspace.workspaces().open("someone", lab("lab01_thumbnail"))
here.set_pace(Pace.INSTANT)
here.deploy("def handler(event, context):\\n    print('ran')\\n")
here.put("a.txt", b"a")
here.objects(here.outputs["Photos"]), here.items(here.outputs["Metadata"]), here.logs(), here.records()
print(sorted({name.partition(".")[0] for name in sys.modules} & {"moto", "boto3", "botocore", "PIL", "streamlit"}))
print(here._cloud.pid, workspace.host().pid, flush=True)
sys.stdin.readline()
workspace.close()
"""


@pytest.mark.parametrize("ending", ["in order", "killed"])
def test_the_app_process_stays_light_and_leaves_nothing_behind(ending: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        places = {"TMPDIR": f"{folder}/t", "SERVERLESS_LAB_DATA": f"{folder}/d"}
        Path(places["TMPDIR"]).mkdir(mode=0o755)
        Path(folder).chmod(0o755)
        app = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=PROJECT,
            env={**os.environ, **places, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert app.stdin is not None
        assert app.stdout is not None
        try:
            assert app.stdout.readline().strip() == "[]"
            pids = [int(pid) for pid in app.stdout.readline().split()]
            children = [
                int(pid) for path in Path(f"/proc/{pids[0]}/task").glob("*/children") for pid in path.read_text().split()
            ]
            assert children
            assert list(Path(places["TMPDIR"]).iterdir())
            if ending == "killed":
                app.kill()
            app.communicate("\n" if ending == "in order" else None, timeout=30)
        finally:
            app.kill()
            app.wait()
        until(lambda: all(ended(pid) for pid in pids + children))
        until(lambda: not list(Path(places["TMPDIR"]).iterdir()))
        with Journal.open(Path(places["SERVERLESS_LAB_DATA"])) as kept:
            assert kept.last_run("someone", LAB.id) is not None or ending == "killed"
