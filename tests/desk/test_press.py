"""Confirm, Approve and Cancel: who wins, what is decided again, and what is on disk before the first byte leaves."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.ports import EventName
from bot.desk.tickets.confirm import BUSY, CHANGED, GONE, OVER, UNACKNOWLEDGED
from bot.trading.orders.outcomes import NotSent, Rejected, Unknown
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Member, TicketState
from bot.trading.risk.policy import Approval, Limit
from tests.desk.conftest import APPROVER, APPROVER_ROLE, ASK, SECOND, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, eventually

LIVE = replace(ASK, account="Apex-001")


async def test_a_confirm_sends_one_order_and_the_card_shows_its_id(running: Room) -> None:
    ticket = await running.ticket()
    assert await running.confirm(ticket) is None
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert running.broker.sent == [ticket.intent]
    assert stored.order_id == "order1"
    names = [event.name for event in await running.journal.events(ticket.id)]
    assert names[:3] == [EventName.OFFERED, EventName.SENDING, EventName.ACCEPTED]


async def test_sending_is_on_disk_before_the_order_leaves(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.gate = asyncio.Event()
    press = asyncio.create_task(room.confirm(ticket))
    while not room.broker.sent:
        await asyncio.sleep(0)
    assert (await room.now(ticket.id)).state is TicketState.SENDING
    room.broker.gate.set()
    await press


async def test_i3_two_clicks_at_once_send_once(room: Room) -> None:
    ticket = await room.ticket()
    answers = await asyncio.gather(*(room.confirm(ticket) for _ in range(5)))
    assert len(room.broker.sent) == 1
    assert sorted(answers, key=str) == [None, *[BUSY] * 4] or answers.count(None) == 1


async def test_two_desks_on_one_journal_send_once(room: Room) -> None:
    ticket = await room.ticket()
    other = replace(room, desk=room.again())
    await asyncio.gather(room.confirm(ticket), other.confirm(ticket))
    assert len(room.broker.sent) == 1


async def test_only_the_requester_confirms(room: Room) -> None:
    ticket = await room.ticket()
    answer = await room.confirm(ticket, SECOND)
    assert answer is not None
    assert "Tina" in answer
    assert room.broker.sent == []
    assert (await room.now(ticket.id)).state is TicketState.OFFERED


async def test_a_requester_who_has_lost_the_role_meanwhile_sends_nothing(room: Room) -> None:
    ticket = await room.ticket()
    answer = await room.confirm(ticket, replace(TRADER, roles=frozenset()))
    assert answer is not None
    assert room.broker.sent == []


async def test_i5_a_press_that_discord_did_not_acknowledge_sends_nothing(room: Room) -> None:
    async def refused() -> None:
        raise ConnectionError

    ticket = await room.ticket()
    assert await room.confirm(ticket, acknowledge=refused) == UNACKNOWLEDGED
    assert room.broker.sent == []
    assert (await room.now(ticket.id)).state is TicketState.OFFERED


async def test_an_unknown_ticket_is_answered(room: Room) -> None:
    ticket = replace(await room.ticket(), id="nobody")
    assert await room.confirm(ticket) == GONE
    assert await room.cancel(ticket) == GONE


async def test_i11_i17_a_position_that_changed_is_quoted_again_instead_of_sent(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.book_positions["Sim101", ES] = -1
    assert await room.confirm(ticket) is None
    again = await room.now(ticket.id)
    assert (again.state, again.revision, again.shown.position) == (TicketState.OFFERED, 2, -1)
    assert room.broker.sent == []
    assert await room.confirm(ticket) == CHANGED
    assert await room.confirm(again) is None
    assert len(room.broker.sent) == 1


async def test_a_price_that_left_the_tolerance_is_quoted_again(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.last += Decimal("5.25")
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).revision == 2
    assert room.broker.sent == []


async def test_a_price_within_the_tolerance_is_sent(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.last += Decimal(5)
    await room.confirm(ticket)
    assert len(room.broker.sent) == 1


async def test_a_limit_order_carries_its_own_price(room: Room) -> None:
    ticket = await room.ticket(replace(ASK, type=OrderType.LIMIT, limit="5700"))
    room.broker.last += Decimal(50)
    await room.confirm(ticket)
    assert len(room.broker.sent) == 1


async def test_a_new_quote_lives_as_long_as_a_new_ticket(room: Room) -> None:
    ticket = await room.ticket()
    room.clock.pass_by(20)
    room.broker.book_positions["Sim101", ES] = -1
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).expires_at > ticket.expires_at


async def test_a_position_that_is_gone_is_denied_at_the_press(running: Room) -> None:
    ticket = await running.ticket()
    running.broker.book_positions.clear()
    await running.confirm(ticket)
    denied = await running.until(ticket, TicketState.DENIED)
    assert "NO_POSITION" in (denied.outcome or "")
    assert running.broker.sent == []


async def test_a_failed_read_at_the_press_sends_nothing(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.failing.add("positions")
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).state is TicketState.DENIED
    assert room.broker.sent == []


async def test_a_policy_that_changed_meanwhile_holds_at_the_press(room: Room) -> None:
    ticket = await room.ticket()
    room.rule(grants=())
    assert await room.confirm(ticket) is not None
    assert room.broker.sent == []


async def test_a_policy_that_looks_further_back_and_came_during_the_look_holds_at_the_press(running: Room) -> None:
    first = await running.ticket()
    await running.confirm(first)
    running.broker.change("order1", OrderState.FILLED, 1)
    await eventually(lambda: running.messenger.shown[first.id][-1].order_state is OrderState.FILLED)
    await running.passes(600)
    ticket = await running.ticket()
    running.broker.takes["quote"] = 2.0
    running.clock.plan(1, lambda: running.rule(limits=(Limit(("*",), ("*",), duplicate_seconds=3600),)))
    await running.confirm(ticket)
    assert "DUPLICATE" in ((await running.now(ticket.id)).outcome or "")
    assert len(running.broker.sent) == 1


async def test_i3_limits_count_what_two_people_confirm_at_the_same_moment(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), max_position=2),))
    room.broker.gate = asyncio.Event()
    tickets = [await room.ticket(replace(ASK, quantity=2)), await room.ticket(replace(ASK, quantity=2), SECOND)]
    presses = [
        asyncio.create_task(room.confirm(ticket, member)) for ticket, member in zip(tickets, (TRADER, SECOND), strict=True)
    ]
    while not any(press.done() for press in presses):
        await asyncio.sleep(0.001)
    room.broker.gate.set()
    await asyncio.gather(*presses)
    assert len(room.broker.sent) == 1
    assert {(await room.now(ticket.id)).state for ticket in tickets} == {TicketState.ACCEPTED, TicketState.DENIED}


async def test_the_same_order_by_a_team_mate_is_a_duplicate(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), duplicate_seconds=10),))
    mine, theirs = await room.ticket(), await room.ticket(member=SECOND)
    await room.confirm(mine)
    room.broker.forget_working()
    await room.confirm(theirs, SECOND)
    assert len(room.broker.sent) == 1
    denied = await room.now(theirs.id)
    assert "DUPLICATE" in (denied.outcome or "")
    assert "Tina" in (denied.outcome or "")
    room.clock.pass_by(11)
    await room.confirm(await room.ticket(member=SECOND), SECOND)
    assert len(room.broker.sent) == 2


async def test_orders_per_minute_hold_per_member(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), orders_per_minute=1),))
    await room.confirm(await room.ticket())
    room.broker.forget_working()
    assert await room.refused() == ["ORDERS_PER_MINUTE"]
    assert (await room.ticket(member=SECOND)).state is TicketState.OFFERED
    room.clock.pass_by(61)
    assert (await room.ticket()).state is TicketState.OFFERED


async def test_cancel_ends_the_ticket_and_nothing_is_sent(running: Room) -> None:
    ticket = await running.ticket()
    assert await running.cancel(ticket) is None
    await running.until(ticket, TicketState.CANCELLED)
    assert await running.confirm(ticket) == "This ticket is cancelled already; nothing more is sent for it."
    assert running.broker.sent == []


async def test_a_stranger_can_not_cancel(room: Room) -> None:
    ticket = await room.ticket()
    assert await room.cancel(ticket, SECOND) is not None
    assert (await room.now(ticket.id)).state is TicketState.OFFERED


async def test_a_card_whose_time_is_over_can_not_be_cancelled(room: Room) -> None:
    ticket = await room.ticket()
    room.clock.pass_by(31)
    assert await room.cancel(ticket) == OVER.format(state=TicketState.EXPIRED)
    assert (await room.now(ticket.id)).ended_by is None


async def test_an_approver_can_cancel(room: Room) -> None:
    ticket = await room.ticket(LIVE)
    assert await room.cancel(ticket, APPROVER) is None
    assert (await room.now(ticket.id)).state is TicketState.CANCELLED


@pytest.mark.parametrize("order", ["confirm first", "approve first"])
async def test_two_people_send_together_in_either_order(running: Room, order: str) -> None:
    ticket = await running.ticket(LIVE)
    first, second = (running.confirm, running.approve) if order == "confirm first" else (running.approve, running.confirm)
    assert await first(ticket) is None
    assert running.broker.sent == []
    assert await second(ticket) is None
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert len(running.broker.sent) == 1
    assert [approval.name for approval in stored.approvals] == ["Ann"]
    assert stored.confirmed_at is not None


async def test_nobody_approves_their_own_ticket_whatever_roles_they_hold(room: Room) -> None:
    both = Member(1, "Tina", frozenset({TRADER_ROLE, APPROVER_ROLE}))
    ticket = await room.ticket(LIVE, both)
    await room.confirm(ticket, both)
    assert await room.approve(ticket, both) is not None
    assert room.broker.sent == []


async def test_a_press_that_counts_already_is_answered(room: Room) -> None:
    ticket = await room.ticket(LIVE)
    await room.confirm(ticket)
    assert "already" in (await room.confirm(ticket) or "")
    room.rule(approvals=(Approval(("Apex*",), APPROVER_ROLE), Approval(("Apex*",), 1102)))
    again = await room.ticket(LIVE)
    await room.approve(again)
    assert "already" in (await room.approve(again) or "")
    assert room.broker.sent == []


async def test_a_trader_without_the_role_approves_nothing(room: Room) -> None:
    ticket = await room.ticket(LIVE)
    await room.confirm(ticket)
    answer = await room.approve(ticket, SECOND)
    assert answer is not None
    assert str(APPROVER_ROLE) in answer
    assert room.broker.sent == []


async def test_an_approve_where_none_is_asked_changes_nothing(room: Room) -> None:
    ticket = await room.ticket()
    assert await room.approve(ticket) is not None
    assert (await room.now(ticket.id)).version == ticket.version


async def test_two_rules_may_be_met_by_two_approvers(room: Room) -> None:
    room.rule(approvals=(Approval(("Apex*",), APPROVER_ROLE), Approval(("Apex*",), 1102)))
    ticket = await room.ticket(LIVE)
    await room.confirm(ticket)
    await room.approve(ticket)
    assert room.broker.sent == []
    await room.approve(ticket, Member(9, "Rick", frozenset({1102})))
    assert len(room.broker.sent) == 1


async def test_a_requote_asks_both_people_again(room: Room) -> None:
    ticket = await room.ticket(LIVE)
    await room.confirm(ticket)
    room.broker.book_positions["Apex-001", ES] = -1
    await room.approve(ticket)
    again = await room.now(ticket.id)
    assert (again.revision, again.confirmed_at, again.approvals) == (2, None, ())
    assert room.broker.sent == []


async def test_an_approval_that_the_policy_asks_for_since_is_asked_for(room: Room) -> None:
    ticket = await room.ticket()
    room.rule(approvals=(Approval(("*",), APPROVER_ROLE),))
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert again.missing_roles == {APPROVER_ROLE}
    assert room.broker.sent == []


async def test_the_requester_who_confirmed_must_still_be_granted_when_the_approver_presses(room: Room) -> None:
    ticket = await room.ticket(LIVE)
    await room.confirm(ticket)
    room.rule(grants=())
    await room.approve(ticket)
    assert (await room.now(ticket.id)).state is TicketState.DENIED
    assert room.broker.sent == []


@pytest.mark.parametrize(
    ("outcome", "state", "words"),
    [
        (Rejected("No position found for instrument 'ES 09-26' in account 'sim101'", 400), TicketState.REJECTED, "No position"),
        (NotSent("connection refused"), TicketState.NOT_SENT, "connection refused"),
        (Unknown("no answer within 20 s"), TicketState.UNKNOWN, "no answer"),
    ],
)
async def test_each_outcome_ends_the_ticket_in_its_own_words(
    running: Room, outcome: Rejected | NotSent | Unknown, state: TicketState, words: str
) -> None:
    running.broker.outcomes.append(outcome)
    ticket = await running.ticket()
    await running.confirm(ticket)
    stored = await running.until(ticket, state)
    assert words in (stored.outcome or "")
    assert len(running.broker.sent) == 1


async def test_no_new_entry_while_an_outcome_is_unknown(room: Room) -> None:
    room.broker.outcomes.append(Unknown("reset"))
    await room.confirm(await room.ticket())
    assert "OUTCOME_UNKNOWN" in await room.refused(member=SECOND)
    assert "OUTCOME_UNKNOWN" in await room.refused(replace(ASK, side=Side.SELL, quantity=3))


async def test_a_ticket_offered_before_an_unknown_is_denied_at_its_press(room: Room) -> None:
    first, second = await room.ticket(), await room.ticket(member=SECOND)
    room.broker.outcomes.append(Unknown("reset"))
    await room.confirm(first)
    await room.confirm(second, SECOND)
    assert (await room.now(second.id)).state is TicketState.DENIED
    assert len(room.broker.sent) == 1


async def test_a_press_during_a_slow_look_counts_from_its_moment(running: Room) -> None:
    ticket = await running.ticket()
    running.clock.pass_by(28)
    running.broker.reading = asyncio.Event()
    press = asyncio.create_task(running.confirm(ticket))
    await running.passes(4.5)
    assert (await running.now(ticket.id)).state is TicketState.OFFERED
    running.broker.reading.set()
    assert await press is None
    await running.until(ticket, TicketState.ACCEPTED)


async def test_a_stopping_desk_answers_presses_and_sends_nothing(room: Room) -> None:
    ticket = await room.ticket()
    await room.desk.close()
    assert "stopping" in (await room.confirm(ticket) or "")
    assert room.broker.sent == []


async def test_i12_of_a_press_and_the_expiry_one_wins_and_the_card_tells_which(running: Room) -> None:
    for moment in (29.999, 30.0, 30.001):
        ticket = await running.ticket(replace(ASK, quantity=1 + len(running.broker.sent)))
        sent = len(running.broker.sent)
        passed = running.clock() - ticket.created_at
        running.clock.pass_by(moment - passed.total_seconds())
        await running.confirm(ticket)
        end = TicketState.ACCEPTED if moment < 30 else TicketState.EXPIRED
        await running.until(ticket, end)
        assert len(running.broker.sent) - sent == (1 if moment < 30 else 0)
        assert running.messenger.states(ticket.id)[-1] is end
        running.broker.forget_working()


async def test_i3_orders_per_minute_hold_for_one_member_on_two_accounts_at_once(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), orders_per_minute=1),), approvals=())
    tickets = [await room.ticket(), await room.ticket(LIVE)]
    room.broker.gate = asyncio.Event()
    presses = [asyncio.create_task(room.confirm(ticket)) for ticket in tickets]
    while not any(press.done() for press in presses):
        await asyncio.sleep(0.001)
    room.broker.gate.set()
    await asyncio.gather(*presses)
    assert len(room.broker.sent) == 1
    assert {(await room.now(ticket.id)).state for ticket in tickets} == {TicketState.ACCEPTED, TicketState.DENIED}
