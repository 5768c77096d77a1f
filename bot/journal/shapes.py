"""The shapes of a ticket's JSON columns: the frozen dataclasses of the rules, field by field, by pydantic's adapters of them.

A field that is added with a default is read of older rows as that default; one that is renamed or taken away needs a migration.
JSON is plain ASCII, so that no database chokes on what a stranger typed; ``Decimal`` travels as a string and comes back exact.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Discriminator, Tag, TypeAdapter

from bot.trading.orders.intents import KINDS, Intent
from bot.trading.orders.progress import Progress
from bot.trading.orders.protection import Protection
from bot.trading.orders.terms import Terms
from bot.trading.orders.tickets import Approved, Preview

T = TypeVar("T")


def _plain(value: object) -> object:
    """A value that JSON has no word for: a set in its order, a moment in UTC; anything else as its words.

    What is handed to the log must never be the reason that a fact goes unrecorded.
    """
    match value:
        case frozenset() | set():
            return sorted(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Decimal():
            return str(value)
    return str(value)


written = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


def _readable(value: object) -> str:
    """JSON that pydantic reads: half a surrogate pair, which not every reader of JSON takes, becomes ``?``."""
    text = written(value)
    if "\\ud" not in text:
        return text
    return written(json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace")))


class Shape(Generic[T]):
    """A dataclass of the rules as JSON."""

    def __init__(self, kind: Any) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def write(self, value: T) -> str:
        """The value as JSON."""
        return _readable(self._adapter.dump_python(value))

    def read(self, text: str) -> T:
        """The value that a text in JSON stands for.

        Raises:
            ValueError: it is none of this version's.
        """
        return self._adapter.validate_json(text)


class _Intents(Shape[Intent]):
    """Intents, each with its kind's word beside its fields."""

    def __init__(self) -> None:
        tagged: Any = reduce(or_, [Annotated[kind, Tag(kind.kind)] for kind in KINDS])
        super().__init__(Annotated[tagged, Discriminator(_kind_of)])

    def write(self, value: Intent) -> str:
        return _readable({"kind": value.kind, **self._adapter.dump_python(value)})


def _kind_of(value: Any) -> Any:
    return value.get("kind") if isinstance(value, dict) else value.kind


INTENT = _Intents()
SHOWN = Shape[Preview](Preview)
TERMS = Shape[Terms](Terms)
PROGRESS = Shape[Progress](Progress)
PROTECTION = Shape[Protection](Protection)
APPROVALS = Shape[tuple[Approved, ...]](tuple[Approved, ...])
