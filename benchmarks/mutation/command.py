"""``python -m benchmarks mutation``: puts small faults into the rules, one at a time, and counts which of them a test finds."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

GOAL = 90.0
TESTS = "tests/rules"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the command on the command line."""
    mutation = commands.add_parser("mutation", help="faults put into the rules one by one, and which of them the tests find")
    mutation.add_argument("--module", nargs="+", default=[], help="of bot/trading, such as orders.terms (default: all)")
    mutation.add_argument("--mutant", nargs="+", default=[], help="names of mutants, to try these alone")
    mutation.add_argument("--tests", nargs="+", default=[TESTS], help=f"what is to find them (default {TESTS})")
    mutation.add_argument("--goal", type=float, default=GOAL, help=f"percent found, or the exit code is 1 (default {GOAL:.0f})")
    mutation.add_argument("--folder", type=Path, help="a new one, to keep the copy with its mutants (default: nowhere)")
    mutation.set_defaults(command=run)


def run(given: argparse.Namespace) -> int:
    """Try them, print, and tell by the exit code whether enough were found."""
    # The other measurements run without mutmut, and where a process can't be forked.
    from benchmarks.mutation.report import report, share_found  # noqa: PLC0415
    from benchmarks.mutation.tree import MutationError  # noqa: PLC0415
    from benchmarks.mutation.trial import judged  # noqa: PLC0415

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crosstalk-") as folder:
        try:
            tried = judged(given.folder or Path(folder) / "copy", given.module, given.mutant, given.tests)
        except MutationError as error:
            print(error, file=sys.stderr)
            return 1
    print(report(tried, time.monotonic() - began))
    return 0 if share_found(tried) >= given.goal else 1
