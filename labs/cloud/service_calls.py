"""API calls that AWS's own services make: a batch's remains to a queue, a schedule's input to its target."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from labs.cloud.caller import Caller
from labs.cloud.front import Request, Response
from labs.cloud.moto_seams import REGION

if TYPE_CHECKING:
    from labs.cloud.account import Account

Answer = Callable[[Response], None]


def send_message(
    account: "Account",
    caller: Caller,
    queue_arn: str,
    body: str,
    answer: Answer,
    group: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Send a message to a queue."""
    owner, name = queue_arn.split(":")[4:6]
    parameters: dict[str, object] = {"QueueUrl": f"http://127.0.0.1:4566/{owner}/{name}", "MessageBody": body}
    if group is not None:
        parameters["MessageGroupId"] = group
    if attributes:
        parameters["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
    account.call(_json("sqs", "AmazonSQS.SendMessage", parameters), caller, answer)


def publish(account: "Account", caller: Caller, topic_arn: str, message: str, answer: Answer) -> None:
    """Publish a message to a topic."""
    form = urlencode({"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic_arn, "Message": message})
    headers = {**_headers("sns"), "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    account.call(Request("POST", "/", headers, form.encode()), caller, answer)


def _json(service: str, target: str, parameters: Mapping[str, object]) -> Request:
    headers = {**_headers(service), "content-type": "application/x-amz-json-1.0", "x-amz-target": target}
    return Request("POST", "/", headers, json.dumps(parameters).encode())


def _headers(service: str) -> dict[str, str]:
    credential = f"AKIASERVICESERVICE00/20260101/{REGION}/{service}/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"
    return {"host": f"{service}.{REGION}.amazonaws.com", "authorization": signed}
