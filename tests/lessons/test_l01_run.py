"""The run that lesson 1 asks to predict: its outcome is one of the offered answers, whatever the seed."""

from pathlib import Path

import pytest

from labs.cloud import Cloud, CloudHost
from labs.model import load as load_lab
from lessons.model import load
from lessons.questions import ChoiceQuestion

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outcome_can_be_predicted(seed: int) -> None:
    lesson = load(ROOT / "lessons" / "l01_events_call_functions")
    lab = load_lab(ROOT / "labs" / str(lesson.lab))
    files = {sample.id: sample for sample in lab.samples}
    assert lesson.prediction is not None
    with CloudHost() as host, Cloud(seed=seed, host=host) as cloud:
        stack = cloud.deploy(lab.template, code=lab.handler)
        at = 0.0
        for upload in lesson.prediction.uploads:
            cloud.advance(upload.at_s - at)
            at = upload.at_s
            sample = files[upload.sample]
            bucket = stack.outputs["Photos"]
            cloud.call("s3", "PutObject", Bucket=bucket, Key=sample.key, Body=sample.file.read_bytes())
        cloud.run()
        trace = cloud.trace
    outcome = lesson.observe(trace)
    assert outcome["who_called"] == "s3"
    assert outcome["runs"] == len(lesson.prediction.uploads)
    assert outcome["order"] == ["answered", "notified", "started", "ended"]
    for question in lesson.prediction.questions:
        assert trace.of(question.points_at), f"no {question.points_at} to point at"
        if isinstance(question, ChoiceQuestion):
            assert outcome[question.observe] in {option.value for option in question.options}
