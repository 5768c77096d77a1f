"""``python -m benchmarks simulate``: hours of the whole bot in minutes, spread over processes."""

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait

from benchmarks.simulation.alike import digests
from benchmarks.simulation.apart import Apart
from benchmarks.simulation.judgement import Judged
from benchmarks.simulation.plan import HOUR, Session, session
from benchmarks.simulation.report import Again, Report, report
from benchmarks.simulation.shrink import smaller

SIDE_BY_SIDE = 2
# A failing session is played that often to make it smaller, and no more than so many of them are.
ATTEMPTS, MOST_SHRUNK = 40, 3
LINES, ALL_LINES = 80, 100_000


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = commands.add_parser("simulate", help="hours of the whole bot in virtual time, under faults, kills and clock steps")
    parser.add_argument("--hours", type=float, default=10.0, help="of virtual time (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="decides everything (default 1)")
    parser.add_argument("--minutes", type=float, help="begin no session after so many real minutes")
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE, help=f"processes (default {SIDE_BY_SIDE})")
    parser.add_argument("--session", type=int, help="play this session alone, with its timeline")
    parser.add_argument("--runs", type=int, nargs="*", help="of that session, only these")
    parser.add_argument("--strikes", type=int, nargs="*", help="of what goes wrong in that session, only these")
    parser.add_argument("--alike", type=int, help="play that session in so many new processes, and see that all come to the same")
    parser.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Play, print, and tell by the exit code whether every promise was kept."""
    began = time.monotonic()
    if given.alike is not None:
        counted = Counter(digests(_chosen(given), given.alike, given.side_by_side))
        print("\n".join(f"{count} of {given.alike} came to {digest}" for digest, count in counted.most_common()))
        return 0 if len(counted) == 1 else 1
    if given.session is not None:
        chosen = _chosen(given)
        alone = Apart(chosen, ALL_LINES).result()
        told = Report(given.seed, [alone], [Again(chosen, alone)], time.monotonic() - began)
    else:
        sessions = list(_played(given, began))
        took = time.monotonic() - began
        broken = [one for one in sessions if one.findings]
        told = Report(given.seed, sessions, [_shrunk(one) for one in broken[:MOST_SHRUNK]], took)
    print(report(told))
    return 0 if told.is_good else 1


def _chosen(given: argparse.Namespace) -> Session:
    whole = session(given.seed, given.session or 0)
    runs = [run.number for run in whole.runs] if given.runs is None else given.runs
    strikes = [strike.number for strike in whole.strikes] if given.strikes is None else given.strikes
    return whole.only(runs, strikes)


def _played(given: argparse.Namespace, began: float) -> Sequence[Judged]:
    """As many sessions as it takes, each in a process of its own."""
    ends = None if given.minutes is None else began + given.minutes * 60
    done: list[Judged] = []
    numbers, under_way = count(), dict[Connection, Apart]()

    def goes_on() -> bool:
        played = sum(one.seconds for one in done) + sum(apart.session.least_seconds for apart in under_way.values())
        return played < given.hours * HOUR and (ends is None or time.monotonic() < ends)

    gc.collect()
    gc.freeze()
    while True:
        while len(under_way) < given.side_by_side and goes_on():
            apart = Apart(session(given.seed, next(numbers)))
            under_way[apart.receiving] = apart
        if not under_way:
            return sorted(done, key=lambda one: one.index)
        done += [_told(under_way.pop(ready).result()) for ready in wait(list(under_way)) if isinstance(ready, Connection)]


def _told(one: Judged) -> Judged:
    broken = f", {len(one.findings)} BROKEN" if one.findings else ""
    print(f"session {one.index}: {one.seconds / HOUR:.1f} hours, {one.orders} orders{broken}", file=sys.stderr)
    return one


@dataclass(frozen=True, slots=True)
class _BreaksTheSame:
    """Plays a session and tells whether it breaks the same promises."""

    what: frozenset[str]

    def __call__(self, one: Session) -> bool:
        return any(finding.what in self.what for finding in Apart(one).result().findings)


def _shrunk(broken: Judged) -> Again:
    whole = session(broken.seed, broken.index)
    print(f"session {broken.index} is made smaller", file=sys.stderr)
    least = smaller(whole, _BreaksTheSame(frozenset(finding.what for finding in broken.findings)), ATTEMPTS)
    return Again(least, Apart(least, LINES).result())
