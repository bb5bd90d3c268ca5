"""Each place where we touch moto's internals: these fail when moto changes under us. They run moto in a process of its own."""

import subprocess
import sys
import textwrap

import pytest

from tests.cloud.conftest import PROJECT

# Every script sees plain moto first and our seam afterwards, so that it also fails when the seam is not needed any more.
SCRIPTS = {
    "time: moto's clocks stand still and follow": """
        from labs.cloud import moto_seams
        from moto.core.utils import unix_time, utcnow
        clock = moto_seams.VirtualTime(1_767_344_400 * 10**9)
        assert unix_time() == 1_767_344_400 == unix_time()
        clock.move((1_767_344_400 + 3600) * 10**9 + 5_000)
        assert abs(unix_time() - 1_767_348_000.000005) < 1e-6, unix_time()
        assert utcnow().isoformat().startswith("2026-01-02T10:00:00")
    """,
    "seed: ids follow from it": """
        import uuid, random
        from labs.cloud import moto_seams
        from moto.moto_api._internal import mock_random
        def draw():
            moto_seams.seed(5)
            return mock_random.uuid4(), mock_random.get_random_hex(8), uuid.uuid4(), random.random()
        assert draw() == draw()
    """,
    "lambda: nothing of moto's own runs": """
        import pytest
        from labs.cloud import moto_seams
        import moto.awslambda.models as models
        engine = moto_seams.Moto()
        moto_seams.cut_deliveries(print, engine)
        with pytest.raises(NotImplementedError):
            models.LambdaFunction._invoke_lambda(None, "{}")
    """,
    "s3: a put tells the hook, after the object is there": """
        from labs.cloud import moto_seams
        told, engine = [], moto_seams.Moto()
        moto_seams.cut_deliveries(told.append, engine)
        s3 = client(engine, "s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"12")
        assert told == [], "no configuration, no event"
        import moto.s3.models, types
        bucket = moto.s3.models.s3_backends[moto_seams.ACCOUNT]["aws"].buckets["bucket"]
        rule = types.SimpleNamespace(id="i", arn="arn:aws:lambda:us-east-1:123456789012:function:f", matches=lambda e, k: True)
        bucket.notification_configuration = types.SimpleNamespace(cloud_function=[rule])
        s3.put_object(Bucket="bucket", Key="k", Body=b"123")
        s3.delete_object(Bucket="bucket", Key="k")
        assert [(change.event, change.key, change.size) for change in told if "Tagging" not in change.event] == [
            ("s3:ObjectCreated:Put", "k", 3), ("s3:ObjectRemoved:Delete", "k", 3)], told
    """,
    "sqs: a send tells the hook and calls no function; a long poll does not wait": """
        import time
        from labs.cloud import moto_seams
        told, engine = [], moto_seams.Moto()
        moto_seams.cut_deliveries(told.append, engine)
        sqs = client(engine, "sqs")
        url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:123456789012:q"
        sent = sqs.send_message(QueueUrl=url, MessageBody="m")["MessageId"]
        assert told == [MessageAdded(arn, sent)]
        (message,) = moto_seams.receive(arn, 10)
        assert (message.id, message.body, message.receive_count) == (sent, "m", 1)
        assert moto_seams.receive(arn, 10) == []
        assert 29_000 < moto_seams.next_visible_ms(arn) - time.time() * 1000 < 30_100
        assert moto_seams.visibility_timeout(arn) == 30
        began = time.monotonic()
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        assert time.monotonic() - began < 5
        assert engine.wait == (arn, 20)
        moto_seams.delete_messages(arn, [message.receipt_handle, "nonsense"])
        assert moto_seams.next_visible_ms(arn) is None
    """,
    "gateways: function URLs end with a slash, a REST API's binary media types come from the path": """
        from labs.cloud import moto_seams
        import moto.apigateway.models as apigateway, moto.awslambda.models as awslambda, types
        engine = moto_seams.Moto()
        gateway = client(engine, "apigateway")
        def media_types():
            api = gateway.create_rest_api(name="r")["id"]
            add = {"op": "add", "path": "/binaryMediaTypes/image~1png"}
            gateway.update_rest_api(restApiId=api, patchOperations=[add])
            return apigateway.apigateway_backends[moto_seams.ACCOUNT][moto_seams.REGION].apis[api].binaryMediaTypes
        function = types.SimpleNamespace(region="us-east-1")
        assert media_types() == [""] and not awslambda.FunctionUrlConfig(function, {}).url.endswith("/")
        moto_seams.repair_gateways()
        assert media_types() == ["image/png"] and awslambda.FunctionUrlConfig(function, {}).url.endswith("on.aws/")
    """,
    "logs: lines are there": """
        import time
        from labs.cloud import moto_seams
        engine = moto_seams.Moto()
        moto_seams.write_log("/aws/lambda/f", "s", int(time.time() * 1000), ["one", "two"])
        events = client(engine, "logs").get_log_events(logGroupName="/aws/lambda/f", logStreamName="s")["events"]
        assert [event["message"] for event in events] == ["one", "two"]
    """,
}

PRELUDE = """
import botocore.awsrequest, botocore.session, io
from urllib.parse import urlsplit
from labs.cloud.front import Request
from labs.cloud.changes import MessageAdded, ObjectChanged
class Body(io.BytesIO):
    def stream(self, **options):
        yield self.read()
def client(engine, service):
    made = botocore.session.Session().create_client(
        service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b", endpoint_url="http://127.0.0.1:4566")
    def send(request, **event):
        parts = urlsplit(request.url)
        headers = {k.lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        target = parts.path + ("?" + parts.query if parts.query else "")
        body = body if isinstance(body, bytes) else body.encode()
        answer = engine.answer(Request(request.method, target, {"host": parts.netloc, **headers}, body))
        headers = {k.lower(): v for k, v in answer.headers}
        return botocore.awsrequest.AWSResponse(request.url, answer.status, headers, Body(answer.body))
    made.meta.events.register("before-send", send)
    return made
"""


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_seam_holds(name: str) -> None:
    script = PRELUDE + textwrap.dedent(SCRIPTS[name])
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_moto_is_touched_in_one_module_only() -> None:
    """The bench runs moto's own server as a peer and touches nothing inside it."""
    elsewhere = [
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "labs").rglob("*.py")
        if path.parent.name != "moto_seams"
        and path.name != "bench.py"
        and ("import moto\n" in (text := path.read_text("utf-8")) or "from moto" in text or "import moto." in text)
    ]
    assert elsewhere == []
