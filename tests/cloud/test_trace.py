"""The trace: what it answers and what its hash depends on."""

import dataclasses

from labs.cloud.trace import Record, Recorder, Trace


def _trace() -> Trace:
    recorder = Recorder(lambda: 5)
    upload = recorder.add("api.call", "s3:photos", {"operation": "PutObject"}, cause=None)
    event = recorder.add("event.queued", "lambda:f", {"request_id": "1"}, cause=upload.id)
    recorder.add("api.call", "s3:photos", {"operation": "GetObject"}, cause=None)
    recorder.add("log.line", "environment:f/1", {"message": "hello"}, cause=event.id, measured={"ms": 3})
    return Trace(recorder.since(0))


def test_records_know_their_causes_and_consequences() -> None:
    trace = _trace()
    assert [record.id for record in trace.ancestors(4)] == [2, 1]
    assert [record.id for record in trace.children(1)] == [2]
    assert [record.id for record in trace.descendants(1)] == [2, 4]
    assert [record.id for record in trace.of("api.call", operation="GetObject")] == [3]


def test_a_record_survives_json() -> None:
    for record in _trace():
        assert Record.from_json(record.to_json()) == record


def test_the_hash_covers_everything_but_measurements_and_addresses() -> None:
    records = list(_trace())
    whole = Trace(records).hash()

    def with_last(**changes: object) -> str:
        return Trace([*records[:-1], dataclasses.replace(records[-1], **changes)]).hash()  # type: ignore[arg-type]

    assert with_last(measured={"ms": 99}) == whole
    assert with_last(t=6) != whole
    assert with_last(cause=1) != whole
    assert with_last(kind="slept") != whole
    assert with_last(resource="environment:f/2") != whole
    assert with_last(detail={"message": "hullo"}) != whole
    assert with_last(detail={"message": "<object at 0x7f1234567890>"}) == with_last(
        detail={"message": "<object at 0x7fabcdefabcd>"}
    )
