"""The plan of the chaos bench: the same seed gives the same plan, and no two runs are about the same thing."""

import asyncio
from collections import Counter

import pytest

from benchmarks.chaos import troubles
from benchmarks.chaos.levers import LEVERS, Lever
from benchmarks.chaos.plan import (
    ACTS,
    ALONE,
    APPROVED,
    COUNTS,
    LIVE,
    MOST_RUNS_PER_SESSION,
    OWN,
    USUAL,
    Approver,
    Database,
    Jolt,
    Run,
    Session,
    Step,
    sessions,
)
from benchmarks.chaos.stage import accounts_of, begin_strategies, options_of, policy_of, town_of
from bot.policyfile import parse_policy
from bot.sandbox.ninjatrader import Simulator
from bot.sandbox.ninjatrader.catalogue import TRADING_NAMES
from bot.sandbox.ninjatrader.faults import Kind, Rule
from bot.sandbox.virtual import VirtualLoop
from bot.trading.orders.tickets import Visibility
from bot.trading.risk.policy import EVERYTHING, PermissionQuery, Policy, may

BOTH = tuple(Database)


def policy_in(session: Session) -> Policy:
    return parse_policy(policy_of(session).encode(), "policy.toml")


def all_runs(seed: int, runs: int) -> list[Run]:
    return [run for session in sessions(seed, runs, BOTH) for run in session.runs]


def test_a_seed_gives_one_plan_and_another_seed_another() -> None:
    assert sessions(1, 300, BOTH) == sessions(1, 300, BOTH)
    assert sessions(1, 300, BOTH) != sessions(2, 300, BOTH)


@pytest.mark.parametrize("runs", [1, 2, 150, 2000])
def test_there_are_as_many_runs_as_were_asked_for(runs: int) -> None:
    plan = sessions(7, runs, BOTH)
    assert sum(len(tuple(session.runs)) for session in plan) == runs
    assert max(len(tuple(session.runs)) for session in plan) <= MOST_RUNS_PER_SESSION


def test_half_of_the_sessions_run_on_each_database_and_both_transports_are_played_on_each() -> None:
    plan = sessions(1, 2000, BOTH)
    assert Counter(session.database for session in plan) == {Database.SQLITE: 8, Database.POSTGRESQL: 8}
    assert len({(session.database, session.transport) for session in plan}) == 4
    assert {session.database for session in sessions(1, 300, (Database.SQLITE,))} == {Database.SQLITE}


def test_no_two_runs_of_a_session_are_about_the_same_instrument_of_the_same_account() -> None:
    for session in sessions(3, 2000, BOTH):
        places = [(place.account, place.instrument) for run in session.runs for place in run.places]
        assert len(set(places)) == len(places)
        # A card is found by these names, so that none may be a part of another.
        names = {account for account, _ in places}
        assert not [(one, other) for one in names for other in names if one != other and one in other]


def test_everything_comes_up_in_two_thousand_runs() -> None:
    plan = sessions(1, 2000, BOTH)
    waves = [wave for session in plan for wave in session.waves]
    runs = [run for wave in waves for run in wave.runs]
    assert {run.act.name for run in runs} == {act.name for act in ACTS}
    assert {run.trouble.name for run in runs if run.trouble} == {trouble.name for trouble in troubles.ALL}
    assert {wave.kill.step for wave in waves if wave.kill} == set(Step)
    assert {wave.jolt for wave in waves if wave.jolt} == set(Jolt)
    assert {wave.readers for wave in waves} == {True, False}
    assert {wave.lever.name for wave in waves if wave.lever} == {lever.name for lever in LEVERS}
    assert sum(run.press in COUNTS for run in runs) > 0.8 * len(runs)
    kinds = Counter(run.account[:2] for run in runs)
    assert min(kinds[kind] for kind in (USUAL, APPROVED, LIVE, ALONE, OWN)) > 20
    assert {run.approver for run in runs if run.account.startswith(APPROVED)} == set(Approver)
    assert {run.approve_after > 0 for run in runs} == {True, False}


def test_the_accounts_hold_what_the_runs_are_about() -> None:
    session = sessions(5, 126, BOTH)[0]
    accounts = {spec.name: spec for spec in accounts_of(session)}
    for run in session.runs:
        for place in run.places:
            spec = accounts[place.account]
            held = sum(holding.quantity for holding in spec.holdings if holding.instrument == place.instrument)
            # What a strategy holds comes with the strategy.
            assert held == (0 if run.act.scope == "strategy" else place.held)
            assert place.rests == sum(resting.quantity for resting in spec.orders if resting.instrument == place.instrument)
            assert bool(place.rests) is run.act.rests
            assert (spec.provider != "Simulator") is place.account.startswith(LIVE)


def test_everything_is_what_one_member_is_granted_and_nobody_elses_run_is_about_it() -> None:
    session = sessions(5, 126, BOTH)[0]
    policy, town = policy_in(session), town_of(session)
    asked = [run for run in session.runs if run.act.scope == "everything"]
    assert asked
    for run in asked:
        (role,) = next([town.roles[name] for name in person.roles] for person in town.people if person.name == run.member)
        theirs = {
            place.account
            for other in session.runs
            for place in other.places
            if may(policy, frozenset({role}), PermissionQuery(run.act.command, place.account, EVERYTHING)) is None
        }
        assert theirs == {place.account for place in run.places}
        assert len(theirs) == 2
        assert not [other for other in session.runs if other is not run and theirs & {place.account for place in other.places}]


def test_of_each_three_sessions_one_shows_its_cards_to_their_members_alone() -> None:
    plan = sessions(1, 500, BOTH)
    shown = [policy_in(session).ticket_visibility for session in plan]
    assert shown == [Visibility.CHANNEL, Visibility.PRIVATE, Visibility.CHANNEL, Visibility.CHANNEL]


def test_a_strategy_that_is_to_be_closed_runs_and_holds_what_its_run_says() -> None:
    session = next(one for one in sessions(5, 126, BOTH) if any(run.act.scope == "strategy" for run in one.runs))

    def held() -> dict[str, int]:
        return {one.entry.ticket.account.name: one.open_quantity for one in simulator.world.strategies.running()}

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        simulator = Simulator(accounts=accounts_of(session))

        async def begin() -> None:
            begin_strategies(simulator, session)
            await asyncio.sleep(5)

        runner.run(begin())
    runs = [run for run in session.runs if run.act.scope == "strategy"]
    assert held() == {run.account: run.held for run in runs}
    assert len({options_of(simulator, run)["strategy"] for run in runs}) == len(runs)


def test_every_trouble_is_a_lever_and_every_call_one_of_the_simulators() -> None:
    for trouble in troubles.ALL:
        if trouble.at == "discord":
            assert troubles.fault(trouble).times
        else:
            assert Rule.from_json(troubles.rule(trouble, "PlaceOrder")).count == 1
    assert {call for act in ACTS for call in act.calls} <= TRADING_NAMES


def test_no_answer_says_plainly_that_nothing_was_done_where_something_was() -> None:
    for run in all_runs(1, 2000):
        lever = run.trouble.lever if run.trouble and run.trouble.at == "order" else {}
        if lever.get("kind") in {"rate_limit", "answer"} and lever.get("effect"):
            assert lever["status"] >= 500 or lever["body"] == {"success": True}


def test_over_the_websocket_an_error_that_has_no_status_comes_only_where_nothing_was_done() -> None:
    plan = sessions(1, 2000, BOTH)
    runs = [run for session in plan if session.transport == "websocket" for run in session.runs]
    assert runs
    assert not [run for run in runs if run.trouble and run.trouble.name == "500 after"]


def test_what_keeps_people_from_getting_out_meets_those_who_want_to() -> None:
    hindered = [wave for session in sessions(1, 500, BOTH) for wave in session.waves if wave.lever]
    assert all(run.act.command in wave.lever.commands for wave in hindered if wave.lever for run in wave.runs)
    assert len({run.act.name for wave in hindered for run in wave.runs}) > 5
    assert not [wave for wave in hindered if wave.kill]
    assert {wave.lever.name for wave in hindered if wave.lever} == {lever.name for lever in LEVERS}


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_lever_ends_as_it_began_and_leaves_the_rules_of_others(lever: Lever) -> None:
    simulator = Simulator()
    others = simulator.faults.add(Kind.GARBAGE, "ListOrders", count=1)
    before = (list(simulator.faults.rules), simulator.world.market.hours)
    lever.begin(simulator)
    assert (simulator.faults.rules, simulator.world.market.hours) != before
    lever.end(simulator)
    assert (simulator.faults.rules, simulator.world.market.hours) == before
    assert simulator.faults.rules[0] is others
