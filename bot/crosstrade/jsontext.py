"""JSON with exact decimals, both ways; what the texts mean stands elsewhere."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


# Both kept, as making one costs more than a whole order's body.
_encode = json.JSONEncoder(allow_nan=False).encode
_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse).decode


def loads(text: str | bytes) -> Any:
    """Read JSON; numbers with a point become ``Decimal`` as they are spelt.

    Raises:
        ValueError: it is no JSON, or holds NaN or Infinity, or is nested beyond reason.
    """
    try:
        return _decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def dumps(fields: Mapping[str, object]) -> str:
    """Write one JSON object; a ``Decimal`` becomes a number that prints just as it was typed.

    The standard encoder knows floats only, and a price must not pass through one.

    Raises:
        ValueError: a number is not finite.
    """
    return "{" + ",".join(f"{_encode(name)}:{_value(value)}" for name, value in fields.items()) + "}"


def _value(value: object) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no price")
        return format(value, "f")
    if isinstance(value, Mapping):
        return dumps(value)
    return _encode(value)
