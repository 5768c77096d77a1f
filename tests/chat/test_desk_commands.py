"""``/help`` and ``/policy`` tell each member what is theirs, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from bot.trading.risk.policy import Grant

from .conftest import Stage, told
from .samples import APPROVER_ROLE, LIMIT, POLICY, TRADER_ROLE


async def test_help_lists_what_this_member_may_use_with_its_options(stage: Stage) -> None:
    result = await stage.trader.slash(stage.channel, "help")
    text = told(result)
    for expected in ("**/reverse**", "needs `account` `instrument` `side` `qty`", "`type` `limit`", "/policy", "/help"):
        assert expected in text
    assert result.ephemeral


async def test_help_hides_what_this_member_may_not_use(stage: Stage) -> None:
    text = told(await stage.people["approver"].slash(stage.channel, "help"))
    assert "/help" in text
    assert "/reverse" not in text


async def test_policy_lists_the_members_own_grants_and_everybodys_limits(stage: Stage) -> None:
    result = await stage.trader.slash(stage.channel, "policy")
    text = told(result)
    for expected in (
        "/reverse",
        "`Sim*`",
        "`ES` `MES`",
        "at most 5 per order",
        "position at most 10",
        "a loss of 1,000.00 a day, since 18:00 New York",
    ):
        assert expected in text
    for expected in ("prices not older than 10 s", "From 3 in `Apex*`", f"<@&{APPROVER_ROLE}>", "for 30 s"):
        assert expected in text
    assert result.ephemeral


async def test_policy_is_granted_like_every_command(stage: Stage) -> None:
    assert "NO_GRANT" in told(await stage.people["approver"].slash(stage.channel, "policy"))


@pytest.mark.parametrize("many", [1, 40])
async def test_a_long_policy_comes_whole_in_several_messages(stage: Stage, many: int) -> None:
    grants = tuple(Grant(TRADER_ROLE, frozenset({"*"}), (f"Account-{number}*",), ("*",), number) for number in range(many))
    stage.desk.policy = replace(POLICY, grants=grants, limits=())
    result = await stage.trader.slash(stage.channel, "policy")
    text = told(result)
    assert all(f"`Account-{number}*`" in text for number in range(many))
    assert (len(result.followups) > 0) == (many > 1)
    assert all(len(message.content) <= 2000 for message in (result.response, *result.followups) if message is not None)
    assert LIMIT.type in text


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (
            {"why": "reverse", "account": "Sim101", "instrument": "ES", "qty": 2},
            "Yes: /reverse 2 ES on `Sim101` is allowed by grant[1].",
        ),
        ({"why": "reverse", "qty": 6}, "at most 5 per order"),
        ({"why": "flatten", "account": "Apex-1", "type": "limit"}, "No: /flatten LIMIT on `Apex-1` is not allowed."),
        ({"why": "fly"}, "There is no command `fly`"),
        ({"why": "reverse", "instrument": "?"}, "That is no instrument that can be read"),
    ],
)
async def test_policy_explains_one_permission_of_who_asks(stage: Stage, options: dict[str, Any], answer: str) -> None:
    result = await stage.trader.slash(stage.channel, "policy", **options)
    assert answer in told(result)
    assert result.ephemeral
