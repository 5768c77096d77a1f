"""The chapter about positions: halved, protected, turned round in three ways, and at last everything flat."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.demo.guide import FLATTEN_COMMAND
from bot.sandbox.demo.scene import Scene, order_id_on
from bot.sandbox.demo.story.plot import Chapter, Plot
from bot.sandbox.demo.story.proofs import comes_to_hold, holds, is_accepted, is_filled

SEVERAL, OTHER = "Sim104", "Sim105"
# Ticks from the market, too far to be reached while the story is told.
TARGET, STOP = 170, -170


async def halving(scene: Scene, _plot: Plot) -> None:
    """Half of a position is closed; what works there stays."""
    contract = scene.stage.front("MES")
    card = await scene.asks("trader", f'/close account:{SEVERAL} instrument:"{contract}" percent:50')
    await scene.shows(card, "CLOSE 2 of LONG 4", "leaves stops and targets working: 2 there")
    await scene.presses("trader", "Confirm", card)
    await scene.shows(card, "closed 2")
    holds(scene, SEVERAL, contract, 2)
    scene.prove("stop and target still working", holds=len(scene.working(SEVERAL, contract)) == 2)


async def bracketing(scene: Scene, _plot: Plot) -> None:
    """Working orders are cancelled; a target and a stop of the right size take their place, one of which cancels the other."""
    contract = scene.stage.front("MES")
    before = {row["id"] for row in scene.working(SEVERAL, contract)}
    target, stop = (scene.stage.away(contract, ticks) for ticks in (TARGET, STOP))
    card = await scene.asks("trader", f'/bracket account:{SEVERAL} instrument:"{contract}" qty:2 target:{target} stop:{stop}')
    await scene.shows(card, "cancel 2 working orders there", str(target), str(stop))
    await scene.presses("trader", "Confirm", card)
    await scene.shows(card, "target and stop are there")
    rows = scene.working(SEVERAL, contract)
    truth = sorted((row["orderType"], row["quantity"], row["limitPrice"] or row["stopPrice"]) for row in rows)
    expected = [("Limit", 2, target), ("StopMarket", 2, stop)]
    scene.prove(f"{expected} to work there and not {truth}", holds=truth == expected)
    scene.prove("one OCO group of the two", holds=len({row["ocoId"] for row in rows}) == 1 and bool(rows[0]["ocoId"]))
    scene.prove("none of the orders before", holds=not before & {row["id"] for row in rows})


async def clearing(scene: Scene, _plot: Plot) -> None:
    """Everything that works in one instrument is cancelled, and nothing elsewhere."""
    contract, elsewhere = scene.stage.front("MES"), scene.stage.front("MNQ")
    card = await scene.asks("second", f'/cancel scope:instrument account:{SEVERAL} instrument:"{contract}"')
    await scene.shows(card, "2 working")
    await scene.presses("second", "Confirm", card)
    await scene.shows(card, "accepted · nothing works in ")
    scene.prove(f"nothing to work in {contract}", holds=not scene.working(SEVERAL, contract))
    scene.prove(f"the order in {elsewhere} to work on", holds=len(scene.working(SEVERAL, elsewhere)) == 1)
    holds(scene, SEVERAL, contract, 2)


async def verified(scene: Scene, _plot: Plot) -> None:
    """The position is closed, read to be flat, and only then the new order is sent."""
    contract, sent = scene.stage.front("CL"), len(scene.requests(OTHER))
    card = await scene.asks("trader", f'/reverse account:{OTHER} instrument:"{contract}" side:sell qty:1 mode:verified')
    await scene.shows(card, "read back until flat")
    await scene.presses("trader", "Confirm", card)
    await is_filled(scene, card, OTHER, contract, -1)
    await scene.shows(card, "✓ close LONG 2", "✓ place sell 1")
    made = scene.requests(OTHER)[sent:]
    calls = [request["call"] for request in made]
    scene.prove(f"a close and then an order, and not {calls}", holds=calls == ["ClosePosition", "PlaceOrder"])
    scene.prove("an order for a flat position only", holds=made[1]["body"].get("requireMarketPosition") == "flat")
    scene.prove("the stop of the old position gone", holds=not scene.working(OTHER, contract))


async def inverting(scene: Scene, _plot: Plot) -> None:
    """The whole position the other way, by CrossTrade's own call for it."""
    contract = scene.stage.front("RTY")
    card = await scene.asks("trader", f'/reverse account:{OTHER} instrument:"{contract}" side:buy qty:2 mode:invert')
    await scene.shows(card, "INVERT", "SHORT 2", "LONG 2")
    await scene.presses("trader", "Confirm", card)
    await is_accepted(scene, card, OTHER, contract, 2)
    await comes_to_hold(scene, OTHER, contract, 2)


async def closing_and_placing(scene: Scene, _plot: Plot) -> None:
    """The open position is closed, if there is one, and a new order placed."""
    contract = scene.stage.front("GC")
    card = await scene.asks("trader", f'/flatplace account:{SEVERAL} instrument:"{contract}" side:buy qty:1')
    await scene.shows(card, "close SHORT 1")
    await scene.presses("trader", "Confirm", card)
    await is_accepted(scene, card, SEVERAL, contract, 1)
    await comes_to_hold(scene, SEVERAL, contract, 1)


async def ending_a_strategy(scene: Scene, _plot: Plot) -> None:
    """One ATM strategy is closed with its own stop and target; what else the account holds in that contract stays."""
    contract = scene.stage.front("CL")
    before = scene.stage.held(OTHER).get(contract, 0)
    card = await scene.asks("trader", f'/place account:{OTHER} instrument:"{contract}" side:sell qty:2 strategy:Swing')
    await scene.presses("trader", "Confirm", card)
    await comes_to_hold(scene, OTHER, contract, before - 2)
    legs = await scene.until("a stop and a target of the strategy", lambda: _two(scene.working(OTHER, contract)))
    strategy = legs[0]["ownerStrategy"]["id"]
    card = await scene.asks("trader", f"/flatten scope:strategy account:{OTHER} strategy:{strategy}")
    await scene.shows(card, "FLATTEN", strategy, "SHORT 2, 2 working")
    await scene.presses("trader", "Confirm", card)
    await scene.shows(card, "accepted · the strategy is closed in ")
    holds(scene, OTHER, contract, before)
    scene.prove("its stop and its target gone", holds=not scene.working(OTHER, contract))


def _two(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
    return rows if len(rows) == 2 else None


async def flattening(scene: Scene, _plot: Plot) -> None:
    """A whole account: what works is cancelled, what is open closed, and it is said to be flat when it was read to be."""
    held, working = scene.stage.held(SEVERAL), {row["instrument"] for row in scene.working(SEVERAL)}
    scene.prove("several positions and a working order to flatten", holds=len(held) > 1 and bool(working))
    card = await scene.asks("trader", FLATTEN_COMMAND)
    await scene.shows(card, "FLATTEN", *held, *working, "take no new order there meanwhile")
    await scene.presses("trader", "Confirm", card)
    text = await scene.shows(card, "accepted · flat in ")
    done = [line for line in text.splitlines() if "✓" in line and line.endswith(("FLAT", "none"))]
    missing = [contract for contract in {*held, *working} if not any(contract in line for line in done)]
    scene.prove(f"a line with ✓ and its end for each of {sorted(missing)}", holds=not missing)
    scene.prove(f"{SEVERAL} flat in NinjaTrader's own book", holds=not scene.stage.held(SEVERAL))
    scene.prove(f"nothing to work in {SEVERAL}", holds=not scene.working(SEVERAL))
    scene.prove("no order id that was called the flatten's", holds=order_id_on(text) is None)


CHAPTER: Chapter = (
    ("Half of a position", halving),
    ("A target and a stop around it", bracketing),
    ("All orders of an instrument are cancelled", clearing),
    ("A reversal that waits until it is flat", verified),
    ("A position turned round as it is", inverting),
    ("Closed first, then placed", closing_and_placing),
    ("One of an account's strategies", ending_a_strategy),
    ("A whole account flat", flattening),
)
