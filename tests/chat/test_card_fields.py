"""Whatever is sent with an order stands on its card: of every kind of order, every field of the body has a word there."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import discord
import pytest

from bot.chat.cards import card
from bot.crosstrade.calls import call_of
from bot.trading.orders.broker_calls import CancelOrders, CloseStrategy, FlattenAccount
from bot.trading.orders.intents import (
    Action,
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Holding, Scope
from bot.trading.orders.progress import ExitRow, Progress
from bot.trading.orders.terms import OrderType, Side, Terms, TimeInForce
from bot.trading.orders.tickets import Ticket, TicketState

from .samples import ES, TICKET

FULL = Terms(
    Side.SELL,
    3,
    OrderType.STOPLIMIT,
    TimeInForce.GTC,
    limit=Decimal("5795.25"),
    stop=Decimal("5796.75"),
    oco="grp-9",
    strategy="two legs",
)
BEFORE = Terms(Side.SELL, 7, OrderType.STOPLIMIT, limit=Decimal("5701.25"), stop=Decimal("5702.75"))
STOP = Terms(Side.SELL, 2, OrderType.STOPMARKET, TimeInForce.GTC, stop=Decimal("5780.25"))
ALL = frozenset({"flat", "long", "short"})
WHERE = Scope(("Sim101",), ES)
# What a ticket is about, and the calls that come of it.
KINDS: list[tuple[Intent, tuple[Action, ...]]] = [
    *(
        (intent, (intent,))
        for intent in (
            Reverse("Sim101", ES, FULL),
            Invert("Sim101", ES, Terms(Side.SELL, 2)),
            PlaceOrder("Sim101", ES, FULL, "own-77", ALL, 50),
            PlaceOrder("Sim101", ES, Terms(Side.BUY, 1), "own-77", frozenset({"long"})),
            PlaceOrder("Sim101", ES, FULL, "own-77", guard="flat"),
            PlaceOrder("Sim101", ES, FULL, "own-77", guard="short"),
            FlatPlace("Sim101", ES, FULL),
            Close("Sim101", ES, Terms(Side.SELL, 2), 2),
            Close("Sim101", ES, Terms(Side.SELL, 2)),
            Cancel("Sim101", ES, FULL, "nt-55"),
            Change("Sim101", ES, replace(BEFORE, quantity=3, limit=FULL.limit, stop=FULL.stop), "nt-55", BEFORE),
            Replace("Sim101", ES, FULL, "nt-55", BEFORE, ALL),
            Bracket("Sim101", ES, STOP, Decimal("5820.75")),
        )
    ),
    (
        VerifiedReverse("Sim101", ES, FULL, "own-77"),
        (Close("Sim101", ES, Terms(Side.SELL, 2)), PlaceOrder("Sim101", ES, FULL, "own-77", frozenset({"flat"}))),
    ),
    (Flatten(WHERE, Holding.LONG), (FlattenAccount("Sim101", ES, Holding.LONG),)),
    (CancelWorking(WHERE), (CancelOrders("Sim101", ES),)),
    (FlattenStrategy(WHERE, "334", "Scalp"), (CloseStrategy("Sim101", "334"),)),
]


@pytest.mark.parametrize(
    ("intent", "actions"), KINDS, ids=lambda each: type(each).__name__ if not isinstance(each, tuple) else ""
)
@pytest.mark.parametrize("state", [TicketState.OFFERED, TicketState.ACCEPTED])
def test_every_field_that_is_sent_has_a_word_on_the_card(intent: Intent, actions: tuple[Action, ...], state: TicketState) -> None:
    text = _text(_ticket(intent, state))
    for action in actions:
        call = call_of(action)
        sent = {"account": call.account, **call.named, **call.body}
        missing = {name: value for name, value in sent.items() if not _has_word(text, intent, name, value)}
        assert missing == {}


def test_every_kind_of_order_is_here() -> None:
    there = {type(intent) for intent, _ in KINDS}
    kinds = {kind for union in Intent.__args__ for kind in getattr(union, "__args__", (union,))}
    assert kinds == there
    # Each can be told from the others only if no two fields have one word.
    assert len({str(value) for value in (FULL.quantity, FULL.limit, FULL.stop, FULL.oco, FULL.strategy)}) == 5


def _has_word(text: str, intent: Intent, name: str, value: Any) -> bool:
    if isinstance(intent, VerifiedReverse) and name == "requireMarketPosition":
        return "read back until flat" in text or "verified" in text
    if isinstance(intent, Bracket) and name == "action":
        # That of the position which is protected.
        return ("LONG" if value == "BUY" else "SHORT") in text
    if isinstance(intent, PlaceOrder) and name == "requireMarketPosition" and not intent.require:
        return f"only while {value} there, as on this card" in text
    if name == "requireMarketPosition":
        return f"only while {' or '.join(sorted(value.split(',')))} there" in text
    if name == "maxPositions":
        return f"fewer than {value} positions" in text
    return str(value).casefold() in text.casefold()


def _ticket(intent: Intent, state: TicketState) -> Ticket:
    lines = tuple(ExitRow(name, False, ES, 2, 1) for name in getattr(getattr(intent, "scope", None), "accounts", ()))
    return replace(TICKET, intent=intent, state=state, progress=Progress(rows=lines))


def _text(ticket: Ticket) -> str:
    return "\n".join(item.content for item in card(ticket).walk_children() if isinstance(item, discord.ui.TextDisplay))
