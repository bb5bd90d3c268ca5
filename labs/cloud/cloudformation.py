"""CloudFormation's operations that take a template: checked and transformed before the store sees it, filled in afterwards.

Sources: AWS CloudFormation user guide, "Troubleshooting CloudFormation"; API reference, CreateStack and CreateChangeSet
(2026-11-20). The messages are AWS's own.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.sax.saxutils import escape

from labs.cloud import function_types, gateway_types, limits, messaging_types, moto_seams, schedule_types, stack
from labs.cloud.api_call import ApiCall
from labs.cloud.front import Response
from labs.cloud.local_client import LocalClients, OperationFailed
from labs.cloud.resource_types import Call
from labs.cloud.templates import TemplateError, check, parsed

if TYPE_CHECKING:
    from labs.cloud.account import Account

TYPES = {**gateway_types.TYPES, **function_types.TYPES, **messaging_types.TYPES, **schedule_types.TYPES}
_BUCKET_HOST = re.compile(r"(?P<bucket>.+?)\.s3[.-].+")
_IAM = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::ManagedPolicy")
_NAMES = ("RoleName", "UserName", "GroupName", "ManagedPolicyName")


class _Refused(Exception):
    """AWS would not take this; `code` and the message are its own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def attach(account: "Account", clients: LocalClients) -> None:
    """Let this account deploy templates, SAM's included."""

    def call_for(account_id: str, region: str) -> Call:
        def call(service: str, operation: str, /, **parameters: object) -> dict[str, Any]:
            return clients.call(service, operation, clients.shaped(service, operation, parameters), deployment=True)

        return call

    moto_seams.add_resource_types(TYPES, call_for)
    moto_seams.roll_back_stacks()
    templates = _Templates(clients)
    for operation in ("CreateStack", "UpdateStack", "CreateChangeSet"):
        account.take_over("cloudformation", operation, templates.take)
    account.take_over("cloudformation", "ExecuteChangeSet", templates.execute)


class _Templates:
    """Carry out what comes with a template."""

    def __init__(self, clients: LocalClients) -> None:
        self._clients = clients

    def take(self, call: ApiCall) -> None:
        """Check and transform the template, let the store work, and fill in what it leaves out."""
        form = dict(parse_qsl(call.request.body.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            body = self._prepared(form)
        except _Refused as refused:
            call.finish(_error(refused.code, str(refused)))
            return
        headers = {name: value for name, value in call.request.headers.items() if name != "content-length"}
        call.request = replace(call.request, body=body, headers=headers)
        response = call.ask_store()
        if response.status == 200 and call.operation.name != "CreateChangeSet":
            self._fill(form.get("StackName", ""))
        call.finish(response)

    def execute(self, call: ApiCall) -> None:
        """Execute a change set, and fill in what the store leaves out."""
        form = dict(parse_qsl(call.request.body.decode("utf-8", "replace")))
        where: dict[str, object] = {name: form[name] for name in ("ChangeSetName", "StackName") if name in form}
        try:
            described = self._clients.call("cloudformation", "DescribeChangeSet", where, deployment=True)
        except OperationFailed as failure:
            call.finish(_error(failure.code, failure.message))
            return
        response = call.ask_store()
        if response.status == 200:
            self._fill(str(described["StackName"]))
        call.finish(response)

    def _fill(self, name: str) -> None:
        if moto_seams.stack_failure(moto_seams.ACCOUNT, moto_seams.REGION, name) is None:
            stack.fill(self._clients, name)

    def _prepared(self, form: Mapping[str, str]) -> bytes:
        text = form.get("TemplateBody")
        if text and len(text.encode()) > limits.TEMPLATE_BODY.value:
            raise _Refused(
                "ValidationError",
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {limits.TEMPLATE_BODY.value}",
            )
        if form.get("TemplateURL"):
            text = self._fetched(form["TemplateURL"])
        if not text:
            return urlencode(form).encode()
        try:
            parameters = self._parameters(form)
            document = parsed(text)
            expanded = "Transform" in document
            # The transform changes the document that it is given.
            document = stack.transformed(json.loads(json.dumps(document)), None, parameters)
            check(document, moto_seams.supported)
        except (TemplateError, stack.DeploymentError, OperationFailed) as error:
            raise _Refused("ValidationError", str(error)) from error
        given = {value for name, value in form.items() if name.startswith("Capabilities.")}
        needed = _capabilities(document) | (
            {"CAPABILITY_AUTO_EXPAND"} if expanded and form["Action"] != "CreateChangeSet" else set()
        )
        missing = {
            one for one in needed if one not in given and not (one == "CAPABILITY_IAM" and "CAPABILITY_NAMED_IAM" in given)
        }
        if missing:
            listed = ", ".join(sorted(missing))
            raise _Refused("InsufficientCapabilitiesException", f"Requires capabilities : [{listed}]")
        kept = {name: value for name, value in form.items() if name != "TemplateURL"}
        return urlencode({**kept, "TemplateBody": json.dumps(document)}).encode()

    def _parameters(self, form: Mapping[str, str]) -> dict[str, str]:
        """Give the parameters of a call, with the values that the stack has where it says so."""
        known: dict[str, str] = {}
        if any(key.endswith(".UsePreviousValue") for key in form):
            described: Any = self._clients.call(
                "cloudformation", "DescribeStacks", {"StackName": form.get("StackName", "")}, deployment=True
            )
            known = {one["ParameterKey"]: one["ParameterValue"] for one in described["Stacks"][0].get("Parameters", ())}
        found = {}
        for key, name in form.items():
            if key.endswith(".ParameterKey"):
                value = form.get(key.replace("ParameterKey", "ParameterValue"), known.get(name))
                if value is not None:
                    found[name] = value
        return found

    def _fetched(self, url: str) -> str:
        """Read a template from a bucket; its URL has the bucket in the path or in the host."""
        parts = urlsplit(url)
        match = _BUCKET_HOST.fullmatch(parts.netloc)
        bucket, _, key = (match["bucket"], "/", parts.path.lstrip("/")) if match else parts.path.lstrip("/").partition("/")
        try:
            found = self._clients.call("s3", "GetObject", {"Bucket": bucket, "Key": key}, deployment=True)
        except OperationFailed as error:
            raise _Refused("ValidationError", f"S3 error: {error.message}") from error
        body = found["Body"]
        return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


def _capabilities(document: Mapping[str, Any]) -> set[str]:
    iam = [one for one in document["Resources"].values() if one["Type"] in _IAM]
    if not iam:
        return set()
    named = any(name in (one.get("Properties") or {}) for one in iam for name in _NAMES)
    return {"CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"}


def _error(code: str, message: str) -> Response:
    body = (
        '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        "<RequestId>b99581ed-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
    )
    return Response(400, (("Content-Type", "text/xml"),), body.encode())
