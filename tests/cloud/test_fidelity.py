"""The fidelity table: every row is whole, and the test that it names is there."""

import tomllib
from datetime import date
from typing import Any

from tests.cloud.conftest import PROJECT

ROWS: list[dict[str, Any]] = [
    row
    for file in sorted((PROJECT / "labs" / "cloud" / "fidelity").glob("*.toml"))
    for row in tomllib.loads(file.read_text("utf-8"))["row"]
]


def test_every_row_says_what_aws_documents_and_what_ours_is() -> None:
    assert ROWS
    for row in ROWS:
        assert row["behaviour"], row
        assert row["source"], row
        assert isinstance(row["as_of"], date), row
        assert row["ours"] in ("same", "simplified", "differs"), row
        assert row["ours"] == "same" or row["note"], row
    assert len({row["id"] for row in ROWS}) == len(ROWS)


def test_every_row_names_a_test_that_exists() -> None:
    for row in ROWS:
        path, _, name = row["test"].partition("::")
        source = (PROJECT / path).read_text("utf-8")
        assert f"def {name.partition('[')[0]}(" in source, row["test"]


def test_at_most_one_row_in_five_is_simplified() -> None:
    assert 5 * sum(row["ours"] == "simplified" for row in ROWS) <= len(ROWS)
