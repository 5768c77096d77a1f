"""/resolve: a person says what became of an unknown outcome; the market is never touched, and evidence may be faster."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.desk.ports import EventName
from bot.desk.requests import CancelRequest, CloseRequest, FlattenRequest, PlaceRequest, Refused, ResolveRequest, TicketRequest
from bot.trading.market.facts import Order
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Member, Ticket, TicketState
from bot.trading.risk.policy import Grant
from tests.desk.conftest import ASK, NEWS_CHANNEL, TRADER, Room
from tests.desk.fakes import ES, FakeBroker

OTHER_ROLE = 1200
OTHER = Member(9, "Olga", frozenset({OTHER_ROLE}))
PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)


async def lost(room: Room, request: TicketRequest = ASK) -> Ticket:
    """A ticket whose answer was lost."""
    room.broker.outcomes.append(Unknown("the connection was reset"))
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    ticket = await room.now(ticket.id)
    assert ticket.state is TicketState.UNKNOWN
    return ticket


async def resolve(
    room: Room, ticket: str, outcome: str = "never arrived", why: str = "I looked", order: str | None = None, who: Member = TRADER
) -> str:
    """Say it; the sentence that comes back."""
    said = await room.desk.resolving.resolve(who, ResolveRequest(ticket, outcome, why, order))
    assert isinstance(said, str), said
    return said


async def test_never_arrived_ends_it_with_who_and_why_on_card_in_journal_and_channel(room: Room) -> None:
    ticket = await lost(room)
    sent = list(room.broker.sent)
    room.clock.pass_by(60)
    said = await resolve(room, ticket.id.lower(), why="  NinjaTrader's log\nhas nothing ")
    assert said == f"Ticket {ticket.id} is now never arrived; its card says so. Nothing was sent."
    now = await room.now(ticket.id)
    assert (now.state, now.ended_at, now.ended_by, now.ended_by_id) == (TicketState.NEVER_ARRIVED, room.clock(), "Tina", 1)
    assert now.outcome == "resolved by “Tina” (member 1): “NinjaTrader's log has nothing”"
    event = (await room.journal.events(ticket.id))[-1]
    assert (event.name, event.actor) == (EventName.RESOLVED, TRADER.id)
    assert event.data == {"outcome": "never arrived", "why": "NinjaTrader's log has nothing", "by": "Tina", "order_ids": []}
    notices = [row.notice for row in await room.journal.due(room.clock(), 50) if row.notice is not None]
    assert notices[-1].channel == NEWS_CHANNEL
    assert "Resolved by a person: never arrived" in notices[-1].text
    assert "resolved by “Tina” (member 1): “NinjaTrader's log has nothing”" in notices[-1].text
    assert room.broker.sent == sent
    # Until then nobody could enter there.
    assert isinstance(await room.ticket(), Ticket)


async def test_accepted_with_its_order_is_followed_like_any_other(room: Room) -> None:
    ticket = await lost(room)
    order = room.broker.book(ticket.intent, OrderState.WORKING)
    said = await resolve(room, ticket.id, "accepted", order=order.id)
    assert said == f"Ticket {ticket.id} is now accepted; its order “{order.id}” is followed on its card."
    room.broker.change(order.id, OrderState.FILLED, 1)
    room.clock.pass_by(5)
    await room.follow()
    now = await room.now(ticket.id)
    assert (now.state, now.order_state, now.filled, now.order_ids) == (TicketState.ACCEPTED, OrderState.FILLED, 1, (order.id,))
    assert now.outcome == "resolved by “Tina” (member 1): “I looked”"


async def test_a_cancellation_follows_the_order_that_it_was_about(room: Room) -> None:
    order = room.broker.rest(Side.SELL, 1)
    ticket = await lost(room, CancelRequest("Sim101", order.id))
    await resolve(room, ticket.id, "accepted", why="it is gone")
    now = await room.now(ticket.id)
    assert (now.order_ids, now.is_followed) == ((order.id,), True)
    room.broker.change(order.id, OrderState.CANCELLED)
    room.clock.pass_by(5)
    await room.follow()
    now = await room.now(ticket.id)
    assert (now.order_state, now.outcome) == (OrderState.CANCELLED, "resolved by “Tina” (member 1): “it is gone”")


@pytest.mark.parametrize(
    "request_",
    [ASK, CloseRequest("Sim101", "ES 09-26"), FlattenRequest("account", "Sim101")],
    ids=["reverse", "close", "flatten"],
)
async def test_what_has_no_id_of_ours_is_accepted_without_following(room: Room, request_: TicketRequest) -> None:
    ticket = await room.ticket(request_)
    sending = replace(ticket, state=TicketState.SENDING, version=ticket.version + 1, sent_at=room.clock())
    assert await room.journal.advance(ticket, sending, ())
    await room.desk._recovery.lost(sending)
    await resolve(room, ticket.id, "accepted", why="seen in the log")
    now = await room.now(ticket.id)
    assert (now.state, now.is_followed, now.order_ids) == (TicketState.ACCEPTED, False, ())
    reads = room.broker.reads
    room.clock.pass_by(30)
    await room.follow()
    await look(room)
    assert room.broker.reads == reads


async def look(room: Room) -> None:
    """One round of the search for evidence."""
    await room.desk._reconciler.look(await room.journal.recent(room.clock() - timedelta(hours=1)))


async def test_the_order_must_be_listed_in_that_account(room: Room) -> None:
    ticket = await lost(room)
    elsewhere = room.broker.rest(Side.BUY, 1, account="Sim102")
    for order_id in ("nothing", elsewhere.id):
        said = await resolve(room, ticket.id, "accepted", order=order_id)
        assert f"NinjaTrader lists no order “{order_id}” in “Sim101”, so nothing was changed" in said
    assert await room.now(ticket.id) == ticket


async def test_an_order_list_that_can_not_be_read_is_said_so(room: Room) -> None:
    ticket = await lost(room)
    order = room.broker.book(ticket.intent)
    room.broker.failing.add("orders")
    said = await resolve(room, ticket.id, "accepted", order=order.id)
    assert said.startswith("The orders of “Sim101” could not be read (“no answer for orders”), so nothing was changed")
    assert await room.now(ticket.id) == ticket


async def test_an_order_of_another_ticket_or_of_another_side_is_not_taken(room: Room) -> None:
    ticket = await lost(room)
    wrong = room.broker.rest(Side.SELL, 1)
    assert "give the ticket's own order" in await resolve(room, ticket.id, "accepted", order=wrong.id)
    await resolve(room, ticket.id)
    mine = await room.ticket(PLACE)
    await room.confirm(mine)
    owned = (await room.now(mine.id)).order_id
    again = await lost(room, replace(PLACE, account="Sim102"))
    room.broker.book_orders = [replace(one, account="Sim102") for one in room.broker.book_orders]
    assert owned is not None
    assert "give the ticket's own order" in await resolve(room, again.id, "accepted", order=owned)


async def test_a_placed_order_that_works_must_be_named(room: Room) -> None:
    ticket = await lost(room, PLACE)
    order = room.broker.book(ticket.intent)
    assert f"Order “{order.id}” works there and looks like it; give its id" in await resolve(room, ticket.id, "accepted")
    assert await room.now(ticket.id) == ticket
    room.broker.failing.add("orders")
    assert "could not be read" in await resolve(room, ticket.id, "accepted")
    room.broker.failing.clear()
    # Filled and listed no more: nothing is left to follow.
    room.broker.book_orders.clear()
    assert "is now accepted; its card says so" in await resolve(room, ticket.id, "accepted", why="seen in the fills")
    assert not (await room.now(ticket.id)).is_followed


async def test_a_cancellation_whose_order_is_listed_no_more_is_accepted_without_following(room: Room) -> None:
    order = room.broker.rest(Side.SELL, 1)
    ticket = await lost(room, CancelRequest("Sim101", order.id))
    room.broker.book_orders.clear()
    assert "is now accepted; its card says so" in await resolve(room, ticket.id, "accepted", why="it is gone")
    assert not (await room.now(ticket.id)).is_followed


@pytest.mark.parametrize(
    ("outcome", "why", "order", "told"),
    [
        ("never arrived", " \n ", None, "Say in why how you know it"),
        ("never arrived", "x" * 301, None, "Say in why how you know it"),
        ("lost", "seen", None, "Choose for outcome one of"),
        ("accepted", "seen", "x" * 65, "The order id must be one line"),
        ("rejected", "seen", "o1", "leave order out"),
    ],
)
async def test_what_can_not_be_meant_changes_nothing(room: Room, outcome: str, why: str, order: str | None, told: str) -> None:
    ticket = await lost(room)
    assert told in await resolve(room, ticket.id, outcome, why, order)
    assert await room.now(ticket.id) == ticket


async def test_an_id_that_there_is_not_and_a_ticket_that_is_settled_are_told_apart(room: Room) -> None:
    assert await resolve(room, "n*ne") == "There is no ticket “n*ne”; the option offers those whose outcome is unknown."
    offered = await room.ticket()
    assert "is offered still" in await resolve(room, offered.id)
    await room.confirm(offered)
    assert "is settled already: accepted, order “order1”. Nothing was changed." in await resolve(room, offered.id)


async def test_only_who_may_resolve_on_all_of_its_accounts_may(room: Room) -> None:
    room.rule(grants=(*room.policies[-1].grants, Grant(OTHER_ROLE, frozenset({"resolve"}), ("Sim102",))))
    ticket = await lost(room)
    said = await room.desk.resolving.resolve(OTHER, ResolveRequest(ticket.id, "never arrived", "seen"))
    assert isinstance(said, Refused)
    assert [denial.code for denial in said.denials] == ["ACCOUNT_NOT_GRANTED"]
    assert room.disk.recorded[-1].name is EventName.DENIED
    assert room.disk.recorded[-1].data["resolves"] == ticket.id
    assert await room.now(ticket.id) == ticket
    room.disk.failing.add("record")
    assert isinstance(await room.desk.resolving.resolve(OTHER, ResolveRequest(ticket.id, "rejected", "seen")), Refused)
    room.rule(grants=(*room.policies[-1].grants[:-1], Grant(OTHER_ROLE, frozenset({"resolve"}), ("Sim*",))))
    assert "is now rejected" in await resolve(room, ticket.id, "rejected", who=OTHER)


async def test_unknown_tickets_are_offered_in_words_to_who_may_resolve_them(room: Room) -> None:
    room.rule(grants=(*room.policies[-1].grants, Grant(OTHER_ROLE, frozenset({"resolve"}), ("Sim102",))))
    await room.ticket(replace(PLACE, account="Sim102"))
    ticket = await lost(room)
    room.broker.book_positions["Sim102", ES] = 1
    mass_action = await room.ticket(FlattenRequest("account", "Sim102"))
    assert await room.journal.advance(mass_action, replace(mass_action, state=TicketState.UNKNOWN, version=2), ())
    offered = await room.desk.resolving.offered(TRADER, "")
    assert [(each.value, each.name) for each in offered] == [
        (ticket.id, f"reverse BUY 1 ES 09-26 in Sim101, 08-03 12:00 UTC by Tina ({ticket.id})"),
        (mass_action.id, f"flatten Sim102 by Tina ({mass_action.id})"),
    ]
    assert [each.value for each in await room.desk.resolving.offered(TRADER, " FLATTEN")] == [mass_action.id]
    assert [each.value for each in await room.desk.resolving.offered(OTHER, "")] == [mass_action.id]
    assert all(len(each.name) <= 100 for each in offered)


@dataclass
class Racing(FakeBroker):
    """While the orders are read for a person, something else happens, once."""

    race: Callable[[], Awaitable[None]] | None = None

    async def orders(self, account: str, *, active_only: bool) -> Sequence[Order]:
        """The book as it was before that."""
        found = await super().orders(account, active_only=active_only)
        if self.race is not None:
            race, self.race = self.race, None
            await race()
        return found


async def test_i1_evidence_that_is_faster_wins_and_the_person_is_told(room: Room) -> None:
    ticket = await lost(room)
    order = room.broker.book(ticket.intent)
    racing = Racing(room.clock, book_orders=room.broker.book_orders, race=lambda: look(room))
    room.desk.resolving = replace(room.desk.resolving, broker=racing)
    said = await resolve(room, ticket.id, "accepted", order=order.id)
    how = f"accepted, order “{order.id}”"
    assert said == f"Meanwhile ticket {ticket.id} was settled without you: {how}. What you said was not stored."
    now = await room.now(ticket.id)
    assert (now.ended_by, now.state) == (None, TicketState.ACCEPTED)
    assert EventName.RESOLVED not in [event.name for event in await room.journal.events(ticket.id)]


async def test_a_reading_that_settles_nothing_meanwhile_does_not_stand_in_the_way(room: Room) -> None:
    ticket = await lost(room)

    async def read_as_absent() -> None:
        room.clock.pass_by(40)
        await look(room)
        assert (await room.now(ticket.id)).absent_since is not None

    racing = Racing(room.clock, race=read_as_absent)
    order = racing.book(ticket.intent)
    room.desk.resolving = replace(room.desk.resolving, broker=racing)
    assert "is followed on its card" in await resolve(room, ticket.id, "accepted", order=order.id)
    now = await room.now(ticket.id)
    assert (now.state, now.absent_since, now.version) == (TicketState.ACCEPTED, None, ticket.version + 2)


async def test_what_a_person_called_never_arrived_is_told_if_it_turns_up_after_all(room: Room) -> None:
    ticket = await lost(room)
    await resolve(room, ticket.id)
    order = room.broker.book(ticket.intent)
    await look(room)
    now = await room.now(ticket.id)
    assert (now.state, now.order_id, now.ended_by) == (TicketState.ACCEPTED, order.id, None)


async def test_a_flatten_that_never_arrived_is_looked_for_no_longer(room: Room) -> None:
    ticket = await room.ticket(FlattenRequest("account", "Sim101"))
    assert await room.journal.advance(ticket, replace(ticket, state=TicketState.UNKNOWN, version=2, sent_at=room.clock()), ())
    await resolve(room, ticket.id)
    reads = room.broker.reads
    await look(room)
    assert room.broker.reads == reads
    assert room.broker.book_positions["Sim101", ES] == -2
