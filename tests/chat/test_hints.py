"""What a card says to do about a refusal, where the order carried a condition on the position."""

from dataclasses import replace

import pytest
from discord import ui

from bot.chat.cards import card
from bot.trading.orders.intents import FlatPlace, Intent, PlaceOrder, Replace
from bot.trading.orders.terms import OrderState, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState

from .samples import ES, TICKET

TERMS = Terms(Side.BUY, 1)
PLACE = PlaceOrder("Sim101", ES, TERMS, "own1")
GUARDED = replace(PLACE, guard="flat")
WORDS = "`Market position is Long, required: flat`"
AGAIN = "so NinjaTrader refused the order; ask again with the command."
MEND = "Mend what it names, then ask again with the command; this ticket is over."


def _blocks(ticket: Ticket) -> list[str]:
    return [item.content for item in card(ticket).walk_children() if isinstance(item, ui.TextDisplay)]


def _refused(intent: Intent, words: str = WORDS) -> Ticket:
    return replace(TICKET, intent=intent, state=TicketState.REJECTED, outcome=words)


@pytest.mark.parametrize(
    ("intent", "told"),
    [
        (GUARDED, f"The position is no longer flat, {AGAIN}"),
        (replace(PLACE, guard="short"), f"The position is no longer short, {AGAIN}"),
        (replace(PLACE, require=frozenset({"flat"})), f"The position is not flat, {AGAIN}"),
        (replace(PLACE, require=frozenset({"short", "flat"})), f"The position is not flat or short, {AGAIN}"),
        (Replace("Sim101", ES, TERMS, "o1", TERMS, frozenset({"short"})), f"The position is not short, {AGAIN}"),
        # Whoever set no condition isn't told of one.
        (PLACE, MEND),
        (replace(PLACE, max_positions=1), MEND),
        (Replace("Sim101", ES, TERMS, "o1", TERMS), MEND),
        (FlatPlace("Sim101", ES, TERMS), MEND),
    ],
)
def test_a_refusal_for_the_position_says_what_has_become_of_it(intent: Intent, told: str) -> None:
    assert told in _blocks(_refused(intent))


@pytest.mark.parametrize("words", ["`requireMarketPosition: expected flat, was long`", "`MARKET POSITION mismatch`"])
def test_its_words_are_on_no_page_so_that_other_spellings_count_too(words: str) -> None:
    assert f"The position is no longer flat, {AGAIN}" in _blocks(_refused(GUARDED, words))


@pytest.mark.parametrize("words", ["`HTTP 400 without a reason.`", "`Insufficient margin`"])
def test_a_refusal_that_names_no_position_says_that_it_may_be_why(words: str) -> None:
    told = "Mend what it names, then ask again with the command. It is for a position that is still flat; look at that, too."
    assert told in _blocks(_refused(GUARDED, words))


def test_a_refusal_for_a_known_reason_is_not_laid_to_the_position() -> None:
    assert "Too many requests at once; wait a few seconds, then ask again with the command." in _blocks(
        _refused(GUARDED, "`RATE_LIMITED`")
    )


@pytest.mark.parametrize(
    "later",
    [
        replace(TICKET, intent=GUARDED, state=TicketState.ACCEPTED, order_ids=("o1",), order_state=OrderState.REJECTED),
        replace(TICKET, intent=GUARDED, state=TicketState.REJECTED, order_ids=("o1",)),
    ],
)
def test_what_the_broker_says_of_an_order_that_was_placed_is_no_matter_of_its_condition(later: Ticket) -> None:
    assert MEND in _blocks(replace(later, outcome="`Exceeds the largest market position`"))
