"""DynamoDB's streams and time to live: what moto's tables do on a write, made anew.

moto's `StreamShard.add` calls Lambda inside PutItem, answers 500 for a Binary attribute, forgets records once a function has
seen them, and then repeats their sequence numbers; an UpdateItem that creates an item leaves two INSERT records.
"""

import base64
import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import moto.awslambda.models
import moto.dynamodb.models
import moto.dynamodb.models.table
import moto.dynamodbstreams.models
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time, utcnow
from moto.moto_api._internal import mock_random

from labs.cloud import limits
from labs.cloud.changes import Change, StreamGrew, TimeToLiveChanged
from labs.cloud.moto_seams.engine import ACCOUNT, REGION
from labs.cloud.patterns import Pattern, compile_pattern

Attributes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change of one item. Images are in DynamoDB's own notation, binary values in base64."""

    id: str
    event: str  # INSERT, MODIFY or REMOVE
    sequence: int
    created: datetime
    view: str
    region: str
    keys: Attributes
    new: Attributes | None
    old: Attributes | None
    expired: bool  # removed by time to live

    @property
    def size(self) -> int:
        """Give the bytes of keys and images, as DynamoDB counts the size of items."""
        return sum(attributes_size(image) for image in (self.keys, self.new, self.old) if image is not None)

    def to_json(self) -> dict[str, Any]:
        """Give the record as GetRecords returns it."""
        described: dict[str, Any] = {
            "ApproximateCreationDateTime": self.created,
            "Keys": self.keys,
            "SequenceNumber": str(self.sequence),
            "SizeBytes": self.size,
            "StreamViewType": self.view,
        }
        if self.new is not None:
            described["NewImage"] = self.new
        if self.old is not None:
            described["OldImage"] = self.old
        record: dict[str, Any] = {
            "eventID": self.id,
            "eventName": self.event,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.region,
            "dynamodb": described,
        }
        if self.expired:
            record["userIdentity"] = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
        return record


def attributes_size(attributes: Attributes) -> int:
    """Give the size of attributes: names and values (DynamoDB developer guide: DynamoDB item sizes and formats)."""
    return sum(len(name.encode()) + _value_size(value) for name, value in attributes.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            return math.ceil(len(str(content).lstrip("-").replace(".", "").strip("0")) / 2) + 1
        case "B":
            return len(base64.b64decode(content))
        case "SS" | "NS" | "BS":
            return sum(_value_size({kind[0]: inner}) for inner in content)
        case "L":
            return 3 + sum(1 + _value_size(inner) for inner in content)
        case "M":
            return 3 + attributes_size(content) + len(content)
    return 1


def _plain(value: Any) -> Any:
    """Copy attribute values, with bytes as base64: a later write must not change what a record holds."""
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if hasattr(value, "to_json"):
        return _plain(value.to_json())
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    return value


def _image(item: "moto.dynamodb.models.dynamo_type.Item") -> dict[str, Any]:
    found: dict[str, Any] = _plain(item.to_json()["Attributes"])
    return found


def _add(shard: "moto.dynamodb.models.table.StreamShard", old: Any, new: Any, *, expired: bool = False) -> StreamGrew | None:
    """Append a record, unless nothing changed, and forget what is older than a day."""
    view = (shard.table.stream_specification or {}).get("StreamViewType")
    before, after = (None if item is None else _image(item) for item in (old, new))
    if view is None or before == after:
        return None
    held = shard.__dict__.get("held")
    if held is not None:
        held.append((old, new))
        return None
    table, now = shard.table, utcnow()
    _trim(shard, now)
    keys = {name: (after or before or {})[name] for name in table.table_key_attrs}
    sequence = shard.__dict__.setdefault("next_sequence", shard.starting_sequence_number)
    shard.next_sequence = sequence + 1
    shard.items.append(
        StreamRecord(
            id=mock_random.uuid4().hex,
            event="INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
            sequence=sequence,
            created=now,
            view=view,
            region=table.region_name,
            keys=keys,
            new=after if view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES") else None,
            old=before if view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES") else None,
            expired=expired,
        )
    )
    return StreamGrew(_stream_arn(table), sequence)


def _trim(shard: "moto.dynamodb.models.table.StreamShard", now: datetime) -> None:
    horizon = now - timedelta(seconds=limits.STREAM_RETENTION.value)
    gone = 0
    while gone < len(shard.items) and shard.items[gone].created < horizon:
        gone += 1
    if gone:
        del shard.items[:gone]


def cut_streams(tell: Callable[[Change], None]) -> None:
    """Let tables append to their streams and tell of it, and let readers read them."""
    models, tables, streams = moto.dynamodb.models, moto.dynamodb.models.table, moto.dynamodbstreams.models

    def add(self: "moto.dynamodb.models.table.StreamShard", old: Any, new: Any) -> None:
        grown = _add(self, old, new)
        if grown is not None:
            tell(grown)

    tables.StreamShard.add = add
    specify = tables.Table.set_stream_specification

    def set_stream_specification(self: "moto.dynamodb.models.table.Table", streams: dict[str, Any] | None) -> None:
        specify(self, streams)
        if (self.stream_specification or {}).get("StreamEnabled"):
            # A label has its milliseconds, and the numbers of a new stream are greater than those of the one before.
            self.latest_stream_label = utcnow().isoformat(timespec="milliseconds")
            milliseconds = int(unix_time() * 1000)
            self.stream_shard.id = f"shardId-{milliseconds:020d}-{mock_random.get_random_hex(8)}"
            self.stream_shard.starting_sequence_number += milliseconds * 1_000_000
        else:
            # moto goes on writing to the stream that was switched off, and never allows another one.
            self.latest_stream_label = self.stream_shard = None

    tables.Table.set_stream_specification = set_stream_specification
    update = models.DynamoDBBackend.update_item

    def update_item(self: "moto.dynamodb.models.DynamoDBBackend", table_name: str, key: Any, *args: Any, **named: Any) -> Any:
        # moto creates a missing item first and updates it then; the stream shows one change, and a refused one none.
        table = self.tables.get(table_name.split("/")[-1])
        before = copy.deepcopy(_find(self, table, key)) if table is not None else None
        shard = table.stream_shard if table is not None else None
        if shard is not None:
            shard.held = []
        try:
            item = update(self, table_name, key, *args, **named)
        except Exception:
            if table is not None and before is None and _find(self, table, key) is not None:
                table.delete_item(*self.get_keys_value(table, key))
            raise
        finally:
            if shard is not None:
                del shard.held
        if shard is not None:
            shard.add(before, item)
        return item

    models.DynamoDBBackend.update_item = update_item
    set_time_to_live = models.DynamoDBBackend.update_time_to_live

    def update_time_to_live(self: "moto.dynamodb.models.DynamoDBBackend", table_name: str, ttl_spec: dict[str, Any]) -> None:
        set_time_to_live(self, table_name, ttl_spec)
        tell(TimeToLiveChanged())

    models.DynamoDBBackend.update_time_to_live = update_time_to_live
    streams.ShardIterator = _Iterator


def _find(backend: Any, table: Any, key: Any) -> Any:
    try:
        return table.get_item(*backend.get_keys_value(table, key))
    except Exception:
        return None  # a key of the wrong form: moto's own check says so


class _Iterator:
    """A place in a stream. moto's counts list positions, which move when old records go."""

    def __init__(self, backend: Any, shard: Any, kind: str, sequence_number: int | None = None) -> None:
        self._backend, self._table, self._label = backend, shard.table.name, shard.table.latest_stream_label
        self._created = unix_time()
        self._id = base64.b64encode(mock_random.get_random_hex(64).encode()).decode()
        following = shard.__dict__.get("next_sequence", shard.starting_sequence_number)
        if kind.endswith("_SEQUENCE_NUMBER"):
            number = int(sequence_number or 0)
            _trim(shard, utcnow())
            if shard.items and number < shard.items[0].sequence and number < following - len(shard.items):
                message = "The operation attempted to read past the oldest stream record in a shard."
                raise JsonRESTError("TrimmedDataAccessException", message)
            self._sequence = number + (kind == "AFTER_SEQUENCE_NUMBER")
        else:
            self._sequence = following if kind == "LATEST" else shard.starting_sequence_number
        self.arn = f"{_stream_arn(shard.table)}|1|{self._id}"

    def get(self, limit: int = 1000) -> dict[str, Any]:
        """Give up to `limit` records and the iterator that goes on after them."""
        if unix_time() - self._created > limits.SHARD_ITERATOR_LIFE.value:
            raise JsonRESTError("ExpiredIteratorException", "Iterator expired. The iterator was created too long ago.")
        table = self._backend.dynamodb.tables.get(self._table)
        shard = table.stream_shard if table is not None and table.latest_stream_label == self._label else None
        if shard is None:
            raise JsonRESTError("ResourceNotFoundException", "Requested resource not found: Stream not found")
        _trim(shard, utcnow())
        found = [record for record in shard.items if record.sequence >= self._sequence][:limit]
        following = _Iterator(self._backend, shard, "TRIM_HORIZON")
        following._sequence = found[-1].sequence + 1 if found else self._sequence
        self._backend.shard_iterators[following.arn] = following
        return {"NextShardIterator": following.arn, "Records": [_for_api(record.to_json()) for record in found]}


def _for_api(value: Any) -> Any:
    """Give binary values as bytes: the answer's serializer writes them in base64 itself."""
    if isinstance(value, dict):
        if value.keys() == {"B"} and isinstance(value["B"], str):
            return {"B": base64.b64decode(value["B"])}
        if value.keys() == {"BS"} and isinstance(value["BS"], list):
            return {"BS": [base64.b64decode(inner) for inner in value["BS"]]}
        return {name: _for_api(inner) for name, inner in value.items()}
    return [_for_api(inner) for inner in value] if isinstance(value, list) else value


def _stream_arn(table: "moto.dynamodb.models.table.Table") -> str:
    return f"{table.table_arn}/stream/{table.latest_stream_label}"


def _shard(stream_arn: str) -> "moto.dynamodb.models.table.StreamShard | None":
    name, _, label = stream_arn.rpartition(":table/")[2].partition("/stream/")
    table = moto.dynamodb.models.dynamodb_backends[ACCOUNT][REGION].tables.get(name)
    return table.stream_shard if table is not None and table.latest_stream_label == label else None


# what Lambda's pollers read
@dataclass(frozen=True, slots=True)
class StreamMapping:
    """One event source mapping of a stream. Ages and windows in seconds; None and -1 are "for ever"."""

    uuid: str
    stream_arn: str
    function_arn: str
    enabled: bool
    latest: bool
    batch_size: int
    window: int
    partial_responses: bool
    bisect: bool
    retries: int | None
    maximum_age: int | None
    on_failure: str | None
    filters: tuple[Pattern, ...]


def stream_mappings() -> list[StreamMapping]:
    """List the event source mappings whose source is a table's stream."""
    backend = moto.awslambda.models.lambda_backends[ACCOUNT][REGION]
    return [
        StreamMapping(
            uuid=mapping.uuid,
            stream_arn=mapping.event_source_arn,
            function_arn=mapping.function_arn,
            enabled=str(mapping.enabled).lower() != "false",
            latest=mapping.starting_position == "LATEST",
            batch_size=int(mapping.batch_size),
            window=int(mapping.max_batch_window or 0),
            partial_responses="ReportBatchItemFailures" in (mapping.function_response_types or ()),
            bisect=str(mapping.bisect_on_error).lower() == "true",
            retries=_bound(mapping.max_retry_attempts),
            maximum_age=_bound(mapping.max_record_age),
            on_failure=((mapping.destination_config or {}).get("OnFailure") or {}).get("Destination"),
            filters=tuple(
                compile_pattern(one["Pattern"])
                for one in (mapping.filter_criteria or {}).get("Filters", ())
                if one.get("Pattern")
            ),
        )
        for mapping in backend._event_source_mappings.values()
        if ":dynamodb:" in mapping.event_source_arn
    ]


def _bound(value: object) -> int | None:
    number = -1 if value is None else int(str(value))
    return None if number < 0 else number


def stream_shard_id(stream_arn: str) -> str:
    """Name the stream's shard."""
    shard = _shard(stream_arn)
    return "" if shard is None else str(shard.id)


def stream_end(stream_arn: str, *, latest: bool) -> int:
    """Give the sequence number before the first record that a new reader sees."""
    shard = _shard(stream_arn)
    if shard is None:
        return 0
    following = shard.__dict__.get("next_sequence", shard.starting_sequence_number)
    return int(following if latest else shard.starting_sequence_number) - 1


def stream_records(stream_arn: str, after: int) -> Sequence[StreamRecord]:
    """List the records after this sequence number that the stream still holds."""
    shard = _shard(stream_arn)
    if shard is None:
        return ()
    _trim(shard, utcnow())
    if not shard.items or shard.items[-1].sequence <= after:
        return ()
    # Numbers are consecutive, so the place is known.
    return tuple(shard.items[max(0, after + 1 - shard.items[0].sequence) :])


# time to live
def expire_items(tell: Callable[[str, Attributes, StreamGrew | None], None]) -> bool:
    """Remove every item whose time to live has passed; tell table, key and what it did to the stream.

    False when no table has a time to live.
    """
    now, active = unix_time(), False
    for table in moto.dynamodb.models.dynamodb_backends[ACCOUNT][REGION].tables.values():
        if table.ttl["TimeToLiveStatus"] != "ENABLED":
            continue
        active = True
        name = table.ttl["AttributeName"]
        for item in list(table.all_items()):
            value = item.attrs.get(name)
            if value is None or value.type != "N":
                continue
            # A time more than five years ago is taken for a mistake and left alone.
            if now - limits.TTL_OLDEST.value < float(value.value) < now:
                keys = {key: _image(item)[key] for key in table.table_key_attrs}
                tell(table.name, keys, _expire(table, item))
    return active


def _expire(table: "moto.dynamodb.models.table.Table", item: Any) -> StreamGrew | None:
    shard, table.stream_shard = table.stream_shard, None
    try:
        table.delete_item(item.hash_key, item.range_key)
    finally:
        table.stream_shard = shard
    return None if shard is None else _add(shard, item, None, expired=True)
