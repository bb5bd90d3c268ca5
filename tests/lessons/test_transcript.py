"""The trace as text."""

from lessons.parts.transcript import transcript
from tests.flow_traces import HOSTILE, failing_upload, one_upload


def test_tells_one_upload_in_order() -> None:
    """An upload reads as a story whose every line names the line that caused it."""
    lines = transcript(one_upload().records, "ko")
    assert [line.id for line in lines] == list(range(1, 15))
    assert lines[1].sentence == "밖에서 photos-123456789012 버킷에 cat.png 객체를 올렸어요 (PutObject, 34.1KB)."
    assert lines[1].why == "밖에서 시작된 일이에요."
    assert lines[2].sentence == "S3가 thumbnail 함수에 알림을 보냈어요: ObjectCreated:Put, cat.png."
    assert lines[2].cause == 2
    assert lines[2].why == lines[1].sentence
    assert lines[0].why == "앞선 이벤트가 일으킨 일이 아니에요."
    assert lines[12].sentence == "thumbnail / 1 실행 환경의 호출이 성공했어요 (68ms, 청구 69ms)."


def test_tells_retries_in_english() -> None:
    """A retry says how long it waits and which attempt it is."""
    story = one_upload()
    failing_upload(story)
    said = [line.sentence for line in transcript(story.records, "en")]
    assert "Lambda will try again in 1 min (attempt 2)." in said
    assert "thumbnail / 1 started attempt 3 of the same event (retry)." in said
    assert "Lambda discarded the event of the function thumbnail: every retry has been used." in said


def test_hostile_keys_stay_text_on_one_line() -> None:
    """A key cannot break out of its line; templates are not filled twice."""
    line = transcript(one_upload(HOSTILE).records, "en")[1]
    assert "{key}[x]" in line.sentence
    assert "\u202e" not in line.sentence
    assert "\n" not in line.sentence


def test_a_cause_that_is_not_there() -> None:
    """A part of a trace can be told too."""
    lines = transcript(one_upload().records[3:], "en")
    assert lines[0].cause == 3
    assert lines[0].why == "No earlier event caused it."
