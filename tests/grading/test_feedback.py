"""Words for results: learners' text is data in them, and every message is there in both languages."""

import re
from collections.abc import Callable

import pytest

from labs.grading import Result, feedback
from labs.model import Lab
from tests.grading.conftest import PROJECT

NASTY = "{given} {0.__class__} %s $given `x` <b>*_[a](http://b)\x1b[31m\u202e\r\n{found}"


def test_parameters_are_put_in_once_and_as_data() -> None:
    params = {"given": NASTY, "found": "SECRET"}
    plain = feedback.fill("{given}|{found}|{unknown}|{given.x}|{}", params)
    assert plain.endswith("|SECRET|{unknown}|{given.x}|{}")
    assert plain.count("SECRET") == 1
    assert "{0.__class__} %s $given" in plain
    assert "\x1b" not in plain
    assert "\u202e" not in plain
    assert "\n" not in plain


def test_parameters_are_no_markdown() -> None:
    text = feedback.fill("`{given}` and {given}", {"given": "a`b <i>*c* [d](e)"}, markdown=True)
    assert text == "`a\u02cbb <i>*c* [d](e)` and a\\`b \\<i\\>\\*c\\* \\[d\\]\\(e\\)"


def test_long_parameters_are_cut() -> None:
    assert len(feedback.fill("{given}", {"given": "x" * 10_000})) == 300


def test_what_learners_code_prints_is_harmless_in_a_report(submit: Callable[..., Result], tiny: Lab) -> None:
    result = submit(f"def handler(event, context):\n    print({NASTY.replace(chr(10), '').replace(chr(13), '')!r})\n")
    assert result.score == 0
    report = feedback.report(tiny, result, "en", rungs=3)
    assert "{0.__class__}" in report
    assert "\x1b" not in report
    given = result.checks[0].params["given"]
    assert f"hint 1: a {given}" in report
    assert "hint 2: b {nothing}" in report
    assert "For the same reason as “Doubles”." in report


def test_every_message_of_grading_is_there() -> None:
    used: set[str] = set()
    for path in (PROJECT / "labs" / "grading").glob("*.py"):
        used |= set(re.findall(r'"(grading\.[a-z_]+)"', path.read_text("utf-8")))
    assert used | {"grading.spinning", "grading.stuck"} == feedback.ids()


@pytest.mark.parametrize("name", ["labs/words", "labs/grading/messages"])
def test_both_languages_say_the_same(name: str) -> None:
    import tomllib

    def shape(language: str) -> dict[str, set[str]]:
        tables = tomllib.loads((PROJECT / f"{name}.{language}.toml").read_text("utf-8"))
        texts = {f"{table}.{key}": text for table, words in tables.items() for key, text in words.items()}
        return {key: set(re.findall(r"\{\w+\}|%\(\w+\)s", text)) for key, text in texts.items()}

    assert shape("ko") == shape("en")


@pytest.mark.parametrize(("setting", "language"), [("ko_KR.UTF-8", "ko"), ("en_US.UTF-8", "en"), ("C", "en")])
def test_the_terminals_language(monkeypatch: pytest.MonkeyPatch, setting: str, language: str) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", setting)
    assert feedback.language() == language
