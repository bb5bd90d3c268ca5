"""The texts of the flow view: the same in both languages, complete, and good Korean where values meet particles."""

import re
from collections import Counter
from pathlib import Path

import pytest

from labs.cloud.kinds import Kind
from lessons.parts.sentences import (
    LANGUAGES,
    clean,
    duration,
    facts,
    file_size,
    moment,
    resource_label,
    sentences,
    template_of,
)
from tests.flow_traces import every_sentence

PLACE = re.compile(r"\{\w+\}")
# Particles that depend on the last sound of what they follow, which nobody knows of a value.
PARTICLE = re.compile(r"\}(?:은|는|이|가|을|를|과|와|으로|로|이라|라)(?![가-힣])")
PARTS = Path(__file__).parents[2] / "assets" / "parts"


def test_both_languages_have_the_same_texts() -> None:
    """A text that one language lacks would be found by a learner, not by us."""
    korean, english = sentences("ko"), sentences("en")
    assert set(korean) == set(english)
    for key in korean:
        assert Counter(PLACE.findall(korean[key])) == Counter(PLACE.findall(english[key])), key


def test_every_kind_has_a_sentence() -> None:
    """A record of any kind can be told, in each of its variants."""
    for language in LANGUAGES:
        text = sentences(language)
        for kind in Kind:
            assert any(key == f"sentence.{kind}" or key.startswith(f"sentence.{kind}.") for key in text), kind
        for status in ("success", "error", "timeout", "crash"):
            assert f"sentence.init.ended.{status}" in text
            assert f"sentence.invocation.ended.{status}" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_samples_need_every_sentence(language: str) -> None:
    """The samples that Python and the browser are compared on leave no template out, and no place unfilled."""
    text = sentences(language)
    used: set[str] = set()
    for record in every_sentence():
        known = facts(record, text)
        key = template_of(record, known, text)
        used.add(key)
        always = re.sub(r"\[[^\]]*\]", "", text[key])
        assert {place[1:-1] for place in PLACE.findall(always)} <= set(known), record
    assert {key for key in text if key.startswith("sentence.") and not key.startswith("sentence.none")} <= used


def test_browser_uses_only_texts_that_exist() -> None:
    """Every name that the scripts ask for is in the files."""
    text = sentences("en")
    asked: set[str] = set()
    for script in PARTS.glob("flow*.js"):
        asked |= {f"ui.{name}" for name in re.findall(r'book\.ui\("(\w+)"', script.read_text())}
    assert asked
    assert asked <= set(text)


def test_korean_never_guesses_a_particle() -> None:
    """After a value stands a noun that we know, so that its particle is right whatever the value is."""
    for key, template in sentences("ko").items():
        assert not PARTICLE.search(template), key


def test_words_of_the_glossary() -> None:
    """An execution environment is never called a container or an instance."""
    for language in LANGUAGES:
        for key, template in sentences(language).items():
            assert not re.search(r"container|instance|컨테이너|인스턴스|람다", template, re.IGNORECASE), key


@pytest.mark.parametrize(
    ("milliseconds", "korean", "english"),
    [
        (0, "0ms", "0 ms"),
        (1.25, "1.3ms", "1.3 ms"),
        (68.4, "68ms", "68 ms"),
        (1500, "1.5초", "1.5 s"),
        (30_000, "30초", "30 s"),
        (60_000, "1분", "1 min"),
        (75_400, "1분 15초", "1 min 15 s"),
        (3_600_000, "1시간", "1 h"),
        (5_400_400, "1시간 30분", "1 h 30 min"),
    ],
)
def test_durations(milliseconds: float, korean: str, english: str) -> None:
    """Durations have the unit that a person would choose."""
    assert duration(milliseconds, sentences("ko")) == korean
    assert duration(milliseconds, sentences("en")) == english


def test_moments_and_sizes() -> None:
    """Instants count from the cloud's epoch; sizes are in the units that S3 shows."""
    assert moment(0) == "0:00.000"
    assert moment(2_065_999_999) == "0:02.065"
    assert moment(3_725_250_000_000) == "1:02:05.250"
    assert file_size(12, sentences("en")) == "12 bytes"
    assert file_size(34_918, sentences("ko")) == "34.1KB"
    assert file_size(5 * 1024 * 1024, sentences("en")) == "5 MB"


def test_text_from_outside_is_tamed() -> None:
    """A value keeps to its line and to its direction, and is not endless."""
    assert clean("a\n\tb  c ") == "a b c"
    assert clean("\u202etxt.exe\x1b[2J") == "\ufffdtxt.exe\ufffd[2J"
    assert len(clean("x" * 500)) == 120
    assert clean("x" * 500).endswith("…")


def test_resources_have_names_for_people() -> None:
    """A resource is named by its service and itself."""
    assert resource_label("s3:photos", sentences("en")) == "S3 photos"
    assert resource_label("environment:thumbnail/1", sentences("ko")) == "실행 환경 thumbnail / 1"
    assert resource_label("states:machine", sentences("en")) == "states machine"
