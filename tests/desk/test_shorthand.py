"""Shorthand and ATM templates at the desk: settled once, at the request; the number is what is shown, kept and sent."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.requests import EntryRequest, FlatPlaceRequest, ModifyRequest, PlaceRequest, Refused, ReplaceRequest, ReverseRequest
from bot.trading.orders.intents import FlatPlace, PlaceOrder, Reverse
from bot.trading.orders.terms import OrderType, Side
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import Grant
from tests.desk.conftest import HERE, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES
from tests.desk.test_commands import REST, resting

PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, OrderType.LIMIT)
ENTRIES: list[EntryRequest] = [
    PLACE,
    FlatPlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, OrderType.LIMIT),
    ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, OrderType.LIMIT),
]
MODIFY = ModifyRequest("Sim101", "rest1")


async def told(room: Room, request: EntryRequest | ModifyRequest) -> str:
    """Ask for something that is denied; the sentences."""
    made = await room.desk.offer(TRADER, HERE, request)
    assert isinstance(made, Refused), made
    return " ".join(denial.sentence for denial in made.denials)


@pytest.mark.parametrize("request_", ENTRIES, ids=lambda request: request.command)
async def test_shorthand_is_settled_at_the_request_and_the_number_is_what_is_sent(room: Room, request_: EntryRequest) -> None:
    ticket = await room.ticket(replace(request_, limit=" Bid - 2T "))
    assert (ticket.order.terms.limit, ticket.order.terms.typed) == (Decimal("5799.25"), (("limit", "bid-2t"),))
    room.broker.last = Decimal(5803)
    await room.confirm(ticket)
    [sent] = room.broker.sent
    assert (sent, ticket.order.terms.limit) == (ticket.intent, Decimal("5799.25"))
    assert (await room.now(ticket.id)).order.terms.shorthand("limit") == "bid-2t"


async def test_both_prices_of_an_order_may_be_shorthand(room: Room) -> None:
    asked = replace(PLACE, side=Side.SELL, type=OrderType.STOPLIMIT, stop="-0.1%", limit="last-25t")
    terms = (await room.ticket(asked)).order.terms
    assert (terms.stop, terms.limit) == (Decimal("5794.00"), Decimal("5793.75"))


async def test_break_even_is_that_of_the_position(room: Room) -> None:
    assert (await room.ticket(replace(PLACE, limit="be"))).order.terms.limit == Decimal(5790)
    assert await room.refused(replace(PLACE, limit="be", account="Sim102")) == ["BAD_PRICE"]
    assert "There is no open position for be" in await told(room, replace(PLACE, limit="be", account="Sim102"))


async def test_a_card_that_is_quoted_again_keeps_the_price_that_was_settled(room: Room) -> None:
    ticket = await room.ticket(replace(PLACE, side=Side.SELL, type=OrderType.STOPMARKET, stop="bid-40t"))
    room.broker.last = Decimal(5820)
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert (again.revision, again.intent, room.broker.sent) == (2, ticket.intent, [])
    assert again.order.terms.shorthand("stop") == "bid-40t"


async def test_a_modified_order_is_counted_from_the_price_that_it_has(room: Room) -> None:
    resting(room)
    ticket = await room.ticket(replace(MODIFY, limit="+1t"))
    assert ticket.order.terms.limit == Decimal("5790.25")
    await room.confirm(ticket)
    assert room.broker.book_orders[0].limit == Decimal("5790.25")


@pytest.mark.parametrize(
    ("limit", "codes"),
    [("+0t", ["BAD_REQUEST"]), ("-100%", ["BAD_PRICE"]), ("cheap", ["BAD_REQUEST"]), ("5790", ["BAD_REQUEST"])],
)
async def test_a_modification_that_comes_to_nothing_is_refused(room: Room, limit: str, codes: list[str]) -> None:
    resting(room)
    assert await room.refused(replace(MODIFY, limit=limit)) == codes
    assert room.broker.sent == []


async def test_plain_numbers_off_the_tick_are_still_refused(room: Room) -> None:
    assert await room.refused(replace(PLACE, limit="5790.10")) == ["BAD_PRICE"]


async def test_shorthand_for_a_price_that_the_type_does_not_take_is_refused(room: Room) -> None:
    assert await room.refused(replace(PLACE, limit="bid", stop="bid-4t")) == ["BAD_REQUEST"]
    assert await room.refused(replace(PLACE, limit=None)) == ["BAD_REQUEST"]


@pytest.mark.parametrize("read", ["quote", "positions"])
async def test_what_shorthand_is_counted_from_must_have_been_read(room: Room, read: str) -> None:
    room.broker.failing.add(read)
    assert await room.refused(replace(PLACE, limit="bid")) == ["FACTS_MISSING"]


async def test_an_old_price_is_no_base(room: Room) -> None:
    room.broker.quote_age = 1000
    assert await room.refused(replace(PLACE, limit="bid")) == ["QUOTE_STALE"]


async def test_a_denial_keeps_the_shorthand_that_was_typed(room: Room) -> None:
    await told(room, replace(PLACE, limit="be-2t", account="Sim102"))
    assert room.disk.recorded[-1].data["limit"] == "be-2t"


async def test_a_template_that_ninjatrader_has_goes_through(room: Room) -> None:
    ticket = await room.ticket(replace(PLACE, limit="bid", strategy=" Scalp "))
    assert ticket.order.terms.strategy == "Scalp"
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


@pytest.mark.parametrize("request_", ENTRIES, ids=lambda request: request.command)
@pytest.mark.parametrize(
    ("typed", "templates", "said"),
    [
        ("scalp", ["Scalp", "Two legs"], "no ATM template “scalp”; did you mean “Scalp”?"),
        ("Two leg", ["Scalp", "Two legs"], "did you mean “Two legs”?"),
        ("Swing", ["Two legs", "Scalp"], "it has “Scalp”, “Two legs”."),
        ("Swing", [], "it has none at all; leave strategy out."),
        ("q", [f"Plan {number}" for number in range(10, 30)], "“Plan 17” and 12 more."),
    ],
)
async def test_a_template_that_ninjatrader_does_not_have_is_denied_with_those_that_it_has(
    room: Room, request_: EntryRequest, typed: str, templates: list[str], said: str
) -> None:
    room.broker.shown.templates = tuple(templates)
    request = replace(request_, limit="bid", strategy=typed)
    assert await room.refused(request) == ["UNKNOWN_STRATEGY"]
    assert said in await told(room, request)
    assert room.broker.sent == []


async def test_a_replacement_names_a_template_that_ninjatrader_has(room: Room) -> None:
    resting(room)
    request = ReplaceRequest("Sim101", REST, 1, strategy="Swing")
    assert await room.refused(request) == ["UNKNOWN_STRATEGY"]
    room.broker.failing.add("atm_templates")
    assert UNCHECKED.format("Swing") in (await room.ticket(request)).shown.warnings


async def test_the_longest_names_make_a_sentence_that_is_still_read_whole(room: Room) -> None:
    room.broker.shown.templates = tuple(f"{number:02}" + "x" * 500 for number in range(40))
    assert len(await told(room, replace(PLACE, limit="bid", strategy="y" * 64))) < 600


UNCHECKED = "CrossTrade has no list of ATM templates that can be read: nobody can check that NinjaTrader has “{}”"


@pytest.mark.parametrize("request_", ENTRIES, ids=lambda request: request.command)
async def test_a_template_of_which_nobody_can_read_whether_it_is_there_goes_out_with_a_warning(
    room: Room, request_: EntryRequest
) -> None:
    room.broker.failing.add("atm_templates")
    ticket = await room.ticket(replace(request_, limit="bid", strategy="Swing"))
    assert ticket.shown.warnings[-1] == UNCHECKED.format("Swing")
    # It is quoted again with it, too.
    room.broker.book_positions["Sim101", ES] = -3
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert (again.revision, again.shown.warnings) == (2, ticket.shown.warnings)
    await room.confirm(again)
    assert [each.terms.strategy for each in room.broker.sent if isinstance(each, PlaceOrder | FlatPlace | Reverse)] == ["Swing"]
    assert not (await room.ticket(replace(PLACE, limit="bid", account="Sim102"))).shown.warnings


async def test_a_template_that_can_be_read_again_is_warned_of_no_more(room: Room) -> None:
    room.broker.failing.add("atm_templates")
    assert (await room.ticket(replace(PLACE, limit="bid", strategy="Scalp"))).shown.warnings
    room.broker.failing.clear()
    assert not (await room.ticket(replace(PLACE, limit="bid", strategy="Scalp"))).shown.warnings
    assert await room.refused(replace(PLACE, limit="bid", strategy="Swing")) == ["UNKNOWN_STRATEGY"]


async def test_somebody_who_may_not_learns_nothing_of_the_templates(room: Room) -> None:
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"place"}), ("Apex*",), ("*",), 5),))
    reads = room.broker.reads
    assert await room.refused(replace(PLACE, limit="bid", strategy="Swing")) == ["ACCOUNT_NOT_GRANTED"]
    assert room.broker.reads == reads


async def test_a_contract_that_is_not_the_front_month_is_warned_about_by_name(room: Room) -> None:
    await room.look_around()
    ticket = await room.ticket(replace(PLACE, limit="bid", instrument="ES 12-26"))
    assert ticket.shown.warnings == ("ES 12-26 is not the front month: NinjaTrader's is ES 09-26",)
    room.desk._directory.forget_fronts()
    assert (await room.ticket(replace(PLACE, limit="bid", instrument="ES 12-26"))).shown.warnings


async def test_front_months_are_asked_for_again_when_they_may_have_rolled(room: Room) -> None:
    await room.look_around()
    reads = room.broker.reads
    await room.look_around()
    assert room.broker.reads == reads
    room.desk._directory.forget_fronts()
    await room.look_around()
    assert room.broker.reads > reads
    room.broker.failing.add("session")
    room.desk._directory.forget_fronts()
    await room.look_around()
    assert room.desk._directory.front("ES") is not None


async def test_a_root_whose_month_the_calendar_says_has_that_on_its_card(room: Room) -> None:
    room.broker.failing.add("session")
    ticket = await room.ticket(replace(PLACE, account="Sim102", limit="bid", instrument="ES"))
    assert str(ticket.order.contract) == "ES 09-26"
    assert "ES 09-26 is the front month by the calendar, as NinjaTrader doesn't tell it" in ticket.shown.warnings
    assert await room.refused(replace(PLACE, account="Sim102", limit="bid", instrument="CL")) == ["FACTS_MISSING"]
