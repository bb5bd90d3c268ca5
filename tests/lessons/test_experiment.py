"""The run that a prediction is about: uploads at their virtual seconds, and nothing in its trace but what they led to."""

import time
from pathlib import Path

from labs import lab
from labs.classroom import Journal
from labs.cloud import Cloud, CloudHost, Pace
from lessons import lessons
from lessons.experiment import Experiment, last_outcome, save_outcome

LESSON = lessons()[0]
LAB = lab(str(LESSON.lab))


class Account:
    """A cloud as the lab page's workbench gives it."""

    def __init__(self, cloud: Cloud, bucket: str) -> None:
        self.cloud, self.bucket = cloud, bucket

    def put(self, key: str, body: bytes) -> None:
        self.cloud.call("s3", "PutObject", Bucket=self.bucket, Key=key, Body=body)

    def seconds(self) -> float | None:
        return self.cloud.clock.now / 1e9


def test_outcome_is_that_of_the_experiment_alone(host: CloudHost, tmp_path: Path) -> None:
    assert LESSON.prediction is not None
    with Cloud(7, host=host, pace=Pace.LIVE, factor=20.0) as cloud, Journal.open(tmp_path) as journal:
        stack = cloud.deploy(LAB.template, code=LAB.handler)
        account = Account(cloud, stack.outputs["Photos"])
        experiment = Experiment(LESSON.prediction.uploads, LAB, after=len(cloud.trace))
        experiment.start(account)
        deadline = time.monotonic() + 30
        trace = experiment.trace([record.to_json() for record in cloud.trace])
        while not experiment.ended(trace) and time.monotonic() < deadline:
            time.sleep(0.02)
            trace = experiment.trace([record.to_json() for record in cloud.trace])
        assert experiment.error is None
        # What is uploaded afterwards does not belong to it.
        account.put("later.jpg", b"x")
        cloud.run()
        again = experiment.trace([record.to_json() for record in cloud.trace])
        assert not [record for record in again if "later.jpg" in str(record)]
        uploads = [record for record in trace if record["kind"] == "api.call"]
        assert len(uploads) == 2
        assert int(str(uploads[1]["t"])) - int(str(uploads[0]["t"])) >= 1_000_000_000
        assert last_outcome(journal, "ada", LESSON) is None
        save_outcome(journal, "ada", LESSON, trace)
        outcome = last_outcome(journal, "ada", LESSON)
    assert outcome is not None
    assert outcome.outcomes["runs"] == 2
    assert outcome.outcomes["cold"] == 1
    assert outcome.outcomes["who_called"] == "s3"
    assert outcome.outcomes["order"] == ["answered", "notified", "started", "ended"]
    ids = {record["id"] for record in outcome.trace}
    assert {question.id for question in LESSON.prediction.questions} == set(outcome.records)
    assert set(outcome.records.values()) <= ids
    assert journal_has_no_points(tmp_path)


def journal_has_no_points(folder: Path) -> bool:
    """An outcome is no grade."""
    with Journal.open(folder) as journal:
        return journal.best("ada", LESSON.id) is None
