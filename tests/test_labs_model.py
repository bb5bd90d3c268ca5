"""A lab as data: what is read, and that every mistake is named with its file, its key and what to do."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labs import lab, labs
from labs.model import ContentError, Durations, Lab, Pace, Section, Text, load

PROJECT = Path(__file__).parents[1]

LAB = """\
id = "lab09_trial"
title.ko = "시험"
title.en = "Trial"
summary.ko = "요약"
summary.en = "Summary"
concept = "events"
minutes = 5
points = 30
seeds = [1, 2]

[[checks]]
id = "first"
task = 1
points = 10
title.ko = "첫째"
title.en = "First"

[[checks]]
id = "second"
task = 2
points = 20
title.ko = "둘째"
title.en = "Second"

[[samples]]
id = "sea"
file = "samples/sea.txt"
key = "바다 1+1.jpg"
title.ko = "바다"
title.en = "The sea"
"""
HINTS = """\
[first]
ko = ["가", "나", "다"]
en = ["a", "b", "c"]
[second]
ko = ["가", "나", "다"]
en = ["a", "b", "c"]
"""
KO = """\
들어가는 말이에요.

## 무엇을 {#what}

이것이에요.

```python
## not a heading
```

## 할 일 {#tasks}

### 1. 첫째 {#task-1}

하나.

#### 더 깊이

### 2. 둘째 {#task-2}
"""
EN = KO.replace("무엇을", "What").replace("들어가는 말이에요.", "Hello.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lab09_trial"
    files = {
        "lab.toml": LAB,
        "hints.toml": HINTS,
        "messages.ko.toml": 'wrong = """\n{key} 값이 틀려요."""\n[passed]\nfirst = "좋아요"\nsecond = "좋아요"\n',
        "messages.en.toml": 'wrong = "{key} is wrong."\n[passed]\nfirst = "Good"\nsecond = "Good"\n',
        "ko.md": KO,
        "en.md": EN,
        "handler.py": "def handler(event, context):\n    pass\n",
        "template.yaml": "Resources: {}\n",
        "test_lab.py": "",
        "samples/sea.txt": "sea",
        "solutions/one/handler.py": "",
        "solutions/two/handler.py": "",
        "solutions/gone/__pycache__/handler.pyc": "",
        "mistakes/one/handler.py": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_a_lab_is_read(folder: Path) -> None:
    found = load(folder)
    assert (found.id, found.title, found.minutes, found.points) == ("lab09_trial", Text("시험", "Trial"), 5, 30)
    assert (found.pace, found.durations, found.seeds) == (Pace.LIVE, Durations.MODELLED, (1, 2))
    assert (found.prerequisites, found.faults) == ((), ())
    assert [(check.id, check.task, check.points) for check in found.checks] == [("first", 1, 10), ("second", 2, 20)]
    assert found.check("second").hints == (Text("가", "a"), Text("나", "b"), Text("다", "c"))
    assert found.check("first").passed.of("en") == "Good"
    assert dict(found.messages) == {"wrong": Text("{key} 값이 틀려요.", "{key} is wrong.")}
    assert (found.samples[0].file.read_text(), found.samples[0].key) == ("sea", "바다 1+1.jpg")
    assert found.start.startswith("def handler")
    assert [path.name for path in found.solutions] == ["one", "two"]
    assert [path.name for path in found.mistakes] == ["one"]
    assert found.template.is_file()
    assert found.handler.is_file()
    assert found.tests.is_file()


def test_the_task_comes_in_sections(folder: Path) -> None:
    assert load(folder).task("ko") == (
        Section(0, "", "", "들어가는 말이에요."),
        Section(2, "what", "무엇을", "이것이에요.\n\n```python\n## not a heading\n```"),
        Section(2, "tasks", "할 일", ""),
        Section(3, "task-1", "1. 첫째", "하나.\n\n#### 더 깊이"),
        Section(3, "task-2", "2. 둘째", ""),
    )


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return change


def removed(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("spoil", "file", "key", "advice"),
    [
        (removed("lab.toml"), "lab.toml", "", "missing"),
        (removed("hints.toml"), "hints.toml", "", "missing"),
        (removed("handler.py"), "handler.py", "", "missing"),
        (removed("template.yaml"), "template.yaml", "", "missing"),
        (removed("test_lab.py"), "test_lab.py", "", "missing"),
        (removed("en.md"), "en.md", "", "missing"),
        (removed("messages.en.toml"), "messages.en.toml", "", "missing"),
        (removed("samples/sea.txt"), "lab.toml", "samples[0].file", "add it"),
        (replaced("lab.toml", "samples/sea.txt", "../../../etc/passwd"), "lab.toml", "samples[0].file", "folder"),
        (replaced("lab.toml", "id =", "id"), "lab.toml", "", "not TOML"),
        (replaced("lab.toml", "lab09", "lab08"), "lab.toml", "id", "lab09_trial"),
        (replaced("lab.toml", 'title.en = "Trial"', ""), "lab.toml", "title.en", "missing"),
        (replaced("lab.toml", '"Trial"', '" "'), "lab.toml", "title.en", "not empty"),
        (replaced("lab.toml", "minutes = 5", "minutes = 0"), "lab.toml", "minutes", "1 or more"),
        (replaced("lab.toml", "minutes = 5", 'minutes = "5"'), "lab.toml", "minutes", "number"),
        (replaced("lab.toml", "minutes = 5", "minutes = 5\nminuts = 5"), "lab.toml", "minuts", "means nothing"),
        (replaced("lab.toml", "minutes = 5", 'minutes = 5\npace = "fast"'), "lab.toml", "pace", "instant, live"),
        (replaced("lab.toml", "points = 30", "points = 31"), "lab.toml", "points", "30"),
        (replaced("lab.toml", "seeds = [1, 2]", "seeds = []"), "lab.toml", "seeds", "at least one"),
        (replaced("lab.toml", "seeds = [1, 2]", "seeds = [true]"), "lab.toml", "seeds", "whole numbers"),
        (replaced("lab.toml", '"second"', '"first"'), "lab.toml", "checks", "twice"),
        (replaced("lab.toml", "task = 2", "task = 3"), "lab.toml", "checks[1].task", "{#task-3}"),
        (replaced("lab.toml", "task = 2", "taks = 2"), "lab.toml", "checks[1].task", "missing"),
        (replaced("hints.toml", "[second]", "[third]"), "hints.toml", "second", "missing"),
        (replaced("hints.toml", '"나", ', ""), "hints.toml", "first", "3 hints"),
        (replaced("hints.toml", "[first]", "[zero]\n[first]"), "hints.toml", "zero", "means nothing"),
        (replaced("messages.en.toml", "{key}", "{name}"), "messages.en.toml", "wrong", "{key}, {name}"),
        (replaced("messages.en.toml", "wrong", "right"), "messages.en.toml", "wrong", "missing"),
        (replaced("messages.ko.toml", "wrong", "right"), "messages.en.toml", "right", "missing"),
        (replaced("messages.ko.toml", "second", "third"), "messages.en.toml", "passed.third", "missing"),
        (replaced("ko.md", "{#what}", ""), "ko.md", "line 3", "anchor"),
        (replaced("ko.md", "{#what}", "{#Was}"), "ko.md", "line 3", "anchor"),
        (replaced("ko.md", "{#tasks}", "{#what}"), "ko.md", "line 11", "taken"),
        (replaced("ko.md", "{#what}", "{#other}"), "en.md", "{#what}", "other language"),
        (replaced("ko.md", "### 2. 둘째 {#task-2}", ""), "en.md", "{#task-2}", "other language"),
        (replaced("ko.md", "들어가는 말이에요.", ""), "en.md", "{#}", "other language"),
        (replaced("ko.md", "```\n\n##", "\n\n##"), "ko.md", "", "never closed"),
    ],
)
def test_a_mistake_is_named(folder: Path, spoil: Callable[[Path], None], file: str, key: str, advice: str) -> None:
    spoil(folder)
    with pytest.raises(ContentError) as refused:
        load(folder)
    assert refused.value.file == folder / file
    assert refused.value.key == key
    assert advice in refused.value.advice
    assert file in str(refused.value)


def test_a_check_needs_words_for_passing(folder: Path) -> None:
    for language in ("ko", "en"):
        path = folder / f"messages.{language}.toml"
        path.write_text("\n".join(line for line in path.read_text("utf-8").splitlines() if "second" not in line))
    with pytest.raises(ContentError, match=r"passed\.second"):
        load(folder)


def test_sections_in_another_order_are_refused(folder: Path) -> None:
    (folder / "ko.md").write_text("## a {#a}\n## t {#task-1}\n## u {#task-2}\n")
    (folder / "en.md").write_text("## a {#a}\n## u {#task-2}\n## t {#task-1}\n")
    with pytest.raises(ContentError, match="order"):
        load(folder)


def test_a_file_that_is_not_utf_8_is_named(folder: Path) -> None:
    (folder / "ko.md").write_bytes("## 무엇 {#what}".encode("euc-kr"))
    with pytest.raises(ContentError, match=r"ko\.md: is not UTF-8"):
        load(folder)


def test_folders_are_labs(folder: Path) -> None:
    found = labs()
    assert [each.id for each in found] == sorted(path.name for path in (PROJECT / "labs").glob("lab[0-9]*_*"))
    assert all(isinstance(each, Lab) for each in found)
    assert labs() is found
    assert lab(found[0].id) is found[0]
    with pytest.raises(KeyError, match="lab99"):
        lab("lab99")


def test_labs_are_listed_without_the_cloud_or_the_pages() -> None:
    code = "import labs, sys; labs.labs(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    modules = run.stdout.split()
    heavy = {"moto", "boto3", "botocore", "streamlit", "sqlalchemy", "labs.cloud", "pytest"}
    assert heavy & set(modules) == set()


def test_leftovers_of_a_removed_lab_do_not_count(folder: Path) -> None:
    shutil.rmtree(folder / "mistakes" / "one")
    (folder / "mistakes" / "one" / "__pycache__").mkdir(parents=True)
    assert load(folder).mistakes == ()
