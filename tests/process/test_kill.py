"""Kill -9 at random moments: never an order twice, never one lost, and after the restart each one is told."""

import asyncio
import json
import random
from collections import Counter
from pathlib import Path

from bot.sandbox.discord import MessageView
from bot.sandbox.discord.world import DESK
from bot.sandbox.ninjatrader import AccountSpec, Holding, Names, Simulator
from tests.process.conftest import Street, built
from tests.street import CROSSTRADE_SECRET, until

# One round is killed while its presses come in, one when some of their orders are accepted; benches kill thousands.
ROUNDS, CONFIRMS = 2, 8
ACCOUNTS = [f"Sim{number:02d}" for number in range(1, ROUNDS * CONFIRMS + 1)]
ACCEPTED = "SELECT account, order_ids FROM tickets WHERE state = 'accepted'"
ENDS = ("accepted", "rejected", "outcome unknown", "never arrived", "expired", "not sent")


def title(card: MessageView) -> str:
    """Its first line; a warning below may speak of a contract that has expired."""
    return card.text.partition("\n")[0].casefold()


async def shown_as_accepted(street: Street, cards: dict[str, int]) -> dict[str, list[str]]:
    """The order ids of what the journal has as accepted, once the cards show them: the row is a moment ahead of the card."""
    accepted = {}
    for account, order_ids in street.rows(ACCEPTED):
        accepted[account] = ids = json.loads(order_ids)
        await until(lambda c=cards[account], o=ids[0]: o in street.discord.message(c).text)  # type: ignore[misc]  # a lambda's defaults
    return accepted


def forget(folder: Path) -> None:
    """Begin with a new journal; with the old one nothing new would be taken until all that is unknown is settled."""
    for file in folder.glob("desk.db*"):
        file.unlink()


async def test_i14_confirms_killed_at_random_moments_make_at_most_one_order_each(tmp_path: Path, names: Names) -> None:
    chance = random.Random(20261122)
    specs = tuple(AccountSpec(name, holdings=(Holding("ES 09-26", -1),)) for name in ACCOUNTS)
    simulator = Simulator(token=CROSSTRADE_SECRET, rate_limited=False, accounts=specs, names=names)
    cards: dict[str, int] = {}
    moments: Counter[str] = Counter()
    accepted: dict[str, list[str]] = {}
    async with built(tmp_path, simulator) as street:

        def told(account: str) -> MessageView:
            return street.discord.message(cards[account])

        def waiting() -> list[str]:
            return [a for a in cards if not any(end in title(told(a)) for end in ENDS)]

        await street.control("price", frozen=True)
        for at in range(0, len(ACCOUNTS), CONFIRMS):
            await street.start()
            asked = [await street.ask(account=account) for account in ACCOUNTS[at : at + CONFIRMS]]
            cards |= {account: card.id for account, card in zip(ACCOUNTS[at:], asked, strict=False)}
            presses = [asyncio.create_task(street.discord.click("trader", card.id, "Confirm")) for card in asked]
            if at:
                enough = chance.randint(1, CONFIRMS - 1)
                await until(lambda enough=enough: len(street.rows(ACCEPTED)) >= enough)  # type: ignore[misc]  # a lambda's defaults
            else:
                await asyncio.sleep(chance.uniform(0, 0.06))
            await street.kill()
            moments.update(
                state for (state,) in street.rows("SELECT state FROM tickets WHERE ended_at IS NULL OR state = 'accepted'")
            )
            await asyncio.gather(*presses, return_exceptions=True)
            street.discord.heal()
            await street.start()
            await until(lambda: not waiting(), 30, lambda: f"not told: {[told(a).text for a in waiting()]}")
            accepted |= await shown_as_accepted(street, cards)
            assert await street.stop() == 0
            forget(tmp_path)
        book = street.simulator.book()
        orders: dict[str, list[str]] = {account: [] for account in ACCOUNTS}
        for request in book["requests"]:
            if request["call"] == "ReversePosition":
                orders[request["path"].split("/")[4]].append(str(request["hadEffect"]))
        assert max(len(sent) for sent in orders.values()) <= 1
        known = {order["id"] for order in book["orders"]} | {order["orderId"] for order in book["orders"]}
        for account in ACCOUNTS:
            if account in accepted:
                assert accepted[account][0] in known
                assert orders[account] == ["True"]
            elif "expired" in title(told(account)):
                assert orders[account] == []
        # The moments must really differ, or this proves nothing.
        assert len(moments) >= 2, moments
        assert any(orders.values())
    assert len({message.id for message in street.discord.messages(DESK) if message.id in cards.values()}) == len(ACCOUNTS)
