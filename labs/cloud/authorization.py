"""Allow or refuse an API call by the policies of its caller and of what it is about, in each service's own words.

Calls from outside are the account's root user, whom no policy of the account binds. Sources: IAM user guide, "Policy evaluation
logic" and "Troubleshoot access denied error messages"; AWS service authorization reference (2026-11-20).
"""

import datetime
import json
from html import escape

from labs.cloud import moto_seams
from labs.cloud.caller import Principal
from labs.cloud.front import Request, Response
from labs.cloud.iam import Decision, Question, decide
from labs.cloud.moto_seams import ACCOUNT, REGION
from labs.cloud.operations import Operation
from labs.cloud.refusals import query_error
from labs.cloud.required_actions import Needed, needed

_ADDRESS = "127.0.0.1"


def denial(request: Request, operation: Operation, principal: Principal, wall_ns: int) -> Response | None:
    """Give AWS's refusal of a call, None where it is allowed."""
    for action, resource in needed(request, operation):
        decision = _decide(principal, (action, resource), wall_ns)
        if decision is not Decision.ALLOWED:
            return _refusal(request, operation.service, _words(principal, action, resource, decision))
    return None


def hidden(request: Request, operation: Operation, principal: Principal, wall_ns: int, response: Response) -> Response:
    """Turn "no such key" into "access denied" for a caller that may not list the bucket, as S3 does."""
    if operation.service != "s3" or response.status != 404 or operation.name not in ("GetObject", "HeadObject"):
        return response
    action, resource = "s3:ListBucket", f"arn:aws:s3:::{operation.detail.get('bucket')}"
    if operation.name == "GetObject" and b"<Code>NoSuchKey</Code>" not in response.body:
        return response
    decision = _decide(principal, (action, resource), wall_ns)
    if decision is Decision.ALLOWED:
        return response
    return _refusal(request, "s3", _words(principal, action, resource, decision))


def may_invoke(principal: Principal, function_arn: str, wall_ns: int) -> str | None:
    """Say why a service or a role may not invoke a function; None where it may."""
    decision = _decide(principal, ("lambda:InvokeFunction", function_arn), wall_ns)
    return None if decision is Decision.ALLOWED else _words(principal, "lambda:InvokeFunction", function_arn, decision)


def _decide(principal: Principal, wanted: Needed, wall_ns: int) -> Decision:
    action, resource = wanted
    now = datetime.datetime.fromtimestamp(wall_ns / 1e9, datetime.UTC)
    context = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:securetransport": "true",
        "aws:sourceip": _ADDRESS,
        "aws:requestedregion": REGION,
        "aws:resourceaccount": ACCOUNT,
    }
    policy = moto_seams.resource_policy(resource) if resource.startswith("arn:") else None
    if principal.role is None:
        context |= {"aws:sourcearn": principal.source, "aws:sourceaccount": ACCOUNT, "aws:principalisawsservice": "true"}
        return decide(Question(action, resource, service=principal.name, context=context), (), policy)
    context |= {
        "aws:principalarn": principal.role,
        "aws:principalaccount": ACCOUNT,
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:userid": f"{moto_seams.role_id(principal.role)}:{principal.name.rpartition('/')[2]}",
    }
    held = moto_seams.role_policies(principal.role)
    names = frozenset({principal.role, principal.name})
    return decide(Question(action, resource, names, context=context), held.policies, policy, held.boundary)


def _words(principal: Principal, action: str, resource: str, decision: Decision) -> str:
    service = action.partition(":")[0]
    if service == "sqs":
        action = action.lower()
    shown = f'"{resource}"' if service == "s3" else resource
    said = f"User: {principal.name} is not authorized to perform: {action} on resource: {shown}"
    match decision:
        case Decision.DENIED_BY_IDENTITY | Decision.DENIED_BY_RESOURCE:
            return f"{said} with an {decision.value}"
        case Decision.OUTSIDE_BOUNDARY:
            return f"{said} because no permissions boundary allows the {action} action"
    kind = "resource" if principal.role is None else "identity"
    return f"{said} because no {kind}-based policy allows the {action} action"


def _refusal(request: Request, service: str, message: str) -> Response:
    if service == "s3":
        body = f"<Error><Code>AccessDenied</Code><Message>{escape(message, quote=False)}</Message></Error>"
        return Response(403, (("Content-Type", "application/xml"),), b"" if request.method == "HEAD" else body.encode())
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return query_error(403, "AuthorizationError" if service == "sns" else "AccessDenied", message)
    if request.headers.get("x-amz-target") is not None:
        error = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message}).encode()
        headers = [("Content-Type", request.headers.get("content-type", "application/x-amz-json-1.0"))]
        if service == "sqs":
            headers.append(("x-amzn-query-error", "AccessDenied;Sender"))
            return Response(403, tuple(headers), error)
        return Response(400, tuple(headers), error)
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")]
    return Response(403, tuple(headers), json.dumps({"Message": message}).encode())


def identity(principal: Principal | None) -> Response:
    """Answer GetCallerIdentity."""
    if principal is None or principal.role is None:
        arn, user = f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT
    else:
        arn = principal.name
        user = f"{moto_seams.role_id(principal.role)}:{principal.name.rpartition('/')[2]}"
    body = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{escape(arn)}</Arn><UserId>{escape(user)}</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )
    return Response(200, (("Content-Type", "text/xml"),), body.encode())
