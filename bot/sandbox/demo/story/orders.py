"""The chapter about one order that waits for its price: placed, changed, replaced, cancelled."""

from bot.sandbox.demo.scene import Scene, order_id_on
from bot.sandbox.demo.story.plot import Chapter, Plot
from bot.sandbox.demo.story.proofs import is_accepted, works

ACCOUNT, ROOT = "Sim105", "MNQ"
# So far below the market that it won't fill while the story is told.
FAR, FARTHER, FARTHEST = -160, -200, -240


async def placing(scene: Scene, plot: Plot) -> None:
    """A limit order, with an id of the desk's own."""
    contract = scene.stage.front(ROOT)
    limit = scene.stage.away(contract, FAR)
    card = await scene.asks("second", f'/place account:{ACCOUNT} instrument:"{contract}" side:buy qty:1 type:limit limit:{limit}')
    await scene.shows(card, "SIM", "BUY 1 LIMIT", f"limit {limit}", "Now: FLAT")
    await scene.presses("second", "Confirm", card)
    plot.resting = await is_accepted(scene, card, ACCOUNT, contract, 1)
    row = await works(scene, plot.resting, orderType="Limit", limitPrice=limit, quantity=1)
    scene.prove("an order that bears the desk's own id", holds=row["ownOrderId"] == plot.resting)


async def modifying(scene: Scene, plot: Plot) -> None:
    """More contracts at a lower price; it stays the same order."""
    limit = scene.stage.away(ROOT, FARTHER)
    card = await scene.asks("second", f"/modify account:{ACCOUNT} order:{plot.resting} qty:2 limit:{limit}")
    await scene.shows(card, "quantity 1 → 2", plot.resting)
    await scene.presses("second", "Confirm", card)
    await scene.shows(card, "\nchanged")
    await works(scene, plot.resting, limitPrice=limit, quantity=2)
    scene.prove("a single order there, not a second one", holds=len(scene.working(ACCOUNT, scene.stage.front(ROOT))) == 1)


async def replacing(scene: Scene, plot: Plot) -> None:
    """Cancelled and placed anew in one call; the new order has another id."""
    old, limit = plot.resting, scene.stage.away(ROOT, FARTHEST)
    card = await scene.asks("second", f"/replace account:{ACCOUNT} order:{old} qty:3 limit:{limit}")
    await scene.presses("second", "Confirm", card)
    plot.resting = order_id_on(await scene.shows(card, "accepted · order ")) or ""
    scene.prove("another order id than before", holds=plot.resting != old)
    await works(scene, plot.resting, limitPrice=limit, quantity=3)
    scene.prove("the old order cancelled", holds=scene.order(old)["orderState"] == "Cancelled")


async def cancelling(scene: Scene, plot: Plot) -> None:
    """Cancelled, and seen to be."""
    card = await scene.asks("second", f"/cancel scope:order account:{ACCOUNT} order:{plot.resting}")
    await scene.presses("second", "Confirm", card)
    await scene.shows(card, "order cancelled, 0 of 3 filled")
    scene.prove("the order cancelled at NinjaTrader", holds=scene.order(plot.resting)["orderState"] == "Cancelled")
    scene.prove("nothing left that works there", holds=not scene.working(ACCOUNT, scene.stage.front(ROOT)))


CHAPTER: Chapter = (
    ("An order that waits for its price", placing),
    ("Another size and another price", modifying),
    ("A new order in place of the old one", replacing),
    ("The order is cancelled", cancelling),
)
