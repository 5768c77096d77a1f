"""What the client's docstrings must say: the vendor's page, how far it can be trusted, the errors, and the unit of every number.

The API mixes seconds with milliseconds and local time with UTC, so that a number without its unit is a trap for who comes next.
"""

import inspect
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from bot.crosstrade import CrossTrade, history, paths, pushes, requests, wire
from bot.crosstrade.endpoints import BESIDE, ENDPOINTS, Endpoint, Trust
from bot.crosstrade.errors import Reply
from bot.crosstrade.link import Link
from bot.crosstrade.reading import Reading
from bot.crosstrade.wire import _accounts, _market, _orders
from bot.crosstrade.wire._values import InstrumentRow
from bot.desk.ports import Broker
from bot.errors import BrokerError
from bot.timings import CrossTradeTimings
from bot.trading.orders.intents import Action
from bot.trading.orders.outcomes import Outcome

ALL = (*ENDPOINTS, *BESIDE)
READS = [one for one in ALL if not one.is_write]
TITLES = {f"{one.method} {one.name}".casefold(): one for one in ALL}
# The longest first: a page's name may begin with another's.
TITLE = re.compile("|".join(rf"{re.escape(title)}\b" for title in sorted(TITLES, key=len, reverse=True)), re.IGNORECASE)
MARKS = r"(?:\b(?:old|mid|new|inferred|unknown)\b|code of others)"
# In brackets, as "new" and "old" are ordinary words too.
TRUST = re.compile(rf"\([^()]*{MARKS}[^()]*\)")
# They make no call: what they give was pushed.
OF_THE_STREAM = {"day", "listen", "vitals"}

# What says the unit of a field of that type.
UNITS: dict[type, re.Pattern[str]] = {
    datetime: re.compile(r"\bUTC\b"),
    Decimal: re.compile(r"\b(account's currency|contract's currency|price units|fraction|contracts)\b"),
    int: re.compile(r"\b(contracts|HTTP status|four digits|1 to 12|minutes, days|positions|calendar days|bars)\b"),
    float: re.compile(r"\bseconds\b"),
}
# Whether contracts carry a sign: in one class they do, in its neighbour they don't.
SIGN = re.compile(r"\bsigned\b|\bno sign\b")
# A read's own docstring says these again when what it gives has them.
SAID_AGAIN = ("UTC", "contracts", "account's currency", "price units")


def said(thing: object) -> str:
    """A docstring of its own, on one line."""
    return " ".join((thing.__doc__ or "").split())


def titles(text: str) -> set[str]:
    """The names of the endpoints that a docstring names, with their methods."""
    return {TITLES[found.casefold()].name for found in TITLE.findall(text)}


def kinds(hint: object) -> Iterator[type]:
    """The plain types in an annotation."""
    for part in get_args(hint):
        yield from kinds(part)
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        yield hint


def classes(hint: object) -> set[type]:
    """The plain data that an annotation leads to, at any depth."""
    found: set[type] = set()
    waiting = [kind for kind in kinds(hint) if is_dataclass(kind)]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [kind for part in get_type_hints(one).values() for kind in kinds(part) if is_dataclass(kind)]
    return found


def gives(name: str) -> object:
    """What a method of the client gives."""
    return get_type_hints(getattr(CrossTrade, name)).get("return")


OF_READS = {one for name in (*(read.client for read in READS), "quote", "day") for one in classes(gives(name))}
RETURNED = sorted(
    {*OF_READS, *classes(Outcome), Link, Reply, pushes.Tick, CrossTradeTimings},
    key=lambda one: one.__name__,
)
BODIES = [
    one
    for module in (requests, history)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, requests.Body) and one is not requests.Body and one.__module__ == module.__name__
]


def attributes(cls: type) -> dict[str, str]:
    """What the Attributes section says of each; names before one colon share what stands behind it."""
    _, _, section = (inspect.cleandoc(cls.__doc__ or "")).partition("Attributes:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        entry = re.match(r"    (\w+(?:, \w+)*): ", line)
        if entry:
            names = entry[1].split(", ")
        found |= {name: f"{found.get(name, '')} {line.strip()}" for name in names}
    return found


def unit_of(kind: type, text: str) -> str | None:
    """The unit that is said of a number or a time; at once, as a unit further on may be that of something else."""
    unit = UNITS[kind].search(re.split(r"[;.](?:\s|$)", text)[0])
    return None if unit is None else unit[0]


def lacks(kind: type, text: str) -> bool:
    """Tell whether what is said of a number or a time leaves its unit or its sign open."""
    unit = unit_of(kind, text)
    return unit is None or (kind is int and unit == "contracts" and not SIGN.search(text))


def numbers(hints: dict[str, Any]) -> Iterator[tuple[str, type]]:
    """The fields that need a unit; truth and falsehood do not."""
    for name, hint in hints.items():
        for kind in kinds(hint):
            if kind in UNITS:
                yield name, kind


def functions(module: types.ModuleType, ending: str = "") -> list[Callable[..., object]]:
    """The public functions that a module itself has."""
    return [
        one
        for name, one in vars(module).items()
        if inspect.isfunction(one) and one.__module__ == module.__name__ and not name.startswith("_") and name.endswith(ending)
    ]


def test_what_is_looked_at_here_is_all_that_the_desk_can_ask_for() -> None:
    ours = {name for name in dir(CrossTrade) if not name.startswith("_") and callable(getattr(CrossTrade, name))}
    asked = {name for name in dir(Broker) if not name.startswith("_")}
    assert asked <= ours
    assert (
        ours
        == {one.client for one in READS}
        | {"quote", "others", "send", "lane", "changed", "age", "asked_at", "at_hand"}
        | OF_THE_STREAM
    )
    returned = {one.__name__ for one in RETURNED}
    assert {"Account", "Bar", "Execution", "Funds", "OrderEvent", "Quote", "Session", "Span", "Rejected"} <= returned
    assert {"OrderBody", "CloseBody", "BarsBody"} <= {one.__name__ for one in BODIES}


@pytest.mark.parametrize("endpoint", READS, ids=lambda one: one.client)
def test_a_read_names_its_page_and_how_far_to_trust_it(endpoint: Endpoint) -> None:
    for name in {endpoint.client, "quote" if endpoint.name == "Quote" else endpoint.client}:
        text = said(getattr(CrossTrade, name))
        assert endpoint.name in titles(text), f"{name} doesn't name {endpoint.method} {endpoint.name}"
        page = re.escape(f"{endpoint.method} {endpoint.name}")
        # "(GET Quote, mid)" or "GET Quote (mid)".
        marked = re.compile(rf"\([^()]*{page}\b[^()]*{MARKS}[^()]*\)|{page} \([^()]*{MARKS}[^()]*\)")
        assert marked.search(text), f"{name} doesn't say how far its page can be trusted"
        if endpoint.path_from is Trust.OTHERS:
            assert "code of others" in text, name
        if endpoint.path_from is Trust.INFERRED:
            assert "inferred" in text, name
            assert "BrokerLacks" in text, f"{name} doesn't say what happens where its path isn't there"


@pytest.mark.parametrize("name", sorted({one.client for one in READS} | {"quote", "day"}))
def test_a_read_says_the_units_of_what_it_gives(name: str) -> None:
    fields = " ".join(text for one in classes(gives(name)) for text in attributes(one).values())
    text = said(getattr(CrossTrade, name)).casefold()
    assert [unit for unit in SAID_AGAIN if unit in fields and unit.casefold() not in text] == []


@pytest.mark.parametrize("name", sorted(OF_THE_STREAM))
def test_what_was_pushed_names_the_page_of_the_stream(name: str) -> None:
    text = said(getattr(CrossTrade, name))
    assert "WebSocket page" in text
    assert "inferred" in text


def test_the_errors_of_all_reads_stand_in_one_place() -> None:
    def below(kind: type[BrokerError]) -> Iterator[type[BrokerError]]:
        for one in kind.__subclasses__():
            yield from (one, *below(one))

    raises = said(Reading).partition("Raises: ")[2]
    assert [one.__name__ for one in below(BrokerError) if f"{one.__name__}:" not in raises] == []
    assert "``Reading``" in said(CrossTrade)
    assert "``BrokerGarbled``" in said(wire)
    for module in (requests, paths):
        assert "``ValueError``" in said(module), module.__name__


def test_sending_says_its_outcomes_and_every_action_its_page() -> None:
    text = said(CrossTrade.send)
    assert [one.__name__ for one in get_args(Outcome) if f"``{one.__name__}``" not in text] == []
    assert "UTC" in text
    writes = {one.name for one in ENDPOINTS if one.is_write}
    named = {action: titles(said(action)) & writes for action in get_args(Action)}
    assert [action.__name__ for action, pages in named.items() if not pages] == []
    assert set().union(*named.values()) == writes
    loose = {one.name for one in ENDPOINTS if one.is_write and one.path_from is not Trust.PAGE}
    assert [action.__name__ for action, pages in named.items() if pages & loose and not TRUST.search(said(action))] == []


@pytest.mark.parametrize("cls", RETURNED, ids=lambda cls: cls.__name__)
def test_every_number_and_time_that_the_client_gives_has_a_unit(cls: type) -> None:
    told = attributes(cls)
    assert [name for name, kind in numbers(get_type_hints(cls)) if lacks(kind, told.get(name, ""))] == []


@pytest.mark.parametrize("cls", RETURNED, ids=lambda cls: cls.__name__)
def test_every_number_and_time_that_is_worked_out_has_a_unit(cls: type) -> None:
    worked_out = {name: one.fget for name, one in vars(cls).items() if isinstance(one, property)}
    hints = {name: get_type_hints(one).get("return") for name, one in worked_out.items()}
    assert [name for name, kind in numbers(hints) if unit_of(kind, said(worked_out[name])) is None] == []


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_a_body_names_its_page_and_the_unit_of_what_is_sent(body: type[requests.Body]) -> None:
    assert titles(said(body)) & {one.name for one in ALL if one.method != "GET"}
    told, own = attributes(body), inspect.get_annotations(body)
    hints = {name: hint for name, hint in get_type_hints(body).items() if name in own and name in body.model_fields}
    # A quantity of an order has no sign: the side stands beside it.
    assert [name for name, kind in numbers(hints) if unit_of(kind, told.get(name, "")) is None] == []


def test_every_path_names_its_endpoint() -> None:
    found = {one: titles(said(one)) for module in (paths, requests, history) for one in functions(module, "_path")}
    assert len(found) > 20
    assert [one.__name__ for one, pages in found.items() if len(pages) != 1] == []
    assert set().union(*found.values()) >= {one.name for one in READS}


def test_every_frame_that_is_sent_says_where_it_was_read() -> None:
    frames = [one for one in functions(requests) if one.__name__ != "segment" and not one.__name__.endswith("_path")]
    assert {one.__name__ for one in frames} == {"rpc", "subscribe", "unsubscribe", "subscribe_events", "stream_pnl"}
    assert [one.__name__ for one in frames if "WebSocket page" not in said(one) and "inferred" not in said(one)] == []


def readers() -> list[tuple[str, Callable[..., object]]]:
    """What reads replies."""
    own = [(name, getattr(wire, name)) for name in wire.__all__ if name != "moment"]
    return [*own, ("read_bars", history.read_bars)]


@pytest.mark.parametrize(("name", "read"), readers(), ids=lambda one: one if isinstance(one, str) else "")
def test_what_reads_a_reply_names_its_page_and_the_form_of_its_times(name: str, read: Callable[..., object]) -> None:
    text = said(read)
    assert titles(text), f"{name} names no page"
    assert TRUST.search(text), f"{name} doesn't say how far its page can be trusted"
    if any(kind is datetime for one in classes(get_type_hints(read)["return"]) for kind in get_type_hints(one).values()):
        assert re.search(r"\b(seconds|milliseconds|UTC)\b", text), f"{name} doesn't say how its times come"


@pytest.mark.parametrize("module", [_accounts, _market, _orders, history, pushes], ids=lambda module: module.__name__)
def test_every_key_that_is_read_of_a_reply_is_named(module: types.ModuleType) -> None:
    text = " ".join(said(one) for one in functions(module))
    rows = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == module.__name__ and one not in BODIES
    ]
    inherited = set(InstrumentRow.model_fields) if module in {_accounts, _orders} else set()
    keys = {field.alias or name for row in rows for name, field in row.model_fields.items()} | inherited
    assert sorted(key for key in keys if f"``{key}``" not in text) == []
