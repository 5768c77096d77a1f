"""Flatten, cancel by scope, replace, bracket and both other reversals, by the whole bot in virtual time, on both transports.

And kill -9 in the middle of a flatten: nothing more is sent by the next start, and the card says what is read.
"""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.ninjatrader import AccountSpec, Holding
from bot.sandbox.ninjatrader.book import Resting
from tests.street import POLICY, until
from tests.whole.conftest import Street, built, new_simulator
from tests.whole.test_orders import BOTH, WHERE, begun, confirmed, last_price, orders

Held = dict[tuple[str, str], int]
OVER = {"Filled", "Cancelled", "Rejected"}


def held(street: Street) -> Held:
    """What is open, signed."""
    return {(row["account"], row["instrument"]): row["signedQuantity"] for row in street.simulator.book()["positions"]}


def working(street: Street) -> list[tuple[str, str]]:
    """Where orders work."""
    return [(row["account"], row["instrument"]) for row in orders(street) if row["orderState"] not in OVER]


def calls(street: Street) -> list[str]:
    """The calls that reached the simulator and could change something."""
    return [request["call"] for request in street.simulator.book()["requests"]]


async def rest(street: Street, account: str = "Sim101", instrument: str = "ES 09-26") -> str:
    """Let an order rest far below the market; its id."""
    probe = await street.offered("place", side="buy", qty=1, account=account, instrument=instrument)
    await street.discord.click("trader", probe.id, "Cancel")
    price = last_price(street) - 20
    options = {"side": "buy", "qty": 1, "type": "limit", "limit": f"{price}", "account": account, "instrument": instrument}
    await confirmed(street, "place", "working, not filled yet", **options)
    return str(orders(street)[-1]["id"])


@BOTH
async def test_one_side_then_an_account_then_everything_is_flattened(street: Street, transport: str) -> None:
    # Only who is granted every account that there is or will be goes over everything by one call.
    (street.folder / "policy.toml").write_text(POLICY.replace('accounts = ["Sim*", "Apex-*"]', 'accounts = ["*"]', 1))
    await begun(street, transport)
    await rest(street)
    await rest(street, "Sim102")
    before = held(street)
    # SHORT 2 in ES and LONG 1 in MES.
    await confirmed(street, "flatten", "no short futures position left in", scope="account", account="Sim101", only="short")
    assert held(street) == {where: quantity for where, quantity in before.items() if where[0] != "Sim101" or quantity > 0}
    await rest(street)
    card = await street.offered("flatten", scope="account", account="Sim101")
    for words in ("**FLATTEN** · `Sim101`", "LONG 1", "FLAT, 1 working", "read back until flat"):
        assert words in card.text, card.text
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: "accepted · flat in" in street.discord.message(card.id).text, 20)
    assert held(street) == {where: quantity for where, quantity in before.items() if where[0] != "Sim101"}
    assert working(street) == [("Sim102", "ES 09-26")]
    assert calls(street)[-2:] == ["CancelOrders", "Flatten"]
    await until(lambda: any("Flat in" in message.text for message in street.discord.messages("fills")))
    for account in ("Sim101", "Sim102"):
        await rest(street, account)
        await street.control("position", account=account, instrument="NQ 09-26", quantity=3)
    everything = await confirmed(street, "flatten", "accepted · flat in", scope="everything")
    assert (held(street), working(street)) == ({}, [])
    assert calls(street)[-2:] == ["CancelAllOrders", "FlattenEverything"]
    assert "**FLATTEN** · everything" in street.discord.message(everything).text
    assert await street.stop() == 0


@BOTH
async def test_orders_are_cancelled_by_scope_replaced_and_put_around_a_position(street: Street, transport: str) -> None:
    await begun(street, transport)
    before = held(street)
    for account, instrument in (("Sim101", "ES 09-26"), ("Sim101", "NQ 09-26"), ("Sim102", "ES 09-26")):
        await rest(street, account, instrument)
    await confirmed(street, "cancel", "nothing works in", scope="instrument", **WHERE)
    assert sorted(working(street)) == [("Sim101", "NQ 09-26"), ("Sim102", "ES 09-26")]
    await confirmed(street, "cancel", "nothing works in", scope="account", account="Sim101")
    assert working(street) == [("Sim102", "ES 09-26")]
    await rest(street)
    await confirmed(street, "cancel", "nothing works in", scope="everything")
    assert (working(street), held(street)) == ([], before)
    old = await rest(street)
    price = last_price(street)
    await confirmed(street, "replace", "working, not filled yet", account="Sim101", order=old, qty=2, limit=f"{price - 30}")
    assert next(row for row in orders(street) if row["id"] == old)["orderState"] == "Cancelled"
    assert (orders(street)[-1]["quantity"], orders(street)[-1]["limitPrice"]) == (2, price - 30)
    # SHORT 2: the target lies below the market, the stop above.
    await confirmed(street, "bracket", "accepted", qty=2, target=f"{price - 25}", stop=f"{price + 25}", **WHERE)
    await until(lambda: len(working(street)) == 2)
    target, stop = orders(street)[-2:]
    assert (target["orderAction"].upper(), target["quantity"], target["limitPrice"]) == ("BUY", 2, price - 25)
    assert (stop["orderAction"].upper(), stop["quantity"], stop["stopPrice"]) == ("BUY", 2, price + 25)
    assert await street.stop() == 0


@BOTH
async def test_a_position_is_reversed_verified_and_then_inverted(street: Street, transport: str) -> None:
    await begun(street, transport)
    await confirmed(street, "reverse", "filled 1", side="buy", qty=1, mode="verified", **WHERE)
    assert held(street)["Sim101", "ES 09-26"] == 1
    assert calls(street) == ["ClosePosition", "PlaceOrder"]
    await confirmed(street, "reverse", "filled 1", side="sell", qty=1, mode="invert", **WHERE)
    assert held(street)["Sim101", "ES 09-26"] == -1
    assert calls(street)[2:] == ["Reverse"]
    assert await street.stop() == 0


@BOTH
async def test_one_of_two_strategies_is_closed_by_the_id_that_is_offered(street: Street, transport: str) -> None:
    await begun(street, transport)
    before = held(street).get(("Sim102", "ES 09-26"), 0)
    options = {"account": "Sim102", "instrument": "ES 09-26", "side": "buy", "strategy": "Scalp"}
    for quantity in (2, 1):
        await confirmed(street, "place", f"filled {quantity}", qty=quantity, **options)
    # A stop and a target each.
    await until(lambda: len(working(street)) == 4)
    where = {"scope": "strategy", "account": "Sim102"}
    offered = await street.discord.autocomplete("trader", "desk", "flatten", "strategy", "scalp", where)
    assert [name.split(": ")[1] for name, _ in offered] == ["LONG 2", "LONG 1"]
    first = str(offered[0][1])
    card = await confirmed(street, "flatten", "the strategy is closed in", strategy=first, **where)
    assert held(street)["Sim102", "ES 09-26"] == before + 1
    assert len(working(street)) == 2
    assert calls(street)[-1] == "CloseStrategy"
    assert calls(street).count("CloseStrategy") == 1
    assert "close strategy" in street.discord.message(card).text
    refused = await street.discord.slash("trader", "desk", "flatten", {**where, "strategy": first})
    await until(lambda: "NO_SUCH_STRATEGY" in street.discord.interaction(refused.id).text)
    assert calls(street).count("CloseStrategy") == 1
    assert await street.stop() == 0


async def killed_in(street: Street, call: str, **fault: Any) -> int:
    """Kill the bot while that call of a flatten is on its way, and start it again; the card's id."""
    await begun(street, "rest")
    await rest(street)
    card = await street.offered("flatten", scope="account", account="Sim101")
    await street.control("faults", rules=[{"kind": "delay", "call": call, **fault}])
    press = asyncio.create_task(street.discord.click("trader", card.id, "Confirm"))
    await until(lambda: call in calls(street))
    await street.kill()
    await asyncio.gather(press, return_exceptions=True)
    street.discord.heal()
    await street.control("faults", clear=True)
    return card.id


async def test_a_flatten_that_was_killed_in_its_close_is_told_as_flat_when_that_has_come(street: Street) -> None:
    card = await killed_in(street, "Flatten", seconds=1)
    sent = calls(street)
    await street.start()
    await until(lambda: "Read since: flat." in street.discord.message(card).text, 20)
    text = street.discord.message(card).text
    assert "accepted · flat" in text
    assert "The bot was stopped in the middle, and nothing more was sent." in text
    assert calls(street) == sent
    assert not any(account == "Sim101" for account, _ in held(street))
    assert await street.stop() == 0


async def test_a_flatten_that_was_killed_in_its_cancellation_sends_nothing_more(street: Street) -> None:
    card = await killed_in(street, "CancelOrders", seconds=1)
    sent = calls(street)
    await street.start()
    await until(lambda: "outcome unknown" in street.discord.message(card).text, 20)
    # Until that is settled nothing new gets in.
    reply = await street.discord.slash("trader", "desk", "place", {"side": "buy", "qty": 1, **WHERE})
    await until(lambda: "FLATTENING" in street.discord.interaction(reply.id).text)
    assert held(street)["Sim101", "ES 09-26"] == -2
    assert calls(street) == sent
    # Somebody closes by hand.
    for account, instrument in held(street):
        if account == "Sim101":
            await street.control("position", account=account, instrument=instrument, quantity=0)
    await until(lambda: "Read since: flat." in street.discord.message(card).text, 20)
    assert calls(street) == sent
    assert await street.stop() == 0


async def over_everything_while_it_comes_back(street: Street, command: str, word: str) -> None:
    """Confirm, with an account back from between press and call on."""
    await street.control("account", account="Other-1", connection="ConnectionLost")
    await street.grows_old()
    card = await street.offered(command, scope="everything")
    assert "Other-1" not in card.text
    before = len(calls(street))
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: len(calls(street)) > before)
    await street.control("account", account="Other-1", connection="Connected")
    await until(lambda: word in street.discord.message(card.id).text, 20, lambda: street.discord.message(card.id).text)


@BOTH
async def test_an_account_that_is_not_granted_and_comes_back_is_not_reached_by_everything(street: Street, transport: str) -> None:
    held_by_all = [{"instrument": "ES 09-26", "quantity": 2}]
    orders_of_all = [{"instrument": "ES 09-26", "quantity": -2, "ticks": 400}]
    names = ("Sim101", "Sim102", "Other-1")
    accounts = [{"name": name, "positions": held_by_all, "orders": orders_of_all} for name in names]
    await street.control("reset", accounts=accounts)
    await begun(street, transport)
    await street.control("faults", rules=[{"kind": "unlisted"}, {"kind": "delay", "call": "CancelOrders", "seconds": 1}])
    await over_everything_while_it_comes_back(street, "cancel", "accepted · nothing works")
    await over_everything_while_it_comes_back(street, "flatten", "accepted · flat in")
    assert set(held(street)) == {("Other-1", "ES 09-26")}
    assert set(working(street)) == {("Other-1", "ES 09-26")}
    assert not {"CancelAllOrders", "FlattenEverything"}.intersection(calls(street))
    assert await street.stop() == 0


@pytest.mark.parametrize(("granted", "within"), [("*", 6), ("Sim*", 15)], ids=["by one call", "one after the other"])
async def test_many_accounts_are_flattened_by_what_is_read_of_them_though_the_budget_is_the_usual(
    tmp_path: Path, granted: str, within: float
) -> None:
    """Twelve accounts would take 24 requests to read one by one, each time; CrossTrade grants three a second."""
    holding, resting = Holding("ES 09-26", 2), Resting("ES 09-26", -2, 60)
    accounts = tuple(AccountSpec(f"Sim{number}", holdings=(holding,), orders=(resting,)) for number in range(1, 13))
    async with built(tmp_path, new_simulator(accounts=accounts)) as street:
        (tmp_path / "policy.toml").write_text(POLICY.replace('accounts = ["Sim*", "Apex-*"]', f'accounts = ["{granted}"]', 1))
        street.settings |= {"CROSSTRADE_RATE": "3", "CROSSTRADE_BURST": "20"}
        await begun(street, "rest")
        # Whatever happened before, the burst is used up.
        await asyncio.gather(*(street.discord.slash("trader", "desk", "positions", {"account": f"Sim{n}"}) for n in range(1, 13)))
        card = await street.offered("flatten", scope="everything")
        await street.discord.click("trader", card.id, "Confirm")
        await until(lambda: "accepted · flat in" in street.discord.message(card.id).text, 60)
        message = street.discord.message(card.id)
        assert not any("unseen" in text for text in (*message.earlier, message.text))
        took = re.search(r"flat in ([\d.]+) s", message.text)
        assert took is not None
        assert float(took[1]) <= within, message.text
        assert (held(street), working(street)) == ({}, [])
