"""What a check is given: a fresh cloud with the submission deployed, and short ways to act on it and look at it."""

from collections.abc import Iterator, Mapping
from random import Random

from labs.cloud import Cloud, Kind, Record, RunEnd, Stack, Trace
from labs.cloud.kernel import SECOND
from labs.grading.checks import fail

_FIRST_PIECE = 16.0  # virtual seconds; less than the minute after which Lambda tries a failed event again
_WEEK = 7 * 24 * 3600.0


class GradedCloud(Cloud):
    """A cloud that ends the check as soon as the learner's code had to be stopped because it never ends.

    Each such invocation costs real seconds, and Lambda would retry it; one is evidence enough.
    """

    _seen: tuple[Record, ...] = ()
    _trace: Trace | None = None

    @property
    def trace(self) -> Trace:
        """Give everything that has happened; only what is new is fetched."""
        new = self.records(after=len(self._seen))
        if new or self._trace is None:
            self._seen += new
            self._trace = Trace(self._seen)
        return self._trace

    def run(self, *, limit: float | None = None) -> RunEnd:
        """See Cloud.run."""
        until = self.clock.now + round((_WEEK if limit is None else limit) * SECOND)
        piece = _FIRST_PIECE
        while True:
            left = (until - self.clock.now) / SECOND
            end = super().run(limit=min(piece, left))
            self._look()
            if end is RunEnd.IDLE or piece >= left:
                return end
            piece *= 2

    def advance(self, seconds: float) -> None:
        """See Cloud.advance."""
        piece = _FIRST_PIECE
        while seconds > piece:
            super().advance(piece)
            self._look()
            seconds -= piece
            piece *= 2
        super().advance(seconds)
        self._look()

    def call(self, service: str, operation: str, /, **parameters: object) -> dict[str, object]:
        """See Cloud.call."""
        answer = super().call(service, operation, **parameters)
        if service == "lambda":
            self._look()
        return answer

    def _look(self) -> None:
        known = len(self._seen)
        for record in self.trace[known:]:
            if record.kind == Kind.INVOCATION_ENDED and (stopped := record.detail.get("stopped")):
                fail(f"grading.{stopped}", record=record, function=record.detail.get("function"))


class LabRun:
    """One check's own cloud."""

    def __init__(self, cloud: Cloud, stack: Stack, *, seed: int, check: str) -> None:
        self.cloud, self.stack = cloud, stack
        self.random = Random(f"{seed}/{check}")

    @property
    def trace(self) -> Trace:
        """Give everything that has happened so far."""
        return self.cloud.trace

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Upload an object at the current instant."""
        self.cloud.call("s3", "PutObject", Bucket=bucket, Key=key, Body=body)

    def run(self) -> RunEnd:
        """Let everything happen that is going to happen."""
        return self.cloud.run()

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Read every object of a bucket."""
        found: dict[str, bytes] = {}
        for page in self._pages("s3", "ListObjectsV2", "ContinuationToken", "NextContinuationToken", Bucket=bucket):
            for entry in _list(page.get("Contents")):
                key = str(entry["Key"])
                body = self.cloud.call("s3", "GetObject", Bucket=bucket, Key=key)["Body"]
                found[key] = body if isinstance(body, bytes) else b""
        return found

    def items(self, table: str) -> list[dict[str, object]]:
        """Read every item of a table as plain values: numbers as int where they are whole, else as float."""
        pages = self._pages("dynamodb", "Scan", "ExclusiveStartKey", "LastEvaluatedKey", TableName=table, ConsistentRead=True)
        return [
            {str(name): _plain(value) for name, value in item.items()} for page in pages for item in _list(page.get("Items"))
        ]

    def _pages(
        self, service: str, operation: str, where: str, following: str, **parameters: object
    ) -> Iterator[dict[str, object]]:
        page = self.cloud.call(service, operation, **parameters)
        yield page
        while token := page.get(following):
            page = self.cloud.call(service, operation, **parameters, **{where: token})
            yield page


def _list(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _plain(value: object) -> object:
    """Turn {"N": "3"} into 3, and so on, as DynamoDB's own resource API does."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return _number(str(inner))
        case "NS" if isinstance(inner, list):
            return {_number(str(each)) for each in inner}
        case "SS" | "BS" if isinstance(inner, list):
            return set(inner)
        case "L" if isinstance(inner, list):
            return [_plain(each) for each in inner]
        case "M" if isinstance(inner, Mapping):
            return {str(name): _plain(each) for name, each in inner.items()}
        case "NULL":
            return None
    return inner


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() else number
