"""What one member can leave behind: so many open cards, so many denials that are kept."""

import pytest

from bot.desk.outbox.denials import MOST_OF_ALL, MOST_OF_ONE, UNKEPT
from bot.desk.ports import EventName
from bot.desk.requests import CloseRequest, Refused, TicketRequest
from bot.desk.tickets.offer import MOST_OPEN, MOST_OPEN_WAYS_OUT
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial, DenialCode
from tests.desk.conftest import ASK, HERE, SECOND, STRANGER, TRADER, Room

CLOSE = CloseRequest("Sim101", "ES 09-26")
NO = Denial(DenialCode.NO_GRANT, "No.")


@pytest.mark.parametrize(("asked", "most"), [(ASK, MOST_OPEN), (CLOSE, MOST_OPEN_WAYS_OUT)])
async def test_a_member_has_so_many_open_cards_and_others_have_theirs(room: Room, asked: TicketRequest, most: int) -> None:
    cards = [await room.ticket(asked) for _ in range(most)]
    refused = await room.desk.offer(TRADER, HERE, asked)
    assert isinstance(refused, Refused)
    assert (refused.denials[0].code, f"{most} open cards" in refused.denials[0].sentence) == (DenialCode.ASKED_TOO_OFTEN, True)
    await room.ticket(asked, SECOND)
    await room.cancel(cards[0])
    await room.ticket(asked)


async def test_a_way_out_has_room_where_entries_have_none(room: Room) -> None:
    for _ in range(MOST_OPEN):
        await room.ticket(ASK)
    assert await room.refused(ASK) == ["ASKED_TOO_OFTEN"]
    await room.ticket(CLOSE)


async def test_of_a_flood_of_denials_some_are_kept_and_the_last_one_says_so(room: Room) -> None:
    for _ in range(3 * MOST_OF_ONE):
        await room.desk.denied(STRANGER.id, HERE.channel, "place", NO)
    await room.desk.denied(SECOND.id, HERE.channel, "place", NO)
    kept = await room.journal.newest(STRANGER.id, {EventName.DENIED}, 999)
    assert [event.data.get("note") for event in kept] == [UNKEPT, *[None] * (MOST_OF_ONE - 1)]
    assert len(await room.journal.newest(SECOND.id, {EventName.DENIED}, 999)) == 1
    room.clock.pass_by(61)
    await room.desk.denied(STRANGER.id, HERE.channel, "place", NO)
    assert len(await room.journal.newest(STRANGER.id, {EventName.DENIED}, 999)) == MOST_OF_ONE + 1


async def test_many_strangers_together_fill_nothing_either(room: Room) -> None:
    strangers = [Member(1000 + number, "Sam") for number in range(MOST_OF_ALL + 5)]
    for stranger in strangers:
        await room.desk.denied(stranger.id, HERE.channel, "place", NO)
    kept = [len(await room.journal.newest(stranger.id, {EventName.DENIED}, 9)) for stranger in strangers]
    assert kept == [1] * MOST_OF_ALL + [0] * 5
