"""The checks of lab 1. They act from outside, and judge by what is stored and by what the trace says happened."""

import json
from urllib.parse import quote_plus

from labs.cloud.kinds import Kind
from labs.cloud.trace import Record
from labs.grading import LabRun, check, fail
from labs.lab01_thumbnail.evidence import (
    calls,
    ends,
    error_of,
    expect_all_records,
    expect_no_loop,
    expect_success,
    expect_thumbnail,
    explain_missing,
    explain_other,
    failed,
    invocations,
    operation,
)
from labs.lab01_thumbnail.pictures import Photo, draw, is_thumbnail_size, read, shows

WRITES = ("PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement")


@check("thumbnail")
def test_thumbnail(lab: LabRun) -> None:
    """Every upload gets a thumbnail: a JPEG's as well as a PNG's."""
    earlier: tuple[Photo, ...] = ()
    for extension in ("png", "jpg"):
        photo = draw(lab.random, f"photo-{number(lab)}.{extension}")
        upload(lab, photo)
        expect_thumbnail(lab, photo, others=earlier)
        earlier = (*earlier, photo)


@check("metadata")
def test_metadata(lab: LabRun) -> None:
    """The table holds the picture's facts."""
    photo = draw(lab.random, f"photo-{number(lab)}.jpg")
    upload(lab, photo)
    started = invocations(lab, photo.key)
    item = next((each for each in lab.items(lab.stack.outputs["Metadata"]) if each.get("key") == photo.key), None)
    writes = [each for each in calls(lab, started) if operation(each) in WRITES]
    expect_no_loop(lab)
    if item is None:
        expect_success(lab, started)
        if not writes and photo.key in lab.objects(lab.stack.outputs["Thumbnails"]):
            fail("no_metadata", record=ends(lab, started)[-1], key=photo.key)
        fail("item_missing", record=writes[-1] if writes else started[-1], key=photo.key)
    record = writes[-1] if writes else None
    width, height = item.get("width"), item.get("height")
    if isinstance(width, int) and isinstance(height, int) and is_thumbnail_size((width, height), photo):
        right = {"right_width": photo.width, "right_height": photo.height}
        fail("measures_thumbnail", record=record, width=width, height=height, **right)
    expected = {"width": photo.width, "height": photo.height, "size": len(photo.body), "thumbnail": photo.key}
    for attribute, value in expected.items():
        found = item.get(attribute)
        if found != value:
            shown = "-" if found is None else json.dumps(found, ensure_ascii=False, default=str)
            fail("item_wrong", record=record, attribute=attribute, found=shown, right=json.dumps(value))


@check("odd_names")
def test_odd_names(lab: LabRun) -> None:
    """A key may hold spaces, plus signs and Korean."""
    names = ("여름 바다 {}.jpg", "1+1 = {}.png", "휴가 2026/해 & 눈 ({}).png")
    earlier: tuple[Photo, ...] = ()
    for name in names:
        photo = draw(lab.random, name.format(number(lab)))
        upload(lab, photo)
        expect_thumbnail(lab, photo, others=earlier)
        earlier = (*earlier, photo)


@check("two_photos")
def test_two_photos(lab: LabRun) -> None:
    """The second event is handled with the second picture, and an event of two records gives two thumbnails."""
    first, second = (draw(lab.random, f"photo-{number(lab)}.{extension}") for extension in ("jpg", "png"))
    lab.put(lab.stack.outputs["Photos"], first.key, first.body)
    # Long enough for the first to be done, short enough for its execution environment to be there still.
    lab.cloud.advance(30)
    upload(lab, second)
    expect_thumbnail(lab, first)
    expect_thumbnail(lab, second, others=(first,))

    forget_thumbnails(lab, first, second)
    expect_all_records(lab, send_event(lab, first.key, second.key), first, second)


@check("not_an_image")
def test_not_an_image(lab: LabRun) -> None:
    """What is no picture leaves nothing behind, fails nothing, and stops nothing."""
    before, after, last = (draw(lab.random, f"photo-{number(lab)}.png") for _ in range(3))
    upload(lab, before)
    expect_thumbnail(lab, before)
    text = f"Buy milk, {number(lab)} apples and bread.\n".encode()
    for key in (f"shopping-{number(lab)}.txt", f"shopping-{number(lab)}.jpg"):
        lab.put(lab.stack.outputs["Photos"], key, text)
        lab.run()
        started = invocations(lab, key)
        for record in ends(lab, started):
            if record.detail.get("status") != "success":
                fail("crashes_on_text", record=record, key=key, runs=len(started), **error_of(record))
        stored = lab.objects(lab.stack.outputs["Thumbnails"]).get(key)
        if stored is not None:
            image = read(stored)
            if image is not None and shows(image, before):
                explain_other(lab, key, before, started)
            fail("thumbnail_of_text", record=started[-1], key=key)
        if any(item.get("key") == key for item in lab.items(lab.stack.outputs["Metadata"])):
            fail("item_of_text", record=started[-1], key=key)
    upload(lab, after)
    expect_thumbnail(lab, after, others=(before,))
    upload(lab, last)
    expect_thumbnail(lab, last, others=(before, after))

    forget_thumbnails(lab, before, after, last)
    event = send_event(lab, before.key, after.key, key, last.key)
    stored_keys = lab.objects(lab.stack.outputs["Thumbnails"]).keys()
    if {before.key, after.key} <= stored_keys and last.key not in stored_keys:
        expect_success(lab, [event])
        fail("stops_at_text", record=event, key=key, left=last.key)
    expect_all_records(lab, event, before, after, last)


@check("retry")
def test_retry(lab: LabRun) -> None:
    """A failure that passes is left to Lambda, which tries again."""
    before, during = (draw(lab.random, f"photo-{number(lab)}.jpg") for _ in range(2))
    upload(lab, before)
    expect_thumbnail(lab, before)
    bucket = lab.stack.outputs["Thumbnails"]
    where = lab.cloud.call("s3", "GetBucketLocation", Bucket=bucket).get("LocationConstraint")
    for key in lab.objects(bucket):
        lab.cloud.call("s3", "DeleteObject", Bucket=bucket, Key=key)
    lab.cloud.call("s3", "DeleteBucket", Bucket=bucket)
    lab.put(lab.stack.outputs["Photos"], during.key, during.body)
    # The first attempt fails within the function's 10 s; the second comes a minute later and finds the bucket.
    lab.cloud.advance(30)
    options = {"CreateBucketConfiguration": {"LocationConstraint": where}} if where else {}
    lab.cloud.call("s3", "CreateBucket", Bucket=bucket, **options)
    lab.run()
    if during.key in lab.objects(bucket):
        return
    started = invocations(lab, during.key)
    refused = next((each for each in calls(lab, started) if failed(each)), None)
    hidden = [each for each in ends(lab, started) if each.detail.get("status") == "success"]
    if refused is not None and hidden:
        error = str(refused.detail.get("error") or refused.detail.get("status"))
        fail("swallows_everything", record=refused, key=during.key, operation=operation(refused), error=error)
    explain_missing(lab, during)


@check("once_each")
def test_once_each(lab: LabRun) -> None:
    """As many invocations as uploads, and the photos stay as they were."""
    uploads = [draw(lab.random, f"photo-{number(lab)}-{index}.png") for index in range(lab.random.randint(3, 5))]
    for photo in uploads:
        lab.put(lab.stack.outputs["Photos"], photo.key, photo.body)
        lab.cloud.advance(0.3)
    lab.run()
    for photo in uploads:
        others = tuple(other for other in uploads if other is not photo)
        expect_thumbnail(lab, photo, others=others)
    expect_no_loop(lab)
    started = lab.trace.of(Kind.INVOCATION_STARTED)
    expect_success(lab, started)
    if len(started) != len(uploads):
        fail("extra_invocations", record=started[-1], uploads=len(uploads), runs=len(started))
    kept = lab.objects(lab.stack.outputs["Photos"])
    if kept != {photo.key: photo.body for photo in uploads}:
        fail("photos_changed", record=started[-1], uploads=len(uploads), kept=len(kept))


def number(lab: LabRun) -> int:
    """Draw a number to tell names apart."""
    return lab.random.randint(1000, 9999)


def upload(lab: LabRun, photo: Photo) -> None:
    """Upload a photo and let everything happen."""
    lab.put(lab.stack.outputs["Photos"], photo.key, photo.body)
    lab.run()


def forget_thumbnails(lab: LabRun, *photos: Photo) -> None:
    """Delete thumbnails, so that their coming back proves something."""
    for photo in photos:
        lab.cloud.call("s3", "DeleteObject", Bucket=lab.stack.outputs["Thumbnails"], Key=photo.key)


def send_event(lab: LabRun, *keys: str) -> Record:
    """Send the function one event with a record for each key, as a replay would, and give the invocation's start."""
    bucket = lab.stack.outputs["Photos"]
    sizes = {key: len(body) for key, body in lab.objects(bucket).items()}
    records = [
        {
            "eventVersion": "2.5",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "eventTime": lab.cloud.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                "object": {"key": quote_plus(key, safe="/"), "size": sizes[key], "sequencer": f"{index:016X}"},
            },
        }
        for index, key in enumerate(keys, start=1)
    ]
    seen = len(lab.trace)
    lab.cloud.call(
        "lambda",
        "Invoke",
        FunctionName=lab.stack.outputs["Function"],
        InvocationType="Event",
        Payload=json.dumps({"Records": records}).encode(),
    )
    lab.run()
    started = [record for record in lab.trace[seen:] if record.kind == Kind.INVOCATION_STARTED]
    assert started, "the cloud did not call the function for an event of the checks' own"
    return started[0]
