"""What the readings of each link mean, and that everything that isn't good says what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import NO_JOURNAL
from bot.trading.health.chain import Commit, Grade, LinkName, LinkStatus, Readings, ago, chain
from bot.trading.health.spending import Spending
from bot.trading.health.vitals import ChatVitals, Reach, StreamState, Vitals
from bot.trading.market.facts import Account
from bot.trading.risk.halts import Switch, Switches, SwitchState

NOW = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)
GOOD, SLOW, DOWN = Grade.GOOD, Grade.SLOW, Grade.DOWN
WELL = Vitals(Reach.GOOD, "CrossTrade answers.", NOW - 4 * S, StreamState.OPEN, budget=20, priced_at=NOW - S, clock_ahead=0 * S)
CHAT = ChatVitals(up=True, latency=0.045, clock_ahead=0 * S)
FINE = Readings(NOW, CHAT, Commit(NOW - 8 * S, 0.0021), 0, None, WELL, (Account("Sim101", "Simulator", connected=True),), 0)


def line(part: LinkName, readings: Readings = FINE) -> LinkStatus:
    """The only line of a link."""
    [found] = [each for each in chain(readings) if each.part is part]
    return found


def broker(**changes: object) -> Readings:
    """All is well but that."""
    return replace(FINE, broker=replace(WELL, **changes))  # type: ignore[arg-type]  # the test names the fields


def test_where_all_is_well_nothing_is_to_be_done_and_every_link_has_its_line_in_order() -> None:
    assert [each.part for each in chain(FINE)] == list(LinkName)
    assert {(each.grade, each.mend) for each in chain(FINE)} == {(GOOD, "")}
    assert [each.words for each in chain(FINE)] == [
        "45 ms",
        "as Discord and CrossTrade",
        "all active",
        "2 ms, 8 s ago",
        "all told",
        "good 4 s ago",
        "add-on answers",
        "open",
        "connected",
        "1 s old",
        "20 at once",
        "0 on the way",
    ]


DESK = Switch("*", "*", SwitchState.REDUCING, NOW, 1, "Tina", "the reason")
ACCOUNT = Switch("Sim101", "*", SwitchState.HALTED, NOW)
READINGS = [
    (replace(FINE, chat=ChatVitals(rivals=3, up=True)), LinkName.DISCORD, DOWN, "shared token", "stop it"),
    (replace(FINE, chat=ChatVitals(rivals=2, up=True)), LinkName.DISCORD, GOOD, "connected", ""),
    (replace(FINE, chat=ChatVitals(up=False, latency=0.1)), LinkName.DISCORD, DOWN, "no gateway", "NinjaTrader itself"),
    (replace(FINE, chat=ChatVitals(up=True, latency=1.01)), LinkName.DISCORD, SLOW, "1010 ms", "Press again"),
    (replace(FINE, chat=ChatVitals(up=True, latency=1.0)), LinkName.DISCORD, GOOD, "1000 ms", ""),
    (replace(FINE, chat=ChatVitals(up=True)), LinkName.CLOCK, GOOD, "as CrossTrade", ""),
    (replace(FINE, chat=ChatVitals(up=True), broker=Vitals()), LinkName.CLOCK, GOOD, "not compared", ""),
    (broker(clock_ahead=60 * S), LinkName.CLOCK, SLOW, "60 s ahead of CrossTrade", "by a time server"),
    (
        broker(clock_ahead=-21600 * S),
        LinkName.CLOCK,
        SLOW,
        "6 h behind CrossTrade",
        "is 6 h behind that of CrossTrade.",
    ),
    (replace(FINE, switches=Switches((DESK,))), LinkName.SWITCH, SLOW, "desk reducing", "the reason"),
    (replace(FINE, switches=Switches((DESK, ACCOUNT))), LinkName.SWITCH, SLOW, "Sim101 halted, +1", "/policy shows one more."),
    (
        replace(FINE, switches=Switches((DESK, ACCOUNT, DESK))),
        LinkName.SWITCH,
        SLOW,
        "Sim101 halted, +2",
        "/policy shows 2 more.",
    ),
    (replace(FINE, commit=Commit(NOW - 20 * S, 0.1, "disk “full”")), LinkName.JOURNAL, DOWN, "not for 20 s", '“disk "full"”'),
    (replace(FINE, in_flight=None), LinkName.JOURNAL, DOWN, "unreadable", "the bot sends nothing, ways out neither"),
    (replace(FINE, commit=None), LinkName.JOURNAL, GOOD, "readable", ""),
    (replace(FINE, commit=Commit(NOW, 0.26)), LinkName.JOURNAL, SLOW, "260 ms, 0 s ago", "look at its disk"),
    (replace(FINE, commit=Commit(NOW, 2.0)), LinkName.JOURNAL, SLOW, "2000 ms, 0 s ago", "look at its disk"),
    (replace(FINE, commit=Commit(NOW, 0.25)), LinkName.JOURNAL, GOOD, "250 ms, 0 s ago", ""),
    (replace(FINE, waiting=None), LinkName.NEWS, SLOW, "not read", ""),
    (replace(FINE, waiting=0, oldest=NOW - 31 * S), LinkName.NEWS, GOOD, "all told", ""),
    (replace(FINE, waiting=3, oldest=NOW - 30 * S), LinkName.NEWS, GOOD, "3 wait, 30 s", ""),
    (replace(FINE, waiting=3, oldest=NOW - 31 * S), LinkName.NEWS, SLOW, "3 wait, 31 s", "may post in its channels"),
    (broker(reach=Reach.NOT_ASKED), LinkName.CROSSTRADE, SLOW, "not asked yet", "Ask again"),
    (broker(reach=Reach.NOT_ASKED, budget=0), LinkName.BUDGET, GOOD, "0 at once", ""),
    (broker(reach=Reach.NOT_ASKED), LinkName.NINJATRADER, SLOW, "can't be asked", ""),
    (broker(reach=Reach.REFUSED, why="Token."), LinkName.CROSSTRADE, DOWN, "token refused", "“Token.”"),
    (broker(reach=Reach.NOWHERE, why="No line."), LinkName.CROSSTRADE, DOWN, "good 4 s ago", "“No line.” Entries are refused"),
    (broker(reach=Reach.NOWHERE, good_at=None), LinkName.CROSSTRADE, DOWN, "good never", "exits are tried"),
    (broker(reach=Reach.NOWHERE), LinkName.NINJATRADER, SLOW, "can't be asked", ""),
    (broker(reach=Reach.AWAY), LinkName.CROSSTRADE, GOOD, "answers", ""),
    (broker(reach=Reach.AWAY, why="HTTP 408."), LinkName.NINJATRADER, DOWN, "add-on is away", "Start NinjaTrader"),
    (broker(good_at=NOW - 31 * S), LinkName.CROSSTRADE, SLOW, "good 31 s ago", "it is being asked"),
    (broker(good_at=NOW - 30 * S), LinkName.CROSSTRADE, GOOD, "good 30 s ago", ""),
    (broker(good_at=None), LinkName.CROSSTRADE, GOOD, "good never", ""),
    (broker(garbled={"positions": 2, "orders": 1}), LinkName.CROSSTRADE, SLOW, "3 unreadable", "(positions, orders)"),
    (
        broker(reach=Reach.GARBLED, good_at=NOW - 16 * S, garbled={"positions": 2}),
        LinkName.CROSSTRADE,
        DOWN,
        "2 unreadable",
        "Entries are refused, exits are tried. Look in NinjaTrader",
    ),
    (broker(reach=Reach.GARBLED, good_at=None, garbled={"accounts": 1}), LinkName.CROSSTRADE, DOWN, "1 unreadable", "up to date"),
    (broker(reach=Reach.GARBLED, garbled={"accounts": 1}), LinkName.NINJATRADER, SLOW, "can't be read", ""),
    (
        replace(broker(reach=Reach.NOWHERE), commit=Commit(NOW, 0.1, "full")),
        LinkName.CROSSTRADE,
        DOWN,
        "good 4 s ago",
        "sends nothing, ways out neither",
    ),
    (broker(stream=StreamState.UNUSED), LinkName.STREAM, GOOD, "not used", ""),
    (broker(stream=StreamState.TAKEN), LinkName.STREAM, SLOW, "taken by another", "REST serves instead. Stop the other"),
    (
        broker(stream=StreamState.TAKEN, orders_by_stream=True),
        LinkName.STREAM,
        DOWN,
        "taken by another",
        "Ways out go by REST; no entry leaves until it is open again",
    ),
    (
        broker(stream=StreamState.TAKEN, orders_by_stream=True, entries_fall_back=True),
        LinkName.STREAM,
        SLOW,
        "taken by another",
        "REST serves instead",
    ),
    (broker(stream=StreamState.CLOSED, stream_why="Shut."), LinkName.STREAM, SLOW, "closed", "“Shut.” REST serves instead"),
    (broker(stream=StreamState.CLOSED, orders_by_stream=True), LinkName.STREAM, DOWN, "closed", "Ways out go by REST"),
    (broker(priced_at=None), LinkName.PRICES, GOOD, "none asked for", ""),
    (broker(priced_at=NOW - 10 * S), LinkName.PRICES, GOOD, "10 s old", ""),
    (broker(priced_at=NOW - 11 * S), LinkName.PRICES, GOOD, "11 s old, read anew", ""),
    (broker(budget=4), LinkName.BUDGET, SLOW, "4 at once", "exits go first"),
    (broker(budget=5), LinkName.BUDGET, GOOD, "5 at once", ""),
    (replace(FINE, in_flight=None), LinkName.ORDERS, SLOW, "not read", ""),
    (replace(FINE, in_flight=2, unknown=1), LinkName.ORDERS, SLOW, "2 on the way, 1 unknown", "Don't send it again"),
    (replace(FINE, in_flight=2), LinkName.ORDERS, GOOD, "2 on the way", ""),
]


@pytest.mark.parametrize(("readings", "part", "grade", "words", "mend"), READINGS)
def test_each_reading_has_its_verdict(readings: Readings, part: LinkName, grade: Grade, words: str, mend: str) -> None:
    found = line(part, readings)
    assert (found.grade, found.words) == (grade, words)
    assert mend in found.mend
    assert bool(found.mend) is bool(mend)


def test_what_is_down_always_says_what_to_do() -> None:
    lines = [each for readings, *_ in READINGS for each in chain(readings)]
    assert [each for each in lines if each.grade is DOWN and not each.mend] == []
    assert [each for each in lines if each.grade is GOOD and each.mend] == []


@pytest.mark.parametrize("left", [20, 0])
def test_what_requests_were_made_for_stands_with_them_whether_or_not_they_run_out(left: int) -> None:
    spent = broker(budget=left, spending=Spending(180, {"ways out": 9, "news of orders": 30}))
    said = "39 requests to CrossTrade in the last minute: news of orders 30, ways out 9; 180 allowed"
    assert [(each.part, each.detail) for each in chain(spent) if each.detail] == [(LinkName.BUDGET, said)]
    assert [each.detail for each in chain(FINE) if each.detail] == []


def test_one_switch_says_just_its_sentence() -> None:
    assert line(LinkName.SWITCH, replace(FINE, switches=Switches((DESK,)))).mend == DESK.sentence


def test_a_long_name_is_cut() -> None:
    assert len(line(LinkName.BROKER, replace(FINE, accounts=(Account("x" * 60, "Rithmic", connected=True),))).name) == 40


@pytest.mark.parametrize(
    ("connected", "grade", "words"), [(True, GOOD, "connected"), (None, GOOD, "listed"), (False, DOWN, "not connected")]
)
def test_each_account_has_a_line_of_its_own(connected: bool | None, grade: Grade, words: str) -> None:
    accounts = (Account("Apex-`1", "Rithmic", connected=connected), Account("Sim101", "Simulator", connected=True))
    first, second = [each for each in chain(replace(FINE, accounts=accounts)) if each.part is LinkName.BROKER]
    assert (first.name, first.grade, first.words) == ("Apex-`1", grade, words)
    connect = "Connect “Apex-`1” to its broker in NinjaTrader; entries there are refused, exits are tried."
    assert first.mend == (connect if grade is DOWN else "")
    assert (second.name, second.grade) == ("Sim101", GOOD)


def test_of_an_account_without_its_broker_no_exit_is_promised_while_the_journal_is_down() -> None:
    full = replace(FINE, accounts=(Account("Sim101", "Rithmic", connected=False),), commit=Commit(NOW, 0.1, "full"))
    assert line(LinkName.BROKER, full).mend == f"Connect “Sim101” to its broker in NinjaTrader. {NO_JOURNAL}"


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (32_400_000, "9000 h")]
)
def test_how_long_ago_is_short(seconds: float, said: str) -> None:
    assert ago(NOW, NOW - seconds * S) == said
