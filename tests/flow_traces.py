"""Sample traces in the shape that a cloud records, for the tests of what shows them."""

import random
from collections.abc import Mapping

Record = dict[str, object]

ACCOUNT = "123456789012"
PHOTOS = f"photos-{ACCOUNT}"
THUMBNAILS = f"thumbnails-{ACCOUNT}"
MILLISECOND = 1_000_000
HOSTILE = '<img src=x onerror="window.hacked=1">\u202egnp.tac\u202c & <b>굵게</b> {key}[x]'


class Story:
    """Write records one after another, as the kernel would."""

    def __init__(self, seed: int = 7) -> None:
        self.records: list[Record] = []
        self.now = 0
        self.chance = random.Random(seed)
        self.requests = 0

    def wait(self, milliseconds: float) -> None:
        """Let virtual time pass."""
        self.now += round(milliseconds * MILLISECOND)

    def add(
        self,
        kind: str,
        resource: str,
        detail: Mapping[str, object],
        cause: int | None = None,
        measured: Mapping[str, object] | None = None,
    ) -> int:
        """Record something now and return its id."""
        record_id = len(self.records) + 1
        self.records.append(
            {
                "id": record_id,
                "t": self.now,
                "cause": cause,
                "kind": kind,
                "resource": resource,
                "detail": dict(detail),
                "measured": dict(measured or {}),
            }
        )
        return record_id

    def request(self) -> str:
        """Make up the id of a request."""
        self.requests += 1
        return f"{self.requests:08x}-0000-4000-8000-{self.chance.getrandbits(48):012x}"

    def deploy(self) -> None:
        """Deploy the stack of the first lab."""
        parts = [("Photos", "AWS::S3::Bucket", PHOTOS), ("Thumbnails", "AWS::S3::Bucket", THUMBNAILS)]
        parts += [("Metadata", "AWS::DynamoDB::Table", "photo-metadata")]
        parts += [("MakeThumbnail", "AWS::Lambda::Function", "thumbnail")]
        resources = [{"logical_id": a, "type": b, "physical_id": c} for a, b, c in parts]
        self.add("deployed", "stack:lab01-thumbnail", {"resources": resources})

    def call(self, service: str, operation: str, by: str, cause: int | None = None, **detail: object) -> int:
        """Call an AWS API; `error` in the details makes it a failure."""
        resource = next(
            (f"{service}:{detail[key]}" for key in ("bucket", "table", "queue", "function") if key in detail), service
        )
        error = detail.pop("error", None)
        status = 404 if error else 200
        return self.add(
            "api.call",
            resource,
            {"service": service, "operation": operation, "by": by, "status": status, "error": error, **detail},
            cause,
        )

    def upload(self, key: str, size: int = 34_918) -> tuple[int, str]:
        """Upload a photo; give the record of its event in the queue, and the request id."""
        put = self.call("s3", "PutObject", "outside", bucket=PHOTOS, key=key, size=size)
        self.wait(self.chance.uniform(210, 380))
        detail = {"event": "ObjectCreated:Put", "bucket": PHOTOS, "key": key, "function": "thumbnail"}
        notified = self.add("s3.notification", f"s3:{PHOTOS}", detail, put)
        self.wait(3)
        request = self.request()
        queued = self.add("event.queued", "lambda:thumbnail", {"request_id": request, "source": "s3"}, notified)
        self.wait(self.chance.uniform(14, 26))
        return queued, request

    def cold_start(self, number: int, cause: int, status: str = "success") -> None:
        """Create an execution environment and run its INIT."""
        name = f"environment:thumbnail/{number}"
        environment = {"function": "thumbnail", "environment": f"thumbnail/{number}"}
        created = self.add("environment.created", name, {**environment, "reason": "cold start"}, cause)
        self.wait(2)
        started = self.add("init.started", name, environment, created)
        duration = self.chance.uniform(160, 210)
        self.wait(duration)
        detail: dict[str, object] = {**environment, "status": status, "duration_ms": duration, "durations": "modelled"}
        if status == "error":
            detail |= {"error_type": "Runtime.ImportModuleError", "error_message": "No module named 'pilow'"}
        self.add("init.ended", name, detail, started)
        self.wait(1)

    def start(self, number: int, cause: int, request: str, attempt: int = 1, cold: bool = False, source: str = "s3") -> int:
        """Start an invocation."""
        detail = {
            "function": "thumbnail",
            "environment": f"thumbnail/{number}",
            "request_id": request,
            "attempt": attempt,
            "cold": cold,
            "source": source,
            "mode": "Event",
        }
        started = self.add("invocation.started", f"environment:thumbnail/{number}", detail, cause)
        self.wait(1.5)
        return started

    def make_thumbnail(self, number: int, started: int, key: str, request: str) -> None:
        """Do what the handler of the first lab does."""
        by = f"environment:thumbnail/{number}"
        self.add("log.line", by, {"message": f"making a thumbnail of {key}", "request_id": request}, started)
        self.wait(24)
        self.call("s3", "GetObject", by, started, bucket=PHOTOS, key=key, size=34_918, request_id=request)
        self.wait(31)
        self.call("s3", "PutObject", by, started, bucket=THUMBNAILS, key=key, size=4_210, request_id=request)
        self.wait(6)
        item = {"table": "photo-metadata", "item_key": key, "request_id": request}
        self.call("dynamodb", "PutItem", by, started, **item)
        self.wait(3)

    def end(
        self, number: int, started: int, request: str, status: str = "success", duration: float = 68.4, **error: str
    ) -> int:
        """End an invocation and freeze or end its environment."""
        name = f"environment:thumbnail/{number}"
        detail = {
            "function": "thumbnail",
            "environment": f"thumbnail/{number}",
            "request_id": request,
            "status": status,
            "duration_ms": duration,
            "billed_ms": int(duration) + 1,
            **error,
        }
        measured = {"max_memory_mb": 84, "cpu_ms": 41.2}
        ended = self.add("invocation.ended", name, detail, started, measured)
        self.wait(0.2)
        if status in ("timeout", "crash"):
            self.add("environment.ended", name, {"reason": status}, ended)
        else:
            self.add("environment.frozen", name, {}, ended)
        return ended


def one_upload(key: str = "cat.png") -> Story:
    """Tell of one photo that is uploaded and needs a cold start."""
    story = Story()
    story.deploy()
    story.wait(1800)
    queued, request = story.upload(key)
    story.cold_start(1, queued)
    started = story.start(1, queued, request, cold=True)
    story.make_thumbnail(1, started, key, request)
    story.end(1, started, request)
    return story


def warm_upload(story: Story, key: str = "sea.jpg") -> None:
    """Tell of another photo, for which the first environment is still there."""
    story.wait(4200)
    queued, request = story.upload(key)
    started = story.start(1, queued, request)
    story.make_thumbnail(1, started, key, request)
    story.end(1, started, request)


def failing_upload(story: Story, key: str = "여행 사진.txt") -> None:
    """Tell of a file that makes the function fail, with two retries after 60 s and 120 s."""
    story.wait(6800)
    cause, request = story.upload(key)
    for attempt, after in ((1, 60), (2, 120), (3, 0)):
        started = story.start(1, cause, request, attempt)
        by = "environment:thumbnail/1"
        story.wait(22)
        story.call("s3", "GetObject", by, started, bucket=PHOTOS, key=key, size=120, request_id=request)
        story.wait(9)
        ended = story.end(
            1,
            started,
            request,
            "error",
            34.1,
            error_type="UnidentifiedImageError",
            error_message="cannot identify image file <_io.BytesIO object>",
        )
        if not after:
            dropped = {"request_id": request, "reason": "RetriesExhausted"}
            story.add("event.dropped", "lambda:thumbnail", dropped, ended)
            return
        retry = {"request_id": request, "attempt": attempt + 1, "after_s": after}
        cause = story.add("retry.scheduled", "lambda:thumbnail", retry, ended)
        story.wait(after * 1000)


def queue_batches(story: Story) -> None:
    """Tell of a batch that succeeds, one that fails and comes back, and a message that dies."""
    story.wait(9000)
    queue = "sqs:photo-jobs"
    sent = [story.call("sqs", "SendMessage", "outside", queue="photo-jobs") for _ in range(3)]
    for number, (count, status) in enumerate(((1, "error"), (2, "success")), start=1):
        story.wait(40)
        messages = [{"id": f"m{at}", "receive_count": number} for at in range(3)]
        received = {"mapping": "esm-1", "function": "thumbnail", "messages": messages}
        batch = story.add("batch.received", queue, received, sent[0])
        story.wait(5)
        request = story.request()
        started = story.start(1, batch, request, source="sqs")
        story.wait(80 * count)
        ids = [f"m{at}" for at in range(3)]
        if status == "error":
            ended = story.end(1, started, request, status, 81.5, error_type="KeyError", error_message="'body'")
            story.add("batch.failed", queue, {"messages": ids, "visible_after_s": 30}, ended)
            story.wait(30_000)
        else:
            ended = story.end(1, started, request, status, 161.5)
            story.add("batch.deleted", queue, {"messages": ids}, ended)


def burst(story: Story) -> None:
    """Tell of photos that arrive at once: new environments, a timeout, a crash, and a throttled event."""
    story.wait(5000)
    queued = [story.upload(f"holiday-{at}.jpg") for at in range(3)]
    story.cold_start(2, queued[0][0])
    story.cold_start(3, queued[1][0])
    throttled = {"request_id": queued[2][1], "reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
    story.add("invocation.throttled", "lambda:thumbnail", throttled, queued[2][0])
    first = story.start(2, queued[0][0], queued[0][1], cold=True)
    second = story.start(3, queued[1][0], queued[1][1], cold=True)
    story.wait(240)
    story.add("slept", "environment:thumbnail/2", {"seconds": 1.5, "request_id": queued[0][1]}, first)
    missing: dict[str, object] = {"bucket": "thumbnails", "key": "holiday-1.jpg", "error": "NoSuchBucket"}
    story.call("s3", "PutObject", "environment:thumbnail/3", second, request_id=queued[1][1], **missing)
    story.wait(30)
    story.end(3, second, queued[1][1], "crash", 273.0, error_type="Runtime.ExitError", error_message="signal: killed")
    story.wait(900)
    third = story.start(1, queued[2][0], queued[2][1])
    story.make_thumbnail(1, third, "holiday-2.jpg", queued[2][1])
    story.end(1, third, queued[2][1])
    story.wait(700)
    story.end(2, first, queued[0][1], "timeout", 2000)
    story.wait(420_000)
    story.add("environment.ended", "environment:thumbnail/1", {"reason": "idle"})


def whole_story() -> Story:
    """Tell everything above, one after another."""
    story = one_upload()
    warm_upload(story)
    failing_upload(story)
    queue_batches(story)
    burst(story)
    return story


def every_sentence() -> list[Record]:
    """Give records that need every template at least once, hostile texts among them."""
    story = whole_story()
    environment = "environment:thumbnail/9"
    base = {"function": "thumbnail", "environment": "thumbnail/9"}
    error = {"error_type": "Runtime.ExitError", "error_message": HOSTILE}
    for status in ("success", "error", "timeout", "crash"):
        story.wait(1)
        story.add("init.ended", environment, {**base, "status": status, "duration_ms": 1234.5678, **error})
        story.add("invocation.ended", environment, {**base, "status": status, "duration_ms": 9.96, "billed_ms": 10, **error})
    for reason in ("idle", "timeout", "crash", "updated", "closed", "새 이유"):
        story.add("environment.ended", environment, {"reason": reason})
    story.add("environment.created", environment, {**base, "reason": "provisioned"})
    for reset in ("timeout", "crash"):
        story.add("environment.frozen", environment, {"reset": reset})
    told = {"request_id": "r", "condition": "Success", "destination": "sqs:results"}
    story.add("destination.sent", "lambda:thumbnail", told)
    dropped = ("RetriesExhausted", "EventAgeExceeded", "RecursiveLoop", "ZeroReservedConcurrency", "ResourceNotFound", HOSTILE)
    for reason in dropped:
        story.add("event.dropped", "lambda:thumbnail", {"request_id": "r", "reason": reason})
    for by in ("outside", environment):
        for operation in ("PutObject", "GetObject", "DeleteObject", "ListObjectsV2"):
            for size in (None, 12, 2048, 5_500_000):
                story.call("s3", operation, by, bucket=PHOTOS, key=HOSTILE, size=size)
            story.call("s3", operation, by, bucket=PHOTOS, key="x" * 300, error="AccessDenied")
        for operation in ("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query"):
            story.call("dynamodb", operation, by, table="photo-metadata")
            story.call("dynamodb", operation, by, table="photo-metadata", item_key="😀" * 130)
        story.call("sqs", "SendMessage", by, queue="photo-jobs")
        story.call("lambda", "Invoke", by, function="thumbnail")
        story.call("kms", "Decrypt", by)
        story.call("sts", "GetCallerIdentity", by, error="ExpiredToken")
    story.add("log.line", environment, {"message": f"  {HOSTILE}\n\tsecond\x00line\x1b[31m\n", "request_id": "r"})
    for seconds in (0.0004, 0.25, 1, 59.996, 75.5, 3600, 5400.4):
        story.add("slept", environment, {"seconds": seconds, "request_id": "r"})
    one = [{"id": "m", "receive_count": 1}]
    story.add("batch.received", "sqs:photo-jobs", {"mapping": "m", "function": "thumbnail", "messages": one})
    story.add("batch.deleted", "sqs:photo-jobs", {"messages": ["m"]})
    story.add("batch.deleted", "sqs:photo-jobs", {"messages": ["m"], "reason": "filtered"})
    story.add("batch.deleted", "sqs:photo-jobs", {"messages": ["m", "n"], "reason": "filtered"})
    story.add("batch.failed", "sqs:photo-jobs", {"messages": ["m"], "visible_after_s": 0})
    story.add("batch.failed", "sqs:photo-jobs", {"messages": ["m"]})
    dead = {"id": "m", "receive_count": 3, "dead_letter_queue": "photo-jobs-dead"}
    story.add("message.dead", "sqs:photo-jobs", dead)
    for number in (1, 2):
        some = {"function": "thumbnail", "records": number, "first": "1", "last": "2"}
        story.add("stream.batch", "dynamodb:orders", {**some, "mapping": "m", "attempt": 1})
        story.add("stream.checkpoint", "dynamodb:orders", some)
        story.add("stream.failed", "dynamodb:orders", {**some, "after_s": 2})
        for reason in ("RetryAttemptsExhausted", "RecordAgeExceeded", HOSTILE):
            story.add("stream.discarded", "dynamodb:orders", {**some, "reason": reason})
    story.add("item.expired", "dynamodb:orders", {"item_key": {"id": HOSTILE}})
    story.call("sqs", "SendMessage", "service:lambda", queue="dead")
    story.call("sns", "Publish", "service:scheduler", error="AccessDenied")
    story.add("schedule.fired", "schedule:nightly", {"schedule": "nightly", "expression": "rate(1 day)"})
    story.add("schedule.failed", "schedule:nightly", {"schedule": "nightly", "reason": HOSTILE})
    made = {"event": "ObjectCreated:Put", "bucket": PHOTOS, "key": HOSTILE}
    story.add("s3.notification", f"s3:{PHOTOS}", {**made, "to": "queue", "queue": "photo-jobs"})
    story.add("s3.notification", f"s3:{PHOTOS}", {"event": "TestEvent", "to": "topic", "topic": "photos"})
    for endpoint in ({"function": "thumbnail"}, {"to": "queue", "queue": "photo-jobs"}):
        published = {"topic": "photos", "message_id": "m", **endpoint}
        story.add("sns.notification", "sns:photos", published)
        story.add("sns.filtered", "sns:photos", published)
        for then in ({"then": "retry", "after_s": 0}, {"then": "dead", "dead_letter_queue": "d"}, {"then": "discarded"}):
            story.add("sns.failed", "sns:photos", {**published, "reason": HOSTILE, **then})
    asked = {
        "service": "execute-api",
        "api": "abc123",
        "method": "GET",
        "path": "/photos",
        "by": "outside",
        "stage": "$default",
    }
    request = story.add("http.request", "execute-api:abc123", asked)
    story.add("http.request", "lambda-url:def456", {**asked, "service": "lambda-url", "api": "def456", "route": "$default"})
    story.add("http.response", "execute-api:abc123", {"status": 200, "duration_ms": 204.1, "request": request}, request)
    story.add("http.response", "execute-api:abc123", {"status": 502}, request)
    story.add("something.new", "states:machine:1", {"of": ["a", 1]})
    story.wait(3_725_250)
    story.add("invocation.throttled", "lambda:thumbnail", {"request_id": "r", "reason": None})
    return story.records


def many_records(count: int) -> list[Record]:
    """Give at least so many records: photo after photo in a handful of environments."""
    story = one_upload()
    while len(story.records) < count:
        number = story.chance.randrange(1, 9)
        story.wait(story.chance.choice((40, 300, 1500, 1500, 20_000)))
        key = f"photo-{len(story.records)}.jpg"
        queued, request = story.upload(key)
        if story.chance.random() < 0.1:
            story.cold_start(number, queued)
        started = story.start(number, queued, request)
        story.make_thumbnail(number, started, key, request)
        failed = story.chance.random() < 0.1
        story.end(number, started, request, "error" if failed else "success", 66.0 + story.chance.random() * 40)
    return story.records
