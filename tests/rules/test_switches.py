"""The kill switch: which switch holds where, what it lets through, and what people read of it."""

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, MassAction, Scope
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.risk.halts import (
    LONGEST_WHY,
    Source,
    Switch,
    Switches,
    SwitchState,
    may_resume_everywhere,
    only_lessens,
    plain,
    reasons,
    resume_line,
)
from bot.trading.risk.policy import DenialCode, Grant, PermissionQuery, Policy, may
from tests.rules.strategies import ES, MODEST, NOW, NQ, account_names, grants, positions, roots, well_formed_terms

ACTIVE, REDUCING, HALTED = SwitchState.ACTIVE, SwitchState.REDUCING, SwitchState.HALTED
BUY = Terms(Side.BUY, 1)
STOP = Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(5780))
PLACE = PlaceOrder("Sim101", ES, BUY, "own1")
MOVED = replace(STOP, stop=Decimal(5790))


def switch(account: str = "*", root: str = "*", state: SwitchState = HALTED, **changes: object) -> Switch:
    """One by Tina."""
    made = Switch(account, root, state, NOW, 7, "Tina", "CPI")
    return replace(made, **changes)  # type: ignore[arg-type]  # the test names the fields


def change(before: Terms = STOP, after: Terms = MOVED) -> Change:
    """A change of a working order in Sim101."""
    return Change("Sim101", ES, after, "o1", before)


ENTRIES: tuple[OrderIntent, ...] = (
    Reverse("Sim101", ES, BUY),
    VerifiedReverse("Sim101", ES, BUY, "own1"),
    Invert("Sim101", ES, BUY),
    PLACE,
    FlatPlace("Sim101", ES, BUY),
    Replace("Sim101", ES, BUY, "o1", BUY),
)
WAYS_OUT: tuple[Intent, ...] = (
    Close("Sim101", ES, BUY),
    Cancel("Sim101", ES, BUY, "o1"),
    Bracket("Sim101", ES, STOP, Decimal(5820)),
    Flatten(Scope(("Sim101",))),
    CancelWorking(Scope(("Sim101",), ES)),
    FlattenStrategy(Scope(("Sim101",), ES), "s1"),
)


def test_every_intent_is_in_one_of_these_tables() -> None:
    kinds = {type(intent) for intent in (*ENTRIES, *WAYS_OUT, change())}
    assert kinds == {*get_args(OrderIntent), *get_args(MassAction)}
    assert {type(intent) for intent in WAYS_OUT} == {kind for kind in kinds if kind.is_exit}


@pytest.mark.parametrize("state", [HALTED, REDUCING])
@pytest.mark.parametrize("intent", ENTRIES, ids=lambda intent: type(intent).__name__)
def test_nothing_new_passes_a_switch_not_even_in_the_direction_of_the_exit(intent: OrderIntent, state: SwitchState) -> None:
    [denial] = reasons(intent, -5, Switches((switch(state=state),)))
    assert denial.code == DenialCode[state.name]
    assert denial.sentence == switch(state=state).sentence
    assert denial.details == f"account=* instrument=* state={state} actor=7"


@pytest.mark.parametrize("intent", WAYS_OUT, ids=lambda intent: type(intent).__name__)
def test_every_way_out_passes_every_switch(intent: Intent) -> None:
    for state in SwitchState:
        assert reasons(intent, 2, Switches((switch(state=state), switch("Sim101"), switch("*", "ES")))) == (), state


@pytest.mark.parametrize(
    ("before", "after", "position", "passes"),
    [
        pytest.param(BUY, BUY, 0, True, id="nothing is changed"),
        pytest.param(replace(STOP, quantity=3), STOP, 0, True, id="contracts are taken away"),
        pytest.param(replace(STOP, quantity=3), STOP, -2, True, id="contracts are taken away from an entry"),
        pytest.param(STOP, replace(STOP, quantity=3), 2, False, id="contracts are added"),
        pytest.param(STOP, replace(STOP, quantity=3), 5, False, id="contracts are added to an exit"),
        pytest.param(STOP, MOVED, 2, True, id="the stop of what is open is moved"),
        pytest.param(STOP, replace(MOVED, quantity=1), 2, True, id="moved and made smaller"),
        pytest.param(replace(STOP, quantity=1), replace(MOVED, quantity=1), 1, True, id="the stop of one contract is moved"),
        pytest.param(STOP, MOVED, 1, False, id="a stop that is larger than what is open"),
        pytest.param(STOP, MOVED, 0, False, id="a stop where nothing is open"),
        pytest.param(STOP, MOVED, -2, False, id="an entry is moved"),
        pytest.param(STOP, replace(MOVED, side=Side.BUY), -2, False, id="another side"),
        pytest.param(STOP, replace(MOVED, type=OrderType.LIMIT), 2, False, id="another type"),
        pytest.param(replace(STOP, limit=Decimal(1)), replace(STOP, limit=Decimal(2)), -2, False, id="a limit is moved"),
    ],
)
def test_a_change_passes_reducing_only_where_it_can_not_make_a_position_larger(
    before: Terms, after: Terms, position: int, passes: bool
) -> None:
    intent = change(before, after)
    assert only_lessens(intent, position) is passes
    assert (reasons(intent, position, Switches((switch(state=REDUCING),))) == ()) is passes
    assert [denial.code for denial in reasons(intent, position, Switches((switch(),)))] == [DenialCode.HALTED]


def test_only_a_change_can_only_lessen() -> None:
    assert not any(only_lessens(intent, -5) for intent in ENTRIES)


@MODEST
@given(before=well_formed_terms(), after=well_formed_terms(), position=positions | st.just(0))
def test_no_change_that_passes_can_make_the_position_larger_than_it_could_become_before(
    before: Terms, after: Terms, position: int
) -> None:
    after = replace(after, side=before.side, type=before.type)
    if only_lessens(change(before, after), position):
        was = max(abs(position), abs(position + before.side.sign * before.quantity))
        assert abs(position + after.side.sign * after.quantity) <= was
        assert after.quantity <= before.quantity


@pytest.mark.parametrize(
    ("account", "root", "covers"),
    [
        ("*", "*", True),
        ("Sim101", "*", True),
        ("SIM101", "*", True),
        ("*", "ES", True),
        ("Sim101", "ES", True),
        ("Sim102", "*", False),
        ("*", "NQ", False),
        ("*", "MES", False),
        ("Sim101", "NQ", False),
        ("Sim102", "ES", False),
    ],
)
def test_a_switch_covers_its_account_and_its_root_alone(account: str, root: str, covers: bool) -> None:
    assert (reasons(PLACE, 0, Switches((switch(account, root),))) != ()) is covers


def test_where_all_is_active_everything_passes() -> None:
    for switches in (Switches(), Switches((switch(state=ACTIVE),))):
        assert all(reasons(intent, 0, switches) == () for intent in (*ENTRIES, change(STOP, replace(STOP, quantity=9))))


def test_the_strictest_holds_and_of_equals_the_widest() -> None:
    desk, account, root = switch(state=REDUCING), switch("Sim101"), switch("Sim101", "ES")
    assert Switches((desk, root, account)).over("Sim101", "ES") is account
    assert Switches((desk, root)).over("Sim101", "ES") is root
    assert Switches((desk, root)).over("Sim101", "NQ") is desk
    assert Switches((desk, root, account)).by_weight() == (account, root, desk)
    everywhere = switch()
    assert Switches((account, root, everywhere)).by_weight() == (everywhere, account, root)


@MODEST
@given(
    found=st.lists(
        st.builds(
            switch,
            account_names | st.just("*"),
            roots | st.just("*"),
            st.sampled_from(SwitchState),
        ),
        max_size=4,
    ),
    more=st.builds(switch, account_names | st.just("*"), roots | st.just("*"), st.sampled_from(SwitchState)),
    position=positions | st.just(0),
    terms=well_formed_terms(),
)
def test_one_switch_more_never_lets_more_through(found: list[Switch], more: Switch, position: int, terms: Terms) -> None:
    intents: tuple[OrderIntent, ...] = (replace(PLACE, terms=terms), change(STOP, MOVED), Close("Sim101", ES, BUY))
    for intent in intents:
        if reasons(intent, position, Switches(tuple(found))):
            assert reasons(intent, position, Switches((*found, more)))


def test_a_mass_action_is_warned_of_what_is_halted_anywhere_in_it() -> None:
    switches = Switches((switch("Sim102", state=REDUCING), switch("Sim103", "NQ")))
    assert switches.over_intent(Flatten(Scope(("Sim101",)))) is None
    assert switches.over_intent(Flatten(Scope(("Sim101", "Sim102")))) is switches.all[0]
    assert switches.over_intent(Flatten(Scope(("Sim102", "Sim103")))) is switches.all[1]
    assert switches.over_intent(Flatten(Scope(("Sim103",), ES))) is None
    assert switches.over_intent(Flatten(Scope(("Sim103",), NQ))) is switches.all[1]


def test_only_the_switch_of_just_that_scope_that_somebody_has_set_is_found_to_be_lifted() -> None:
    file = switch(source=Source.FILE)
    account = switch("Sim101")
    switches = Switches((file,)) | (account,)
    assert switches.all == (file, account)
    assert switches.at("*", "*") is None
    assert switches.at("sim101", "*") is account
    assert switches.at("Sim101", "ES") is None
    assert switches.without("SIM101", "*").all == (file,)
    assert switches.without("*", "*").all == (file, account)


@pytest.mark.parametrize(("stricter", "looser"), [(HALTED, REDUCING), (HALTED, ACTIVE), (REDUCING, ACTIVE)], ids=str)
def test_some_states_are_stricter_than_others(stricter: SwitchState, looser: SwitchState) -> None:
    assert stricter.is_stricter_than(looser)
    assert not looser.is_stricter_than(stricter)
    assert not stricter.is_stricter_than(stricter)


@pytest.mark.parametrize(
    ("account", "root", "begins", "lifts", "short"),
    [
        ("*", "*", "The desk is", "“/resume scope:desk”", "desk"),
        ("Sim101", "*", "Account “Sim101” is", "“/resume scope:account account:Sim101”", "Sim101"),
        ("*", "ES", "ES in every account is", "“/resume scope:instrument instrument:ES”", "ES"),
        ("Sim101", "ES", "ES in “Sim101” is", "“/resume scope:instrument account:Sim101 instrument:ES”", "ES in Sim101"),
    ],
)
def test_people_read_what_is_halted_by_whom_since_when_why_and_what_to_do(
    account: str, root: str, begins: str, lifts: str, short: str
) -> None:
    made = switch(account, root)
    assert made.sentence.startswith(
        f"{begins} halted by “Tina” (member 7) since 2026-08-18 14:30:00 UTC (“CPI”): nothing new is sent; closes"
    )
    assert lifts in made.sentence
    assert resume_line(account, root) == lifts
    assert plain(made) == short


def test_a_halt_without_a_reason_has_no_empty_brackets_and_names_stand_in_quotes() -> None:
    assert "()" not in switch(why=" ").headline
    odd = switch(actor_name="**Ti`na** @everyone", why="# [x](https://y)")
    assert (
        odd.headline
        == "The desk is halted by “**Ti`na** @everyone” (member 7) since 2026-08-18 14:30:00 UTC (“# [x](https://y)”)"
    )


def test_what_nobody_has_set_says_what_ends_it() -> None:
    assert "Take the file HALT away" in switch(source=Source.FILE).sentence
    assert "once they are settled" in switch(state=REDUCING, source=Source.CRASH).sentence
    [denial] = reasons(PLACE, 0, Switches((switch(source=Source.FILE, actor=None),)))
    assert denial.details.endswith("actor=file")


def test_people_read_how_it_was_lifted() -> None:
    assert switch("Sim101", state=ACTIVE).lifted == "lifted by “Tina” (member 7) (“CPI”)"
    assert switch(state=ACTIVE, source=Source.FILE).lifted == "the file HALT is gone"
    assert switch(state=ACTIVE, source=Source.CRASH).lifted == "all that the crash left unknown is settled"


def policy(*grants_: Grant) -> Policy:
    """Only these grants."""
    return Policy(grants_)


TRADER = Grant(1, frozenset({"place"}), ("Sim*",), ("ES",), 5)


@pytest.mark.parametrize(
    ("request_", "may_it"),
    [
        (PermissionQuery("halt"), True),
        (PermissionQuery("halt", "Sim101"), True),
        (PermissionQuery("halt", "Sim101", "ES"), True),
        (PermissionQuery("halt", None, "ES"), True),
        (PermissionQuery("halt", "Apex-1"), False),
        (PermissionQuery("halt", None, "NQ"), False),
        (PermissionQuery("resume"), False),
        (PermissionQuery("close"), False),
    ],
)
def test_whoever_may_trade_somewhere_may_halt_there_and_nothing_more(request_: PermissionQuery, may_it: bool) -> None:
    assert (may(policy(TRADER), frozenset({1}), request_) is None) is may_it


def test_who_only_reads_may_not_halt_unless_the_policy_says_so() -> None:
    assert may(policy(Grant(1, frozenset({"positions", "resume"}), ("*",))), frozenset({1}), PermissionQuery("halt")) is not None
    assert may(policy(Grant(1, frozenset({"halt"}), ("*",))), frozenset({1}), PermissionQuery("halt", "Sim101")) is None


@pytest.mark.parametrize(
    ("theirs", "may_it"),
    [
        (("*",), True),
        (("sim*", "Apex-*"), True),
        (("Sim*", "Apex*"), True),
        (("Sim*",), False),
        (("Sim10?", "Apex-*"), False),
        (("S?m*", "Apex-*"), False),
        ((), False),
    ],
)
def test_what_holds_in_every_account_is_lifted_by_a_grant_that_covers_all_that_are_traded(
    theirs: tuple[str, ...], may_it: bool
) -> None:
    live = Grant(2, frozenset({"*"}), ("Apex-*",), ("*",), 1)
    reads = Grant(3, frozenset({"positions"}), ("Other*",))
    made = policy(TRADER, live, reads, Grant(4, frozenset({"resume"}), theirs))
    assert may_resume_everywhere(made, frozenset({4})) is may_it
    assert not may_resume_everywhere(made, frozenset({1}))


@MODEST
@given(
    given_=st.lists(grants, max_size=4),
    roles=st.frozensets(st.sampled_from((1, 2, 3))),
    account=st.sampled_from(["Sim101", "SIM102", "Apex-1", "Apex-2", "Sim[1]", "Xim10", "Sim*", "sim999"]),
)
def test_who_may_resume_everywhere_may_resume_every_account_that_anybody_may_halt(
    given_: list[Grant], roles: frozenset[int], account: str
) -> None:
    made = policy(*given_)
    everybody = frozenset({1, 2, 3})
    if may_resume_everywhere(made, roles) and may(made, everybody, PermissionQuery("halt", account)) is None:
        assert may(made, roles, PermissionQuery("resume", account)) is None


def test_long_names_and_reasons_are_cut() -> None:
    long = "x" * 200
    one = switch(long, actor_name=long, why=long * 9)
    assert one.headline.startswith(f"Account “{'x' * 59}…” is halted by “{'x' * 39}…” (member 7) since ")
    assert one.headline.endswith(f" UTC (“{'x' * (LONGEST_WHY - 1)}…”)")
    assert plain(one) == f"{'x' * 39}…"
    in_es = replace(one, root="ES")
    assert in_es.where == f"ES in “{'x' * 59}…”"
    assert plain(in_es) == f"ES in {'x' * 39}…"
    assert len(resume_line(long, "*")) == len("``") + 120


def test_without_a_reason_none_is_told() -> None:
    for why in ("", " "):
        assert switch(why=why).headline == "The desk is halted by “Tina” (member 7) since 2026-08-18 14:30:00 UTC"
