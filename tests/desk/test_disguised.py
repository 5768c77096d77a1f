"""Names that don't look like what they are: refused in one sentence, with nothing stored and nothing sent."""

import pytest

from bot.desk.requests import CancelRequest, CloseRequest, PlaceRequest, Refused, TicketRequest
from bot.trading.orders.terms import Side
from tests.desk.conftest import HERE, TRADER, Room

PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, oco="a\u00a0b"), "The OCO id"),
        (PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, oco="\u202eoco"), "The OCO id"),
        (PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, strategy="Sc\u200balp"), "The strategy"),
        (CloseRequest("Sim\u200b101", "ES 09-26"), "The account"),
        (CancelRequest("Sim101", order="o\u200b1"), "The order"),
    ],
)
async def test_what_is_hidden_where_it_is_shown_is_refused_where_it_is_typed(
    running: Room, request_: TicketRequest, says: str
) -> None:
    made = await running.desk.offer(TRADER, HERE, request_)
    assert isinstance(made, Refused)
    assert made.denials[0].sentence.startswith(says), made
    assert await running.journal.live() == []
    assert running.broker.sent == []
