"""The page for Prometheus: what CrossTrade's client knows at each scrape."""

from bot.clock import system_clock
from bot.journal.opening import opened
from bot.program.metrics import Meter
from bot.timings import USUAL
from bot.trading.health.spending import Spending
from bot.trading.health.vitals import Vitals
from tests.journals import new_journal


async def test_requests_to_crosstrade_are_counted_by_purpose_and_what_is_left_is_shown() -> None:
    clock = system_clock()
    known = Vitals(budget=17, unread={"bad row": 2}, spending=Spending(180, {"orders": 1}, {"orders": 3, "news of orders": 0}))
    async with opened(new_journal(), clock, USUAL.journal) as journal:
        meter = Meter(lambda: True, lambda: True, lambda: known, journal, clock)
        lines = (await meter.page()).decode().splitlines()
        assert 'crosstalk_crosstrade_requests_total{purpose="orders"} 3.0' in lines
        assert 'crosstalk_crosstrade_requests_total{purpose="news of orders"} 0.0' in lines
        assert "# TYPE crosstalk_crosstrade_requests_total counter" in lines
        assert "crosstalk_crosstrade_requests_left 17.0" in lines
        assert "crosstalk_rows_unread 2.0" in lines
        known = Vitals(budget=16, spending=Spending(180, {"orders": 2}, {"orders": 4, "news of orders": 0}))
        again = (await meter.page()).decode().splitlines()
    assert 'crosstalk_crosstrade_requests_total{purpose="orders"} 4.0' in again
    assert "crosstalk_crosstrade_requests_left 16.0" in again
