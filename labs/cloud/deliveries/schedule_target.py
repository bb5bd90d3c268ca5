"""The targets that a schedule may have: functions, queues and topics; and the queue for what reached none of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labs.cloud import authorization, service_calls
from labs.cloud.caller import Caller, Principal, role_session
from labs.cloud.front import Response
from labs.cloud.moto_seams import Schedule, UnknownFunctionError
from labs.cloud.refusals import error_code

if TYPE_CHECKING:
    from labs.cloud.account import Account


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a target was not reached, and whether trying again is of no use."""

    code: str
    message: str
    final: bool


def deliver(
    account: "Account",
    schedule: Schedule,
    target: Mapping[str, Any],
    body: str,
    cause: int,
    failed: Callable[[Failed], None],
) -> None:
    """Hand a body to a target. A function's own failures are Lambda's business: its asynchronous queue retries."""
    arn = str(target["Arn"])
    source = "events" if schedule.group is None else "scheduler"
    final = schedule.group is None  # a rule does not try again where permission or resource are missing; Scheduler does

    def answered(response: Response) -> None:
        if response.status >= 400:
            code = error_code(response) or str(response.status)
            failed(Failed(code, code, final and response.status < 500))

    principal = _principal(schedule, target)
    caller = Caller(f"service:{source}", cause, principal=principal)
    match arn.split(":")[2]:
        case "lambda":
            try:
                function = account.functions.find(arn)
            except UnknownFunctionError:
                failed(Failed("ResourceNotFoundException", f"Function not found: {arn}", final))
                return
            refused = authorization.may_invoke(principal, arn, account.kernel.wall_ns)
            if refused is not None:
                failed(Failed("AccessDeniedException", refused, final))
                return
            account.queue.accept(function, body.encode(), source, cause)
        case "sqs":
            group = (target.get("SqsParameters") or {}).get("MessageGroupId")
            service_calls.send_message(account, caller, arn, body, answered, group)
        case "sns":
            service_calls.publish(account, caller, arn, body, answered)
        case service:
            failed(Failed("UnsupportedTarget", f"schedules do not call {service} here: {arn}", True))


def send_dead_letter(
    account: "Account",
    schedule: Schedule,
    target: Mapping[str, Any],
    body: str,
    failed: Failed,
    attributes: Mapping[str, str],
    cause: int,
) -> None:
    """Send what reached no target to the target's dead-letter queue, with the reason as message attributes."""
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue is None:
        return
    source = ("RULE_ARN", "events") if schedule.group is None else ("SCHEDULE_ARN", "scheduler")
    described = {
        source[0]: schedule.arn,
        "TARGET_ARN": str(target["Arn"]),
        "ERROR_CODE": failed.code,
        "ERROR_MESSAGE": failed.message,
        **attributes,
    }
    caller = Caller(f"service:{source[1]}", cause, principal=_principal(schedule, target))
    service_calls.send_message(account, caller, queue, body, lambda response: None, attributes=described)


def _principal(schedule: Schedule, target: Mapping[str, Any]) -> Principal:
    """Tell who calls the target: EventBridge itself for a rule, the target's execution role for a schedule."""
    if schedule.group is None:
        return Principal("events.amazonaws.com", None, schedule.arn)
    return role_session(str(target["RoleArn"]), schedule.name)
