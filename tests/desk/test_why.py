"""/why: what happened to an order, a ticket or a denial, from the journal alone and for those who may see its account."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk.reads.reports import Explanation
from bot.desk.reads.why import CONFIRM
from bot.desk.requests import CancelRequest, FlattenRequest, PlaceRequest, Refused, TicketRequest
from bot.errors import JournalError
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Member, Ticket
from bot.trading.risk.policy import Denial, DenialCode, Grant
from tests.desk.conftest import APPROVER, ASK, TRADER, Room
from tests.desk.fakes import ES

VIEWER_ROLE = 1300
VIEWER = Member(8, "Vera", frozenset({VIEWER_ROLE}))
PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)


async def why(room: Room, typed: str | None = None, who: Member = TRADER) -> Explanation:
    """The explanation."""
    made = await room.desk.reads.why(who, typed)
    assert isinstance(made, Explanation), made
    return made


async def refused(room: Room, typed: str | None = None, who: Member = TRADER) -> Denial:
    """The one reason why there is none."""
    made = await room.desk.reads.why(who, typed)
    assert isinstance(made, Refused), made
    (denial,) = made.denials
    return denial


async def sent(room: Room, request: TicketRequest = ASK) -> Ticket:
    """A ticket that was asked for, confirmed three seconds later, and answered."""
    ticket = await room.ticket(request)
    room.clock.pass_by(3)
    await room.confirm(ticket)
    return await room.now(ticket.id)


def steps(made: Explanation) -> list[tuple[str, float | None]]:
    """Each step with the seconds since the one before."""
    return [(step.name, None if step.took is None else step.took.total_seconds()) for step in made.steps]


async def test_a_ticket_is_told_step_by_step_with_the_time_that_each_took(room: Room) -> None:
    ticket = await sent(room)
    room.clock.pass_by(2)
    await room.follow()
    room.broker.change("order1", OrderState.FILLED, 1)
    room.clock.pass_by(1.5)
    await room.follow()
    reads = room.broker.reads
    made = await why(room, ticket.id.lower())
    assert made.ticket == await room.now(ticket.id)
    assert steps(made) == [
        ("offered", None),
        (CONFIRM, 3.0),
        ("sending", 0.0),
        ("accepted", 0.0),
        ("working", 2.0),
        ("filled", 1.5),
    ]
    answered = made.steps[3].event
    assert answered is not None
    assert answered.data == {"outcome": None, "order_ids": ["order1"]}
    assert room.broker.reads == reads


async def test_a_lost_answer_keeps_its_reason_whatever_comes_later(room: Room) -> None:
    room.broker.outcomes.append(Unknown("the connection was reset"))
    ticket = await sent(room)
    room.broker.book(ticket.intent)
    await room.desk._reconciler.look(await room.journal.live())
    made = await why(room, ticket.id)
    told = {step.name: step.event for step in made.steps}
    assert (event := told["unknown"]) is not None
    assert event.data["outcome"] == "“the connection was reset”"
    assert (event := told["accepted"]) is not None
    assert event.data["evidence"] == "orders"


async def test_confirm_and_approve_stand_where_they_were_pressed(room: Room) -> None:
    ticket = await room.ticket(replace(ASK, account="Apex-001"))
    room.clock.pass_by(1)
    await room.confirm(ticket)
    room.clock.pass_by(2)
    await room.approve(await room.now(ticket.id), APPROVER)
    assert steps(await why(room, ticket.id))[:3] == [("offered", None), ("confirmed", 1.0), ("sending", 2.0)]


async def test_the_calls_of_a_flatten_are_told_with_the_time_of_each(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    ticket = await sent(room, FlattenRequest("account", "Sim101"))
    made = await why(room, ticket.id)
    assert made.ticket is not None
    assert len(made.ticket.progress.steps) == 2
    assert [leg.took for leg in made.ticket.progress.steps] == [timedelta(), timedelta()]
    assert "step" not in dict(steps(made))


async def test_a_call_whose_end_was_not_stored_has_no_time(room: Room) -> None:
    ticket = await sent(room, FlattenRequest("account", "Sim101"))
    (leg,) = ticket.progress.steps
    lost = replace(ticket.progress, steps=(leg, replace(leg, ended_at=None)))
    assert await room.journal.advance(ticket, replace(ticket, progress=lost, version=ticket.version + 1), ())
    made = (await why(room, ticket.id)).ticket
    assert made is not None
    assert [leg.took for leg in made.progress.steps] == [timedelta(), None]


async def test_an_order_is_found_by_any_id_and_its_own_ticket_goes_first(room: Room) -> None:
    placed = await sent(room, PLACE)
    order_id = placed.order_id
    assert order_id is not None
    cancelled = await sent(room, CancelRequest("Sim101", order_id))
    for typed in (order_id, placed.intent.client_order_id, f" {order_id} "):
        assert ((await why(room, typed)).ticket or cancelled).id == placed.id
    # Somebody else's order has only the ticket that was about it.
    rest = room.broker.rest(Side.BUY, 1)
    about = await sent(room, CancelRequest("Sim101", rest.id))
    assert ((await why(room, rest.id)).ticket or placed).id == about.id


async def test_without_an_id_it_is_the_members_own_newest(room: Room) -> None:
    assert "asked for nothing yet" in (await refused(room)).sentence
    ticket = await room.ticket()
    await room.ticket(PLACE, Member(2, "Tom", TRADER.roles))
    assert ((await why(room, " ")).ticket or ticket).id == ticket.id
    room.clock.pass_by(1)
    room.broker.book_positions["Sim101", ES] = 0
    assert await room.refused() == ["NO_POSITION"]
    made = await why(room)
    assert made.ticket is None
    assert made.denial is not None
    assert made.denial.data["denials"] == ["NO_POSITION: account=Sim101 instrument=ES 09-26"]
    assert made.denial.data["quantity"] == 1
    # That /why had nothing to tell is not what is asked for.
    await refused(room, "nothing")
    assert (await why(room)).denial == made.denial


async def test_a_ticket_that_was_denied_at_the_press_is_told_as_a_ticket(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.book_positions["Sim101", ES] = 0
    await room.confirm(ticket)
    made = await why(room)
    assert made.ticket is not None
    assert made.steps[-1].event is not None
    assert made.steps[-1].event.data["denials"] == ["NO_POSITION: account=Sim101 instrument=ES 09-26"]


async def test_what_the_gate_denied_is_told_too(room: Room) -> None:
    await room.desk.denied(VIEWER.id, 20, "reverse", Denial(DenialCode.NO_GRANT, "no", "command=reverse"))
    room.rule(grants=(*room.policies[-1].grants, Grant(VIEWER_ROLE, frozenset({"why"}))))
    made = await why(room, who=VIEWER)
    assert made.denial is not None
    assert made.denial.data["denials"] == ["NO_GRANT: command=reverse"]


async def test_only_who_may_see_the_account_is_told(room: Room) -> None:
    ticket = await sent(room)
    assert (await refused(room, ticket.id, VIEWER)).code is DenialCode.NO_GRANT
    room.rule(grants=(*room.policies[-1].grants, Grant(VIEWER_ROLE, frozenset({"why"}), ("Sim102",))))
    for typed in (ticket.id, "order1", "nothing"):
        denial = await refused(room, typed, VIEWER)
        assert denial.code is DenialCode.BAD_REQUEST
        assert denial.sentence.startswith(f"There is no ticket “{typed}”, and no order")
    room.rule(grants=(*room.policies[-1].grants[:-1], Grant(VIEWER_ROLE, frozenset({"why"}), ("Sim101",))))
    assert (await why(room, ticket.id, VIEWER)).ticket == ticket


async def test_ones_own_newest_in_an_account_that_one_may_no_longer_see_is_passed_over(room: Room) -> None:
    ticket = await room.ticket()
    await room.ticket(replace(PLACE, account="Sim102"))
    room.rule(grants=(replace(room.policies[-1].grants[0], accounts=("Sim101",)),))
    assert ((await why(room)).ticket or ticket).id == ticket.id


@pytest.mark.parametrize("typed", ["x" * 65, "\x00"])
async def test_what_can_be_no_id_is_said_so(room: Room, typed: str) -> None:
    assert (await refused(room, typed)).code is DenialCode.BAD_REQUEST


async def test_a_journal_that_can_not_be_read_is_said_so(room: Room) -> None:
    room.disk.failing.add("newest")
    with pytest.raises(JournalError):
        await why(room)
