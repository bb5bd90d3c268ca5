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
    "s3: moto's own event calls the target inside the request, for tags too, and markers are an error": """
        import moto.s3.notifications, types
        from labs.cloud import moto_seams
        engine = moto_seams.Moto()
        told = []
        moto.s3.notifications.send_event = lambda account, event, bucket, key: told.append(str(event.value))
        s3 = client(engine, "s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"1")
        s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        s3.delete_object(Bucket="bucket", Key="k")
        assert told == ["s3:ObjectCreated:Put", "s3:ObjectTagging:Put"], told
    """,
    "s3: a put tells the hook, after the object is there": """
        from labs.cloud import moto_seams
        told, engine = [], moto_seams.Moto()
        moto_seams.cut_deliveries(told.append, engine)
        s3 = client(engine, "s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"12")
        assert told == [], "no configuration, no event"
        arn = "arn:aws:sqs:us-east-1:123456789012:q"
        rule = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"], "Id": "i"}
        s3.put_bucket_notification_configuration(
            Bucket="bucket", NotificationConfiguration={"QueueConfigurations": [rule], "EventBridgeConfiguration": {}})
        assert told == [NotificationsConfigured("bucket", (arn,))], told
        s3.put_object(Bucket="bucket", Key="k", Body=b"123")
        s3.delete_object(Bucket="bucket", Key="k")
        s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket="bucket", Key="k", Body=b"1234")
        s3.delete_object(Bucket="bucket", Key="k")
        assert [(change.event, change.key, change.size) for change in told[1:]] == [
            ("s3:ObjectCreated:Put", "k", 3), ("s3:ObjectRemoved:Delete", "k", 3),
            ("s3:ObjectCreated:Put", "k", 4), ("s3:ObjectRemoved:DeleteMarkerCreated", "k", 0)], told
        assert all(change.event_bridge and change.targets == (NotificationTarget("i", arn),) for change in told[1:])
        assert [change.version_id is not None for change in told[1:]] == [False, False, True, True]
    """,
    "sns: a publish tells the hook and calls nobody; subscriptions can be read": """
        import json, moto.sns.models
        from labs.cloud import moto_seams
        told, engine = [], moto_seams.Moto()
        called = []
        moto.sns.models.Subscription.publish = lambda *arguments, **named: called.append(arguments)
        sns = client(engine, "sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        arn = "arn:aws:sqs:us-east-1:123456789012:q"
        dead = "arn:aws:sqs:us-east-1:123456789012:d"
        redrive = json.dumps({"deadLetterTargetArn": dead})
        attributes = {"RawMessageDelivery": "true", "FilterPolicy": '{"a": ["b"]}', "RedrivePolicy": redrive}
        made = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes, ReturnSubscriptionArn=True)
        sns.publish(TopicArn=topic, Message="m")
        assert len(called) == 1, "moto delivers inside Publish"
        moto_seams.cut_deliveries(told.append, engine)
        tag = {"a": {"DataType": "String", "StringValue": "b"}}
        sent = sns.publish(TopicArn=topic, Message="m", Subject="s", MessageAttributes=tag)
        assert len(called) == 1
        assert told == [MessagePublished(topic, sent["MessageId"], "m", "s", {"a": ("String", "b")}, False)], told
        (found,) = moto_seams.subscriptions(topic)
        assert found == moto_seams.Subscription(
            made["SubscriptionArn"], "sqs", arn, True, {"a": ["b"]}, "MessageAttributes", dead), found
    """,
    "targets: policies of functions, queues and topics can be read": """
        import pytest
        from labs.cloud import moto_seams
        engine = moto_seams.Moto()
        for kind in ("lambda:us-east-1:123456789012:function", "sqs:us-east-1:123456789012", "sns:us-east-1:123456789012"):
            with pytest.raises(moto_seams.MissingTargetError):
                moto_seams.target_policy(f"arn:aws:{kind}:nobody")
        client(engine, "sqs").create_queue(QueueName="q")
        assert moto_seams.target_policy("arn:aws:sqs:us-east-1:123456789012:q") is None
        topic = client(engine, "sns").create_topic(Name="t")["TopicArn"]
        assert moto_seams.target_policy(topic)["Statement"][0]["Effect"] == "Allow"
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
        assert 29 < moto_seams.next_visible_ns(arn) / 1e9 - time.time() < 30.1
        assert moto_seams.visibility_timeout(arn) == 30
        began = time.monotonic()
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        assert time.monotonic() - began < 5
        assert engine.wait == (arn, 20)
        moto_seams.delete_messages(arn, [message.receipt_handle, "nonsense"])
        assert moto_seams.next_visible_ns(arn) is None
    """,
    "streams: records are appended, kept and numbered, and told": """
        from labs.cloud import moto_seams
        from labs.cloud.changes import StreamGrew, TimeToLiveChanged
        told, engine = [], moto_seams.Moto()
        def table(name):
            client(engine, "dynamodb").create_table(
                TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        def upsert(name, value):
            client(engine, "dynamodb").update_item(TableName=name, Key={"id": {"S": "1"}}, UpdateExpression="SET n = :n",
                ExpressionAttributeValues={":n": value})
        import moto.dynamodb.models
        tables = moto.dynamodb.models.dynamodb_backends[moto_seams.ACCOUNT][moto_seams.REGION].tables
        table("plain")
        upsert("plain", {"N": "1"})
        assert len(tables["plain"].stream_shard.items) == 2, "plain moto shows two changes"
        moto_seams.cut_deliveries(told.append, engine)
        table("ours")
        arn = tables["ours"].table_arn + "/stream/" + tables["ours"].latest_stream_label
        end = moto_seams.stream_end(arn, latest=True)
        upsert("ours", {"N": "1"})
        upsert("ours", {"N": "1"})
        upsert("ours", {"B": b"\\x00"})
        one, two = moto_seams.stream_records(arn, end)
        assert (one.event, two.event, two.sequence) == ("INSERT", "MODIFY", one.sequence + 1)
        assert told == [StreamGrew(arn, one.sequence), StreamGrew(arn, two.sequence)], told
        assert moto_seams.stream_records(arn, one.sequence) == (two,)
        dynamodb = client(engine, "dynamodb")
        dynamodb.update_time_to_live(TableName="ours", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
        assert told[-1] == TimeToLiveChanged()
        import time
        dynamodb.put_item(TableName="ours", Item={"id": {"S": "1"}, "until": {"N": str(int(time.time()) - 5)}})
        gone = []
        assert moto_seams.expire_items(lambda *removed: gone.append(removed))
        assert gone[0][:2] == ("ours", {"id": {"S": "1"}}), gone
        assert dynamodb.scan(TableName="ours")["Count"] == 0
    """,
    "schedules: what AWS refuses is refused, and changes are told": """
        from labs.cloud import moto_seams
        from labs.cloud.changes import SchedulesChanged
        told, engine = [], moto_seams.Moto()
        events, scheduler = client(engine, "events"), client(engine, "scheduler")
        def schedule(zone):
            scheduler.create_schedule(Name=zone[:4], ScheduleExpression="rate(1 minute)", ScheduleExpressionTimezone=zone,
                FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:q",
                "RoleArn": "arn:aws:iam::123456789012:role/r"}, ActionAfterCompletion="DELETE")
        events.put_rule(Name="a", ScheduleExpression="rate(1 minutes)")
        schedule("Mars/Base")
        moto_seams.cut_deliveries(told.append, engine)
        import botocore.exceptions, pytest
        with pytest.raises(botocore.exceptions.ClientError):
            events.put_rule(Name="b", ScheduleExpression="rate(1 minutes)")
        with pytest.raises(botocore.exceptions.ClientError):
            schedule("Moon/Base")
        assert told == []
        events.put_rule(Name="b", ScheduleExpression="rate(2 minutes)", State="DISABLED")
        schedule("Asia/Seoul")
        assert told == [SchedulesChanged()] * 2
        found = {one.name: one for one in moto_seams.schedules()}
        assert (found["b"].expression, found["b"].enabled, found["b"].group) == ("rate(2 minutes)", False, None)
        assert (found["Asia"].timezone, found["Asia"].delete_afterwards, found["Asia"].group) == ("Asia/Seoul", True, "default")
        moto_seams.delete_schedule("default", "Asia")
        assert "Asia" not in {one.name for one in moto_seams.schedules()}
    """,
    "sqs: a deep queue costs what a shallow one does": """
        import time
        from labs.cloud import moto_seams
        engine = moto_seams.Moto()
        moto_seams.cut_deliveries(lambda change: None, engine)
        import moto.sqs.models
        backend = moto.sqs.models.sqs_backends[moto_seams.ACCOUNT]["us-east-1"]
        backend.create_queue("q")
        def cost(depth):
            began = time.process_time()
            for number in range(depth):
                backend.send_message("q", str(number))
            while found := backend.receive_message("q", 10, 0, 30):
                for message in found:
                    backend.delete_message("q", message.receipt_handle)
            return (time.process_time() - began) / depth
        cost(100)
        shallow = min(cost(500) for _ in range(3))
        assert cost(20_000) < 4 * shallow
    """,
    "sqs: a declared fault delivers a deleted message once more": """
        from labs.cloud import faults, moto_seams
        from labs.cloud.kernel import SECOND, Kernel
        def delivered(seed, fault, name="q"):
            kernel = Kernel(seed=seed, epoch_ns=1_767_344_400 * 10**9)
            faults.declare(fault, kernel)
            queue = backend.create_queue(name, FifoQueue=str(name.endswith(".fifo")))
            group = dict(group_id="g") if queue.fifo_queue else {}
            for number in range(20):
                backend.send_message(name, str(number), deduplication_id=str(number) if group else None, **group)
            bodies = []
            for _ in range(3):
                while found := backend.receive_message(name, 10, 0, 30):
                    for message in found:
                        bodies.append(int(message.body))
                        backend.delete_message(name, message.receipt_handle)
                clock.move(moto_seams.VirtualTime.now + 30 * SECOND)
            backend.delete_queue(name)
            return [number for number in range(20) for _ in range(bodies.count(number) - 1)]
        engine = moto_seams.Moto()
        moto_seams.cut_deliveries(lambda change: None, engine)
        import moto.sqs.models
        clock = moto_seams.VirtualTime(1_767_344_400 * 10**9)
        backend = moto.sqs.models.sqs_backends[moto_seams.ACCOUNT]["us-east-1"]
        some = faults.DeliveredTwice(share=0.3)
        assert delivered(1, None) == []
        assert delivered(1, faults.DeliveredTwice()) == list(range(20)), "each once more, and only once more"
        assert 0 < len(delivered(1, some)) < 20
        assert delivered(1, some) == delivered(1, some) != delivered(2, some)
        assert len(delivered(1, faults.DeliveredTwice(at_most=2))) == 2
        assert delivered(1, faults.DeliveredTwice(queue="other")) == []
        assert delivered(1, faults.DeliveredTwice(), "q.fifo") == [], "exactly once"
    """,
    "engine: a request does not list moto's own folder": """
        import os
        from labs.cloud import moto_seams
        import moto.backends, moto.moto_server.werkzeug_app as served
        listed, listdir = [], os.listdir
        os.listdir = lambda path=".": listed.append(path) or listdir(path)
        served.DomainDispatcherApplication(lambda service: None).get_backend_for_host("sqs")
        assert listed, "moto does not do it any more: the seam is not needed"
        engine = moto_seams.Moto()
        sqs = client(engine, "sqs")
        sqs.list_queues()
        listed.clear()
        sqs.list_queues()
        assert listed == [], listed
    """,
    "lambda: what moto forgets of a function is kept, and versions do not change": """
        import io, json, zipfile
        from labs.cloud import moto_seams
        engine = moto_seams.Moto()
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("h.py", "")
        dead = {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"}
        role = client(engine, "iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        functions = client(engine, "lambda")
        def create(name):
            return functions.create_function(FunctionName=name, Runtime="python3.12", Handler="h.h", Role=role,
                Code={"ZipFile": made.getvalue()}, DeadLetterConfig=dead)
        plain = create("plain")
        assert "RevisionId" not in plain and "DeadLetterConfig" not in plain, "moto keeps them by now"
        moto_seams.complete_functions()
        assert create("f")["DeadLetterConfig"] == dead
        functions.publish_version(FunctionName="f")
        functions.update_function_configuration(FunctionName="f", DeadLetterConfig={"TargetArn": ""}, Timeout=9)
        one, latest = moto_seams.function_version("f", "1"), moto_seams.function_version("f")
        assert (one.dead_letter_arn, one.timeout, latest.dead_letter_arn, latest.timeout) == (dead["TargetArn"], 3, None, 9)
        functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
        assert moto_seams.function_version("f:live").invoked_arn.endswith(":f:live")
        assert moto_seams.function_version("f:live").version == "1"
        functions.delete_function(FunctionName="f", Qualifier="1")
        assert functions.publish_version(FunctionName="f")["Version"] == "2"
        assert moto_seams.reserved("f") is None and moto_seams.reserved("gone") is None
    """,
    "cloudwatch: a metric of AWS's own is there": """
        import datetime
        from labs.cloud import moto_seams
        engine = moto_seams.Moto()
        now = datetime.datetime.now(datetime.UTC)
        moto_seams.put_metric("AWS/Lambda", "Errors", 1, "Count", {"FunctionName": "f"}, int(now.timestamp() * 1e9))
        found = client(engine, "cloudwatch").get_metric_statistics(Namespace="AWS/Lambda", MetricName="Errors", Period=60,
            Dimensions=[{"Name": "FunctionName", "Value": "f"}], StartTime=now - datetime.timedelta(minutes=5),
            EndTime=now + datetime.timedelta(minutes=5), Statistics=["Sum"])["Datapoints"]
        assert [point["Sum"] for point in found] == [1.0]
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
    "policies: what roles and resources have is there": """
        import json
        from labs.cloud import moto_seams
        engine = moto_seams.Moto()
        iam, s3 = client(engine, "iam"), client(engine, "s3")
        def document(action):
            statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
            return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document("sts:AssumeRole"))["Role"]
        managed = iam.create_policy(PolicyName="m", PolicyDocument=document("s3:Get*"))["Policy"]["Arn"]
        iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=document("sqs:*"))
        iam.attach_role_policy(RoleName="r", PolicyArn=managed)
        def actions(policies):
            return [policy["Statement"][0]["Action"] for policy in policies]
        found = moto_seams.role_policies(role["Arn"])
        assert (actions(found.policies), found.boundary) == (["sqs:*", "s3:Get*"], None)
        iam.create_policy_version(PolicyArn=managed, PolicyDocument=document("s3:Put*"), SetAsDefault=True)
        iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=managed)
        found = moto_seams.role_policies(role["Arn"])
        assert actions([*found.policies, found.boundary]) == ["sqs:*", "s3:Put*", "s3:Put*"], found
        assert moto_seams.role_policies("arn:aws:iam::123456789012:role/gone").policies == ()
        assert moto_seams.role_id(role["Arn"]) == role["RoleId"]
        keys = client(engine, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
        assert moto_seams.assumed_role(keys["AccessKeyId"]) == (role["Arn"], "me")
        assert moto_seams.assumed_role("AKIAOUTSIDEOUTSIDE00") is None
        s3.create_bucket(Bucket="bucket")
        assert moto_seams.resource_policy("arn:aws:s3:::bucket/k") is None
        s3.put_bucket_policy(Bucket="bucket", Policy=document("s3:*"))
        assert actions([moto_seams.resource_policy("arn:aws:s3:::bucket/k")]) == ["s3:*"]
        for nonsense in ("arn:aws", "arn:aws:sns:mars:1:x", "arn:aws:sqs:us-east-1:123456789012:gone", "x"):
            assert moto_seams.resource_policy(nonsense) is None
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
from labs.cloud.changes import (
    MessageAdded, MessagePublished, NotificationsConfigured, NotificationTarget, ObjectChanged)
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
