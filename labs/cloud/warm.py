"""What takes seconds to prepare and belongs to no cloud: a warm parent makes it once, and every fork of it has it."""

from labs.cloud import moto_seams, operations, stack
from labs.cloud.functions.sandbox import probe
from labs.cloud.local_client import Clients

# One harmless question to each service that every cloud uses: it builds the service's routes and reads its models.
_QUESTIONS = {
    "s3": "ListBuckets",
    "dynamodb": "ListTables",
    "sqs": "ListQueues",
    "lambda": "ListFunctions",
    "cloudformation": "ListStacks",
    "iam": "ListRoles",
    "logs": "DescribeLogGroups",
    "dynamodbstreams": "ListStreams",
    "events": "ListRules",
    "scheduler": "ListSchedules",
}


class Warm:
    """moto's application and the SDK's clients, without state and without connections."""

    def __init__(self) -> None:
        self.moto = moto_seams.Moto()
        self.clients = Clients()
        # What moto draws while it is being read must not differ from one parent to the next.
        moto_seams.seed(0)
        for service, operation in _QUESTIONS.items():
            self.clients.ask(service, operation, self.moto.answer)
        operations.preload()
        stack.preload()
        probe()
