"""What the state and the trace say about one upload: which mistake, if any, explains what is missing."""

from typing import NoReturn
from urllib.parse import quote_plus, unquote

from labs.cloud.kinds import Kind
from labs.cloud.trace import Record
from labs.grading import LabRun, fail
from labs.lab01_thumbnail.pictures import LONGEST_SIDE, Photo, is_thumbnail_size, read, shows

READS = ("GetObject", "HeadObject")
OBJECT_WRITES = ("PutObject", "CopyObject", "CreateMultipartUpload")


def invocations(lab: LabRun, key: str) -> list[Record]:
    """List the starts of the function that the upload of this key led to, retries included."""
    trace = lab.trace
    notified = {record.id for record in trace.of(Kind.S3_NOTIFICATION, key=key)}
    return [
        record
        for record in trace.of(Kind.INVOCATION_STARTED)
        if any(cause.id in notified for cause in trace.ancestors(record.id))
    ]


def ends(lab: LabRun, started: list[Record]) -> list[Record]:
    """List how these invocations ended."""
    ids = {record.id for record in started}
    return [record for record in lab.trace.of(Kind.INVOCATION_ENDED) if record.cause in ids]


def calls(lab: LabRun, started: list[Record]) -> list[Record]:
    """List the AWS calls that these invocations made themselves."""
    ids = {record.id for record in started}
    return [record for record in lab.trace.of(Kind.API_CALL) if record.cause in ids]


def failed(record: Record) -> bool:
    """Tell whether an AWS call was refused."""
    status = record.detail.get("status")
    return isinstance(status, int) and status >= 400


def expect_no_loop(lab: LabRun) -> None:
    """Fail if the function tried to write into the bucket that calls it; its role does not let it, so it cannot loop."""
    for record in lab.trace.of(Kind.API_CALL, bucket=lab.stack.outputs["Photos"]):
        if str(record.detail["by"]).startswith("environment:") and operation(record) in OBJECT_WRITES:
            error = str(record.detail.get("error") or record.detail.get("status"))
            fail("writes_to_source", record=record, written=str(record.detail.get("key")), error=error)


def expect_success(lab: LabRun, started: list[Record]) -> None:
    """Fail if one of these invocations ended in an error."""
    for record in lab.trace.of(Kind.INIT_ENDED):
        if record.detail.get("status") != "success":
            fail("init_failed", record=record, **error_of(record))
    for record in ends(lab, started):
        if record.detail.get("status") != "success":
            fail("invocation_failed", record=record, **error_of(record))


def error_of(record: Record) -> dict[str, str]:
    """Give an error's type and message as message parameters."""
    kind = record.detail.get("error_type") or record.detail.get("status")
    return {"error_type": str(kind), "error_message": str(record.detail.get("error_message") or "")[:300]}


def expect_right_key(lab: LabRun, photo: Photo, started: list[Record]) -> None:
    """Fail if the function asked for the key as the event spells it, or half decoded."""
    encoded = quote_plus(photo.key, safe="/")
    for record in calls(lab, started):
        asked = record.detail.get("key")
        if record.detail.get("operation") not in READS or not failed(record) or asked == photo.key:
            continue
        if asked in (encoded, quote_plus(photo.key)):
            fail("key_not_decoded", record=record, key=photo.key, asked=asked)
        if asked == unquote(encoded):
            fail("half_decoded", record=record, key=photo.key, asked=asked)


def explain_missing(lab: LabRun, photo: Photo) -> NoReturn:
    """Say why there is no thumbnail of this photo."""
    started = invocations(lab, photo.key)
    expect_no_loop(lab)
    expect_right_key(lab, photo, started)
    expect_success(lab, started)
    assert started, f"the cloud did not call the function for {photo.key!r}"
    bucket = lab.stack.outputs["Thumbnails"]
    for record in calls(lab, started):
        if record.detail.get("bucket") == bucket and record.detail.get("key") and not failed(record):
            found = str(record.detail["key"])
            fail("thumbnail_misnamed", record=record, key=photo.key, found=found, bucket=bucket)
    fail("thumbnail_missing", record=started[-1], key=photo.key, bucket=bucket)


def expect_thumbnail(lab: LabRun, photo: Photo, others: tuple[Photo, ...] = ()) -> None:
    """Fail unless the photo's thumbnail is stored, is a picture, has the right size and shows the photo."""
    body = lab.objects(lab.stack.outputs["Thumbnails"]).get(photo.key)
    if body is None:
        explain_missing(lab, photo)
    started = invocations(lab, photo.key)
    record = next((each for each in reversed(calls(lab, started)) if each.detail.get("key") == photo.key), None)
    image = read(body)
    if image is None:
        fail("thumbnail_not_image", record=record, key=photo.key, size=len(body))
    for other in others:
        if shows(image, other) and not shows(image, photo):
            explain_other(lab, photo.key, other, started)
    found = {"key": photo.key, "width": image.width, "height": image.height}
    right = {"right_width": photo.thumbnail_size[0], "right_height": photo.thumbnail_size[1]}
    if image.size == (LONGEST_SIDE, LONGEST_SIDE):
        fail("squashed", record=record, key=photo.key, **right)
    if not is_thumbnail_size(image.size, photo):
        fail("thumbnail_wrong_size", record=record, **found, **right)
    if not shows(image, photo):
        fail("wrong_picture", record=record, key=photo.key)


def explain_other(lab: LabRun, key: str, other: Photo, started: list[Record]) -> NoReturn:
    """Say why what is stored under a key shows another photo."""
    fetched = any(each.detail.get("key") == key for each in calls(lab, started) if operation(each) in READS)
    warm = next((each for each in started if not each.detail.get("cold")), None)
    if warm is not None and not fetched:
        fail("global_image", record=warm, key=key, other=other.key)
    fail("wrong_picture", record=started[-1] if started else None, key=key)


def expect_all_records(lab: LabRun, started: Record, *photos: Photo) -> None:
    """Fail unless the event of several records gave every photo its thumbnail."""
    expect_success(lab, [started])
    stored = lab.objects(lab.stack.outputs["Thumbnails"])
    left = [photo.key for photo in photos if photo.key not in stored]
    if left and left == [photo.key for photo in photos[1:]]:
        fail("only_first_record", record=started, handled=photos[0].key, left=", ".join(left))
    if left:
        fail("records_left", record=started, left=", ".join(left))


def operation(record: Record) -> str:
    """Give the name of the AWS operation."""
    return str(record.detail.get("operation"))
