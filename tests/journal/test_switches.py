"""The kill switch on disk: what is kept, who wins, and that no claim is stored which a switch bars."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.ports import EventName, Notice, Tone
from bot.errors import Halted
from bot.journal import log
from bot.journal.store import SqlJournal
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Change, Close, PlaceOrder
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.orders.tickets import TicketState, move
from bot.trading.risk.halts import Switch, SwitchState

from .making import NOON, SECOND, by_hand, claimed, event, stored

ACTIVE, REDUCING, HALTED = SwitchState.ACTIVE, SwitchState.REDUCING, SwitchState.HALTED
ES = Contract("ES", 2026, 9)
NEWS = Notice(2001, "halted", tone=Tone.ALARM)
ENTRY = PlaceOrder("Sim101", ES, Terms(Side.BUY, 1), "own1")
BEFORE = Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(5780))


def switch(account: str = "*", root: str = "*", state: SwitchState = HALTED, why: str = "CPI") -> Switch:
    """One by Tina."""
    return Switch(account, root, state, NOON, 2**63 - 1, "Tina", why)


async def put(journal: SqlJournal, made: Switch) -> bool:
    """Set it, with its event and its news."""
    name = EventName.RESUMED if made.state is ACTIVE else EventName.HALTED
    return await journal.switch(made, event(name, None, state=made.state), [NEWS])


async def log_of(journal: SqlJournal) -> list[str]:
    """The names of all events."""
    return await journal._writes.run(lambda connection: [line.name for line in log.lines(connection)])


async def test_every_field_of_a_switch_comes_back_the_oldest_first(journal: SqlJournal) -> None:
    first, second = switch("Sim1\0\ud800", "ES", why='it\'s "odd"\n% _'), replace(switch("*", "NQ", REDUCING), at=NOON + SECOND)
    assert await put(journal, second)
    assert await put(journal, first)
    assert (await journal.switches()).all == (replace(first, account="Sim1??"), second)


async def test_nothing_is_halted_at_first(journal: SqlJournal) -> None:
    assert (await journal.switches()).all == ()


async def test_a_switch_is_stored_with_its_event_and_its_news(journal: SqlJournal) -> None:
    assert await put(journal, switch())
    assert await log_of(journal) == ["halted"]
    [row] = await journal.due(NOON, 9)
    assert (row.ticket, row.notice) == (None, NEWS)


@pytest.mark.parametrize(("before", "after"), [(HALTED, HALTED), (HALTED, REDUCING), (REDUCING, REDUCING), (None, ACTIVE)])
async def test_what_would_loosen_or_change_nothing_stores_nothing_at_all(
    journal: SqlJournal, before: SwitchState | None, after: SwitchState
) -> None:
    if before is not None:
        assert await put(journal, switch(state=before, why="first"))
    kept, logged = await journal.switches(), await log_of(journal)
    assert not await put(journal, switch(state=after, why="second"))
    assert await journal.switches() == kept
    assert await log_of(journal) == logged
    assert len(await journal.due(NOON, 9)) == len(logged)


async def test_a_stricter_one_takes_the_place_of_the_other(journal: SqlJournal) -> None:
    assert await put(journal, switch("Sim101", state=REDUCING))
    assert await put(journal, switch("SIM101", state=HALTED))
    assert (await journal.switches()).all == (switch("SIM101"),)


async def test_only_the_switch_of_just_that_scope_is_lifted(journal: SqlJournal) -> None:
    for each in (switch(), switch("Sim101"), switch("*", "ES"), switch("Sim101", "ES")):
        assert await put(journal, each)
    assert await put(journal, switch("sim101", "*", ACTIVE))
    assert {(each.account, each.root) for each in (await journal.switches()).all} == {("*", "*"), ("*", "ES"), ("Sim101", "ES")}
    assert await log_of(journal) == ["halted"] * 4 + ["resumed"]


@pytest.mark.parametrize("state", [HALTED, REDUCING])
@pytest.mark.parametrize("where", [("*", "*"), ("Sim101", "*"), ("*", "ES"), ("sim101", "ES")])
async def test_no_claim_that_a_switch_bars_is_stored(journal: SqlJournal, where: tuple[str, str], state: SwitchState) -> None:
    offer = await stored(journal)
    assert await put(journal, switch(*where, state=state))
    before = await journal.due(NOON, 9), await journal.events("t1")
    with pytest.raises(Halted, match=f"{state} by “Tina”") as barred:
        await journal.advance(offer, claimed(offer), [event(EventName.SENDING)], [NEWS])
    assert barred.value.code == state.name
    assert await journal.ticket("t1") == offer
    assert (await journal.due(NOON, 9), await journal.events("t1")) == before
    # The link is still good, and the offer as it was.
    assert await put(journal, switch(*where, state=ACTIVE))
    assert await journal.advance(offer, claimed(offer), [event(EventName.SENDING)])


@pytest.mark.parametrize("where", [("Sim102", "*"), ("*", "NQ"), ("Sim101", "NQ"), ("Sim102", "ES")])
async def test_a_claim_elsewhere_passes(journal: SqlJournal, where: tuple[str, str]) -> None:
    offer = await stored(journal)
    assert await put(journal, switch(*where))
    assert await journal.advance(offer, claimed(offer), ())


async def test_a_claim_that_came_too_late_is_told_so_and_not_that_it_is_halted(journal: SqlJournal) -> None:
    offer = await stored(journal)
    assert await journal.advance(offer, move(offer, TicketState.CANCELLED), ())
    assert await put(journal, switch())
    assert not await journal.advance(offer, claimed(offer), ())


async def test_ways_out_and_what_a_change_takes_away_are_claimed_all_the_same(journal: SqlJournal) -> None:
    close = await stored(journal, "t1", intent=Close("Sim101", ES, Terms(Side.SELL, 2)))
    assert await put(journal, switch("Sim101"))
    assert await journal.advance(close, claimed(close), ())
    # LONG 2 is open: its stop may be moved while only reducing is allowed, and not once halted.
    moved = Change("Sim102", ES, replace(BEFORE, stop=Decimal(5790)), "o1", BEFORE)
    for number, (state, passes) in enumerate({REDUCING: True, HALTED: False}.items()):
        assert await put(journal, switch("Sim102", state=state))
        offer = await stored(journal, f"m{number}", intent=moved)
        if passes:
            assert await journal.advance(offer, claimed(offer), ())
        else:
            with pytest.raises(Halted):
                await journal.advance(offer, claimed(offer), ())


async def test_the_next_call_of_a_ticket_under_way_is_asked_about_too(journal: SqlJournal) -> None:
    offer = await stored(journal)
    sending = claimed(offer)
    assert await journal.advance(offer, sending, ())
    assert await put(journal, switch())
    step = move(sending, TicketState.SENDING)
    with pytest.raises(Halted):
        await journal.advance(sending, step, [event(EventName.STEP)], sends=ENTRY)
    assert await journal.ticket("t1") == sending
    # Its close, and what was only learned, are facts.
    assert await journal.advance(sending, step, (), sends=Close("Sim101", ES, Terms(Side.SELL, 2)))
    assert await journal.advance(step, move(step, TicketState.UNKNOWN), ())


async def test_of_a_halt_and_claims_at_once_each_claim_is_before_it_or_nothing(journal: SqlJournal) -> None:
    offers = [await stored(journal, f"t{number}") for number in range(6)]
    work = [journal.advance(offer, claimed(offer), [event(EventName.SENDING, offer.id)]) for offer in offers]
    results = await asyncio.gather(*work[:3], put(journal, switch()), *work[3:], return_exceptions=True)
    assert results[3] is True
    logged = await log_of(journal)
    sent = [offer for offer in offers if (await journal.ticket(offer.id) or offer).state is TicketState.SENDING]
    # In the log, which is written in the same transactions, nothing is sent after the halt.
    assert "sending" not in logged[logged.index("halted") :]
    assert len(sent) == logged.count("sending") == results.count(True) - 1
    assert sum(isinstance(result, Halted) for result in results) == len(offers) - len(sent)


async def test_a_word_of_a_newer_version_bars_everything(journal: SqlJournal) -> None:
    offer = await stored(journal)
    assert await put(journal, switch(state=REDUCING))
    await by_hand(journal, "UPDATE switches SET state = 'paused'")
    assert (await journal.switches()).all[0].state is HALTED
    with pytest.raises(Halted):
        await journal.advance(offer, claimed(offer), ())


async def test_the_newest_event_of_some_names_is_found(journal: SqlJournal) -> None:
    names = {EventName.STARTED, EventName.STOPPED}
    assert await journal.last(names) is None
    for each in (
        event(EventName.STARTED, None, left=["t1"]),
        event(EventName.STOPPED, None),
        event(EventName.POLICY_CHANGED, None),
    ):
        await journal.record(each)
    last = await journal.last(names)
    assert last is not None
    assert last.name is EventName.STOPPED
    started = await journal.last({EventName.STARTED})
    assert started is not None
    assert started.data == {"left": ["t1"]}
