"""``python -m benchmarks chaos``: plays the plan of a seed, two sessions side by side, and compares the books."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.chaos.books import Case, End, Sent, Story
from benchmarks.chaos.compare import Breach, Violation, violations
from benchmarks.chaos.journals import SERVER, has_server
from benchmarks.chaos.plan import Database, Session, sessions
from benchmarks.chaos.process import BotError
from benchmarks.chaos.session import Played, play
from benchmarks.chaos.table import Report, table

SIDE_BY_SIDE = 2


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    chaos = commands.add_parser("chaos", help="orders under faults and kill -9; compares what was pressed, executed and told")
    chaos.add_argument("--runs", type=int, default=150, help="order attempts (default 150)")
    chaos.add_argument("--seed", type=int, default=1, help="of the plan (default 1)")
    chaos.add_argument("--session", type=int, nargs="+", help="play these of the plan's sessions alone")
    chaos.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE, help=f"sessions at a time (default {SIDE_BY_SIDE})")
    chaos.add_argument("--require-postgresql", action="store_true", help="fail where no PostgreSQL answers")
    chaos.add_argument("--folder", type=Path, help="where to keep the bots' logs (default: nowhere)")
    chaos.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Play, print, and tell by the exit code whether every promise was kept."""
    with tempfile.TemporaryDirectory(prefix="crosstalk-") as folder:
        place = given.folder or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        try:
            report = asyncio.run(_report(given, place))
        except BotError as error:
            print(error, file=sys.stderr)
            return 1
    if report is None:
        print(f"No PostgreSQL answers at {SERVER}.", file=sys.stderr)
        return 1
    print(table(report))
    return 0 if report.is_good else 1


async def _report(given: argparse.Namespace, folder: Path) -> Report | None:
    began, notes = time.monotonic(), list[str]()
    databases = tuple(Database)
    if not await has_server():
        if given.require_postgresql:
            return None
        databases = (Database.SQLITE,)
        notes.append(f"No PostgreSQL answers at {SERVER}: everything ran on SQLite.")
    plan = sessions(given.seed, given.runs, databases)
    chosen = [session for session in plan if given.session is None or session.index in given.session]
    played = await _play(chosen, folder, given.side_by_side)
    notes += sorted({note for one in played for note in one.notes})
    broken = [(one, violation) for one in played for violation in _broken(one)]
    runs = sum(len(one.cases) for one in played)
    return Report(given.seed, runs, played, broken, notes, time.monotonic() - began)


def _broken(played: Played) -> Iterator[Violation]:
    for case in played.cases:
        yield from violations(case)
    yield from in_nobodys_name(played.session, played.strays)


def in_nobodys_name(session: Session, sent: Sequence[Sent]) -> Iterator[Violation]:
    """Requests about nothing that anybody had asked for."""
    for one in sent:
        run = next(iter(session.runs))
        case = Case(run, Story(), None, End.OPEN, "", None, None, None, (one,))
        yield Violation(Breach.UNPRESSED, case, f"{one.call} in {one.account} {one.instrument}, which is no run's")


async def _play(plan: Sequence[Session], folder: Path, side_by_side: int) -> list[Played]:
    turn = asyncio.Semaphore(side_by_side)

    async def one(session: Session) -> Played:
        async with turn:
            # A folder of its own: a journal of another day has tickets of its own.
            place = Path(tempfile.mkdtemp(prefix=f"session-{session.index}-", dir=folder))
            played = await play(session, place)
            print(
                f"session {session.index}: {len(played.cases)} runs on {session.database}, {played.took:.0f} s", file=sys.stderr
            )
            return played

    return list(await asyncio.gather(*(one(session) for session in plan)))
