"""Mass actions: what they go over, what is in their way, how far they come; and that none can be built that reaches too far."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.exits.leftover import commands_for, left_of
from bot.trading.exits.rules import (
    as_listed,
    closing_elsewhere,
    done_words,
    followed,
    in_flight_elsewhere,
    lines,
    not_running,
    plan,
    reasons,
    steps,
    undone_words,
)
from bot.trading.market.facts import Account, Facts, Order, Position
from bot.trading.orders.broker_calls import CancelOrders, CloseStrategy, FlattenAccount
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import MANY, CancelWorking, Flatten, FlattenStrategy, Holding, MassAction, Scope
from bot.trading.orders.progress import MOST_NAMED, ExitRow, Progress, Step, StepState, Working
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import AccountRule, DenialCode, Policy
from tests.rules.strategies import ES, ES_DECEMBER, MODEST, NOTHING_SENT, NOW, NQ, ORDER, TICKET

ONE, TWO, REAL = "Sim101", "Sim102", "Apex-1"
POLICY = Policy(grants=())
NAMES_REAL = replace(POLICY, accounts=(AccountRule("Apex-*", live=True),))
ALL = Scope((ONE, TWO), everything=True)
TERMS = Terms(Side.SELL, 1)


def book(
    name: str = ONE, held: dict[Contract, int] | None = None, *orders: Order, provider: str | None = "Simulator", **parts: Any
) -> Facts:
    """An account as read."""
    positions = tuple(Position(name, contract, quantity) for contract, quantity in (held or {}).items())
    return replace(Facts(Account(name, provider), positions, orders, None), **parts)


def later(facts: Facts) -> Facts:
    """The same as read by a mass action under way, which asks for orders and positions alone."""
    return replace(facts, account=None)


NOT_POSITIONS: dict[str, Any] = {"positions": None, "missing": ("positions: no answer",)}
NOT_ORDERS: dict[str, Any] = {"orders": None, "missing": ("orders: no answer",)}


# What can't be built.


@pytest.mark.parametrize(
    "build",
    [
        lambda: Scope(()),
        lambda: Scope(("",)),
        lambda: Scope((ONE, "")),
        lambda: Scope((ONE,), ES, everything=True),
        lambda: Scope((ONE,), everything=True, left_out=(TWO,)),
        lambda: CancelOrders(""),
        lambda: CancelOrders("  "),
        lambda: FlattenAccount(""),
        lambda: FlattenAccount("\t", ES, Holding.LONG),
        lambda: CloseStrategy("", "s1"),
        lambda: CloseStrategy(ONE, " "),
    ],
)
def test_nothing_can_be_built_that_forgets_its_account_or_leaves_out_some_of_everything(build: Any) -> None:
    with pytest.raises(ValueError, match=r"account|everything"):
        build()


def test_a_mass_action_of_one_account_is_filed_under_it_and_of_several_under_many() -> None:
    for one in (Flatten(Scope((ONE,))), CancelWorking(Scope((ONE,), ES))):
        assert (one.account, one.accounts) == (ONE, (ONE,))
    for several in (Flatten(ALL), CancelWorking(ALL)):
        assert (several.account, several.accounts) == (MANY, (ONE, TWO))
    assert Close(TWO, ES, TERMS).accounts == (TWO,)


@pytest.mark.parametrize(
    ("scope", "said"), [(Scope((ONE,)), ONE), (Scope((ONE,), ES), "Sim101 ES 09-26"), (Scope((ONE, TWO)), "2 accounts")]
)
def test_a_scope_says_what_it_is(scope: Scope, said: str) -> None:
    assert str(scope) == said


@pytest.mark.parametrize(
    ("scope", "account", "contract", "covers"),
    [
        (Scope((ONE,)), ONE, ES, True),
        (Scope((ONE,)), ONE, None, True),
        (Scope((ONE,)), TWO, ES, False),
        (Scope((ONE,), ES), ONE, ES, True),
        (Scope((ONE,), ES), ONE, NQ, False),
        (Scope((ONE,), ES), ONE, ES_DECEMBER, False),
        (Scope((ONE,), ES), ONE, None, True),
    ],
)
def test_a_scope_covers_its_accounts_and_its_contract(
    scope: Scope, account: str, contract: Contract | None, covers: bool
) -> None:
    assert scope.covers(account, contract) is covers
    if contract is not None:
        assert Flatten(scope).touches(account, contract) is covers
        assert CancelWorking(scope).touches(account, contract) is covers


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (Scope((ONE,)), Scope((ONE, TWO)), True),
        (Scope((ONE,)), Scope((TWO,)), False),
        (Scope((ONE,), ES), Scope((ONE,)), True),
        (Scope((ONE,), ES), Scope((ONE,), ES), True),
        (Scope((ONE,), ES), Scope((ONE,), NQ), False),
        (Scope((ONE,), ES), Scope((TWO,), ES), False),
    ],
)
def test_two_scopes_meet_where_they_have_a_contract_in_common(one: Scope, other: Scope, meet: bool) -> None:
    assert (one.meets(other), other.meets(one)) == (meet, meet)


# Lines.

BUY = replace(ORDER, ids=("b",), side=Side.BUY)
DONE = replace(ORDER, ids=("d",), state=OrderState.FILLED, filled=3)
IN_NQ = replace(ORDER, ids=("n",), contract=NQ)
FLATTEN, LONGS, SHORTS = Flatten(Scope((ONE,))), Flatten(Scope((ONE,)), Holding.LONG), Flatten(Scope((ONE,)), Holding.SHORT)
CANCEL = CancelWorking(Scope((ONE,)))


def line(contract: Contract | None, before: int | None, orders: int | None, name: str = ONE, **more: Any) -> ExitRow:
    return replace(ExitRow(name, False, contract, before, orders), **more)


MIXED = book(ONE, {ES: 2, NQ: -1, ES_DECEMBER: 0}, ORDER, BUY, DONE)
LINES: dict[str, tuple[MassAction, Facts, list[ExitRow]]] = {
    "positions and orders": (FLATTEN, MIXED, [line(ES, 2, 2), line(NQ, -1, 0)]),
    "orders alone": (FLATTEN, book(ONE, {}, IN_NQ), [line(NQ, 0, 1)]),
    "nothing": (FLATTEN, book(ONE, {}, DONE), []),
    "long": (LONGS, MIXED, [line(ES, 2, 2)]),
    "short": (SHORTS, MIXED, [line(NQ, -1, 0)]),
    "orders of a flat contract don't go with a side": (LONGS, book(ONE, {}, ORDER), []),
    "one contract": (Flatten(Scope((ONE,), NQ)), MIXED, [line(NQ, -1, 0)]),
    "cancel": (CANCEL, MIXED, [line(ES, 2, 2)]),
    "cancel in one contract": (CancelWorking(Scope((ONE,), NQ)), MIXED, []),
    "positions unread": (FLATTEN, replace(MIXED, **NOT_POSITIONS), [line(None, None, None)]),
    "orders unread": (FLATTEN, replace(MIXED, **NOT_ORDERS), [line(None, None, None)]),
    "one contract unread": (Flatten(Scope((ONE,), NQ)), replace(MIXED, **NOT_ORDERS), [line(NQ, None, None)]),
    "cancel needs no positions": (CANCEL, replace(MIXED, **NOT_POSITIONS), [line(ES, 0, 2)]),
    "cancel needs orders": (CANCEL, replace(MIXED, **NOT_ORDERS), [line(None, None, None)]),
}


@pytest.mark.parametrize(("mass_action", "facts", "made"), LINES.values(), ids=list(LINES))
def test_a_mass_action_has_a_line_for_each_contract_that_it_is_about(
    mass_action: MassAction, facts: Facts, made: list[ExitRow]
) -> None:
    assert lines(mass_action, {ONE: facts}, POLICY) == tuple(made)


@pytest.mark.parametrize(
    ("provider", "policy", "live"),
    [("Simulator", POLICY, False), ("Rithmic", POLICY, True), (None, POLICY, True), ("Simulator", NAMES_REAL, True)],
)
def test_a_line_is_live_unless_it_is_proved_to_be_a_simulation(provider: str | None, policy: Policy, live: bool) -> None:
    mass_action = Flatten(Scope((REAL,)))
    facts = book(REAL, {ES: 1}, provider=provider)
    assert [each.live for each in lines(mass_action, {REAL: facts}, policy)] == [live]
    assert plan(mass_action, lines(mass_action, {REAL: facts}, policy)).live is live
    assert [each.live for each in lines(mass_action, {REAL: replace(facts, account=None)}, policy)] == [True]


# How far it has come.

START = (line(ES, 2, 1), line(NQ, -1, 0))
FOLLOWED: dict[str, tuple[MassAction, tuple[ExitRow, ...], Facts, list[ExitRow]]] = {
    "as it was": (
        FLATTEN,
        START,
        book(ONE, {ES: 2, NQ: -1}, ORDER),
        [line(ES, 2, 1, now=2, orders_now=1), line(NQ, -1, 0, now=-1, orders_now=0)],
    ),
    "done": (FLATTEN, START, book(), [line(ES, 2, 1, now=0, orders_now=0), line(NQ, -1, 0, now=0, orders_now=0)]),
    "turned over": (FLATTEN, START[:1], book(ONE, {ES: -2}), [line(ES, 2, 1, now=-2, orders_now=0)]),
    "come up meanwhile": (
        FLATTEN,
        START[:1],
        book(ONE, {ES_DECEMBER: 1}, IN_NQ),
        [
            line(ES, 2, 1, now=0, orders_now=0),
            line(ES_DECEMBER, 0, 0, now=1, orders_now=0),
            line(NQ, 0, 0, now=0, orders_now=1),
        ],
    ),
    "positions unread": (FLATTEN, START[:1], book(ONE, {}, ORDER, **NOT_POSITIONS), [line(ES, 2, 1, now=None, orders_now=1)]),
    "orders unread": (FLATTEN, START[:1], book(ONE, {ES: 1}, **NOT_ORDERS), [line(ES, 2, 1, now=1, orders_now=None)]),
    "at first unread, still so": (FLATTEN, (line(None, None, None),), book(ONE, {ES: 1}, **NOT_ORDERS), [line(None, None, None)]),
    "at first unread, then read": (
        FLATTEN,
        (line(None, None, None),),
        book(ONE, {ES: 1}),
        [line(ES, None, None, now=1, orders_now=0)],
    ),
    "at first unread, then nothing there": (
        FLATTEN,
        (line(None, None, None),),
        book(),
        [line(None, None, None, now=0, orders_now=0)],
    ),
    "the contract unread at first": (
        Flatten(Scope((ONE,), ES)),
        (line(ES, None, None),),
        book(ONE, {ES: 1, NQ: 4}),
        [line(ES, None, None, now=1, orders_now=0)],
    ),
    "at first nothing, then something": (FLATTEN, (), book(ONE, {ES: 1}), [line(ES, 0, 0, live=True, now=1, orders_now=0)]),
    "at first nothing, and still so": (FLATTEN, (), book(), []),
    "at first nothing, then unread": (FLATTEN, (), book(**NOT_POSITIONS), [line(None, 0, 0, live=True)]),
    "of one contract at first nothing, then unread": (
        Flatten(Scope((ONE,), ES)),
        (),
        book(**NOT_POSITIONS),
        [line(ES, 0, 0, live=True, now=None, orders_now=0)],
    ),
    "nothing there when read, then unread": (
        FLATTEN,
        (line(None, None, None, now=0, orders_now=0),),
        book(**NOT_POSITIONS),
        [line(None, None, None)],
    ),
    "then unread, then read again": (
        FLATTEN,
        (line(None, 0, 0, live=True),),
        book(ONE, {ES: 1}),
        [line(ES, 0, 0, live=True, now=1, orders_now=0)],
    ),
    "long ones": (
        LONGS,
        START[:1],
        book(ONE, {ES_DECEMBER: 3, NQ: -1}),
        [line(ES, 2, 1, now=0, orders_now=0), line(ES_DECEMBER, 0, 0, now=3, orders_now=0)],
    ),
    "a long one that has turned is told as it is": (
        LONGS,
        START[:1],
        book(ONE, {ES: -2}),
        [line(ES, 2, 1, now=-2, orders_now=0)],
    ),
    "long ones, unread at first, none there": (
        LONGS,
        (line(None, None, None),),
        book(ONE, {NQ: -1}, IN_NQ),
        [line(None, None, None, now=0, orders_now=0)],
    ),
    "cancelled": (CANCEL, START[:1], book(ONE, {ES: 2}, DONE), [line(ES, 2, 1, now=0, orders_now=0)]),
    "not cancelled": (CANCEL, START[:1], book(ONE, {ES: 2}, ORDER), [line(ES, 2, 1, now=0, orders_now=1)]),
    "cancelled, positions unread": (CANCEL, START[:1], book(**NOT_POSITIONS), [line(ES, 2, 1, now=0, orders_now=0)]),
    "cancelled, positions unread, another order come up": (
        CANCEL,
        START[:1],
        book(ONE, {}, IN_NQ, **NOT_POSITIONS),
        [line(ES, 2, 1, now=0, orders_now=0), line(NQ, 0, 0, now=0, orders_now=1)],
    ),
    "cancelled, orders unread, still held": (
        CANCEL,
        START[:1],
        book(ONE, {ES: 2}, **NOT_ORDERS),
        [line(ES, 2, 1, now=0, orders_now=None)],
    ),
    "cancelled, orders unread": (CANCEL, START[:1], book(**NOT_ORDERS), [line(ES, 2, 1, now=0, orders_now=None)]),
}


@pytest.mark.parametrize(("mass_action", "made", "facts", "then"), FOLLOWED.values(), ids=list(FOLLOWED))
def test_each_reading_says_how_far_it_has_come(
    mass_action: MassAction, made: tuple[ExitRow, ...], facts: Facts, then: list[ExitRow]
) -> None:
    # Which orders work is told in words elsewhere.
    assert tuple(replace(line, working=()) for line in followed(mass_action, made, ONE, later(facts))) == tuple(then)


def test_the_lines_of_other_accounts_are_left_to_their_own_reading() -> None:
    made = (line(ES, 2, 0), line(ES, 1, 0, TWO))
    assert followed(Flatten(ALL), made, TWO, later(book(TWO))) == (line(ES, 1, 0, TWO, now=0, orders_now=0),)


holdings = st.dictionaries(st.sampled_from([ES, NQ, ES_DECEMBER]), st.integers(-3, 3))
some_orders = st.lists(
    st.builds(replace, st.just(ORDER), contract=st.sampled_from([ES, NQ]), state=st.sampled_from(OrderState)), max_size=3
)
MASS_ACTIONS: list[Flatten | CancelWorking] = [
    FLATTEN,
    LONGS,
    SHORTS,
    Flatten(Scope((ONE,), ES)),
    CANCEL,
    CancelWorking(Scope((ONE,), ES)),
]


@st.composite
def readings(draw: st.DrawFn) -> Facts:
    read = book(ONE, draw(holdings), *draw(some_orders))
    lost = draw(st.sampled_from([None, None, None, "positions", "orders"]))
    return replace(
        read,
        positions=None if lost == "positions" else read.positions,
        orders=None if lost == "orders" else read.orders,
    )


@MODEST
@given(mass_action=st.sampled_from(MASS_ACTIONS), read=st.lists(readings(), min_size=2, max_size=5))
def test_nothing_is_ever_done_that_was_not_read_to_be_so(mass_action: Flatten | CancelWorking, read: list[Facts]) -> None:
    made = lines(mass_action, {ONE: read[0]}, POLICY)
    for facts in read[1:]:
        made = followed(mass_action, made, ONE, later(facts))
    last = read[-1]
    if not all(each.is_done for each in made):
        return
    contracts = {each.contract for each in made}
    if isinstance(mass_action, Flatten):
        assert last.positions is not None
        for position in last.positions:
            meant = mass_action.scope.covers(ONE, position.contract) and (
                mass_action.only is None or mass_action.only.is_of(position.quantity)
            )
            assert not (position.quantity and (meant or position.contract in contracts))
    assert last.orders is not None
    for order in last.orders:
        whole = isinstance(mass_action, CancelWorking) or mass_action.only is None
        meant = mass_action.scope.covers(ONE, order.contract) and (whole or order.contract in contracts)
        assert not (order.remaining and meant)


# What is in its way.


def codes(
    mass_action: MassAction, books: dict[str, Facts], policy: Policy = POLICY, recent: OwnOrders = NOTHING_SENT
) -> list[DenialCode]:
    return [denial.code for denial in reasons(mass_action, books, recent)]


def under_way(state: TicketState, intent: Intent, **changes: Any) -> Ticket:
    return replace(TICKET, id="other", state=state, intent=intent, sent_at=NOW, **changes)


DENIED: dict[str, tuple[MassAction, dict[str, Facts], list[DenialCode]]] = {
    "an open position": (FLATTEN, {ONE: book(ONE, {ES: 1})}, []),
    "a working order": (FLATTEN, {ONE: book(ONE, {}, ORDER)}, []),
    "nothing": (FLATTEN, {ONE: book(ONE, {}, DONE)}, [DenialCode.NO_POSITION]),
    "nothing there": (Flatten(Scope((ONE,), NQ)), {ONE: book(ONE, {ES: 1}, ORDER)}, [DenialCode.NO_POSITION]),
    "nothing on that side": (LONGS, {ONE: book(ONE, {ES: -1}, ORDER)}, [DenialCode.NO_POSITION]),
    "nothing in several": (Flatten(ALL), {ONE: book(), TWO: book(TWO)}, [DenialCode.NO_POSITION]),
    "something in one of several": (Flatten(ALL), {ONE: book(), TWO: book(TWO, {ES: 1})}, []),
    "nothing to cancel": (CANCEL, {ONE: book(ONE, {ES: 1})}, [DenialCode.NO_SUCH_ORDER]),
    "nothing to cancel, whatever is open": (CANCEL, {ONE: book(ONE, {}, **NOT_POSITIONS)}, [DenialCode.NO_SUCH_ORDER]),
    "something to cancel": (CANCEL, {ONE: book(ONE, {}, ORDER)}, []),
    "perhaps something": (FLATTEN, {ONE: book(ONE, {}, **NOT_ORDERS)}, []),
    "perhaps something in one of several": (Flatten(ALL), {ONE: book(), TWO: book(TWO, {}, **NOT_POSITIONS)}, []),
    "account unread": (FLATTEN, {ONE: book(ONE, {ES: 1}, account=None)}, []),
    "one account unread": (Flatten(ALL), {ONE: book(ONE, {ES: 1}, account=None), TWO: book(TWO, {ES: 1})}, []),
    "real money": (Flatten(Scope((REAL,))), {REAL: book(REAL, {ES: 1}, provider="Rithmic")}, []),
    "perhaps real money": (Flatten(Scope((REAL,))), {REAL: book(REAL, {ES: 1}, provider=None)}, []),
    "real money to cancel in": (CancelWorking(Scope((REAL,))), {REAL: book(REAL, {}, ORDER, provider="Rithmic")}, []),
}


@pytest.mark.parametrize(("mass_action", "books", "why"), DENIED.values(), ids=list(DENIED))
def test_only_what_is_impossible_or_not_allowed_is_in_its_way(
    mass_action: MassAction, books: dict[str, Facts], why: list[DenialCode]
) -> None:
    assert codes(mass_action, books) == why
    for denial in reasons(mass_action, books, NOTHING_SENT):
        assert denial.sentence.endswith(".")
        assert 20 < len(denial.sentence) < 300


STRATEGY = FlattenStrategy(Scope((ONE,), ES), "334")
LONG = "x" * 100
SAID: list[tuple[MassAction, Facts, Ticket | None, str, str]] = [
    (
        FLATTEN,
        book(),
        None,
        "NO_POSITION: scope=Sim101",
        "No position is open and no order works in “Sim101”, so there is nothing to flatten.",
    ),
    (
        replace(LONGS, scope=Scope((ONE,), ES)),
        book(),
        None,
        "NO_POSITION: scope=Sim101 ES 09-26",
        "No long futures position is open and no order works in “Sim101 ES 09-26”, so there is nothing to flatten.",
    ),
    (CANCEL, book(), None, "NO_SUCH_ORDER: scope=Sim101", "Nothing works in “Sim101”, so there is nothing to cancel."),
    (
        STRATEGY,
        book(),
        None,
        "NO_SUCH_STRATEGY: strategy=334",
        "No strategy “334” holds or orders anything in “Sim101”; /strategies shows those that run.",
    ),
    (
        FLATTEN,
        book(ONE, {ES: 1}),
        under_way(TicketState.SENDING, FLATTEN, requester=replace(TICKET.requester, name=LONG)),
        "FLATTENING: ticket=other",
        f"“{'x' * 39}…” (member 7) is flattening “Sim101” already (ticket other); its card says how far it is.",
    ),
    (
        STRATEGY,
        book(ONE, {ES: 1}),
        under_way(TicketState.UNKNOWN, Close(ONE, ES, TERMS)),
        "OUTCOME_UNKNOWN: ticket=other state=unknown",
        "The outcome of ticket other there is not known yet; wait until its card says what became of it.",
    ),
]


@pytest.mark.parametrize(("mass_action", "facts", "other", "code", "sentence"), SAID, ids=[row[3] for row in SAID])
def test_what_is_in_its_way_is_told_to_the_letter(
    mass_action: MassAction, facts: Facts, other: Ticket | None, code: str, sentence: str
) -> None:
    elsewhere = under_way(TicketState.SENDING, Flatten(Scope((TWO,))))
    recent = OwnOrders((elsewhere, *([] if other is None else [other])))
    [denial] = reasons(mass_action, {ONE: facts}, recent)
    assert (str(denial), denial.sentence) == (code, sentence)


def test_long_account_names_are_cut_in_warnings() -> None:
    mass_action = Flatten(Scope((LONG,), left_out=(LONG, REAL)))
    left, unread = plan(mass_action, (line(None, None, None, LONG),)).warnings
    assert left.endswith(f": “{'x' * 39}…”, “Apex-1”")
    assert unread.startswith(f"“{'x' * 59}…” ")


@pytest.mark.parametrize(("quantity", "held"), [(-1, [Holding.SHORT]), (0, []), (1, [Holding.LONG])])
def test_one_contract_is_a_side_and_none_is_not(quantity: int, held: list[Holding]) -> None:
    assert [side for side in Holding if side.is_of(quantity)] == held


@pytest.mark.parametrize("account", [Account(REAL, "Rithmic"), Account(REAL), None])
def test_real_money_that_nobody_has_named_is_marked_as_such_and_gone_over_all_the_same(account: Account | None) -> None:
    books = {REAL: book(REAL, {ES: 1}, account=account), ONE: book(ONE, {ES: 1})}
    [real, simulated] = lines(Flatten(Scope((REAL, ONE))), books, POLICY)
    assert (real.live, simulated.live) == (True, False)


@pytest.mark.parametrize("state", TicketState)
def test_there_is_one_flatten_at_a_time_where_two_would_meet(state: TicketState) -> None:
    books = {ONE: book(ONE, {ES: 1}, ORDER)}
    its = under_way(state, Flatten(Scope((ONE, TWO))))
    blocked = [DenialCode.FLATTENING] if state is TicketState.SENDING else []
    assert codes(FLATTEN, books, recent=OwnOrders((its,))) == blocked
    assert codes(CANCEL, books, recent=OwnOrders((its,))) == []
    for beside in (Flatten(Scope((TWO,))), CancelWorking(Scope((ONE,))), Reverse(ONE, ES, TERMS)):
        assert codes(FLATTEN, books, recent=OwnOrders((under_way(state, beside),))) == []


def test_who_is_flattening_already_is_named_harmlessly() -> None:
    its = under_way(TicketState.SENDING, FLATTEN, requester=replace(TICKET.requester, name="@everyone *A*"))
    [denial] = reasons(FLATTEN, {ONE: book(ONE, {ES: 1})}, OwnOrders((its,)))
    assert denial.sentence.startswith("“@everyone *A*” (member 7) is flattening “Sim101” already (ticket other)")


# Words.


def test_the_steps_say_what_will_be_done_with_its_numbers() -> None:
    made = (line(ES, 2, 3), line(NQ, -1, 0), line(ES_DECEMBER, 0, 1))
    assert steps(FLATTEN, made) == (
        "take no new order there meanwhile",
        "cancel 4 working orders",
        "close 2 positions at market",
        "read back until flat",
    )
    assert steps(LONGS, made[:1])[-1] == "read back until no long futures position left"
    assert steps(CANCEL, made) == ("cancel 4 working orders", "read back until nothing works")


def test_one_of_each_is_said_in_the_singular_and_none_as_what_may_come() -> None:
    assert steps(FLATTEN, (line(ES, 2, 1),))[1:3] == ("cancel 1 working order", "close 1 position at market")
    assert steps(FLATTEN, (line(ES, 2, 0),))[1] == "cancel what works by then"
    assert steps(FLATTEN, (line(None, None, None),))[1:3] == ("cancel what works by then", "close what is open by then at market")


@pytest.mark.parametrize(
    ("mass_action", "done", "undone"),
    [
        (FLATTEN, "flat", "NOT FLAT"),
        (LONGS, "no long futures position left", "NOT FLAT"),
        (SHORTS, "no short futures position left", "NOT FLAT"),
        (CANCEL, "nothing works", "NOT ALL CANCELLED"),
        (FlattenStrategy(Scope((ONE,), ES), "334"), "the strategy is closed", "STRATEGY NOT CLOSED"),
    ],
)
def test_what_is_done_is_said_of_no_more_than_was_asked(mass_action: MassAction, done: str, undone: str) -> None:
    assert (done_words(mass_action), undone_words(mass_action)) == (done, undone)


def test_the_id_of_a_strategy_that_does_not_run_is_cut() -> None:
    told = not_running(ONE, "x" * 100)
    assert told == f"No strategy “{'x' * 63}…” holds or orders anything in “Sim101”; /strategies shows those that run."


def test_what_is_left_is_said_line_by_line() -> None:
    made = (
        line(ES, 2, 1, now=0, orders_now=0),
        line(ES, 2, 1, now=2, orders_now=0),
        line(NQ, 0, 1, now=0, orders_now=2),
        line(NQ, -3, 1, now=-1, orders_now=1),
        line(ES, 2, 1, now=None, orders_now=0),
        line(ES, 2, 1, now=0, orders_now=None),
        line(None, None, None, "@everyone`"),
    )
    assert left_of(made) == [
        "“Sim101” ES 09-26: still LONG 2",
        "“Sim101” NQ 09-26: 2 still working",
        "“Sim101” NQ 09-26: still SHORT 1, 1 still working",
        "“Sim101” ES 09-26: positions could not be read, it may not be flat",
        "“Sim101” ES 09-26: orders could not be read, some may work",
        "“@everyone`”: positions could not be read, it may not be flat, orders could not be read, some may work",
    ]


def test_of_many_orders_that_are_left_the_first_are_named_and_the_rest_is_counted() -> None:
    named = tuple(Working(f"o{index}", Side.SELL, 1, OrderType.MARKET, None, closes=True) for index in range(MOST_NAMED))
    [said] = left_of((replace(line(ES, 2, 0, now=2, orders_now=MOST_NAMED + 2), working=named),))
    assert said.endswith("SELL 1 MARKET (order “o2”) still closes, 2 more still working")


def test_a_long_account_name_is_cut_where_something_is_left() -> None:
    for contract in (ES, None):
        [said] = left_of((line(contract, None, None, "x" * 100),))
        assert said.startswith(f"“{'x' * 59}…”")


def test_a_plan_shows_no_price_and_says_what_could_not_be_read() -> None:
    shown = plan(Flatten(ALL), (line(ES, 2, 1), line(None, None, None, TWO)))
    assert (shown.position, shown.after) == (0, 0)
    assert (shown.last, shown.quoted_at, shown.live, shown.working_orders, shown.approver_roles) == (
        None,
        None,
        False,
        1,
        frozenset(),
    )
    assert shown.warnings == ("“Sim102” could not be read; it is gone over all the same",)


# Others on their way.

ORDERS: list[Intent] = [
    Reverse(ONE, ES, TERMS),
    VerifiedReverse(ONE, ES, TERMS, "own"),
    Invert(ONE, ES, TERMS),
    PlaceOrder(ONE, ES, TERMS, "own"),
    FlatPlace(ONE, ES, TERMS),
    Close(ONE, ES, TERMS),
    Replace(ONE, ES, TERMS, "o1", TERMS),
    Bracket(ONE, ES, TERMS, Decimal(5900)),
]
HARMLESS: list[Intent] = [Cancel(ONE, ES, TERMS, "o1"), Change(ONE, ES, TERMS, "o1", TERMS), CancelWorking(Scope((ONE,)))]
MINE = replace(TICKET, id="mine", state=TicketState.SENDING, intent=FLATTEN)


def kind(intent: Intent) -> str:
    return type(intent).__name__


ELSEWHERE = [replace(MINE, intent=Flatten(Scope((ONE,), NQ))), replace(MINE, intent=Flatten(Scope((TWO,))))]
# In which states another ticket's order may still fill, and in which it may still close something; of the rest in none.
MAY_FILL = dict.fromkeys(map(kind, ORDERS), "sending unknown")
MAY_CLOSE = {
    "Reverse": "sending unknown",
    "VerifiedReverse": "sending unknown",
    "Invert": "sending unknown",
    "FlatPlace": "sending unknown",
    "Close": "sending unknown accepted",
    "Flatten": "sending unknown",
}


@pytest.mark.parametrize("state", TicketState)
def test_what_may_still_fill_there_is_known_to_a_flatten(state: TicketState) -> None:
    for intent in [*ORDERS, *HARMLESS]:
        other = under_way(state, intent)
        expected = [other] if state in MAY_FILL.get(kind(intent), "").split() else []
        assert in_flight_elsewhere(MINE, OwnOrders((MINE, other))) == expected, intent
        # What is elsewhere is nothing to it, and a cancellation waits for nobody.
        for mine in (*ELSEWHERE, replace(MINE, intent=CANCEL)):
            assert in_flight_elsewhere(mine, OwnOrders((other,))) == [], intent


def test_another_flatten_that_was_cut_short_is_known_to_it_where_they_meet() -> None:
    for intent, meets in ((Flatten(ALL), True), (Flatten(Scope((ONE,), NQ)), True), (Flatten(Scope((TWO,))), False)):
        other = under_way(TicketState.UNKNOWN, intent)
        assert in_flight_elsewhere(MINE, OwnOrders((other,))) == ([other] if meets else [])


@pytest.mark.parametrize("state", TicketState)
def test_what_may_still_close_something_there_is_known_to_it(state: TicketState) -> None:
    for intent in [*ORDERS, *HARMLESS, FLATTEN]:
        other = under_way(state, intent)
        expected = [other] if state in MAY_CLOSE.get(kind(intent), "").split() else []
        assert closing_elsewhere(MINE, OwnOrders((MINE, other))) == expected, intent
        for mine in (ELSEWHERE[1], replace(MINE, intent=CANCEL)):
            assert closing_elsewhere(mine, OwnOrders((other,))) == [], intent


def test_a_close_that_was_seen_done_is_nothing_to_it() -> None:
    done = under_way(TicketState.ACCEPTED, Close(ONE, ES, TERMS), order_state=OrderState.FILLED)
    assert closing_elsewhere(MINE, OwnOrders((done,))) == []


@pytest.mark.parametrize(
    ("listed", "everything", "left_out"),
    [
        (frozenset({ONE, TWO}), True, ()),
        (frozenset({ONE}), True, ()),
        (frozenset({ONE, TWO, REAL, "Aa"}), False, ("Aa", REAL)),
        (None, False, ()),
    ],
)
def test_everything_is_no_more_so_where_an_account_has_come_since(
    listed: frozenset[str] | None, everything: bool, left_out: tuple[str, ...]
) -> None:
    for mass_action in (Flatten(ALL, Holding.LONG), CancelWorking(ALL)):
        assert as_listed(mass_action, listed) == replace(
            mass_action, scope=Scope((ONE, TWO), everything=everything, left_out=left_out)
        )
    assert as_listed(FLATTEN, listed) == FLATTEN


# Progress.


@pytest.mark.parametrize("state", StepState)
def test_a_call_went_out_unless_it_was_refused_or_never_sent(state: StepState) -> None:
    refused = Progress().began(Step("one", NOW)).ended(0, StepState.REJECTED)
    assert not Progress().went_out
    assert refused.began(Step("two", NOW)).ended(1, state).went_out is (state not in {StepState.REJECTED, StepState.NOT_SENT})


def test_progress_keeps_each_call_with_its_own_end() -> None:
    progress = Progress().began(Step("one", NOW)).began(Step("two", NOW))
    progress = progress.ended(0, StepState.REJECTED, "no").ended(1, StepState.ACCEPTED)
    assert [(leg.what, leg.state, leg.text) for leg in progress.steps] == [
        ("one", StepState.REJECTED, "no"),
        ("two", StepState.ACCEPTED, None),
    ]


@pytest.mark.parametrize(
    ("now", "orders", "done"), [(0, 0, True), (1, 0, False), (0, 1, False), (None, 0, False), (0, None, False)]
)
def test_a_line_is_done_only_when_both_were_read_as_nothing(now: int | None, orders: int | None, done: bool) -> None:
    assert line(ES, 2, 2, now=now, orders_now=orders).is_done is done


def test_the_command_for_what_is_left_reaches_no_further_than_what_was_asked_for() -> None:
    works = tuple(Working(name, Side.BUY, 1, OrderType.LIMIT, Decimal(5790)) for name in ("o1", "o2"))
    left = ExitRow(ONE, live=False, contract=ES, before=2, orders_before=2, now=2, orders_now=2, working=works)
    of_contract = (
        f"“/flatten scope:instrument account:{ONE} instrument:{ES}” or “/cancel scope:instrument account:{ONE} instrument:{ES}”"
    )
    assert commands_for(Flatten(Scope((ONE,), ES)), [left]) == f"Use {of_contract}."
    again = f"“/flatten scope:strategy account:{ONE} strategy:334”"
    assert commands_for(FlattenStrategy(Scope((ONE,), ES), "334"), [left]) == f"Use {again}."
