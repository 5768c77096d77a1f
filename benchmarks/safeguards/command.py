"""``python -m benchmarks safeguards``: switches off each safeguard in a copy of the code, and plays until that is found."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.safeguards.catalogue import SAFEGUARDS, Safeguard

ROOT = Path(__file__).parents[2]
PARTS = ("bot", "cogs", "benchmarks")


class StaleError(Exception):
    """The code has changed, and a safeguard isn't where the catalogue says."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The result of one.

    Attributes:
        sessions: how many it took.
        found: what broke first; empty where nothing did.
        line: what shows it.
    """

    safeguard: Safeguard
    sessions: int
    found: str
    line: str


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    parser = commands.add_parser("safeguards", help="each safeguard is switched off in a copy of the code, and must be missed")
    parser.add_argument("--sessions", type=int, default=40, help="of the simulation for each, at most (default 40)")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (default 1)")
    parser.add_argument("--only", nargs="+", help="words that the names of those hold that are to be played (default: all)")
    parser.add_argument("--side-by-side", type=int, default=2, help="at a time (default 2)")
    parser.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Play, print the table, and tell by the exit code whether each was missed."""
    chosen = [each for each in SAFEGUARDS if not given.only or any(word in each.name for word in given.only)]
    shown = asyncio.run(_all(chosen, given))
    for one in shown:
        after = f"session {one.sessions}" if one.found else f"NOT MISSED in {one.sessions} sessions"
        print(f"| {one.safeguard.name} | {one.safeguard.consequence} | {after} | {one.found} |")
    return 0 if all(one.found for one in shown) else 1


async def _all(chosen: Sequence[Safeguard], given: argparse.Namespace) -> list[Shown]:
    turn = asyncio.Semaphore(given.side_by_side)

    async def one(safeguard: Safeguard) -> Shown:
        async with turn:
            shown = await missed(safeguard, given.seed, given.sessions)
        print(f"{safeguard.name}: {shown.found or 'not missed'} ({shown.sessions}) {shown.line}", file=sys.stderr)
        return shown

    return await asyncio.gather(*map(one, chosen))


async def missed(safeguard: Safeguard, seed: int, sessions: int) -> Shown:
    """Take one away and play.

    Raises:
        StaleError: it isn't where the catalogue says.
    """
    with tempfile.TemporaryDirectory(prefix="crosstalk-") as folder:
        copy = Path(folder)
        without(safeguard, copy)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.safeguards.probe", str(seed), str(sessions), cwd=copy, stdout=PIPE, stderr=PIPE
        )
        out, errors = await process.communicate()
    if process.returncode:
        return Shown(safeguard, 0, "the copy doesn't run", errors.decode()[-300:])
    told = json.loads(out)
    what, line = next(iter(told["found"].items()), ("", ""))
    return Shown(safeguard, told["sessions"], what, line)


def without(safeguard: Safeguard, copy: Path) -> None:
    """Write a copy of the code in which a safeguard is missing.

    Raises:
        StaleError: it isn't where the catalogue says.
    """
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for change in safeguard.changes:
        file = copy / change.file
        text = file.read_text(encoding="utf-8")
        if text.count(change.old) != 1:
            raise StaleError(f"{safeguard.name}: {change.file} holds {text.count(change.old)} times {change.old!r}")
        file.write_text(text.replace(change.old, change.new), encoding="utf-8")
