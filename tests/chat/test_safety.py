"""``/halt`` and ``/resume`` through real discord.py: who gets in, what reaches the desk, and that Discord holds no halt up."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.desk.requests import Refused, SwitchRequest
from bot.errors import JournalError
from bot.trading.risk.halts import Switch, Switches, SwitchState
from bot.trading.risk.policy import Denial, DenialCode, Grant

from .conftest import Stage, told
from .samples import APPROVER_ROLE, POLICY, TRADER_ROLE

UNKNOWN_INTERACTION = 10062
TRADES = Grant(TRADER_ROLE, frozenset({"close", "policy"}), ("Sim*",), ("ES",), 5)
LIFTS = Grant(APPROVER_ROLE, frozenset({"resume"}), ("*",))
HALTED = Switch("*", "*", SwitchState.HALTED, datetime(2026, 1, 1, 12, tzinfo=UTC), 301, "Tess", "CPI")


@pytest.fixture(autouse=True)
def only_these(stage: Stage) -> None:
    """One role trades, another may resume, and neither may both."""
    stage.desk.policy = replace(POLICY, grants=(TRADES, LIFTS))


@pytest.mark.parametrize(
    ("command", "options", "expected"),
    [
        ("halt", {"scope": "desk"}, SwitchRequest("halt", "desk")),
        (
            "halt",
            {"scope": "account", "account": "Sim101", "reason": "CPI", "state": "reducing"},
            SwitchRequest("halt", "account", "Sim101", "", "CPI", "reducing"),
        ),
        (
            "halt",
            {"scope": "instrument", "account": "Sim101", "instrument": "ES 09-26"},
            SwitchRequest("halt", "instrument", "Sim101", "ES 09-26"),
        ),
        ("resume", {"scope": "desk"}, SwitchRequest("resume", "desk")),
        (
            "resume",
            {"scope": "instrument", "instrument": "ES", "reason": "over"},
            SwitchRequest("resume", "instrument", "", "ES", "over"),
        ),
    ],
)
async def test_options_reach_the_desk_as_typed_and_its_words_come_back(
    stage: Stage, command: str, options: dict[str, Any], expected: SwitchRequest
) -> None:
    who = stage.people["trader" if command == "halt" else "approver"]
    result = await who.slash(stage.channel, command, **options)
    [(member, place, request)] = stage.desk.switched
    assert request == expected
    assert (member.id, place.guild, place.channel) == (who.id, stage.guild.id, stage.channel.id)
    assert told(result) == f"**{command}** of the {expected.scope}"
    # There is no ticket in between; the public word is the desk's.
    assert (stage.desk.requests, stage.posts()) == ([], [])


async def test_who_trades_may_halt_and_not_resume_and_the_other_way_round(stage: Stage) -> None:
    for who, command in (("trader", "resume"), ("approver", "halt"), ("viewer", "halt"), ("viewer", "resume")):
        result = await stage.people[who].slash(stage.channel, command, scope="desk")
        assert "NO_GRANT" in told(result)
        assert result.ephemeral
    assert stage.desk.switched == []
    assert [command for _, command in stage.desk.turned_away] == ["resume", "halt", "halt", "resume"]


async def test_help_lists_halt_for_whoever_may_trade(stage: Stage) -> None:
    stage.desk.policy = replace(POLICY, grants=(replace(TRADES, commands=frozenset({"close", "help"})),))
    text = told(await stage.trader.slash(stage.channel, "help"))
    assert "**/halt**" in text
    assert "/resume" not in text


async def test_a_no_of_the_desk_is_told_with_what_to_do(stage: Stage) -> None:
    stage.desk.refuses = Refused((Denial(DenialCode.BAD_REQUEST, "scope:account needs account; add it."),))
    text = told(await stage.trader.slash(stage.channel, "halt", scope="account"))
    assert "`BAD_REQUEST`" in text
    assert "add it" in text


async def test_an_error_of_the_desk_is_answered(stage: Stage) -> None:
    stage.desk.fails = JournalError("The journal can't be written.")
    assert "can't be written" in told(await stage.command("halt", {"scope": "desk"}))
    assert len(stage.env.errors) == 1


async def test_a_halt_holds_although_discord_does_not_take_the_acknowledgement(stage: Stage) -> None:
    stage.env.inject_error("POST", "/interactions/*/callback", status=404, code=UNKNOWN_INTERACTION, times=None)
    await stage.command("halt", {"scope": "desk"})
    assert [request.command for _, _, request in stage.desk.switched] == ["halt"]
    assert len(stage.env.errors) == 1


@pytest.mark.parametrize("option", ["account", "instrument"])
async def test_accounts_and_instruments_are_offered(stage: Stage, option: str) -> None:
    choices = await stage.trader.autocomplete(stage.channel, "halt", option, "")
    assert choices


async def test_policy_tells_first_what_is_halted(stage: Stage) -> None:
    stage.desk.switches = Switches((HALTED,))
    text = told(await stage.trader.slash(stage.channel, "policy"))
    assert text.startswith(
        "**Halted**\nThe desk is halted by Tess (<@301>) since 2026-01-01 12:00:00 UTC (`CPI`): nothing new is sent;"
    )
    stage.desk.switches = Switches()
    assert "**Halted**" not in told(await stage.trader.slash(stage.channel, "policy"))
