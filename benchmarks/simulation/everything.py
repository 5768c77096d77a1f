"""The last thing in a session: somebody who may do it goes over every account at once, with nothing broken any more."""

from collections.abc import Callable, Iterator

from benchmarks.chaos.books import End, end_of, is_over, title_of
from benchmarks.chaos.channel import Card
from benchmarks.chaos.compare import LOUD
from benchmarks.simulation.stage import World
from bot.sandbox.ninjatrader.orders import State

CARD_SECONDS, DONE_SECONDS = 30.0, 120.0
MOST_TIMES = 3


async def over_everything(world: World, member: str, command: str) -> tuple[str, ...]:
    """Flatten or cancel everything; what is wrong with how it ended."""
    known, before = set(world.channel.cards), len(world.simulator.cloud.received)

    def cards() -> list[Card]:
        new = [card for number, card in world.channel.cards.items() if number not in known]
        # Cards of before may come late, and be over.
        its = {card.ticket for card in new if "everything" in card.texts[0][1]}
        return [card for card in new if card.ticket in its]

    text = ""
    for _ in range(MOST_TIMES):
        text = await _asked(world, member, command, cards)
        # A connection that has just come back may not have heard it; people say it again.
        if text or cards():
            break
    if not cards():
        # Where nothing is open and nothing works there is nothing to ask for.
        return tuple(_left(world, command)) if "there is nothing to" in text else (f"/{command} everything: {text!r}",)
    first = cards()[0]
    await world.discord.press_anyway(member, first.message, first.buttons["Confirm"])
    told = await world.lookout.until(world.when_changed(lambda: any(is_over(card.text) for card in cards())), DONE_SECONDS)
    last = next((card for card in cards() if is_over(card.text)), first)
    left = tuple(_left(world, command))
    if not told or end_of(last.text) is not End.ACCEPTED or (LOUD in title_of(last.text) and not _is_stuck(world, command)):
        calls = [one.call for one in world.simulator.cloud.received[before:]]
        return (f"/{command} everything ended as {title_of(last.text)!r}, after {calls}", *left)
    return () if LOUD in title_of(last.text) else left


async def _asked(world: World, member: str, command: str, cards: Callable[[], list[Card]]) -> str:
    """Ask, and give what is answered instead of a card, in time."""
    asked = await world.discord.slash(member, "desk", command, {"scope": "everything"})

    def denied() -> bool:
        return "denied" in world.discord.interaction(asked.id).text.casefold()

    await world.lookout.until(
        world.when_changed(lambda: denied() or any("Confirm" in card.buttons for card in cards())), CARD_SECONDS
    )
    return world.discord.interaction(asked.id).text if denied() else ""


def _is_stuck(world: World, command: str) -> bool:
    """Tell whether all that is left are orders that got stuck when they were cancelled before, and nobody can cancel."""
    live = [order.state for order in world.simulator.world.exchange.orders if not order.state.is_done]
    is_open = command == "flatten" and bool(world.simulator.book()["positions"])
    return bool(live) and set(live) == {State.CANCEL_PENDING} and not is_open


def _left(world: World, command: str) -> Iterator[str]:
    """Leftovers of what was told as done."""
    book = world.simulator.book()
    if command == "flatten":
        yield from (
            f"told flat, and {row['account']} {row['instrument']} holds {row['signedQuantity']}" for row in book["positions"]
        )
    live = [order for order in world.simulator.world.exchange.orders if not order.state.is_done]
    yield from (f"told as done, and order {order.id} in {order.ticket.account.name} works" for order in live)
