"""The lists over all accounts: what they tell for sure, and of whom they don't."""

from bot.desk.lookup.all_accounts import AllAccounts
from bot.errors import BrokerPartly
from bot.trading.market.facts import Account
from tests.desk.fakes import Clock, FakeBroker

NAMES = tuple(f"Sim{number}" for number in range(1, 6))


async def test_an_account_with_a_row_that_cant_be_read_is_left_to_its_own_lists() -> None:
    broker = FakeBroker(Clock())
    broker.book_accounts = {name: Account(name, "Simulator", connected=True) for name in NAMES}
    broker.shown.answers["all_orders"] = BrokerPartly([], ['order "ES ?"'], frozenset({"SIM2"}))
    broker.shown.answers["all_positions"] = BrokerPartly([], ['position "?"'], frozenset({"Sim4"}))
    read = await AllAccounts(broker).read(NAMES, 3.0)
    assert (set(read.facts), read.listed) == ({"Sim1", "Sim3", "Sim5"}, frozenset(NAMES))
    broker.shown.answers["all_positions"] = BrokerPartly([], ['position "?"'], None)
    assert (await AllAccounts(broker).read(NAMES, 3.0)).facts == {}
