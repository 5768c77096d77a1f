"""A run: the copy is made, pytest runs in it once, and each mutant gets its verdict."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.mutation import tree
from benchmarks.mutation.judge import PLAN, RESULTS, Verdict
from benchmarks.mutation.report import Judged
from benchmarks.mutation.tree import MutationError

PYTEST = (
    "-m",
    "pytest",
    "-p",
    "benchmarks.mutation.judge",
    "-q",
    "--numprocesses=0",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
)


def judged(folder: Path, modules: Sequence[str], names: Sequence[str], tests: Sequence[str]) -> list[Judged]:
    """Make the copy in a new folder and run the tests in it; no modules, or no names, are all of them."""
    mutants = [mutant for mutant in tree.make(folder, modules) if not names or mutant.name in names]
    if not mutants:
        raise MutationError("there is no such module or mutant")
    tree.write_plan(folder / PLAN, mutants)
    # Coverage would look for the lines of a copy that is gone by then.
    settings = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, *PYTEST, *tests]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)  # noqa: S603
    verdicts = _verdicts(folder / RESULTS)
    if verdicts.keys() != {(mutant.module, mutant.name) for mutant in mutants}:
        raise MutationError(f"pytest ended by code {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return [(mutant, verdicts[mutant.module, mutant.name]) for mutant in mutants]


def _verdicts(file: Path) -> dict[tuple[str, str], Verdict]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {(module, name): Verdict(verdict) for module, name, verdict in map(json.loads, lines)}
