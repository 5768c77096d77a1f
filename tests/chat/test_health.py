"""``/health`` on a phone, and the notice that is taken of another bot on the same Discord token."""

import math
from datetime import UTC, datetime

import pytest

from bot.chat.messenger import measured
from bot.chat.rivals import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION, Rivals
from bot.chat.sheets import health
from bot.chat.tables import WIDTH
from bot.desk.health.watchdog import Health
from bot.trading.health.chain import Grade, LinkName, LinkStatus
from bot.trading.health.vitals import ChatVitals

from .conftest import TYPED, Stage, told

AT = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
WELL = (
    LinkStatus(LinkName.DISCORD, Grade.GOOD, "45 ms"),
    LinkStatus(LinkName.NINJATRADER, Grade.GOOD, "add-on answers"),
    LinkStatus(LinkName.BROKER, Grade.GOOD, "connected", "", "Sim101"),
)
BAD = (
    LinkStatus(LinkName.NEWS, Grade.SLOW, "3 wait, 31 s", "See that it may post."),
    LinkStatus(LinkName.NINJATRADER, Grade.DOWN, "add-on is away", "Start NinjaTrader."),
    LinkStatus(LinkName.BROKER, Grade.DOWN, "not connected", "Connect it.", "APEX-12345-0000000000042"),
)


def test_where_all_is_well_there_is_a_line_for_each_link_and_nothing_to_do() -> None:
    [text] = health(Health(WELL, AT))
    assert "✓ Discord       45 ms" in text
    assert "✓ Sim101        connected" in text
    assert "Every link stands." in text
    assert "✗" not in text
    assert "as of 12:00:00 UTC" in text


def test_what_is_down_says_what_to_do_before_what_is_slow() -> None:
    [text] = health(Health(BAD, AT))
    assert "… News          3 wait, 31 s" in text
    assert "✗ NinjaTrader   add-on is away" in text
    assert "✗ APEX-12345-0000000000042\n  not connected" in text
    assert "Every link stands" not in text
    mends = [text.index(line.mend) for line in (BAD[1], BAD[2], BAD[0])]
    assert mends == sorted(mends)


def test_what_a_link_is_made_up_of_stands_below_what_to_do_and_is_no_trouble() -> None:
    spent = LinkStatus(LinkName.BUDGET, Grade.GOOD, "20 at once", detail="5 requests to CrossTrade: orders 5")
    [text] = health(Health((spent, *BAD), AT))
    below = text.split("```")[2]
    assert below.index("Start NinjaTrader.") < below.index("See that it may post.") < below.index(spent.detail)
    assert below.count("orders 5") == 1
    [text] = health(Health((spent, *WELL), AT))
    assert "Every link stands." in text
    assert text.endswith(f"{spent.detail}\n-# as of 12:00:00 UTC")


def test_no_line_is_wider_than_a_phone() -> None:
    texts = health(Health(WELL + BAD, AT))
    block = "\n".join(texts).split("```")[1]
    assert max(map(len, block.splitlines())) <= WIDTH


async def test_health_answers_the_member_alone(stage: Stage) -> None:
    stage.desk.health.told = Health(BAD, AT)
    result = await stage.trader.slash(stage.channel, "health")
    assert "Start NinjaTrader." in told(result)
    assert result.ephemeral
    assert stage.desk.behind == ["health"]


async def test_health_is_granted_like_every_command(stage: Stage) -> None:
    assert "NO_GRANT" in told(await stage.people["approver"].slash(stage.channel, "health"))
    assert "health" not in stage.desk.behind


class Seconds:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_refused_answers_count_for_a_minute_and_late_ones_not_at_all() -> None:
    clock = Seconds()
    rivals = Rivals(clock)
    late = ((ALREADY_ACKNOWLEDGED, 99.0), (UNKNOWN_INTERACTION, 2.75), (UNKNOWN_INTERACTION, 3.0), (50013, 0.1))
    for number, (code, age) in enumerate(late):
        rivals.refused(number, code, -age)
    rivals.refused(0, ALREADY_ACKNOWLEDGED, -99.5)
    assert rivals.count() == 2
    clock.now = 60
    assert rivals.count() == 2
    clock.now = 61
    assert rivals.count() == 0


async def test_answers_that_another_bot_was_faster_with_are_counted_and_send_nothing(stage: Stage) -> None:
    await stage.reverse()
    assert stage.desk.messenger.vitals().rivals == 0
    stage.env.inject_error("POST", "/interactions/*/callback", status=400, code=ALREADY_ACKNOWLEDGED, times=None)
    stage.press("ticket:t1:1:confirm", stage.card())
    await stage.env.settle()
    await stage.command("reverse", dict(TYPED))
    await stage.command("help", {})
    assert stage.desk.messenger.vitals().rivals == 3
    assert stage.desk.presses
    assert stage.desk.orders == []
    assert len(stage.desk.tickets) == 1
    assert len(stage.env.errors) == 2


@pytest.mark.parametrize(("seconds", "told"), [(0.045, 0.045), (12.0, 12.0), (math.inf, None), (math.nan, None), (41.251, None)])
def test_a_latency_that_discord_py_could_not_measure_is_none(seconds: float, told: float | None) -> None:
    assert measured(seconds) == told


async def test_the_link_to_discord_is_up_while_a_client_is_connected(stage: Stage) -> None:
    messenger = stage.desk.messenger
    assert messenger.vitals() == ChatVitals(up=True, latency=messenger.vitals().latency)
    messenger.detach(stage.client)
    assert messenger.vitals() == ChatVitals()
