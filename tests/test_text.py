"""The pages' words: both languages say the same things, and say something."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable

import pytest

from labs.classroom import Fault, InvalidName, JournalError, NameFault
from lessons.text import Language, guess, path, t, table, words

PLACE = re.compile(r"\{(\w+)\}")
# A particle whose form depends on the last sound of the word before it cannot follow a value.
PARTICLE = re.compile(r"\}(은|는|이|가|을|를|과|와|으로|로|이라|라|이나|나|아|야|이에요|예요)(?=[\s.,!?)]|$)")


def test_both_languages_have_the_same_keys() -> None:
    assert set(words(Language.KO)) ^ set(words(Language.EN)) == set()


@pytest.mark.parametrize("key", sorted(words(Language.EN)))
def test_both_languages_fill_the_same_places(key: str) -> None:
    korean, english = (Counter(PLACE.findall(words(language)[key])) for language in (Language.KO, Language.EN))
    assert set(korean) == set(english)


@pytest.mark.parametrize("language", Language)
def test_every_text_says_something(language: Language) -> None:
    for key, text in words(language).items():
        assert text.strip(), f"{key} is empty in {path(language)}"
        assert text == text.strip(), f"{key} has blanks around it in {path(language)}"
        assert not re.search(r"[{}]", PLACE.sub("", text)), f"{key} has a stray brace in {path(language)}"


@pytest.mark.parametrize("language", Language)
def test_every_value_is_a_string_in_a_table(language: Language) -> None:
    tables = tomllib.loads(path(language).read_text("utf-8"))
    for name, texts in tables.items():
        assert isinstance(texts, dict), f"{name} stands outside a table in {path(language)}"
        for key, text in texts.items():
            assert isinstance(text, str), f"{name}.{key} is no string in {path(language)}"


def test_no_korean_particle_follows_a_value() -> None:
    for key, text in words(Language.KO).items():
        assert not PARTICLE.search(text), f"{key}: put a fixed noun between the value and the particle"


def test_korean_is_korean_and_english_is_not() -> None:
    hangul = re.compile("[가-힣]")
    assert [key for key, text in words(Language.EN).items() if hangul.search(text)] == []
    assert [key for key, text in words(Language.KO).items() if not hangul.search(text)] == []


def test_a_text_is_filled() -> None:
    assert t("home.best", Language.EN, points=3, total=10) == "Best so far: 3 of 10 points"
    assert t("home.best", Language.KO, points=3, total=10) == "지금까지 최고: 10점 중 3점"
    assert t("learner.greeting", Language.EN, name="{total} %s") == "Hello, {total} %s"


def test_a_missing_key_names_key_and_file() -> None:
    with pytest.raises(KeyError, match=r"no\.such.*en\.toml"):
        t("no.such", Language.EN)


def test_a_missing_value_names_key_and_place() -> None:
    with pytest.raises(KeyError, match=r"home\.points.*ko\.toml.*points"):
        t("home.points", Language.KO)


def test_a_table_keeps_its_places() -> None:
    assert table("upload", Language.EN)["limit"] == "Up to {cap}"
    with pytest.raises(KeyError, match="nothing"):
        table("nothing", Language.EN)


def messages() -> Iterable[tuple[str, dict[str, str]]]:
    for fault in Fault:
        error = JournalError(fault, "/data/journal.sqlite3")
        yield error.key, {"path": error.path}
    for refusal in NameFault:
        yield InvalidName(refusal).key, {}


@pytest.mark.parametrize("language", Language)
def test_every_fault_of_the_journal_has_its_message(language: Language) -> None:
    for key, params in messages():
        assert t(key, language, **params)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("ko", "ko"),
        ("ko-KR", "ko"),
        ("ko_KR.UTF-8", "ko"),
        ("KO-kr", "ko"),
        ("kok-IN", "en"),
        ("en-US", "en"),
        ("de", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_language_is_guessed_from_the_locale(locale: str | None, language: str) -> None:
    assert guess(locale) == language
