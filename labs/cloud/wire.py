"""How a cloud's process and its owner write values to one another: JSON, with bytes and times made readable."""

import base64
import datetime
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

_BYTES, _TIME = "$bytes", "$time"


def dumps(value: object) -> bytes:
    """Write a value of plain types, bytes, times and decimals."""
    return json.dumps(_encode(value), ensure_ascii=False).encode()


def loads(data: bytes) -> object:
    """Read what dumps() wrote."""
    return _decode(json.loads(data))


def _encode(value: object) -> object:
    if isinstance(value, bytes | bytearray):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {_TIME: value.isoformat()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {str(name): _encode(inner) for name, inner in value.items()}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Sequence | set | frozenset):
        return [_encode(inner) for inner in value]
    if hasattr(value, "read"):
        return _encode(value.read())
    return str(value)


def _decode(value: object) -> object:
    if isinstance(value, dict):
        if value.keys() == {_BYTES}:
            return base64.b64decode(str(value[_BYTES]))
        if value.keys() == {_TIME}:
            return datetime.datetime.fromisoformat(str(value[_TIME]))
        return {name: _decode(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_decode(inner) for inner in value]
    return value
