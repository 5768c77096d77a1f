"""What the client knows of its own links without asking anybody."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.crosstrade.budget import Budget, Priority
from bot.crosstrade.link import Gauge
from bot.errors import BrokerError, BrokerGarbled
from bot.timings import USUAL
from bot.trading.health.vitals import Reach, StreamState
from bot.trading.orders.outcomes import Unknown

from .conftest import Connect
from .intents import ES, reverse, soon
from .test_wire import QUOTE
from .vendor import Answer, Vendor, told

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "reach"),
    [
        (told(408, {"success": False, "error": "Client not ready"}), Reach.AWAY),
        (told(500, {"error": "internal_error"}), Reach.NOWHERE),
        (Answer(200, "<html>"), Reach.GARBLED),
        (told(200, {}), Reach.GARBLED),
        (told(200, None), Reach.GARBLED),
        (told(401, {"error": "api_requires_pro"}), Reach.REFUSED),
        (told(400, {"error": "Invalid request"}), Reach.GOOD),
    ],
)
async def test_it_says_how_far_the_last_call_came(vendor: Vendor, connect: Connect, answer: Answer, reach: Reach) -> None:
    client = await connect()
    assert client.vitals().reach is Reach.NOT_ASKED
    vendor.next.append(answer)
    with pytest.raises(BrokerError):
        await client.accounts()
    vitals = client.vitals()
    assert (vitals.reach, vitals.good_at is not None) == (reach, reach is Reach.GOOD)
    assert vitals.why == client.link.why


async def test_a_price_that_was_read_has_its_moment_and_the_background_knows_it_too(vendor: Vendor, connect: Connect) -> None:
    vendor.next.append(told(200, QUOTE))
    client = await connect()
    assert client.vitals().priced_at is None
    await client.quote(ES)
    assert client.vitals().priced_at is not None
    assert client.lane(Priority.BACKGROUND).vitals().priced_at == client.vitals().priced_at
    assert client.vitals().budget > 0
    assert client.vitals().stream in {StreamState.UNUSED, StreamState.CLOSED, StreamState.OPEN}


async def test_answers_that_can_not_be_read_are_counted_by_what_was_asked_until_one_can(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    for _ in range(2):
        vendor.next.append(told(200, {}))
        with pytest.raises(BrokerGarbled):
            await client.positions("Sim101")
    vendor.next.append(Answer(200, "<html>"))
    with pytest.raises(BrokerGarbled):
        await client.all_orders(active_only=True)
    assert client.vitals().garbled == {"all orders": 1, "positions": 2}
    assert not client.link.up
    await client.accounts()
    # What is asked elsewhere proves nothing of it; but one odd answer among others is no outage.
    assert client.vitals().garbled == {"all orders": 1, "positions": 2}
    assert (client.link.up, client.vitals().reach) == (True, Reach.GOOD)
    await client.positions("Sim101")
    assert client.vitals().garbled == {"all orders": 1}


async def test_an_answer_to_an_order_that_can_not_be_read_counts_too(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    vendor.next.append(Answer(200, "<html>"))
    assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)
    assert client.vitals().garbled == {"orders": 1}


def test_what_could_not_be_read_is_forgotten_after_a_minute() -> None:
    now = [NOON]
    gauge = Gauge(lambda: now[0])
    gauge.understood("accounts")
    gauge.unreadable("positions", "No.")
    assert (gauge.link.up, gauge.link.good_at, gauge.garbled) == (True, NOON, {"positions": 1})
    now[0] += timedelta(seconds=59)
    gauge.unreadable("positions", "No.")
    assert (gauge.link.up, gauge.link.good_at, gauge.garbled) == (False, NOON, {"positions": 2})
    now[0] += timedelta(seconds=1)
    assert gauge.garbled == {"positions": 1}
    now[0] += timedelta(seconds=60)
    assert gauge.garbled == {}


def test_the_last_good_answer_stays_known_while_none_comes() -> None:
    now = [NOON]
    gauge = Gauge(lambda: now[0])
    gauge.rose()
    now[0] += timedelta(seconds=9)
    gauge.fell("No line.")
    assert (gauge.link.reach, gauge.link.good_at, gauge.link.since) == (Reach.NOWHERE, NOON, NOON + timedelta(seconds=9))


async def test_a_budget_that_rests_has_nothing_left() -> None:
    now = [0.0]
    budget = Budget(1.0, 3, clock=lambda: now[0], timings=USUAL.crosstrade)
    assert budget.left == 3
    assert await budget.acquire(Priority.EXIT, 1.0)
    assert budget.left == 2
    budget.park(5.0)
    now[0] = 4.9
    assert budget.left == 0
    now[0] = 8.0
    assert budget.left == 3
