"""``python -m benchmarks``: the command line. What is measured, and how, is in the module of that name."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks import crowd, economy, failover, rules
from benchmarks.chaos import command as chaos
from benchmarks.latency import Plan, measure, measure_far
from benchmarks.mutation import command as mutation
from benchmarks.safeguards import command as safeguards
from benchmarks.simulation import command as simulation
from benchmarks.stage import StageError
from benchmarks.table import far_table, table
from benchmarks.workloads import Pace


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="MEASUREMENT")
    latency = commands.add_parser("latency", help="slash event to card and Confirm event to order, beside a bare bot")
    latency.add_argument("--runs", type=_two_or_more, help="runs of each bot that count (default 300, 30 over a distance)")
    latency.add_argument("--warm-up", type=int, help="runs of each bot that don't (default 20, 3 over a distance)")
    latency.add_argument("--pause", type=float, default=0.01, help="seconds of quiet before each event (default 0.01)")
    latency.add_argument("--distance", action="store_true", help="Discord 80 ms away, CrossTrade 60 ms, and its real budget")
    latency.add_argument("--thumb", type=float, default=1.0, help="seconds from card to press over a distance (default 1)")
    latency.add_argument("--every", type=float, default=4.0, help="seconds between each bot's orders there (default 4)")
    latency.add_argument("--transport", choices=("rest", "websocket"), default="rest", help="how orders travel (default rest)")
    latency.add_argument("--folder", type=Path, help="where the journal is kept meanwhile (default: the system's own place)")
    latency.set_defaults(command=_latency)
    over = commands.add_parser("failover", help="a leader and a standby on PostgreSQL, the leader killed or paused in mid-order")
    over.add_argument("--runs", type=int, default=20, help="how many times the leader is struck (default 20)")
    over.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    over.add_argument("--server", default=failover.SERVER, help=f"where databases can be made (default {failover.SERVER})")
    over.add_argument("--folder", type=Path, help="where the logs are kept meanwhile (default: the system's own place)")
    over.set_defaults(command=_failover)
    chaos.add_to(commands)
    crowd.add_to(commands)
    economy.add_to(commands)
    rules.add_to(commands)
    safeguards.add_to(commands)
    simulation.add_to(commands)
    mutation.add_to(commands)
    return parser


def _two_or_more(text: str) -> int:
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError("percentiles need two runs at least")
    return number


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    given = _parser().parse_args(arguments)
    return int(given.command(given))


def _failover(given: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="crosstalk-", dir=given.folder) as folder:
        try:
            figures = asyncio.run(failover.measure(given.runs, given.seed, Path(folder), given.server))
        except (StageError, TimeoutError) as error:
            print(str(error) or "a bot didn't answer in time", file=sys.stderr)
            return 1
    print(failover.report(figures))
    return 0 if failover.is_good(figures) else 1


def _latency(given: argparse.Namespace) -> int:
    runs, warm_up = (30, 3) if given.distance else (300, 20)
    runs, warm_up = given.runs or runs, warm_up if given.warm_up is None else given.warm_up
    pace = Pace(runs, warm_up, given.every, given.thumb)
    plan = Plan(runs=runs, warm_up=warm_up, pause=given.pause, transport=given.transport)
    with tempfile.TemporaryDirectory(prefix="crosstalk-", dir=given.folder) as folder:
        try:
            place = Path(folder)
            figures = asyncio.run(measure_far(pace, plan.transport, place) if given.distance else measure(plan, place))
        except (StageError, TimeoutError) as error:
            print(str(error) or "a bot didn't answer in time", file=sys.stderr)
            return 1
    print(far_table(pace, plan.transport, figures) if given.distance else table(plan, figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
