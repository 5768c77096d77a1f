"""The snapshot against an obvious model: nothing is decided on what is too old, or asked for before something changed there."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.crosstrade.snapshot import CHANGED, CHANGED_ANYWHERE, SIDE_BY_SIDE, Asked, Key, Snapshot, What
from bot.trading.market.facts import Account, Order, Position
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderState, OrderType, Side
from tests.clocks import NOON

NAMES = ("Sim101", "sim102", "Apex-1")
ES = Contract("ES", 2026, 9)
OF_ACCOUNTS = (What.POSITIONS, What.ORDERS, What.ACCOUNT, What.STRATEGIES, What.LINK)
OF_ALL = (What.ALL_POSITIONS, What.ALL_ORDERS, What.ACCOUNTS)


@dataclass
class Note:
    """What the model keeps of one answer: the question's place among all that happened, its moment, and the value."""

    place: int
    at: datetime
    value: object


@dataclass
class Model:
    """All that ever happened, in its order; it forgets nothing, and looks through all of it each time.

    Attributes:
        answers: by key, every answer that came.
        changes: place and account of everything that may have changed something; ``None`` for anywhere.
        lost: place and key of every read that failed.
        outdone: moment and key of every list that another one, asked for after it, has proved to be of before a change.
    """

    answers: dict[Key, list[Note]] = field(default_factory=dict)
    changes: list[tuple[int, str | None]] = field(default_factory=list)
    lost: list[tuple[int, Key]] = field(default_factory=list)
    outdone: list[tuple[datetime, Key]] = field(default_factory=list)
    names: frozenset[str] | None = None

    def may_use(self, key: Key, now: datetime, within: timedelta) -> set[int]:
        """The places of the questions whose answers may be decided on."""
        return {
            note.place
            for note in self.answers.get(key, ())
            if timedelta(0) < within and now - note.at <= within and not self._is_void(key, note)
        }

    def _is_void(self, key: Key, note: Note) -> bool:
        touched = any(place > note.place and self._touches(account, key) for place, account in self.changes)
        failed = any(place > note.place and other == key for place, other in self.lost)
        return touched or failed or any(at - note.at > SIDE_BY_SIDE and other == key for at, other in self.outdone)

    def _touches(self, account: str | None, key: Key) -> bool:
        is_known = account is not None and (self.names is None or account.lower() in self.names)
        if account is None or not is_known:
            return True
        return key.kind in CHANGED_ANYWHERE or (key.kind in CHANGED and key.about == account.lower())


@dataclass
class World:
    """The snapshot and its model side by side, under the same steps.

    Attributes:
        deaf_to: a kind of step of which the snapshot isn't told.
    """

    deaf_to: str = ""
    known: Snapshot = field(default_factory=Snapshot)
    model: Model = field(default_factory=Model)
    now: datetime = NOON
    place: int = 0
    late: timedelta = timedelta(0)
    asked: list[tuple[Key, Asked, int, datetime]] = field(default_factory=list)

    def passes(self, milliseconds: int) -> None:
        self.now += timedelta(milliseconds=milliseconds)
        if self.deaf_to == "passes":
            self.late += timedelta(milliseconds=milliseconds)

    def ask(self, key: Key) -> None:
        self.place += 1
        self.asked.append((key, self.known.asked(self.now), self.place, self.now))

    def answer(self, which: int, quantity: int) -> None:
        """An answer comes, in whatever order."""
        if not self.asked:
            return
        key, asked, place, at = self.asked.pop(which % len(self.asked))
        value = _value(key, quantity)
        before = max(self.model.answers.get(key, ()), key=lambda note: note.place, default=None)
        self.model.answers.setdefault(key, []).append(Note(place, at, value))
        # Told of as if the list were the same as before, it can't know better.
        self.known.take(key, before.value if self.deaf_to == "beside" and before is not None else value, asked)
        is_newest = before is None or before.place < place
        if is_newest and key.kind in {What.POSITIONS, What.ORDERS} and (before is None or before.value != value):
            beside = What.ORDERS if key.kind is What.POSITIONS else What.POSITIONS
            self.model.outdone.append((at, Key(beside, key.about)))

    def fail(self, which: int) -> None:
        if self.asked:
            key, *_ = self.asked.pop(which % len(self.asked))
            self.place += 1
            self.model.lost.append((self.place, key))
            if self.deaf_to != "fail":
                self.known.failed(key)

    def change(self, account: str | None) -> None:
        self.place += 1
        self.model.changes.append((self.place, account))
        if self.deaf_to != "change":
            self.known.changed(account, self.now)

    def check(self, within: timedelta) -> None:
        """Whatever the snapshot would have decided on, the model allows; of what it allows the youngest is used."""
        for key in KEYS:
            fact = self.known.fact(key, self.now - self.late, within)
            allowed = self.model.may_use(key, self.now, within)
            if fact is None:
                assert not allowed or max(note.place for note in self.model.answers[key]) not in allowed
                continue
            newest = max(self.model.answers[key], key=lambda note: note.place)
            assert newest.place in allowed
            assert (fact.value, fact.asked.at) == (newest.value, newest.at)


KEYS = [Key.of(kind, name) for kind in OF_ACCOUNTS for name in NAMES] + [Key(kind) for kind in OF_ALL]


def _value(key: Key, quantity: int) -> object:
    """A list that tells one thing or another."""
    if key.kind is What.POSITIONS:
        return (Position(str(key.about), ES, quantity),) if quantity else ()
    if key.kind is What.ORDERS:
        return (order(str(key.about), quantity),)
    return quantity


def order(account: str, filled: int) -> Order:
    return Order(("a",), account, ES, Side.BUY, OrderType.LIMIT, OrderState.WORKING, 5, filled=filled)


Step = tuple[str, tuple[Any, ...]]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("passes"), st.tuples(st.sampled_from([0, 1, 100, 250, 700, 1499, 1500, 1501, 60_000]))),
    st.tuples(st.just("ask"), st.tuples(st.sampled_from(KEYS))),
    st.tuples(st.just("answer"), st.tuples(st.integers(0, 5), st.integers(0, 2))),
    st.tuples(st.just("fail"), st.tuples(st.integers(0, 5))),
    st.tuples(st.just("change"), st.tuples(st.sampled_from([*NAMES, "SIM101", None]))),
)


def play(steps: list[Step], within: int, deaf_to: str = "") -> None:
    """Take the steps, and compare after each."""
    world = World(deaf_to=deaf_to)
    for name, given_to_it in steps:
        getattr(world, name)(*given_to_it)
        world.check(timedelta(milliseconds=within))


def test_nothing_is_decided_on_what_is_too_old_or_of_before_a_change(request: pytest.FixtureRequest) -> None:
    @settings(max_examples=max(300, 25 * request.config.getoption("--random-runs")), deadline=None)
    @given(st.lists(STEPS, max_size=60), st.sampled_from([0, 300, 1500, 5000]))
    def playing(steps: list[Step], within: int) -> None:
        play(steps, within)

    playing()


@pytest.mark.parametrize("cause", ["passes", "fail", "change", "beside"])
def test_each_cause_that_it_were_deaf_to_would_be_found(cause: str) -> None:
    """Positions and orders are known; then it happens, and the snapshot isn't told."""
    held, listed = Key.of(What.POSITIONS, "Sim101"), Key.of(What.ORDERS, "Sim101")
    known: list[Step] = [
        ("ask", (held,)),
        ("answer", (0, 1)),
        ("ask", (listed,)),
        ("answer", (0, 0)),
        ("ask", (held,)),
        ("answer", (0, 1)),
    ]
    happens: dict[str, list[Step]] = {
        "passes": [("passes", (1501,))],
        "fail": [("ask", (held,)), ("fail", (0,))],
        "change": [("change", ("Sim101",))],
        "beside": [("passes", (700,)), ("ask", (listed,)), ("answer", (0, 2))],
    }
    play([*known, *happens[cause]], 1500)
    with pytest.raises(AssertionError):
        play([*known, *happens[cause]], 1500, deaf_to=cause)


def test_a_list_that_contradicts_another_one_of_the_same_moment_is_told_and_the_younger_one_counts() -> None:
    told: list[str] = []
    known = Snapshot(told.append)
    held, key = Position("Sim101", ES, 2), Key.of(What.POSITIONS, "Sim101")
    known.take_rows([held], known.asked(NOON))
    assert not told
    known.take(key, (), known.asked(NOON + SIDE_BY_SIDE))
    assert told == ["positions of sim101, which another list tells otherwise"]
    assert known.fact(key, NOON + SIDE_BY_SIDE, timedelta(seconds=1)).value == ()  # type: ignore[union-attr]  # it is known
    # What has changed a moment later contradicts nothing, nor does what was void.
    known.take_rows([held], known.asked(NOON + timedelta(seconds=1)))
    known.changed("Sim101", NOON + timedelta(seconds=1))
    known.take(key, (), known.asked(NOON + timedelta(seconds=1)))
    assert len(told) == 1


def test_an_account_that_a_list_leaves_out_is_not_flat_by_it() -> None:
    known, within = Snapshot(), timedelta(seconds=1)
    known.take(Key(What.ALL_POSITIONS), (), known.asked(NOON))
    known.take_all([Account("Sim101", "Simulator", connected=True)], known.asked(NOON), NOON, within)
    assert known.fact(Key.of(What.POSITIONS, "Sim101"), NOON, within) is not None
    assert known.fact(Key.of(What.POSITIONS, "Sim102"), NOON, within) is None
    known.take_all([Account("Sim102", "Rithmic", connected=False)], known.asked(NOON), NOON, within)
    assert known.fact(Key.of(What.POSITIONS, "Sim102"), NOON, within) is None
