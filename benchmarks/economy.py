"""``python -m benchmarks economy``: what orders cost of CrossTrade's budget, and how fast they leave, over a distance.

One trader with an order every few seconds, then fifty orders at once; all that comes in at CrossTrade meanwhile is counted,
whoever asked for it. Times are only shown beside their goals: the exit code is 1 only for an order that is doubled, missing, or
unpressed.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.far import CALL, CROSSTRADE_SECONDS, far
from benchmarks.latency import percentiles
from benchmarks.stage import Name, StageError
from benchmarks.workloads import FULL_AGAIN, STEADY, Burst, Pace, Steady, burst, members_for, trade
from bot.sandbox.ninjatrader.cloud import CAPACITY, RATE

AT_ONCE = 50
DOOR_GOALS = (8.0, 40.0)
REQUESTS_GOAL, LEAVING_GOAL, OFFERING_GOAL = 5.0, 25.0, 20.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of each bot."""

    steady: Mapping[Name, Steady]
    bursts: Mapping[Name, Burst] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        """Orders that are doubled, missing, or unpressed."""
        played: list[Steady | Burst] = [*self.steady.values(), *self.bursts.values()]
        return [line for one in played for line in one.wrong]


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = commands.add_parser("economy", help="what orders cost of CrossTrade's budget: one every few seconds, fifty at once")
    parser.add_argument("--orders", type=int, default=30, help="orders of the one trader that count (default 30)")
    parser.add_argument("--warm-up", type=int, default=3, help="their orders that don't (default 3)")
    parser.add_argument("--every", type=float, default=4.0, help="seconds from one of them to the next (default 4)")
    parser.add_argument("--thumb", type=float, default=1.0, help="seconds from a card to the press (default 1)")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"orders confirmed at once, 0 for none (default {AT_ONCE})")
    parser.add_argument(
        "--discord", type=float, default=0.0, help="seconds to Discord, there and back (default 0: both bots wait for it alike)"
    )
    parser.add_argument("--transport", choices=("rest", "websocket"), default="rest", help="how orders travel (default rest)")
    parser.add_argument("--folder", type=Path, help="where the journal is kept meanwhile (default: the system's own place)")
    parser.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Play, print, and tell by the exit code whether each press led to its order and nothing else did."""
    pace = Pace(given.orders, given.warm_up, given.every, given.thumb)
    with tempfile.TemporaryDirectory(prefix="crosstalk-", dir=given.folder) as folder:
        try:
            figures = asyncio.run(measure(pace, given.at_once, given.transport, Path(folder), given.discord))
        except (StageError, TimeoutError) as error:
            print(str(error) or "a bot didn't answer in time", file=sys.stderr)
            return 1
    print(report(figures, pace, given.transport, given.discord))
    return 1 if figures.wrong else 0


async def measure(
    pace: Pace, at_once: int, transport: str, folder: Path, to_discord: float = 0.0, rest: float = FULL_AGAIN
) -> Figures:
    """Play both workloads; ``rest`` is how many seconds of quiet fill the budget before each part of the second one.

    Raises:
        StageError: a part didn't start, or a command got no card.
    """
    async with far(_made(folder / "steady"), STEADY, transport=transport, to_discord=to_discord) as sides:
        steady = await trade(sides, pace)
    accounts = [f"E-{number:03}" for number in range(1, at_once + 1)]
    bursts = {}
    for name in Name if accounts else ():
        place = _made(folder / name.name.lower())
        members = members_for(accounts)
        async with far(place, accounts, transport=transport, members=members, names=[name], to_discord=to_discord) as sides:
            bursts[name] = await burst(sides[name], accounts, rest)
    return Figures(steady, bursts)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def report(figures: Figures, pace: Pace, transport: str, to_discord: float = 0.0) -> str:
    """The whole report."""
    return "\n".join(_lines(figures, pace, transport, to_discord))


def _lines(figures: Figures, pace: Pace, transport: str, to_discord: float) -> Iterator[str]:
    far_away = f"Discord {to_discord * 1000:.0f} ms away and CrossTrade {CROSSTRADE_SECONDS * 1000:.0f} ms, there and back"
    yield f"{far_away}; {RATE} requests a second, {CAPACITY} at once; orders over {transport}"
    yield ""
    yield f"{'':44}" + "".join(f"{name:>12}" for name in Name) + f"{'goal':>12}"
    yield from _of_one_trader(figures.steady, pace)
    if figures.bursts:
        yield ""
        yield from _of_many(figures.bursts)
    yield ""
    yield f"Doubled, missing or unpressed orders: {len(figures.wrong)}"
    yield from figures.wrong[:20]


def _of_one_trader(steady: Mapping[Name, Steady], pace: Pace) -> Iterator[str]:
    yield f"{pace.orders} orders, one every {pace.every:g} s on {len(STEADY)} accounts, pressed {pace.thumb:g} s after the card"
    doors = {name: percentiles(one.doors) if len(one.doors) > 1 else None for name, one in steady.items()}
    for place, title, goal in ((0, "p50", DOOR_GOALS[0]), (2, "p99", DOOR_GOALS[1])):
        values = [None if cuts is None else f"{cuts[place]:.1f}" for cuts in doors.values()]
        yield _row(f"Confirm → door, ms, {title}", values, f"{goal:.0f}")
        ours, bare = doors.get(Name.CROSSTALK), doors.get(Name.BARE)
        if ours is not None and bare is not None:
            yield _row("  added to the bare bot's", [f"{ours[place] - bare[place]:.1f}", None])
    requests = [f"{one.asked.total() / max(len(one.orders), 1):.1f}" for one in steady.values()]
    yield _row("requests for each order, all loops counted", requests, f"{REQUESTS_GOAL:.0f}")
    yield from _kinds([one.asked for one in steady.values()], [max(len(one.orders), 1) for one in steady.values()])
    yield _row("not sent", [str(sum(order.left is None for order in one.orders)) for one in steady.values()], "0")
    yield _row("answered 429", [str(one.over) for one in steady.values()], "0")


def _of_many(bursts: Mapping[Name, Burst]) -> Iterator[str]:
    orders = max(len(one.orders) for one in bursts.values())
    own = f"{max(0, orders - CAPACITY) / RATE:.1f}"
    yield f"{orders} orders at once in {orders} accounts (their calls alone take {own} s of the budget)"
    yield _row("first command → last card, s", [f"{one.offering:.1f}" for one in bursts.values()], f"{OFFERING_GOAL:.0f}")
    yield _row("commands that got no card, asked again", [str(one.refused) for one in bursts.values()], "0")
    yield _row("requests meanwhile", [str(one.offered_by.total()) for one in bursts.values()])
    yield from _kinds([one.offered_by for one in bursts.values()])
    yield _row("first Confirm → last order left, s", [f"{one.leaving:.1f}" for one in bursts.values()], f"{LEAVING_GOAL:.0f}")
    yield _row("requests meanwhile, the orders among them", [str(one.read.total()) for one in bursts.values()])
    yield from _kinds([one.read for one in bursts.values()])
    yield _row("not sent, denied or expired", [str(one.not_sent.total()) for one in bursts.values()], "0")
    for name, one in bursts.items():
        for words, count in one.not_sent.most_common():
            yield f"  {count} of {name}: {words}"
    yield _row("answered 429", [str(one.over) for one in bursts.values()], "0")


def _kinds(counts: list[Counter[str]], shares: list[int] | None = None) -> Iterator[str]:
    """One line for each call, the most frequent first; of each order where there are shares."""
    together: Counter[str] = sum(counts, Counter())
    for call, _ in sorted(together.items(), key=lambda one: (one[0] == CALL, -one[1], one[0])):
        if shares is None:
            yield _row(f"  {call}", [str(count[call]) for count in counts])
        else:
            yield _row(f"  {call}", [f"{count[call] / share:.1f}" for count, share in zip(counts, shares, strict=True)])


def _row(title: str, values: list[str] | list[str | None], goal: str = "") -> str:
    return f"{title:44}" + "".join(f"{value or '-':>12}" for value in values) + f"{goal:>12}".rstrip()
