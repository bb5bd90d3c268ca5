"""Every place where we touch moto's internals: what we take from it, and what of its behaviour we replace, and why.

moto keeps the account: control plane and stores. Its deliveries (S3 notifications, SQS to Lambda, Lambda itself) happen inside
the request that causes them, without polling, batching, retry by time or concurrency; they are cut here and made anew by
`labs.cloud.functions` and `labs.cloud.deliveries`. Written against moto 5.2.5; tests/cloud/test_moto_seams.py fails when moto
changes under one of these.
"""

import datetime
import io
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import moto.awslambda.models
import moto.awslambda.responses
import moto.cloudformation.models
import moto.dynamodb.models
import moto.iam.models
import moto.logs.models
import moto.s3.models
import moto.s3.notifications
import moto.server
import moto.sqs.models
import moto.sts.models
import time_machine
from moto.core.models import default_user_config
from moto.moto_api._internal import mock_random
from werkzeug.test import run_wsgi_app

from labs.cloud.front import Request, Response

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """What Lambda knows of one version of a function. Times in seconds, sizes in MB."""

    account: str
    region: str
    name: str
    version: str
    arn: str
    handler: str
    runtime: str
    role: str
    timeout: int
    memory_mb: int
    tmp_mb: int
    environment: Mapping[str, str]
    code_sha256: str
    code: bytes
    reserved_concurrency: int | None
    maximum_retry_attempts: int
    maximum_event_age: int

    @property
    def log_group(self) -> str:
        """Name the function's log group."""
        return f"/aws/lambda/{self.name}"


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """One event source mapping of a queue. Window in seconds."""

    uuid: str
    arn: str
    queue_arn: str
    function_arn: str
    enabled: bool
    batch_size: int
    window: int
    partial_responses: bool
    maximum_concurrency: int | None


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One message as a poller received it. Timestamps in milliseconds since 1970."""

    id: str
    body: str
    receipt_handle: str
    md5: str
    receive_count: int
    sent: int
    first_received: int
    sender: str
    attributes: Mapping[str, Mapping[str, object]]
    system: Mapping[str, str]


class Hooks(Protocol):
    """What the account is told when moto's stores change."""

    def object_changed(self, account: str, event: str, bucket: str, target: "ObjectChange") -> None:
        """An object was created or removed, and a notification configuration matches."""

    def message_added(self, queue_arn: str, message_id: str) -> None:
        """A queue has a new message."""

    def message_dead(self, queue_arn: str, message_id: str, receive_count: int) -> None:
        """A message was moved to this dead-letter queue."""

    def mappings_changed(self) -> None:
        """An event source mapping was created, updated or deleted."""


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """The object of an S3 event and the functions whose notification configuration matches."""

    key: str
    size: int
    etag: str
    version_id: str | None
    bucket_arn: str
    region: str
    functions: tuple[tuple[str, str], ...]  # (configuration id, function ARN)


def seed(number: int) -> None:
    """Make everything that moto draws follow from `number`: its own generator, `random` and `uuid`."""
    mock_random.seed(number)
    random.seed(number)
    ids = random.Random(f"uuid/{number}")

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=ids.getrandbits(128), version=4)

    uuid.uuid4 = uuid4


class VirtualTime:
    """Hold moto's clocks at virtual time. Monotonic clocks, thread time-outs and sockets stay real."""

    def __init__(self, wall_ns: int) -> None:
        self._now = wall_ns
        start = datetime.datetime.fromtimestamp(0, datetime.UTC)
        self._traveller = time_machine.travel(start, tick=False).start()
        self._traveller.shift(datetime.timedelta(microseconds=wall_ns // 1000))

    def move(self, wall_ns: int) -> None:
        """Set the clocks, nanoseconds since 1970."""
        self._traveller.shift((wall_ns - self._now) / 1e9)
        self._now = wall_ns


class Moto:
    """moto's WSGI application, called on the kernel's thread without a socket."""

    def __init__(self) -> None:
        self._app = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)
        self.wait: tuple[str, int] | None = None  # the queue and seconds of the long poll that the last request asked for

    def answer(self, request: Request) -> Response:
        """Let moto answer one request."""
        self.wait = None
        environ: dict[str, object] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": request.path.encode("utf-8").decode("latin-1"),
            "RAW_URI": request.target,
            "REQUEST_URI": request.target,
            "QUERY_STRING": request.query_string,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "4566",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(request.body)),
        }
        for name, value in request.headers.items():
            if name in ("content-length", "transfer-encoding", "expect"):
                continue
            variable = name.upper().replace("-", "_")
            environ[variable if name == "content-type" else f"HTTP_{variable}"] = value
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        body = b"".join(chunks)
        code = int(status.partition(" ")[0])
        return Response(code, tuple((name, value) for name, value in headers.items()), body)


def cut_deliveries(hooks: Hooks, engine: Moto) -> None:
    """Replace moto's own deliveries by calls of `hooks`. Done once per process."""
    # With use_docker False `get_backend` answers with the backend that never runs code; the stores are the other one's.
    default_user_config["lambda"]["use_docker"] = True
    moto.awslambda.models.LambdaFunction._invoke_lambda = _refuse_to_invoke

    def send_event(account_id: str, event_name: str, bucket: "moto.s3.models.FakeBucket", key: object) -> None:
        # moto would invoke the function inside PutObject and hand it an event without most of AWS's fields.
        change = _object_change(str(getattr(event_name, "value", event_name)), bucket, key)
        if change is not None:
            hooks.object_changed(account_id, str(getattr(event_name, "value", event_name)), bucket.name, change)

    moto.s3.notifications.send_event = send_event

    backend = moto.awslambda.models.LambdaBackend
    create, update, delete = (
        backend.create_event_source_mapping,
        backend.update_event_source_mapping,
        backend.delete_event_source_mapping,
    )

    def create_mapping(self: object, spec: dict[str, object]) -> object:
        mapping = create(self, spec)
        # moto's queues call the functions of their mappings inside SendMessage; an empty table keeps them from it.
        for queue in moto.sqs.models.sqs_backends[mapping.account_id][mapping.region].queues.values():
            queue.lambda_event_source_mappings.clear()
        hooks.mappings_changed()
        return mapping

    def update_mapping(self: object, uuid: str, spec: dict[str, object]) -> object:
        mapping = update(self, uuid, spec)
        hooks.mappings_changed()
        return mapping

    def delete_mapping(self: object, uuid: str) -> object:
        mapping = delete(self, uuid)
        hooks.mappings_changed()
        return mapping

    backend.create_event_source_mapping = create_mapping
    backend.update_event_source_mapping = update_mapping
    backend.delete_event_source_mapping = delete_mapping

    add_message = moto.sqs.models.Queue.add_message

    def add_and_tell(self: "moto.sqs.models.Queue", message: "moto.sqs.models.Message") -> None:
        add_message(self, message)
        if message.approximate_receive_count:
            hooks.message_dead(self.queue_arn, message.id, message.approximate_receive_count)
        hooks.message_added(self.queue_arn, message.id)

    moto.sqs.models.Queue.add_message = add_and_tell

    receive = moto.sqs.models.SQSBackend.receive_message

    def receive_without_waiting(
        self: "moto.sqs.models.SQSBackend",
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[object]:
        # moto waits on the real clock while virtual time stands still, that is for ever: the account parks the call instead.
        found: list[object] = receive(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
        if not found and wait_seconds_timeout:
            engine.wait = (self.get_queue(queue_name).queue_arn, int(wait_seconds_timeout))
        return found

    moto.sqs.models.SQSBackend.receive_message = receive_without_waiting


def _refuse_to_invoke(self: object, event: str | None = None) -> tuple[str, bool, str]:
    # Reached by the sources that this cloud does not deliver yet (SNS, streams, log subscriptions). Docker must not start.
    raise NotImplementedError("this event source is not simulated")


def _object_change(event: str, bucket: "moto.s3.models.FakeBucket", key: object) -> ObjectChange | None:
    configuration = bucket.notification_configuration
    if configuration is None:
        return None
    name, etag = str(getattr(key, "name", "")), str(getattr(key, "etag", ""))
    functions = tuple((str(rule.id), str(rule.arn)) for rule in configuration.cloud_function if rule.matches(event, name))
    if not functions:
        return None
    version = getattr(key, "version_id", None)
    return ObjectChange(
        key=name,
        size=int(getattr(key, "size", 0) or 0),
        etag=etag.strip('"'),
        version_id=str(version) if version and bucket.versioning_status == "Enabled" else None,
        bucket_arn=bucket.arn,
        region=bucket.region_name,
        functions=functions,
    )


class UnknownFunctionError(Exception):
    """There is no such function, version or alias; `arn` is what was asked for."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


def function_version(name_or_arn: str, qualifier: str | None = None) -> FunctionVersion:
    """Look a function up. Raises UnknownFunctionError."""
    backend = moto.awslambda.models.lambda_backends[ACCOUNT][REGION]
    try:
        found = backend.get_function(name_or_arn, qualifier)
    except moto.awslambda.models.UnknownFunctionException as error:
        name = name_or_arn.rpartition(":function:")[2]
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")
        raise UnknownFunctionError(arn) from error
    # moto appends each configuration and reads the first: the newest one counts.
    configured = found.event_invoke_config[-1].config if found.event_invoke_config else {}
    version = str(found.version)
    retries, age = configured.get("MaximumRetryAttempts"), configured.get("MaximumEventAgeInSeconds")
    reserved = found.reserved_concurrency
    return FunctionVersion(
        account=ACCOUNT,
        region=REGION,
        name=found.function_name,
        version=version,
        arn=found.function_arn,
        handler=found.handler or "",
        runtime=found.run_time or "",
        role=found.role,
        # CloudFormation hands numbers over as strings.
        timeout=int(found.timeout),
        memory_mb=int(found.memory_size),
        tmp_mb=int(found.ephemeral_storage),
        environment={str(name): str(value) for name, value in (found.environment_vars or {}).items()},
        code_sha256=found.code_sha_256,
        code=bytes(found.code_bytes or b""),
        reserved_concurrency=None if reserved in (None, "") else int(reserved),
        maximum_retry_attempts=2 if retries is None else int(retries),
        maximum_event_age=21_600 if age is None else int(age),
    )


def queue_mappings() -> list[QueueMapping]:
    """List the event source mappings whose source is a queue."""
    backend = moto.awslambda.models.lambda_backends[ACCOUNT][REGION]
    found = []
    for mapping in backend._event_source_mappings.values():
        if ":sqs:" not in mapping.event_source_arn:
            continue
        scaling = mapping.scaling_config or {}
        maximum = scaling.get("MaximumConcurrency")
        found.append(
            QueueMapping(
                uuid=mapping.uuid,
                arn=mapping.arn,
                queue_arn=mapping.event_source_arn,
                function_arn=mapping.function_arn,
                enabled=str(mapping.enabled).lower() != "false",
                batch_size=int(mapping.batch_size),
                window=int(mapping.max_batch_window or 0),
                partial_responses="ReportBatchItemFailures" in (mapping.function_response_types or ()),
                maximum_concurrency=None if maximum is None else int(maximum),
            )
        )
    return found


def _queue(queue_arn: str) -> "moto.sqs.models.Queue | None":
    *_, region, account, name = queue_arn.split(":")
    return moto.sqs.models.sqs_backends[account][region].queues.get(name)


def receive(queue_arn: str, count: int) -> list[ReceivedMessage]:
    """Receive up to `count` messages as a poller does, with the queue's own visibility timeout."""
    queue = _queue(queue_arn)
    if queue is None:
        return []
    backend = moto.sqs.models.sqs_backends[queue.account_id][queue.region]
    found = backend.receive_message(queue.name, count, 0, int(queue.visibility_timeout), ["All"])
    return [
        ReceivedMessage(
            id=message.id,
            body=message.body,
            receipt_handle=message.receipt_handle,
            md5=message.body_md5,
            receive_count=message.approximate_receive_count,
            sent=int(message.sent_timestamp),
            first_received=int(message.approximate_first_receive_timestamp),
            sender=message.sender_id,
            attributes=message.message_attributes,
            system={
                name: value
                for name, value in (
                    ("MessageGroupId", message.group_id),
                    ("MessageDeduplicationId", message.deduplication_id),
                    ("SequenceNumber", message.sequence_number),
                )
                if value is not None
            },
        )
        for message in found
    ]


def delete_messages(queue_arn: str, receipt_handles: Sequence[str]) -> None:
    """Delete messages after a batch succeeded; one that is gone already is no error."""
    queue = _queue(queue_arn)
    if queue is not None:
        for handle in receipt_handles:
            try:
                queue.delete_message(handle)
            except moto.sqs.models.ReceiptHandleIsInvalid:
                continue


def make_visible(queue_arn: str, receipt_handles: Sequence[str]) -> None:
    """Give messages back at once, as after a throttled invocation that never ran."""
    queue = _queue(queue_arn)
    if queue is not None:
        backend = moto.sqs.models.sqs_backends[queue.account_id][queue.region]
        for handle in receipt_handles:
            backend.change_message_visibility(queue.name, handle, 0)


def visibility_timeout(queue_arn: str) -> int:
    """Give the queue's visibility timeout in seconds."""
    queue = _queue(queue_arn)
    return 0 if queue is None else int(queue.visibility_timeout)


def dead_letter_queue(queue_arn: str) -> str | None:
    """Give the ARN of the queue that takes this queue's poison messages."""
    queue = _queue(queue_arn)
    if queue is None or queue.dead_letter_queue is None:
        return None
    return str(queue.dead_letter_queue.queue_arn)


def visible_messages(queue_arn: str) -> int:
    """Count the messages that a poller could receive now."""
    queue = _queue(queue_arn)
    return 0 if queue is None else len(queue.messages)


def next_visible_ms(queue_arn: str) -> float | None:
    """Tell when the next hidden or delayed message can be received (ms since 1970); None when there is none."""
    queue = _queue(queue_arn)
    if queue is None:
        return None
    # `Message.visible` asks for later than `visible_at`, so the first instant that counts is one millisecond after it.
    times = [
        max(message.visible_at + 1, message.delayed_until)
        for message in queue._messages
        if not message.visible or message.delayed
    ]
    return min(times, default=None)


def write_log(group: str, stream: str, wall_ms: int, messages: Sequence[str]) -> None:
    """Append lines to a log stream of CloudWatch Logs, creating group and stream as Lambda does."""
    backend = moto.logs.models.logs_backends[ACCOUNT][REGION]
    backend.ensure_log_group(group)
    if stream not in backend.groups[group].streams:
        backend.groups[group].create_log_stream(stream)
    backend.put_log_events(group, stream, [{"timestamp": wall_ms, "message": message} for message in messages])
