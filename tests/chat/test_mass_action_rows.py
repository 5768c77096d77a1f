"""The lines of a mass action's card: what was there and what is there, each short enough for a phone."""

from dataclasses import replace

import pytest

from bot.trading.orders.instruments import Contract
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Holding, Scope
from bot.trading.orders.progress import ExitRow
from bot.trading.orders.tickets import TicketState

from .samples import ES
from .test_mass_action_cards import ALL, DONE_LINES, LEFT_LINES, LEGS, ONE, OPEN_LINES, swept, text

S = TicketState

# As it was: position and orders; as it is; what the line of a flatten says, and that of a cancellation.
COURSES = [
    ((2, 1, 0, 0), "✓ ES 09-26 · LONG 2 → FLAT", "✓ ES 09-26 · 1 working → none"),
    ((0, 1, 0, 0), "✓ ES 09-26 · 1 working → none", "✓ ES 09-26 · 1 working → none"),
    ((0, 0, 0, 0), "✓ ES 09-26 · nothing works", "✓ ES 09-26 · nothing works"),
    ((None, None, 0, 0), "✓ ES 09-26 · FLAT, nothing works", "✓ ES 09-26 · nothing works"),
    ((None, None, -1, 2), "… ES 09-26 · SHORT 1, 2 working", "… ES 09-26 · 2 working"),
    ((None, None, -1, 0), "… ES 09-26 · SHORT 1, nothing works", None),
    ((0, 3, 0, 1), "… ES 09-26 · 3 working → 1", "… ES 09-26 · 3 working → 1"),
    ((0, 3, 0, 3), "… ES 09-26 · 3 working", "… ES 09-26 · 3 working"),
    ((0, 0, 0, 2), "… ES 09-26 · 2 working", "… ES 09-26 · 2 working"),
    ((0, 3, 0, None), "… ES 09-26 · 3 working → unread", "… ES 09-26 · 3 working → unread"),
    ((0, 0, 0, None), "… ES 09-26 · orders unread", "… ES 09-26 · orders unread"),
    ((0, 0, 1, 0), "… ES 09-26 · FLAT → LONG 1", None),
    ((4, 1, 2, 1), "… ES 09-26 · LONG 4 → 2, 1 working", None),
    ((-4, 0, -1, 0), "… ES 09-26 · SHORT 4 → 1", None),
    ((2, 0, -1, 0), "… ES 09-26 · LONG 2 → SHORT 1", None),
    ((2, 0, 2, 0), "… ES 09-26 · LONG 2", None),
    # Open as before, and what protected it is gone.
    ((2, 1, 2, 0), "… ES 09-26 · LONG 2, nothing works", None),
    ((2, 1, 0, 1), "… ES 09-26 · LONG 2 → FLAT, 1 working", None),
    ((2, 1, 0, None), "… ES 09-26 · LONG 2 → FLAT, orders unread", None),
    ((2, 1, None, 0), "… ES 09-26 · LONG 2 → unread, nothing works", None),
    ((2, 1, None, 1), "… ES 09-26 · LONG 2 → unread, 1 working", None),
    ((2, 1, None, None), "… ES 09-26 · LONG 2 → unread", None),
    ((None, None, None, None), "… ES 09-26 · unread", None),
]


@pytest.mark.parametrize(("read", "flattened", "cancelled"), COURSES)
def test_a_line_says_what_was_and_is_in_no_more_words_than_that_takes(
    read: tuple[int | None, int | None, int | None, int | None], flattened: str, cancelled: str | None
) -> None:
    before, orders_before, now, orders_now = read
    line = ExitRow("Sim101", False, ES, before, orders_before, now, orders_now)
    assert flattened in text(swept(Flatten(ONE), S.SENDING, (line,), legs=LEGS)).splitlines()
    if cancelled is not None:
        assert cancelled in text(swept(CancelWorking(ONE), S.SENDING, (line,), legs=LEGS)).splitlines()


def test_of_an_account_that_could_not_be_read_at_first_no_more_is_said_than_was_asked() -> None:
    line = ExitRow("Sim102", False, None, None, None, 0, 0)
    for mass_action, words in (
        (Flatten(ALL), "FLAT, nothing works"),
        (Flatten(ALL, Holding.LONG), "no long position"),
        (FlattenStrategy(Scope(("Sim102",)), "s1"), "nothing of it is left"),
        (CancelWorking(ALL), "nothing works"),
    ):
        assert f"✓ `Sim102` · {words}" in text(swept(mass_action, S.SENDING, (line,), legs=LEGS)).splitlines()


# What fits beside the edges of a card at 390 px.
PHONE_LINE = 33


def test_the_usual_lines_of_a_flatten_stand_in_one_line_of_a_phone() -> None:
    mnq = replace(OPEN_LINES[1], contract=Contract("MNQ", 2026, 12))
    lines = (
        *LEFT_LINES,
        *DONE_LINES,
        replace(mnq, before=0, orders_before=1, now=0, orders_now=0),
        replace(mnq, before=-1, now=0, orders_now=0),
    )
    for one in (swept(Flatten(ONE)), swept(Flatten(ONE), S.ACCEPTED, lines, legs=LEGS[:1])):
        about = [line for line in text(one).splitlines() if "-26 · " in line]
        assert about
        assert [line for line in about if len(line) > PHONE_LINE] == []
