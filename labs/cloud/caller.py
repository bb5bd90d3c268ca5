"""Who makes an API call."""

from dataclasses import dataclass

OUTSIDE = "outside"  # a page, a test, the AWS CLI
DEPLOYMENT = "deployment"  # the calls that a deployment is made of; they leave no records of their own
SERVICE = "service"  # a service that hands something to another one; the record it acts under stands for the call


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller's name in the trace, the record it acts under, and its invocation."""

    name: str
    cause: int | None
    request_id: str | None = None
