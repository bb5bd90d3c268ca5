"""A lesson as data: what is read, and that every mistake is named with its file, its key and what to do."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from labs.content import ContentError, Text
from lessons import lesson, lessons
from lessons.blocks import Code, Diagram, Explain, LabHere, Part, Predict, Prose, Quiz, Sources
from lessons.model import Lesson, load
from lessons.questions import ChoiceQuestion, NumberQuestion, Option, OrderQuestion, Upload

PROJECT = Path(__file__).parents[2]

LESSON = """\
title.ko = "시험"
title.en = "Trial"
summary.ko = "요약"
summary.en = "Summary"
minutes = 10
goals.ko = ["하나", "둘"]
goals.en = ["one", "two"]
lab = "lab09_trial"

[prediction]
title.ko = "두 장을 올려요."
title.en = "Two uploads."
[[prediction.uploads]]
sample = "sea"
at_s = 0
[[prediction.questions]]
id = "runs"
kind = "number"
observe = "runs"
points_at = "invocation.started"
text.ko = "몇 번?"
text.en = "How often?"
feedback.ko = "세어 봐요."
feedback.en = "Count."
[[prediction.questions]]
id = "who"
kind = "choice"
observe = "who"
points_at = "s3.notification"
text.ko = "누가?"
text.en = "Who?"
feedback.ko = "봐요."
feedback.en = "Look."
options = [{value = "s3", text = {ko = "그것", en = "S3"}}, {value = 2, text = {ko = "둘", en = "two"}}]
[[prediction.questions]]
id = "order"
kind = "order"
observe = "order"
points_at = "s3.notification"
text.ko = "순서는?"
text.en = "In which order?"
feedback.ko = "봐요."
feedback.en = "Look."
options = [{value = "a", text = {ko = "가", en = "a"}}, {value = "b", text = {ko = "나", en = "b"}}]

[[sources]]
title = "A guide"
url = "https://docs.aws.amazon.com/"
as_of = "2026-11-20"
claim.ko = "그래요."
claim.en = "So it is."
"""
QUIZ = """\
[[questions]]
id = "one"
text.ko = "무엇?"
text.en = "What?"
options = [
  {correct = true, text = {ko = "가", en = "a"}, explanation = {ko = "맞아요", en = "yes"}},
  {correct = false, text = {ko = "나", en = "b"}, explanation = {ko = "아니에요", en = "no"}},
]
"""
KO = """\
## 생각 {#idea}

말이에요.

{diagram}

또 말이에요.
{code:labs/lab09_trial/handler.py#body}

```text
{lab}
```

## 예측 {#predict}
{predict}
{lab}
{explain}
{sources}
{quiz}
"""
LAB = """\
id = "lab09_trial"
title = {ko = "시험", en = "Trial"}
summary = {ko = "시험", en = "Trial"}
concept = "events"
minutes = 1
points = 1
seeds = [1]
checks = [{id = "one", task = 1, points = 1, title = {ko = "하나", en = "One"}}]
samples = [{id = "sea", file = "handler.py", key = "sea", title = {ko = "바다", en = "Sea"}}]
"""
HANDLER = """\
def handler(event, context):
    # region body
    for record in event["Records"]:
        print(record)
    # endregion
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "lessons/l09_trial/lesson.toml": LESSON,
        "lessons/l09_trial/quiz.toml": QUIZ,
        "lessons/l09_trial/ko.md": KO,
        "lessons/l09_trial/en.md": KO.replace("생각", "Idea").replace("예측", "Predict"),
        "lessons/l09_trial/observe.py": "",
        "labs/lab09_trial/lab.toml": LAB,
        "labs/lab09_trial/hints.toml": '[one]\nko = ["가", "나", "다"]\nen = ["a", "b", "c"]\n',
        "labs/lab09_trial/messages.ko.toml": '[passed]\none = "네"\n',
        "labs/lab09_trial/messages.en.toml": '[passed]\none = "Yes"\n',
        "labs/lab09_trial/ko.md": "## 하나 {#task-1}\n",
        "labs/lab09_trial/en.md": "## One {#task-1}\n",
        "labs/lab09_trial/handler.py": HANDLER,
        "labs/lab09_trial/template.yaml": "Resources: {}\n",
        "labs/lab09_trial/test_lab.py": "",
        "secret.txt": "",
    }
    project = tmp_path / "project"
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, "utf-8")
    return project / "lessons" / "l09_trial"


def test_a_lesson_is_read(folder: Path) -> None:
    found = load(folder)
    assert (found.id, found.title, found.summary) == ("l09_trial", Text("시험", "Trial"), Text("요약", "Summary"))
    assert (found.minutes, found.lab) == (10, "lab09_trial")
    assert found.goals == (Text("하나", "one"), Text("둘", "two"))
    assert [(source.url, source.as_of) for source in found.sources] == [("https://docs.aws.amazon.com/", date(2026, 11, 20))]
    question = found.quiz[0]
    assert (question.id, question.several) == ("one", False)
    assert [(option.correct, option.explanation.en) for option in question.options] == [(True, "yes"), (False, "no")]


def test_the_text_comes_in_blocks(folder: Path) -> None:
    code = Code("labs/lab09_trial/handler.py", "body", 'for record in event["Records"]:\n    print(record)')
    assert load(folder).parts("ko") == (
        Part(
            2,
            "idea",
            "생각",
            (
                Prose("말이에요."),
                Diagram("lab09_trial"),
                Prose("또 말이에요."),
                code,
                Prose("```text\n{lab}\n```"),
            ),
        ),
        Part(2, "predict", "예측", (Predict(), LabHere("lab09_trial"), Explain(), Sources(), Quiz())),
    )
    assert code.language == "python"
    assert [part.title for part in load(folder).parts("en")] == ["Idea", "Predict"]


def test_code_without_a_region_is_the_whole_file(folder: Path) -> None:
    for language in ("ko", "en"):
        replaced(f"{language}.md", "#body}", "}")(folder)
    assert Code("labs/lab09_trial/handler.py", "", HANDLER.strip()) in load(folder).parts("ko")[0].blocks


def test_questions_are_typed(folder: Path) -> None:
    prediction = load(folder).prediction
    assert prediction is not None
    assert prediction.uploads == (Upload("sea", 0),)
    number, choice, order = prediction.questions
    assert isinstance(number, NumberQuestion)
    assert (number.id, number.observe, number.points_at) == ("runs", "runs", "invocation.started")
    assert (number.text.en, number.feedback.en, number.least, number.most) == ("How often?", "Count.", 0, 999)
    assert isinstance(choice, ChoiceQuestion)
    assert choice.options == (Option("s3", Text("그것", "S3")), Option(2, Text("둘", "two")))
    assert isinstance(order, OrderQuestion)
    assert [option.value for option in order.options] == ["a", "b"]
    assert number.matches(2, 2)
    assert not number.matches(2, 3)
    assert not number.matches(None, 0)
    assert choice.matches("s3", "s3")
    assert not choice.matches("2", 2)
    assert order.matches(["a", "b"], ("a", "b"))
    assert not order.matches(["b", "a"], ["a", "b"])
    assert not order.matches("ab", "ab")


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return change


def in_both(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for language in ("ko", "en"):
            replaced(f"{language}.md", old, new)(folder)

    return change


def removed(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


TOML = "lesson.toml"


@pytest.mark.parametrize(
    ("spoil", "file", "key", "advice"),
    [
        (removed(TOML), TOML, "", "missing"),
        (removed("quiz.toml"), "quiz.toml", "", "missing"),
        (removed("ko.md"), "ko.md", "", "missing"),
        (removed("observe.py"), "observe.py", "", "missing"),
        (replaced(TOML, "lab09_trial", "lab08_trial"), TOML, "lab", "labs/lab08_trial"),
        (replaced(TOML, "minutes", "minuets"), TOML, "minutes", "missing"),
        (replaced(TOML, "minutes", "pages = 3\nminutes"), TOML, "pages", "means nothing"),
        (replaced(TOML, '["one", "two"]', '["one"]'), TOML, "goals", "another number"),
        (replaced(TOML, '"sea"', '"lake"'), TOML, "prediction.uploads[0].sample", "sea"),
        (replaced(TOML, "at_s = 0", "at_s = -1"), TOML, "prediction.uploads[0].at_s", "0 or more"),
        (replaced(TOML, '"number"', '"essay"'), TOML, "prediction.questions[0].kind", "number, choice, order"),
        (replaced(TOML, 'id = "who"', 'id = "runs"'), TOML, "prediction.questions", "twice"),
        (replaced(TOML, 'id = "who"', 'id = "Who?"'), TOML, "prediction.questions[1].id", "a-z"),
        (replaced(TOML, 'observe = "who"\n', ""), TOML, "prediction.questions[1].observe", "missing"),
        (replaced(TOML, 'feedback.en = "Count."', ""), TOML, "prediction.questions[0].feedback.en", "missing"),
        (replaced(TOML, 'value = "b"', 'value = "a"'), TOML, "prediction.questions[2].options", "twice"),
        (replaced(TOML, 'value = "b"', "value = 1.5"), TOML, "prediction.questions[2].options[1].value", "string"),
        (replaced(TOML, "https:", "http:"), TOML, "sources[0].url", "https"),
        (replaced(TOML, "2026-11-20", "last week"), TOML, "sources[0].as_of", "2026-01-31"),
        (replaced("quiz.toml", "true", "false"), "quiz.toml", "questions[0].options", "at least one"),
        (replaced("quiz.toml", "true", '"yes"'), "quiz.toml", "questions[0].options[0].correct", "true or false"),
        (replaced("quiz.toml", '"no"', '""'), "quiz.toml", "questions[0].options[1].explanation.en", "not empty"),
        (replaced("ko.md", "{#idea}", "{#hook}"), "en.md", "{#idea}", "other language"),
        (replaced("en.md", "{diagram}", ""), "en.md", "", "{directives}"),
        (in_both("{diagram}", "{picture}"), "ko.md", "{#idea}", "code, diagram"),
        (in_both("{diagram}", "{diagram:big}"), "ko.md", "{#idea}", "colon"),
        (in_both("#body", "#head"), "ko.md", "{#idea}", "# region head"),
        (in_both("handler.py#body", "other.py"), "ko.md", "{#idea}", "no such file"),
        (in_both("labs/lab09_trial/handler.py#body", "../../etc/passwd"), "ko.md", "{#idea}", "no such file"),
        (in_both("labs/lab09_trial/handler.py#body", ""), "ko.md", "{#idea}", "no such file"),
        (in_both("{explain}", ""), "ko.md", "{explain}", "once"),
        (in_both("{sources}", "{sources}\n{sources}"), "ko.md", "{sources}", "2 times"),
        (in_both("{predict}\n{lab}", "{lab}\n{predict}"), "ko.md", "{predict}", "before {lab}"),
        (in_both("{lab}\n{explain}", "{explain}\n{lab}"), "ko.md", "{predict}", "{explain} after"),
        (in_both("말이에요.\n\n{d", "#### 깊이 {#deep}\n\n{d"), "ko.md", "line 3", "no anchor"),
        (in_both("```\n\n##", "\n\n##"), "ko.md", "", "never closed"),
    ],
)
def test_a_mistake_is_named(folder: Path, spoil: Callable[[Path], None], file: str, key: str, advice: str) -> None:
    spoil(folder)
    with pytest.raises(ContentError) as refused:
        load(folder)
    assert refused.value.file == folder / file
    assert refused.value.key == key
    assert advice in refused.value.advice


def test_a_lesson_may_do_without_lab_and_prediction(folder: Path) -> None:
    text = LESSON.replace('lab = "lab09_trial"', "")
    start, end = text.index("[prediction]"), text.index("[[sources]]")
    (folder / TOML).write_text(text[:start] + text[end:], "utf-8")
    for name in ("{diagram}", "{predict}", "{lab}\n{explain}"):
        in_both(name, "")(folder)
    found = load(folder)
    assert (found.lab, found.prediction) == (None, None)
    in_both("{sources}", "{lab}\n{sources}")(folder)
    with pytest.raises(ContentError, match="needs a lab"):
        load(folder)


def test_folders_are_lessons() -> None:
    found = lessons()
    assert [each.id for each in found] == sorted(path.name for path in (PROJECT / "lessons").glob("l[0-9]*_*"))
    assert all(isinstance(each, Lesson) for each in found)
    assert lessons() is found
    assert lesson(found[0].id) is found[0]
    with pytest.raises(KeyError, match="l99"):
        lesson("l99")


@pytest.mark.parametrize("each", lessons(), ids=lambda each: each.id)
def test_a_lesson_computes_what_it_asks_for(each: Lesson) -> None:
    if each.prediction is not None:
        outcomes = each.observe([])
        assert {question.observe for question in each.prediction.questions} <= set(outcomes)
