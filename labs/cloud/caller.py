"""Who makes an API call."""

from dataclasses import dataclass

OUTSIDE = "outside"  # a page, a test, the AWS CLI
DEPLOYMENT = "deployment"  # the calls that a deployment is made of; they leave no records of their own
SERVICE = "service"  # a service that hands something to another one; the record it acts under stands for the call


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom policies speak of: a session of a role, or a service that acts by itself for a source."""

    name: str  # the session's ARN, or the service's name as "events.amazonaws.com"
    role: str | None  # ARN of the role; None for a service
    source: str = ""  # ARN of what the service acts for


def role_session(role_arn: str, session: str) -> Principal:
    """Give the principal of a role's session, as a function has under its own name."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return Principal(f"arn:aws:sts::{account}:assumed-role/{name}/{session}", role_arn)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller's name in the trace, the record it acts under, its invocation, and the principal that policies bind."""

    name: str
    cause: int | None
    request_id: str | None = None
    principal: Principal | None = None  # None is the account's root user
