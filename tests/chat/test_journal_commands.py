"""/resolve and /why through real discord.py: private answers, who was admitted, what a phone shows, and the card afterwards."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat import sheets
from bot.chat.cards import card
from bot.chat.tables import WIDTH
from bot.chat.wording import LONGEST_ANSWER
from bot.desk.ports import Event, EventName
from bot.desk.reads.reports import Explanation, StoryStep
from bot.desk.requests import Refused, ResolveRequest
from bot.trading.market.facts import Order
from bot.trading.orders.intents import Cancel, PlaceOrder, Reverse
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.progress import ExitRow, Progress, Step, StepState
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Approved, Member, TicketState
from bot.trading.planning.suggestions import Suggestion
from bot.trading.reconciliation.resolving import Resolution, resolved
from bot.trading.risk.policy import Denial, DenialCode, Grant

from .conftest import Stage, told
from .samples import ES, NOW, POLICY, TICKET, TRADER_ROLE, ticket

SAID = {"ticket": "t1", "outcome": "never arrived", "why": "NinjaTrader's log has nothing"}
SECOND = timedelta(seconds=1)
TOM = Member(302, "Tom")
UNKNOWN = ticket(state=TicketState.UNKNOWN, confirmed_at=NOW, sent_at=NOW, outcome="`reset`")


def event(name: EventName, seconds: float = 0, **data: object) -> Event:
    """One line of the log."""
    return Event(NOW + seconds * SECOND, name, "t1", 301, data)


EXPLAINED = Explanation(
    at=NOW,
    ticket=ticket(
        state=TicketState.ACCEPTED,
        confirmed_at=NOW + 3 * SECOND,
        sent_at=NOW + 3 * SECOND,
        approvals=(Approved(5, "An*n", frozenset({1})),),
        order_ids=("0123456789abcdef0123456789abcdef",),
        order_state=OrderState.FILLED,
        filled=1,
        average_fill_price=TICKET.shown.last,
        warnings=("A full close may cancel 2 working orders.",),
    ),
    steps=(
        StoryStep("offered", NOW, None, event(EventName.OFFERED, revision=1)),
        StoryStep("Confirm pressed", NOW + 3 * SECOND, 3 * SECOND),
        StoryStep("sending", NOW + 3 * SECOND, timedelta(milliseconds=12), event(EventName.SENDING)),
        StoryStep(
            "accepted", NOW + 3 * SECOND, timedelta(milliseconds=85), event(EventName.ACCEPTED, order_ids=["0123456789abcdef"])
        ),
        StoryStep(
            "filled", NOW + 90000 * SECOND, timedelta(seconds=245), event(EventName.FILLED, filled=1, order_state="Filled")
        ),
    ),
)
DENIED = Explanation(
    at=NOW,
    denial=event(
        EventName.DENIED,
        command="reverse",
        channel=1,
        account="Sim`101",
        quantity=9,
        denials=["QUANTITY_OVER_GRANT: quantity=9 max_quantity=5", "DUPLICATE"],
    ),
)


def text(messages: list[str]) -> str:
    """One answer, after a look at its width and length."""
    whole = "\n".join(messages)
    assert all(len(message) <= LONGEST_ANSWER + 50 for message in messages)
    for block in whole.split("```")[1::2]:
        assert all(len(line) <= WIDTH for line in block.splitlines()), block
    return whole


def allow(stage: Stage, *commands: str) -> None:
    """Grant the trader more commands."""
    stage.desk.policy = replace(POLICY, grants=(*POLICY.grants, Grant(TRADER_ROLE, frozenset(commands), ("Sim*",))))


def drawn(*changes: Any, **named: Any) -> str:
    """All that the card of a ticket says."""
    view = card(*changes, **named).to_components()  # type: ignore[no-untyped-call]
    return "\n".join(_texts(view))


def _texts(parts: list[dict[str, Any]]) -> list[str]:
    return [text for part in parts for text in [part.get("content", ""), *_texts(part.get("components", []))] if text]


async def test_a_word_goes_to_the_desk_with_who_said_it_and_the_answer_is_private(stage: Stage) -> None:
    allow(stage, "resolve")
    result = await stage.trader.slash(stage.channel, "resolve", **SAID)
    assert result.ephemeral
    assert told(result) == "Ticket t1 is now accepted."
    ((member, request),) = stage.desk.resolving.said
    assert (member.id, request) == (stage.trader.id, ResolveRequest(order=None, **SAID))
    await stage.trader.slash(stage.channel, "resolve", **SAID | {"outcome": "accepted", "order": "o1"})
    assert stage.desk.resolving.said[-1][1] == ResolveRequest("t1", "accepted", SAID["why"], "o1")


async def test_without_the_right_nobody_resolves_or_is_offered_anything(stage: Stage) -> None:
    stage.desk.resolving.tickets = [Suggestion("t1", "reverse BUY 1")]
    assert "NO_GRANT" in told(await stage.trader.slash(stage.channel, "resolve", **SAID))
    assert await stage.trader.autocomplete(stage.channel, "resolve", "ticket", "") == []
    assert stage.desk.resolving.said == []
    assert stage.desk.behind == []


async def test_a_no_of_the_desk_is_told_with_its_code(stage: Stage) -> None:
    allow(stage, "resolve")
    stage.desk.resolving.answer = Refused((Denial(DenialCode.ACCOUNT_NOT_GRANTED, "Not on that account."),))
    said = told(await stage.trader.slash(stage.channel, "resolve", **SAID))
    assert said == "**denied** · `ACCOUNT_NOT_GRANTED`\nNot on that account."


async def test_unknown_tickets_are_offered_in_words(stage: Stage) -> None:
    allow(stage, "resolve")
    stage.desk.resolving.tickets = [Suggestion("t1", "reverse BUY 1 ES 09-26 in Sim101 by Tess (t1)")]
    choices = await stage.trader.autocomplete(stage.channel, "resolve", "ticket", "buy")
    assert [(choice["name"], choice["value"]) for choice in choices] == [("reverse BUY 1 ES 09-26 in Sim101 by Tess (t1)", "t1")]
    assert stage.desk.resolving.typed == ["buy"]


@pytest.mark.parametrize("typed", [{}, {"id": "t1"}])
async def test_why_answers_its_asker_alone(stage: Stage, typed: dict[str, str]) -> None:
    stage.desk.reads.answers = {"why": EXPLAINED}
    result = await stage.trader.slash(stage.channel, "why", **typed)
    assert result.ephemeral
    assert "ticket t1" in told(result)
    assert stage.desk.reads.asked == [("why", *typed.values())]
    assert stage.posts() == []


async def test_why_tells_why_not(stage: Stage) -> None:
    stage.desk.reads.answers = {"why": Refused((Denial(DenialCode.BAD_REQUEST, "There is no ticket `x`."),))}
    assert "There is no ticket `x`." in told(await stage.trader.slash(stage.channel, "why", id="x"))


def test_a_ticket_is_explained_from_asking_to_its_end() -> None:
    whole = text(sheets.why(EXPLAINED))
    assert "🟦 **SIM** · `Sim101` · **ticket t1** · accepted" in whole
    assert "Asked by Tess (<@301>): /reverse\nConfirmed by Tess (<@301>)\nApproved by An\\*n" in whole
    assert f"position{'LONG 2 at 5790.50':>28}" in whole
    assert "⚠ A full close may cancel 2 working orders." in whole
    assert "**Sent**, once" in whole
    assert "**Came back**: accepted" in whole
    assert "order 0123456789abcdef0123456789abcd" in whole.replace("\n", " ").replace("  ", " ")
    assert f"12:00:03 Confirm pressed{'3.00 s':>12}" in whole
    assert f"12:00:03 sending{'12 ms':>20}" in whole
    assert f"12:00:03 accepted{'85 ms':>19}\n  order 0123456789abcdef" in whole
    assert f"01-02\n13:00:00 filled{'4 min 5 s':>21}\n  Filled\n  filled 1" in whole


def test_a_denial_is_explained_with_what_was_typed_and_every_rule() -> None:
    whole = text(sheets.why(DENIED))
    assert whole.startswith("**denied** · /reverse · 01-01 12:00:00 UTC")
    assert f"quantity{'9':>28}" in whole
    assert "rule `QUANTITY_OVER_GRANT: quantity=9 max_quantity=5`\nrule `DUPLICATE`\nNothing was sent." in whole
    assert "channel" not in whole


def test_a_flatten_is_explained_call_by_call() -> None:
    legs = (
        Step("cancel the orders", NOW, StepState.ACCEPTED, account="Sim101", ended_at=NOW + timedelta(milliseconds=40)),
        Step("close ES 09-26 in `Sim101`", NOW + SECOND, StepState.UNKNOWN, "`the connection was reset`"),
    )
    lines = (ExitRow("Sim101", False, ES, -2, 1), ExitRow("Sim101", False, None, None, None))
    swept = ticket(state=TicketState.UNKNOWN, sent_at=NOW, progress=Progress(legs, lines))
    swept = replace(swept, intent=Flatten(Scope(("Sim101", "Sim102"))))
    whole = text(sheets.why(Explanation(NOW, swept)))
    assert "`2 accounts`" in whole
    assert f"Sim101 ES 09-26{'SHORT 2':>21}" in whole
    assert "Sim101                             ?" in whole
    assert f"12:00:00 cancel the orders in Sim101\naccepted{'40 ms':>28}" in whole
    assert "12:00:01 close ES 09-26 in Sim101\nunknown" in whole
    assert "  the connection was reset" in whole
    unbegun = replace(swept, progress=Progress((), lines))
    assert "no call of it began" in text(sheets.why(Explanation(NOW, unbegun)))


def test_what_was_never_sent_is_said_so() -> None:
    expired = ticket(state=TicketState.EXPIRED, approver_roles=frozenset({7}), outcome="void", bid=None, quoted_at=None)
    whole = text(sheets.why(Explanation(NOW, expired, EXPLAINED.steps[:1])))
    assert "Nothing was sent." in whole
    assert "Needs approval by <@&7>" in whole
    assert "void" in whole
    assert "bid" not in whole
    assert "Nothing was sent." in text(sheets.why(Explanation(NOW)))


def test_ids_of_ours_and_of_the_order_that_it_is_about_are_told() -> None:
    limit = Terms(Side.SELL, 3, OrderType.LIMIT, limit=TICKET.shown.last)
    placed = replace(ticket(state=TicketState.ACCEPTED, sent_at=NOW), intent=PlaceOrder("Sim101", ES, limit, "own1"))
    assert "our id own1" in text(sheets.why(Explanation(NOW, placed)))
    flat = replace(
        placed, intent=Cancel("Sim101", ES, limit, "old1"), shown=replace(placed.shown, position=0, average_price=None)
    )
    whole = text(sheets.why(Explanation(NOW, flat)))
    assert "about order old1" in whole
    assert f"position{'FLAT':>28}" in whole


@pytest.mark.parametrize("outcome", list(Resolution))
def test_the_card_says_who_resolved_it_and_why(outcome: Resolution) -> None:
    said = drawn(resolved(UNKNOWN, outcome, TOM, "seen in the log", NOW, None))
    assert f"### {outcome.value}" in said
    assert "resolved by Tom (<@302>): `seen in the log`" in said
    assert "Resolved by Tom (<@302>)" in said
    assert "The bot found no proof of it" in said
    assert "CrossTrade says" not in said
    assert ("No order is known to follow." in said) == (outcome is Resolution.ACCEPTED)


def test_the_card_of_an_accepted_order_tells_how_it_stands() -> None:
    order = Order(("o1",), "Sim101", ES, Side.BUY, OrderType.MARKET, OrderState.WORKING, 1)
    said = drawn(resolved(UNKNOWN, Resolution.ACCEPTED, TOM, "seen", NOW, order))
    assert "accepted · order `o1`" in said
    assert "submitted to NinjaTrader, not filled yet" in said
    assert "No order is known to follow." not in said


def test_the_card_of_a_flatten_that_somebody_took_as_done_still_says_what_was_read_last() -> None:
    swept = replace(
        UNKNOWN, intent=Flatten(Scope(("Sim101",))), progress=Progress((), (ExitRow("Sim101", False, ES, -2, 1, -2, 0),))
    )
    said = drawn(resolved(swept, Resolution.ACCEPTED, TOM, "seen", NOW, None))
    assert "accepted · NOT FLAT" in said
    assert "resolved by Tom (<@302>): `seen" in said


def test_the_card_of_an_unknown_outcome_names_the_way_out() -> None:
    assert "/resolve" in drawn(UNKNOWN)
    assert isinstance(UNKNOWN.intent, Reverse)
