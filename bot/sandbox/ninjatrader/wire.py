"""The wire's own habits: JSON numbers, .NET times, API errors, and reading arguments. No routes, no books."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

NT8_ZONE = ZoneInfo("America/Los_Angeles")
"""The zone of the PC that NinjaTrader runs on; the vendor's samples come from this one."""


class ApiError(Exception):
    """An answer other than success: HTTP status and JSON body; `done` where something was done all the same."""

    def __init__(self, status: int, error: str, *, detail: str | None = None, bare: bool = False, done: bool = False) -> None:
        """Take a bare body ({"error"}: the endpoint pages' form) or the envelope (llms-full's form)."""
        super().__init__(error)
        self.status = status
        self.done = done
        self.body: dict[str, Any] = {"error": error} if bare else {"success": False, "error": error}
        if detail is not None and not bare:
            self.body["detail"] = detail


def invalid_request() -> ApiError:
    """Bad or missing fields: the one sentence shown on nearly every endpoint page."""
    return ApiError(400, "Invalid request", bare=True)


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} does not go on the wire")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# Both kept, as making one takes longer than a small body.
_encode = json.JSONEncoder(default=_number).encode
_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant).decode


def dumps(body: object) -> str:
    """JSON text with decimals as plain numbers."""
    return _encode(body)


def loads(text: str | bytes) -> Any:
    """JSON with exact decimals; NaN and Infinity are refused (ValueError, as for any broken text)."""
    return _decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass"))


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as executions, orders, bars and snapshots have it."""
    return int(moment.timestamp() * 1000)


def dotnet_utc(moment: datetime) -> str:
    """UTC with seven decimals and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


# An order is listed again and again, and changing zones takes long.
@lru_cache(maxsize=1024)
def dotnet_local(moment: datetime) -> str:
    """NT8 PC local time with seven decimals and no zone mark."""
    return moment.astimezone(NT8_ZONE).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def dotnet_offset(moment: datetime) -> str:
    """NT8 PC local time with seven decimals and its offset."""
    offset = moment.astimezone(NT8_ZONE).strftime("%z")
    return f"{dotnet_local(moment)}{offset[:3]}:{offset[3:]}"


class Args:
    """One call's arguments: path, query and body together. Wrong types answer 400 Invalid request."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Keep the values; null counts as absent."""
        self._values = {key: value for key, value in values.items() if value is not None}

    def without(self, name: str) -> "Args":
        """Give all but one."""
        return Args({key: value for key, value in self._values.items() if key != name})

    def text(self, name: str) -> str | None:
        """Give a trimmed string, None when absent or empty."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise invalid_request()
        return str(value).strip() or None

    def required(self, name: str) -> str:
        """Give a string that must be there."""
        value = self.text(name)
        if value is None:
            raise invalid_request()
        return value

    def integer(self, name: str) -> int | None:
        """Give a whole number; strings of digits too, because queries carry nothing else."""
        value = self.number(name)
        if value is None:
            return None
        if value != int(value):
            raise invalid_request()
        return int(value)

    def number(self, name: str) -> Decimal | None:
        """Give an exact number."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise invalid_request()
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise invalid_request() from None
        if not number.is_finite():
            raise invalid_request()
        return number

    def flag(self, name: str, *, default: bool) -> bool:
        """Give a boolean; true/false as words too."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.casefold() in {"true", "false", "1", "0"}:
            return value.casefold() in {"true", "1"}
        raise invalid_request()
