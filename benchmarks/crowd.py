"""``python -m benchmarks crowd``: ten members hammer the commands that only read, while closes are confirmed and orders fill.

The whole bot in virtual time, with CrossTrade's real budget of 3 requests a second and 20 at once.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.chaos.books import title_of
from benchmarks.chaos.channel import Card
from benchmarks.simulation.stage import BOT, DISCORD, NINJATRADER, World, staged
from bot.sandbox.discord import InteractionView, NotPossibleError
from bot.sandbox.discord.world import TRADER_ROLE, VIEWER_ROLE, WORLD, Person
from bot.sandbox.ninjatrader import AccountSpec
from bot.sandbox.virtual import VirtualLoop

CONFIRM_GOAL, FILL_GOAL = 1.5, 5.0
MEMBERS = 10
FIRST_MEMBER = 1180000000000000501
CLOSING, PLACING, LOOKED_AT = "C-close", "C-place", "C-look"
CONTRACT, ROOTS = "ES 09-26", "ES,NQ,CL,GC,RTY"
START_SECONDS, STEP_SECONDS = 60.0, 100.0
# So that the crowd has used up what there is to be used up.
WARM_UP = 30.0
POLICY = f"""
[[grant]]
role = {TRADER_ROLE}
commands = "*"
accounts = ["C*"]
instruments = ["*"]
max_quantity = 9

[[grant]]
role = {VIEWER_ROLE}
commands = ["market", "positions", "orders", "order", "accounts", "account", "pnl", "quote", "executions", "strategies", "why"]
accounts = ["C*"]
"""
Options = Mapping[str, str | int]
LOOKING: tuple[tuple[str, Options], ...] = (
    ("market", {"instrument": ROOTS}),
    ("positions", {}),
    ("orders", {}),
    ("accounts", {}),
    ("pnl", {}),
    ("account", {"account": LOOKED_AT}),
    ("quote", {"instrument": "ES,NQ"}),
    ("executions", {"account": LOOKED_AT}),
    ("strategies", {"account": LOOKED_AT}),
    ("why", {}),
)


@dataclass(slots=True)
class Figures:
    """The figures, in seconds.

    Attributes:
        confirms: from the press of a close's Confirm to its order at CrossTrade.
        cards: from ``/close`` to its card.
        fills: from a fill to the card that tells it.
        lost: closes that never came that far, in the words of who was told.
        answers: how the crowd's commands ended.
    """

    confirms: list[float] = field(default_factory=list)
    cards: list[float] = field(default_factory=list)
    fills: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """True where the goals are met."""
        if self.lost or len(self.confirms) < 2 or not self.fills:
            return False
        return _p99(self.confirms) <= CONFIRM_GOAL and max(self.fills) <= FILL_GOAL


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = commands.add_parser("crowd", help="closes and fills while ten members hammer the commands that only read")
    parser.add_argument("--closes", type=int, default=100, help="how many closes are confirmed (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="decides everything (default 1)")
    parser.add_argument("--transport", choices=("rest", "websocket"), default="rest", help="how orders travel (default rest)")
    parser.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Play, print, and tell by the exit code whether the goals are met."""
    with tempfile.TemporaryDirectory(prefix="crosstalk-") as folder:
        figures = played(given.closes, given.seed, given.transport, Path(folder))
    print("\n".join(_report(figures, given.closes, given.seed, given.transport)))
    return 0 if figures.is_good else 1


def played(closes: int, seed: int, transport: str, folder: Path) -> Figures:
    """Play so many closes in a loop of virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_play(closes, seed, transport, folder))


async def _play(closes: int, seed: int, transport: str, folder: Path) -> Figures:
    loop, figures = asyncio.get_running_loop(), Figures()
    if not isinstance(loop, VirtualLoop):
        raise TypeError("a crowd is played in virtual time")
    crowd = tuple(Person(f"member{one}", FIRST_MEMBER + one, f"Member {one}", ("viewer",)) for one in range(MEMBERS))
    town = replace(WORLD, people=(*WORLD.people, *crowd))
    accounts = tuple(map(AccountSpec, (CLOSING, PLACING, LOOKED_AT)))
    async with staged(loop, f"crowd {seed}", accounts, transport, folder, policy=POLICY, town=town) as world:
        loop.network.latencies = _latencies(random.Random(seed + 2))  # noqa: S311 - no secret
        world.bot.begin()
        discord, dice = world.discord, random.Random(seed)  # noqa: S311 - no secret
        await world.lookout.until(lambda: discord.gateway.connected > 0 and bool(discord.commands()), START_SECONDS)
        hammering = [asyncio.create_task(_hammer(world, person.name, number, figures)) for number, person in enumerate(crowd)]
        await asyncio.sleep(WARM_UP)
        placing = asyncio.create_task(_place(world, figures, random.Random(seed + 1)))  # noqa: S311 - no secret
        for _ in range(closes):
            await _close(world, figures, dice)
        for task in (placing, *hammering):
            task.cancel()
        await asyncio.gather(placing, *hammering, return_exceptions=True)
        await world.bot.stop()
    return figures


def _latencies(dice: random.Random) -> dict[tuple[str, str], Callable[[], float]]:
    """Bytes take some hundredths of a second and never long: what is measured is the crowd, not the network."""
    ways = ((BOT, DISCORD), (DISCORD, BOT), (BOT, NINJATRADER), (NINJATRADER, BOT))
    return {way: lambda: dice.uniform(0.01, 0.06) for way in ways}


async def _hammer(world: World, member: str, number: int, figures: Figures) -> None:
    """Ask once a second, whether the last one was answered or not; the first one for five markets each time."""
    asking: set[asyncio.Task[None]] = set()
    turn = number
    while True:
        command, options = LOOKING[0 if number == 0 else turn % len(LOOKING)]
        task = asyncio.create_task(_look(world, member, command, options, figures))
        asking.add(task)
        task.add_done_callback(asking.discard)
        if number % 2:
            typing = asyncio.create_task(_type(world, member))
            asking.add(typing)
            typing.add_done_callback(asking.discard)
        turn += 1
        await asyncio.sleep(1)


async def _look(world: World, member: str, command: str, options: Options, figures: Figures) -> None:
    asked = await world.discord.slash(member, "desk", command, options)
    await asyncio.sleep(15)
    text = world.discord.interaction(asked.id).text
    kind = "in a share's place" if "readings in" in text else "answered" if text else "not answered"
    figures.answers[kind] += 1


async def _type(world: World, member: str) -> None:
    await world.discord.autocomplete(member, "desk", "order", "order", "", {"account": LOOKED_AT})


async def _close(world: World, figures: Figures, dice: random.Random) -> None:
    """One position, its close, and the news of it."""
    simulator = world.simulator
    account, contract = simulator.world.account(CLOSING), simulator.world.contract(CONTRACT)
    simulator.world.set_position(account, contract, dice.choice([-2, -1, 1, 2]), None)
    await asyncio.sleep(dice.uniform(3, 8))
    began = world.loop.time()
    card = await _card(world, "trader", "close", {"account": CLOSING, "instrument": CONTRACT}, figures)
    if card is None:
        return
    figures.cards.append(world.loop.time() - began)
    await asyncio.sleep(dice.uniform(0.3, 3))
    sent, pressed = _count(world, "ClosePosition"), world.loop.time()
    press = asyncio.create_task(world.discord.press_anyway("trader", card.message, card.buttons["Confirm"]))
    if await world.lookout.until(lambda: _count(world, "ClosePosition") > sent, STEP_SECONDS):
        figures.confirms.append(world.loop.time() - pressed)
        await _told(world, figures, card, lambda: not account.positions[contract].quantity, "closed")
    else:
        figures.lost.append(title_of(card.text))
    await press


async def _place(world: World, figures: Figures, dice: random.Random) -> None:
    """Orders at market that fill at once, now of one side and now of the other."""
    sides = ("buy", "sell")
    for turn in range(1_000_000):
        await asyncio.sleep(dice.uniform(10, 20))
        before = len(world.simulator.world.exchange.executions)
        options: Options = {"account": PLACING, "instrument": CONTRACT, "side": sides[turn % 2], "qty": 1}
        card = await _card(world, "second", "place", options, figures)
        if card is None:
            continue
        await world.discord.press_anyway("second", card.message, card.buttons["Confirm"])
        await _told(world, figures, card, lambda: _filled(world, before), "filled")  # noqa: B023 - it is waited for here


def _filled(world: World, before: int) -> bool:
    return any(one.account.name == PLACING for one in world.simulator.world.exchange.executions[before:])


async def _card(world: World, member: str, command: str, options: Options, figures: Figures) -> Card | None:
    """The card of a command, or ``None`` and what was said in its place."""
    known = set(world.channel.cards)

    def new() -> list[Card]:
        about = str(options["account"])
        return [card for number, card in world.channel.cards.items() if number not in known and about in card.texts[0][1]]

    try:
        asked = await world.discord.slash(member, "desk", command, options)
    except NotPossibleError as error:
        figures.lost.append(str(error))
        return None
    said: Callable[[], InteractionView] = lambda: world.discord.interaction(asked.id)  # noqa: E731 - one line, used twice
    await world.lookout.until(world.when_changed(lambda: bool(new()) or "denied" in said().text.casefold()), STEP_SECONDS)
    if not (cards := new()):
        figures.lost.append(f"/{command}: {said().text[:200] or 'no answer'}")
        return None
    return cards[0]


async def _told(world: World, figures: Figures, card: Card, has_filled: Callable[[], bool], word: str) -> None:
    """Measure from the fill to the card that tells it."""
    if not await world.lookout.until(has_filled, STEP_SECONDS):
        figures.lost.append(f"not filled: {title_of(card.text)}")
        return
    filled = world.loop.time()
    is_told = world.when_changed(lambda: any(line.startswith(word) for line in card.text.splitlines()[:2]))
    if await world.lookout.until(is_told, STEP_SECONDS):
        figures.fills.append(world.loop.time() - filled)
    else:
        figures.lost.append(f"not told: {title_of(card.text)}")


def _count(world: World, call: str) -> int:
    return sum(1 for one in world.simulator.cloud.received if one.call == call)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def _report(figures: Figures, closes: int, seed: int, transport: str) -> Iterator[str]:
    yield f"{closes} closes while {MEMBERS} members ask something each second, seed {seed}, orders over {transport}"
    yield f"{'':36}{'count':>8}{'p50':>9}{'p99':>9}{'most':>9}  seconds"
    rows = {"Confirm → order at CrossTrade": figures.confirms, "/close → card": figures.cards, "fill → told": figures.fills}
    for title, values in rows.items():
        if len(values) > 1:
            middle = statistics.median(values)
            yield f"{title:36}{len(values):8}{middle:9.2f}{_p99(values):9.2f}{max(values):9.2f}"
    yield "the crowd's commands: " + ", ".join(f"{count} {kind}" for kind, count in sorted(figures.answers.items()))
    for lost in figures.lost[:20]:
        yield f"lost: {lost}"
    goals = f"p99 of Confirm at most {CONFIRM_GOAL} s, every fill told within {FILL_GOAL:.0f} s, none lost ({len(figures.lost)})"
    yield f"Goal: {goals}: {'met' if figures.is_good else 'NOT MET'}"
