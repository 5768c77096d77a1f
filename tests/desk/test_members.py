"""Two people sign, minutes apart: before the later press sends, Discord is asked whether the other is there, with the role."""

from dataclasses import replace

import pytest

from bot.errors import DeliveryDelayed
from bot.trading.orders.tickets import Member, Ticket, TicketState
from bot.trading.risk.policy import Approval

from .conftest import APPROVER, APPROVER_ROLE, ASK, TRADER, Room

LIVE = replace(ASK, account="Apex-001")
OTHER_APPROVER = Member(8, "Bea", frozenset({APPROVER_ROLE}))


async def _both(room: Room, later: str) -> Ticket:
    """Both sign, in that order."""
    ticket = await room.ticket(LIVE)
    first, last = (room.confirm, room.approve) if later == "approve" else (room.approve, room.confirm)
    await first(ticket)
    assert room.messenger.people_asked == []
    await last(ticket)
    return await room.now(ticket.id)


@pytest.mark.parametrize(("later", "other"), [("approve", TRADER), ("confirm", APPROVER)])
async def test_the_other_is_asked_for_once_and_it_sends(room: Room, later: str, other: Member) -> None:
    await _both(room, later)
    assert room.messenger.people_asked == [other.id]
    assert len(room.broker.sent) == 1


@pytest.mark.parametrize(("later", "other"), [("approve", TRADER), ("confirm", APPROVER)])
@pytest.mark.parametrize("now", [None, frozenset[int](), frozenset({1199})], ids=["gone", "no role", "another role"])
async def test_somebody_who_left_or_lost_the_role_sends_nothing(
    room: Room, later: str, other: Member, now: frozenset[int] | None
) -> None:
    room.messenger.people[other.id] = now
    ticket = await _both(room, later)
    assert ticket.state is TicketState.DENIED
    assert "NO_GRANT" in (ticket.outcome or "")
    assert room.broker.sent == []


@pytest.mark.parametrize(("later", "other"), [("approve", TRADER), ("confirm", APPROVER)])
async def test_while_discord_can_not_say_nothing_is_sent_and_the_press_may_be_made_again(
    room: Room, later: str, other: Member
) -> None:
    room.messenger.people[other.id] = DeliveryDelayed("away")
    ticket = await room.ticket(LIVE)
    first, last = (room.confirm, room.approve) if later == "approve" else (room.approve, room.confirm)
    await first(ticket)
    told = await last(ticket)
    assert told is not None
    assert other.name in told
    assert "press again" in told
    assert (await room.now(ticket.id)).state is TicketState.OFFERED
    assert room.broker.sent == []
    del room.messenger.people[other.id]
    await last(await room.now(ticket.id))
    assert len(room.broker.sent) == 1


async def test_a_role_that_another_approver_has_too_is_approved_still(room: Room) -> None:
    room.rule(approvals=(Approval(("Apex-*",), APPROVER_ROLE), Approval(("Apex-*",), 1102)))
    ticket = await room.ticket(LIVE)
    await room.approve(ticket)
    both = replace(OTHER_APPROVER, roles=frozenset({APPROVER_ROLE, 1102}))
    await room.confirm(await room.now(ticket.id))
    room.messenger.people[APPROVER.id] = frozenset()
    await room.approve(await room.now(ticket.id), both)
    assert len(room.broker.sent) == 1


async def test_what_one_person_sends_asks_nobody(room: Room) -> None:
    await room.confirm(await room.ticket())
    assert room.messenger.people_asked == []
    assert len(room.broker.sent) == 1
