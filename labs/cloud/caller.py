"""Who makes an API call."""

from dataclasses import dataclass

OUTSIDE = "outside"  # a page, a test, the AWS CLI
SERVICE = "service"  # what AWS does on its own; no record of its own either, but what follows has the record that told of it
DEPLOYMENT = "deployment"  # the calls that a deployment is made of; they leave no records of their own


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller's name in the trace, the record it acts under, and its invocation."""

    name: str
    cause: int | None
    request_id: str | None = None
