"""Proofs that several chapters need: what a card says is what the simulator's book holds."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.demo.scene import Scene, fill_on, order_id_on


async def is_accepted(scene: Scene, card: int, account: str, contract: str, signed: int) -> str:
    """Wait for the order id on a card, and look the order up in the simulator's book; returns the id."""
    order_id = order_id_on(await scene.shows(card, "accepted · order ")) or ""
    row = scene.order(order_id)
    side = "Buy" if signed > 0 else "Sell"
    expected = (account, contract, side, abs(signed))
    truth = (row["account"], row["instrument"], row["orderAction"], row["quantity"])
    scene.prove(f"order {order_id} to be {expected} and not {truth}", holds=truth == expected)
    return order_id


async def is_filled(scene: Scene, card: int, account: str, contract: str, signed: int) -> None:
    """Wait for the fill on a card, the very fill of the simulator's book, and for what the account then holds: it alone."""
    order_id = await is_accepted(scene, card, account, contract, signed)
    told = fill_on(await scene.shows(card, f"filled {abs(signed)} at "))
    truth = scene.fills(order_id)
    scene.prove(f"the fill on the card to be {truth} and not {told}", holds=told == truth)
    holds(scene, account, contract, signed)
    await scene.team_reads("Filled", order_id)


def holds(scene: Scene, account: str, contract: str, signed: int) -> None:
    """Prove what an account holds in a contract."""
    now = scene.stage.held(account).get(contract, 0)
    scene.prove(f"{account} to hold {signed} {contract} and not {now}", holds=now == signed)


async def comes_to_hold(scene: Scene, account: str, contract: str, signed: int) -> None:
    """Wait until an account holds this in a contract."""
    await scene.until(f"{account} to hold {signed} {contract}", lambda: scene.stage.held(account).get(contract) == signed or None)


async def works(scene: Scene, order_id: str, **expected: object) -> Mapping[str, Any]:
    """Wait until an order works in the simulator's book, and prove that it has these fields; returns its row."""

    def row() -> Mapping[str, Any] | None:
        now = scene.order(order_id)
        return now if now["orderState"] in {"Working", "Accepted"} else None

    found = await scene.until(f"order {order_id} to work", row)
    truth = {name: found[name] for name in expected}
    scene.prove(f"order {order_id} to be {expected} and not {truth}", holds=truth == expected)
    return found
