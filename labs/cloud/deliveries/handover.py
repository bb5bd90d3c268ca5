"""How one service hands something to another: by the target's own API, under the record that says so."""

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from labs.cloud import moto_seams
from labs.cloud.caller import SERVICE, Caller
from labs.cloud.front import Request, Response
from labs.cloud.resource_policies import ServiceAction, allows

if TYPE_CHECKING:
    from labs.cloud.account import Account

# A message attribute as SNS and SQS write it: its type, and its value as text or bytes.
Attributes = Mapping[str, tuple[str, str | bytes]]


def send_message(
    account: "Account",
    queue_arn: str,
    body: str,
    cause: int | None,
    *,
    attributes: Attributes | None = None,
    group: str | None = None,
    deduplication: str | None = None,
) -> int:
    """Send a message to a queue and give the HTTP status: 200, or why not."""
    *_, region, owner, name = queue_arn.split(":")
    parameters: dict[str, object] = {"QueueUrl": f"http://127.0.0.1:4566/{owner}/{name}", "MessageBody": body}
    if attributes:
        parameters["MessageAttributes"] = {name: _attribute(*attribute) for name, attribute in attributes.items()}
    if group is not None:
        parameters["MessageGroupId"] = group
    if deduplication is not None:
        parameters["MessageDeduplicationId"] = deduplication
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"}
    return _call(account, "sqs", region, headers, json.dumps(parameters).encode(), cause).status


def publish(account: "Account", topic_arn: str, message: str, subject: str, cause: int | None) -> int:
    """Publish to a topic and give the HTTP status: 200, or why not."""
    form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic_arn, "Message": message, "Subject": subject}
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    return _call(account, "sns", topic_arn.split(":")[3], headers, urlencode(form).encode(), cause).status


def _attribute(kind: str, value: str | bytes) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"DataType": kind, "BinaryValue": base64.b64encode(value).decode()}
    return {"DataType": kind, "StringValue": value}


def _call(account: "Account", service: str, region: str, headers: dict[str, str], body: bytes, cause: int | None) -> Response:
    signed = {
        "host": f"{service}.{region}.amazonaws.com",
        "authorization": f"AWS4-HMAC-SHA256 Credential=AKIASERVICESERVICE00/20260101/{region}/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0",
        "content-length": str(len(body)),
        **headers,
    }
    answers: list[Response] = []
    account.call(Request("POST", "/", signed, body), Caller(SERVICE, cause), answers.append)
    return answers[0]


_ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}


def refusal(target: str, service: str, source_arn: str) -> str | None:
    """Say why a service may not call a target for a source; None when it may."""
    kind = target.split(":")[2]
    words = {"lambda": "Lambda", "sqs": "queue", "sns": "topic"}
    try:
        policy = moto_seams.target_policy(target)
    except moto_seams.MissingTargetError:
        return f"The destination {words.get(kind, kind)} does not exist"
    if allows(policy, ServiceAction(service, _ACTIONS[kind], target, source_arn, moto_seams.ACCOUNT)):
        return None
    return f"Not authorized to invoke function [{target}]" if kind == "lambda" else f"Not authorized to call the {words[kind]}"


def resource_name(arn: str) -> str:
    """Give the name that a trace shows for a target: a function's, a queue's or a topic's."""
    found = re.search(r":function:([^:]+)", arn)
    return found[1] if found else arn.rpartition(":")[2]
