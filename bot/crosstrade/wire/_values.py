"""Parts of all replies: numbers, texts, times, lists and objects, and how a row that can't be read is told.

Which rows there are, and what they mean, stands in the parts beside this one.
"""

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from bot.errors import BrokerGarbled, BrokerPartly, InstrumentError
from bot.trading.words import verbatim

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds reach this in the year 5138, milliseconds did in 1973.
_SMALLEST_MILLISECONDS = Decimal(10) ** 11
_NOISE_STARTS_AT = 8
LONGEST_INSTRUMENT = 40
_LARGEST = Decimal(10) ** 15
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _number(value: object) -> object:
    """An exact number without the binary noise that CrossTrade's own floats carry."""
    if value is None:
        return None
    # As JSON was read; there are hundreds in a list of accounts.
    number = value if type(value) is Decimal else _spelt(value)
    if not number:
        # Most are; and there is no zero below zero.
        return abs(number)
    if not number.is_finite() or abs(number) > _LARGEST:
        raise ValueError("no number that can be meant")
    if number == round(number, _NOISE_STARTS_AT):
        return number
    return Decimal(format(round(number, _NOISE_STARTS_AT).normalize(), "f"))


def _spelt(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("no number")  # noqa: TRY004  pydantic turns a ValueError into its own, not a TypeError
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError("no number") from None


def _count(value: object) -> object:
    number = _number(value)
    if isinstance(number, Decimal) and (number != int(number) or number < 0):
        raise ValueError("no count")
    return int(number) if isinstance(number, Decimal) else number


def _text(value: object) -> object:
    """Text, blank being none; ids may come as numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else value


def _if_it_can_be_read(read: Callable[[object], object]) -> Callable[[object], object]:
    """Read what only shows something: what can't be read counts as not told, and never costs the rest of the row."""

    def lenient(value: object) -> object:
        try:
            return read(value)
        except ValueError:
            return None

    return lenient


def _any_text(value: object) -> object:
    read = _text(value)
    return read if isinstance(read, str) else None


Number = Annotated[Decimal, BeforeValidator(_number)]
Count = Annotated[int, BeforeValidator(_count)]
Text = Annotated[str, BeforeValidator(_text)]
MaybeText = Annotated[str | None, BeforeValidator(_text)]
# For what no decision looks at.
ShownNumber = Annotated[Decimal | None, BeforeValidator(_if_it_can_be_read(_number))]
ShownCount = Annotated[int | None, BeforeValidator(_if_it_can_be_read(_count))]
ShownText = Annotated[str | None, BeforeValidator(_any_text)]


class Row(BaseModel):
    """A row of any reply: unknown keys are left alone, and what can't be read is never echoed."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, hide_input_in_errors=True, defer_build=True)


class InstrumentRow(Row):
    """A row about an instrument in an account."""

    account: MaybeText = None
    instrument: Text


_R = TypeVar("_R", bound=InstrumentRow)
_F = TypeVar("_F")


def moment(epoch: Decimal | None) -> datetime | None:
    """Read an epoch into aware UTC: in seconds as quotes have it, or milliseconds as all else, which can't be mistaken.

    ``None`` when it is no real time: nothing, zero or below, or beyond the calendar.
    """
    if epoch is None or epoch <= 0:
        return None
    seconds = epoch / 1000 if epoch >= _SMALLEST_MILLISECONDS else epoch
    try:
        return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        return None


def utc(text: str) -> datetime:
    """Read a time that CrossTrade documents as UTC, with .NET's seven decimals, whether it has a zone mark or not.

    Raises:
        ValueError: it is no time.
    """
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def row_of(model: type[_R], item: object, account: str | None) -> _R:
    """Read a row of an account's; or of any account, where none was asked for: then the row must name its own.

    Raises:
        ValueError: it can't be read.
        BrokerGarbled: it is of another account.
    """
    row = model.model_validate(item)
    if account is None and row.account is None:
        raise ValueError("a row of no account")
    check_account(row.account, account)
    return row


def check_account(answered: str | None, asked: str | None) -> None:
    """See that an answer is of the account that was asked for, if one was and the answer says whose it is.

    Raises:
        BrokerGarbled: it is of another one.
    """
    # CrossTrade echoes the account in its canonical case (official).
    if answered is not None and asked is not None and not is_same(answered, asked):
        raise BrokerGarbled("CrossTrade answered for another account than the one asked for.")


def is_same(name: str, other: str) -> bool:
    """Tell whether two account names are one: the case of ASCII letters doesn't matter."""
    return name.translate(_LOWER) == other.translate(_LOWER)


def futures(rows: Sequence[object], name: str, read: Callable[[object], _F]) -> list[_F]:
    """Read the rows but those that say that they are no futures: a dated contract is all that is traded here.

    Raises:
        BrokerPartly: some of them can't be read, though each says which instrument it is of.
        BrokerGarbled: one that can't be read doesn't say so much; there is no telling what else it may be.
    """
    found: list[_F] = []
    unread: list[tuple[str, str | None]] = []
    for row in rows:
        if is_no_future(row):
            continue
        try:
            found.append(reading(name, read, row))
        except BrokerGarbled:
            if (named := _named(row)) is None:
                raise
            unread.append((f'{name} "{named[0]}"', named[1]))
    if unread:
        accounts = frozenset(account for _, account in unread if account is not None)
        whose = None if any(account is None for _, account in unread) else accounts
        raise BrokerPartly(found, [text for text, _ in unread], whose)
    return found


def is_no_future(row: object) -> bool:
    """Tell whether a row says that it is of something else than a future."""
    kind = row.get("instrumentType") if isinstance(row, Mapping) else None
    return isinstance(kind, str) and bool(kind.strip()) and kind.strip().casefold() != "future"


def _named(row: object) -> tuple[str, str | None] | None:
    """The instrument and the account that a row names; ``None`` where it says nothing of the former."""
    if not isinstance(row, Mapping):
        return None
    instrument, account = (_text(row.get(key)) for key in ("instrument", "account"))
    if not isinstance(instrument, str):
        return None
    return verbatim(instrument, LONGEST_INSTRUMENT), account if isinstance(account, str) else None


def reading(name: str, read: Callable[[object], _F], item: object) -> _F:
    """Read one thing.

    Raises:
        BrokerGarbled: it can't be read; the sentence names where, and never what stands there.
    """
    try:
        return read(item)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, one["loc"])) or "the whole of it" for one in error.errors()}))
        raise BrokerGarbled(f"CrossTrade's {name} can't be read ({where[:100]}).") from None
    except (KeyError, ValueError, InstrumentError) as error:
        raise BrokerGarbled(f"CrossTrade's {name} can't be read.") from error


def rows_of(body: object, key: str) -> list[object]:
    """The rows: under their key, flat or nested in ``data``, or bare. Anything else must not read as "none".

    Raises:
        BrokerGarbled: there is no list.
    """
    found: object = body
    if isinstance(body, Mapping):
        data = body.get("data")
        found = body[key] if key in body else data.get(key) if isinstance(data, Mapping) else data
        if found is data and body.get("success") is not True:
            found = None
    if not isinstance(found, list):
        raise BrokerGarbled(f"CrossTrade's answer holds no list of {key}.")
    return found


def thing_of(body: object, key: str = "") -> object:
    """The one thing that was asked for: flat, or nested in ``data`` or under its key or both."""
    for name in ("data", key):
        if isinstance(body, Mapping) and isinstance(body.get(name), Mapping):
            body = body[name]
    return body
