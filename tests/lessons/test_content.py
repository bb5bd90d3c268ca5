"""Content is data and is linted: both languages say the same things, and everything that is named exists."""

import ast
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TypeAlias

import pytest

from labs.model import folders, load

ROOT = Path(__file__).parents[2]
LESSONS = folders(ROOT / "lessons", "l[0-9][0-9]_*")
LABS = folders(ROOT / "labs", "lab[0-9][0-9]_*")
LANGUAGES = ("ko", "en")
# What a lesson is made of, in this order.
DIRECTIVES = ("diagram", "code", "predict", "lab", "explain", "sources", "quiz")

Tree: TypeAlias = dict[str, "Tree"] | list["Tree"] | str | int | float | bool | date

HEADING = re.compile(r"^(#{2,3}) .+ \{#([a-z][a-z0-9-]*)\}$", re.MULTILINE)
DIRECTIVE = re.compile(r"^\{(\w+)(?::([^}]+))?\}$", re.MULTILINE)
CITATION = re.compile(r"\[(\d+)\](?!\()")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
WRITTEN_STYLE = re.compile(r"(다|까|오)\.(?=\s|$|[”\"')*])|습니|십시오")
BELITTLING = re.compile(r"\bsimply\b|\bobviously\b|간단히|단순히", re.IGNORECASE)
HANGUL = re.compile(r"[가-힣]")

lessons = pytest.mark.parametrize("folder", LESSONS, ids=lambda folder: folder.name)
labs = pytest.mark.parametrize("folder", LABS, ids=lambda folder: folder.name)
everything = pytest.mark.parametrize("folder", [*LESSONS, *LABS], ids=lambda folder: folder.name)


def toml(file: Path) -> dict[str, Tree]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def table(tree: Tree) -> dict[str, Tree]:
    assert isinstance(tree, dict)
    return tree


def tables(tree: Tree) -> list[dict[str, Tree]]:
    assert isinstance(tree, list)
    return [table(each) for each in tree]


def prose(file: Path) -> str:
    return CODE.sub("", file.read_text(encoding="utf-8"))


def spoken(tree: Tree, language: str, here: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string below a key of this language, with where it stands."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == language:
                yield from strings(value, f"{here}.{key}")
            else:
                yield from spoken(value, language, f"{here}.{key}")
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from spoken(value, language, f"{here}[{index}]")


def strings(tree: Tree, here: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, str):
        yield here, tree
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from strings(value, f"{here}[{index}]")
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from strings(value, f"{here}.{key}")


def texts(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    """Yield everything that a folder says in a language."""
    yield f"{language}.md", prose(folder / f"{language}.md")
    for file in sorted(folder.glob("*.toml")):
        tree: Tree = toml(file)
        if file.name == f"messages.{language}.toml":
            tree = {language: tree}
        for here, text in spoken(tree, language):
            yield f"{file.name}{here}", CODE.sub("", text)


def observed_names(folder: Path) -> set[str]:
    spec = importlib.util.spec_from_file_location(f"{folder.name}_observe", folder / "observe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return set(module.observe([]))


def test_there_is_content() -> None:
    assert LESSONS
    assert LABS


@everything
def test_both_languages_have_the_same_headings(folder: Path) -> None:
    ko, en = (HEADING.findall((folder / f"{language}.md").read_text(encoding="utf-8")) for language in LANGUAGES)
    assert ko == en
    anchors = [anchor for _, anchor in ko]
    assert len(anchors) == len(set(anchors))
    for language in LANGUAGES:
        # Whatever looks like a heading of level 2 or 3 carries an anchor.
        lines = re.findall(r"^#{2,3} .+$", prose(folder / f"{language}.md"), re.MULTILINE)
        assert len(lines) == len(anchors), f"{language}.md: a heading without an {{#anchor}}"


@everything
def test_both_languages_have_the_same_directives(folder: Path) -> None:
    ko, en = (DIRECTIVE.findall((folder / f"{language}.md").read_text(encoding="utf-8")) for language in LANGUAGES)
    assert ko == en
    assert {name for name, _ in ko} <= set(DIRECTIVES)


@everything
def test_words(folder: Path) -> None:
    for here, text in texts(folder, "ko"):
        assert not WRITTEN_STYLE.search(text), f"{here}: {WRITTEN_STYLE.search(text)} is not 해요체"
        assert HANGUL.search(text) or not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", text), f"{here}: not Korean"
    for here, text in texts(folder, "en"):
        assert not HANGUL.search(text), f"{here}: Korean in English, outside of code"
    for language in LANGUAGES:
        for here, text in texts(folder, language):
            assert text.strip(), f"{here} is empty"
            assert not BELITTLING.search(text), f"{here}: {BELITTLING.search(text)}"


@everything
def test_what_is_said_in_one_language_is_said_in_the_other(folder: Path) -> None:
    for file in sorted(folder.glob("*.toml")):
        if not file.name.startswith("messages."):
            ko, en = ([here for here, _ in spoken(toml(file), language)] for language in LANGUAGES)
            assert [here.replace(".ko", ".en") for here in ko] == en, file.name


@lessons
def test_lesson_is_complete(folder: Path) -> None:
    lesson = toml(folder / "lesson.toml")
    assert isinstance(lesson["minutes"], int)
    assert lesson["lab"] in {lab.name for lab in LABS}
    names = [name for name, _ in DIRECTIVE.findall((folder / "ko.md").read_text(encoding="utf-8"))]
    assert tuple(names) == DIRECTIVES, "a lesson shows, asks, runs, explains, cites and checks, in this order"


@lessons
def test_code_that_is_quoted_exists(folder: Path) -> None:
    for name, target in DIRECTIVE.findall((folder / "ko.md").read_text(encoding="utf-8")):
        if name == "code":
            path, _, region = target.partition("#")
            source = (ROOT / path).read_text(encoding="utf-8")
            if region:
                quoted = re.search(rf"^ *# region {re.escape(region)}\n(.+?)\n *# endregion$", source, re.M | re.S)
                assert quoted, f"{path} has no region {region}"
                assert quoted[1].strip()


@lessons
def test_sources(folder: Path) -> None:
    sources = tables(toml(folder / "lesson.toml")["sources"])
    assert sources
    for source in sources:
        assert set(source) == {"title", "url", "as_of", "claim"}
        assert str(source["url"]).startswith("https://")
        assert date.fromisoformat(str(source["as_of"]))
        assert set(table(source["claim"])) == set(LANGUAGES)
    urls = [source["url"] for source in sources]
    assert len(urls) == len(set(urls))
    cited = {language: sorted(CITATION.findall(prose(folder / f"{language}.md"))) for language in LANGUAGES}
    assert cited["ko"] == cited["en"], "the languages cite differently"
    assert {int(number) for number in cited["ko"]} == set(range(1, len(sources) + 1)), "cite each source as [n]"


@lessons
def test_prediction(folder: Path) -> None:
    lesson = toml(folder / "lesson.toml")
    prediction = table(lesson["prediction"])
    samples = {sample.id for sample in load(ROOT / "labs" / str(lesson["lab"])).samples}
    for upload in tables(prediction["uploads"]):
        assert upload["sample"] in samples
        assert isinstance(upload["at_s"], int)
    questions = tables(prediction["questions"])
    assert 3 <= len(questions) <= 5
    assert len({str(question["id"]) for question in questions}) == len(questions)
    names = observed_names(folder)
    for question in questions:
        assert question["observe"] in names, f"observe.py computes no {question['observe']}"
        assert question["kind"] in {"choice", "order"}
        assert re.fullmatch(r"[a-z.0-9]+", str(question["points_at"]))
        assert set(table(question["feedback"])) == set(LANGUAGES)
        values = [option["value"] for option in tables(question["options"])]
        assert len(values) >= 3
        assert len({str(value) for value in values}) == len(values)
        assert question["kind"] == "choice" or all(isinstance(value, str) for value in values)


@lessons
def test_quiz(folder: Path) -> None:
    questions = tables(toml(folder / "quiz.toml")["questions"])
    assert len(questions) >= 5
    assert len({str(question["id"]) for question in questions}) == len(questions)
    right: list[int] = []
    for question in questions:
        options = tables(question["options"])
        assert len(options) >= 3
        assert [option["correct"] for option in options].count(True) == 1, question["id"]
        right.append([option["correct"] for option in options].index(True))
        for option in options:
            for key in ("text", "explanation"):
                assert set(table(option[key])) == set(LANGUAGES), f"{question['id']}: {key}"
    assert len(set(right)) > 1, "the right answer must not always stand in the same place"


@labs
def test_lab_loads(folder: Path) -> None:
    # The model refuses unequal languages, missing hints and messages, and points that do not add up.
    lab = load(folder)
    assert len(lab.solutions) >= 2
    assert len(lab.mistakes) >= 6
    assert len({message.ko for message in lab.messages.values()}) == len(lab.messages)
    for mistake in lab.mistakes:
        assert mistake.name in lab.messages, f"messages.*.toml do not name the mistake {mistake.name}"
    assert [check.task for check in lab.checks] == list(range(1, len(lab.checks) + 1))


@labs
def test_checks_and_messages_fit(folder: Path) -> None:
    lab = load(folder)
    declared: list[str] = []
    used: dict[str, set[str]] = {}
    spread: set[str] = set()
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"check", "fail"}:
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{file.name}:{node.lineno}: write the id out"
                if node.func.id == "check":
                    declared.append(str(first.value))
                else:
                    names = used.setdefault(str(first.value), set())
                    names |= {keyword.arg for keyword in node.keywords if keyword.arg} - {"record"}
                    if any(keyword.arg is None for keyword in node.keywords):
                        spread.add(str(first.value))
    assert declared == [check.id for check in lab.checks]
    assert set(used) == set(lab.messages), "messages and fail() calls name different ids"
    for name, given in used.items():
        wanted = set(re.findall(r"\{(\w+)\}", lab.messages[name].en))
        # A call that spreads a mapping gives more than its own keywords; the rest is proved when mistakes are graded.
        assert wanted <= given or name in spread, f"{name} wants {wanted - given}"


@labs
def test_template_names_nothing_twice(folder: Path) -> None:
    template = (folder / "template.yaml").read_text(encoding="utf-8")
    names = re.findall(r"^ +BucketName: (.+)$", template, re.MULTILINE)
    assert all("${AWS::AccountId}" in name for name in names), "a bucket's name must be free in all of AWS"
    assert len(names) == len(set(names))
