"""The chapters about reversals: the way of an order from the command to its fill, and what becomes of one that goes another way.

The first of them begins what takes its time; the last sees how it ended.
"""

from bot.sandbox.demo.guide import FIRST_COMMAND, reverse_command
from bot.sandbox.demo.scene import Scene
from bot.sandbox.demo.stage import ACCOUNTS
from bot.sandbox.demo.story.plot import Chapter, Plot
from bot.sandbox.demo.story.proofs import is_accepted, is_filled
from bot.sandbox.ninjatrader import Kind

# The shortest life of a ticket that a policy file may ask for, so that one of them ends while others act.
SHORTEST_LIFE = 5
USUAL_LIFE = 30
CALL = "ReversePosition"
ASK_AGAIN = '/reverse account:Sim101 instrument:"ES 09-26" side:sell qty:1'
# The vendor's own text for this case, from its page on POST Reverse Position.
NO_POSITION = "No position found for instrument 'ES 09-26' in account 'sim101'"


async def reversal(scene: Scene, plot: Plot) -> None:
    """From the command to the order id."""
    plot.first = await scene.asks("trader", FIRST_COMMAND)
    await scene.shows(plot.first, "SIM", "Sim101", "ES 09-26", "BUY 1 MARKET", "SHORT 2", "LONG 1")
    scene.prove("nothing sent before Confirm", holds=scene.sent("Sim101") == 0)
    await scene.presses("trader", "Confirm", plot.first)
    plot.first_order = await is_accepted(scene, plot.first, "Sim101", "ES 09-26", 1)
    scene.prove("one reversal sent, and only one", holds=scene.sent("Sim101") == 1)


async def forgetting(scene: Scene, plot: Plot) -> None:
    """A ticket that nobody presses; what becomes of it is seen in ``expiry``."""
    plot.forgotten = await scene.asks("trader", reverse_command("Sim103", scene.stage.held("Sim103")))


async def other_rules(scene: Scene, _plot: Plot) -> None:
    """The policy file changes; that it is in force is seen in ``rules_in_force``."""
    scene.say(f"  policy.toml now says confirm_seconds = {USUAL_LIFE} instead of {SHORTEST_LIFE}; the bot keeps running")
    scene.stage.set_confirm_seconds(USUAL_LIFE)


async def losing(scene: Scene, plot: Plot) -> None:
    """The answer to an order is lost after it was done, and for now nobody can look what came of it."""
    faults = scene.stage.simulator.faults
    command = reverse_command("Sim102", scene.stage.held("Sim102"))
    plot.lost = await scene.asks("trader", command)
    scene.say("  (NinjaTrader will do it, but its answer will be lost: CrossTrade says 408, which proves nothing.)")
    # Not by a broken line: over the WebSocket that would hold up everybody's orders until it is up again.
    faults.add(Kind.TIMEOUT, CALL, effect=True, count=1)
    faults.add(Kind.DELAY, CALL, effect=True, seconds=0.5, count=1)
    await scene.presses("trader", "Confirm", plot.lost)
    await scene.until("the order to reach CrossTrade", lambda: scene.sent("Sim102") or None)
    faults.add(Kind.OFFLINE, "ListOrders")
    await scene.showed(plot.lost, "outcome unknown", "Do not send it again")
    await scene.team_reads("Outcome unknown", "Sim102")
    again = await scene.types("second", command)
    await scene.is_told(again, "denied", "OUTCOME_UNKNOWN")
    scene.prove("the order sent once", holds=scene.sent("Sim102") == 1)
    scene.say("  (NinjaTrader can be asked again. The bot goes on looking by itself; see below.)")
    faults.clear()


async def fill(scene: Scene, plot: Plot) -> None:
    """The first reversal's fill, in the same message."""
    scene.say("  (The card of Sim101 again:)")
    await is_filled(scene, plot.first, "Sim101", "ES 09-26", 1)


async def denial(scene: Scene, _plot: Plot) -> None:
    """A member without a grant gets no ticket."""
    asked = await scene.types("viewer", FIRST_COMMAND)
    await scene.is_told(asked, "denied", "NO_GRANT")
    scene.prove("nothing more sent for Sim101", holds=scene.sent("Sim101") == 1)


async def reading(scene: Scene, _plot: Plot) -> None:
    """A member who may only read sees what the accounts hold, and nobody else sees the answer."""
    asked = await scene.types("viewer", "/positions")
    text = await scene.is_told(asked, "Sim101", "ES 09-26", "LONG 1", "LIVE", "Apex-001")
    held = {account.name for account in ACCOUNTS}
    scene.prove(f"every account of {sorted(held)} among the positions", holds=all(name in text for name in held))


async def strangers_and_cancel(scene: Scene, _plot: Plot) -> None:
    """A ticket is its requester's alone; Cancel ends it."""
    card = await scene.asks("trader", ASK_AGAIN)
    pressed = await scene.presses("second", "Confirm", card)
    await scene.is_told(pressed, "Only Tess")
    await scene.presses("trader", "Cancel", card)
    await scene.shows(card, "cancelled")
    buttons = scene.stage.discord.message(card).buttons
    scene.prove("no button left on a cancelled card", holds=all(button.disabled for button in buttons))
    scene.prove("nothing more sent for Sim101", holds=scene.sent("Sim101") == 1)


async def rejection(scene: Scene, _plot: Plot) -> None:
    """CrossTrade says no, in its own words."""
    card = await scene.asks("trader", ASK_AGAIN)
    scene.say("  (CrossTrade will answer 400, as when the position has just been closed by hand.)")
    scene.stage.simulator.faults.add(Kind.ANSWER, CALL, status=400, body={"error": NO_POSITION}, count=1)
    await scene.presses("trader", "Confirm", card)
    await scene.shows(card, "rejected", NO_POSITION)
    await scene.team_reads("Rejected", "Sim101")
    scene.prove("Sim101 still LONG 1", holds=scene.stage.held("Sim101") == {"ES 09-26": 1})


async def two_persons(scene: Scene, _plot: Plot) -> None:
    """A live account needs a second person, and not just anybody."""
    held = scene.stage.held("Apex-001")
    [contract] = held
    card = await scene.asks("trader", reverse_command("Apex-001", held))
    await scene.shows(card, "LIVE", "Apex-001", contract, "SELL 1 MARKET", "Needs Approve")
    await scene.presses("trader", "Confirm", card)
    await scene.shows(card, "needs approval")
    refused = await scene.presses("trader", "Approve", card)
    await scene.is_told(refused, "can't approve")
    scene.prove("nothing sent before the second person agrees", holds=scene.sent("Apex-001") == 0)
    await scene.presses("approver", "Approve", card)
    await is_filled(scene, card, "Apex-001", contract, -1)


async def expiry(scene: Scene, plot: Plot) -> None:
    """The forgotten ticket has ended by itself."""
    scene.say("  (The card of Sim103 again, which nobody has touched:)")
    await scene.shows(plot.forgotten, "expired")
    buttons = scene.stage.discord.message(plot.forgotten).buttons
    scene.prove("no button left on an expired card", holds=all(button.disabled for button in buttons))
    scene.prove("nothing sent for the expired ticket", holds=scene.sent("Sim103") == 0)


async def evidence(scene: Scene, plot: Plot) -> None:
    """The order whose answer was lost is found, without being sent again."""
    scene.say("  (The card of Sim102 again; the bot has looked into NinjaTrader's orders, fills and positions:)")
    [contract] = scene.stage.held("Sim102")
    await is_filled(scene, plot.lost, "Sim102", contract, 1)
    scene.prove("the order sent once", holds=scene.sent("Sim102") == 1)


async def rules_in_force(scene: Scene, _plot: Plot) -> None:
    """The policy file that changed a while ago holds now; somebody asks until it does."""
    await scene.is_told_in_the_end("viewer", "/policy", f"for {USUAL_LIFE} s")


OPENING: Chapter = (
    ("A reversal, from the command to the order id", reversal),
    ("A ticket that nobody presses", forgetting),
    ("The policy file changes while the bot runs", other_rules),
    ("An answer that gets lost", losing),
    ("The first reversal's fill", fill),
)
ENDING: Chapter = (
    ("Somebody who may only read", denial),
    ("What the accounts hold", reading),
    ("Somebody else's Confirm, and Cancel", strangers_and_cancel),
    ("CrossTrade says no", rejection),
    ("A live account, and the two-person rule", two_persons),
    ("The ticket that nobody pressed", expiry),
    ("The order whose answer was lost", evidence),
    ("The rules of the changed policy file", rules_in_force),
)
