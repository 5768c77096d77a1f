"""``python -m benchmarks simulate``: hours of the whole bot in minutes, spread over processes."""

import argparse
import gc
import multiprocessing
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from benchmarks.simulation.judgement import Judged, judged
from benchmarks.simulation.plan import HOUR, Session, session
from benchmarks.simulation.report import Again, Report, report
from benchmarks.simulation.session import played
from benchmarks.simulation.shrink import smaller

SIDE_BY_SIDE = 2
# A failing session is played that often to make it smaller, and no more than so many of them are.
ATTEMPTS, MOST_SHRUNK = 40, 3
LINES, ALL_LINES = 80, 100_000
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the process's own is made in it


class SimulationError(Exception):
    """A session could not be played to its end."""


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
    parser.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Play, print, and tell by the exit code whether every promise was kept."""
    began = time.monotonic()
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
    whole = session(given.seed, given.session)
    runs = [run.number for run in whole.runs] if given.runs is None else given.runs
    strikes = [strike.number for strike in whole.strikes] if given.strikes is None else given.strikes
    return whole.only(runs, strikes)


def _plan(seed: int, hours: float) -> Iterator[Session]:
    """As many sessions as it takes."""
    planned, index = 0.0, 0
    while planned < hours * HOUR:
        one = session(seed, index)
        yield one
        planned, index = planned + one.least_seconds, index + 1


def _played(given: argparse.Namespace, began: float) -> Sequence[Judged]:
    """All of them, each in a process of its own."""
    ends = None if given.minutes is None else began + given.minutes * 60
    done: list[Judged] = []
    waiting, under_way = _plan(given.seed, given.hours), dict[Connection, Apart]()
    gc.collect()
    gc.freeze()
    while True:
        while len(under_way) < given.side_by_side and (ends is None or time.monotonic() < ends):
            if (one := next(waiting, None)) is None:
                break
            apart = Apart(one)
            under_way[apart.receiving] = apart
        if not under_way:
            return sorted(done, key=lambda one: one.index)
        done += [_told(under_way.pop(ready).result()) for ready in wait(list(under_way)) if isinstance(ready, Connection)]


def _told(one: Judged) -> Judged:
    broken = f", {len(one.findings)} BROKEN" if one.findings else ""
    print(f"session {one.index}: {one.seconds / HOUR:.1f} hours, {one.orders} orders{broken}", file=sys.stderr)
    return one


class Apart:
    """A session that is played in a process of its own, which leaves nothing behind.

    Args:
        one: the session.
        lines: how many of the timeline are wanted.

    Attributes:
        receiving: is ready when the session is over.
    """

    def __init__(self, one: Session, lines: int = 0) -> None:
        self._session = one
        self.receiving, sending = multiprocessing.Pipe(duplex=False)
        if sys.platform == "win32":
            self._process = multiprocessing.Process(target=_play, args=(one, lines, sending))
        else:
            # Everything is imported already, and there are no threads.
            self._process = multiprocessing.get_context("fork").Process(target=_play, args=(one, lines, sending))
        self._process.start()
        sending.close()

    def result(self) -> Judged:
        """What it came to.

        Raises:
            SimulationError: the process died, or the simulation itself is wrong.
        """
        try:
            result = self.receiving.recv()
        except EOFError:
            result = "the process died"
        self._process.join()
        self.receiving.close()
        if not isinstance(result, Judged):
            raise SimulationError(f"session {self._session.index} of seed {self._session.seed}: {result}")
        return result


def _play(one: Session, lines: int, sending: Connection) -> None:
    # Nothing lives longer than a session; and when rubbish is collected would be chance.
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="crosstalk-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        try:
            sending.send(judged(played(one, Path(folder), lines)))
        except Exception as error:  # noqa: BLE001 - said by who started this process
            sending.send("".join(traceback.format_exception(error)))


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
