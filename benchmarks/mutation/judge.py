"""A plugin of pytest, loaded in the copy: runs each test once, then the tests of each mutant until one fails.

Tests are collected once and every mutant is tried in a fork of that process: starting pytest for each would take most of the
time. A test belongs to a mutant if the mutant's function ran in it.
"""

import contextlib
import gc
import json
import os
import resource
import time
from collections import defaultdict
from enum import StrEnum
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from benchmarks.mutation import switch

PLAN, RESULTS = "mutants.json", "verdicts.jsonl"
MEMORY = 4 << 30
# An exit code has a byte; a test further back is known as "one of them".
LAST_CODE = 200


class Verdict(StrEnum):
    """The fate of a mutant."""

    KILLED = "killed"
    ENDLESS = "endless"  # stopped by the system: killed as well
    SURVIVED = "survived"
    UNTESTED = "untested"


class Tests:
    """The tests by the function that runs in them: what has found a fault first, then the quickest."""

    def __init__(self) -> None:
        self.seconds: dict[pytest.Item, float] = {}
        self._of: defaultdict[str, list[pytest.Item]] = defaultdict(list)

    def add(self, item: pytest.Item, seconds: float, functions: set[str]) -> None:
        """A test and the functions that ran in it."""
        self.seconds[item] = seconds
        for function in functions:
            self._of[function].append(item)

    def sort(self) -> None:
        """Put the quickest first."""
        for items in self._of.values():
            items.sort(key=self.seconds.__getitem__)

    def of(self, function: str) -> list[pytest.Item]:
        """The tests in which it runs."""
        return self._of[function]

    def has_found(self, function: str, place: int) -> None:
        """Put one first: what finds one fault of a function often finds the next."""
        items = self._of[function]
        items.insert(0, items.pop(place))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Instead of pytest's own loop."""
    if session.testsfailed:
        raise pytest.UsageError("the tests can't be collected")
    tests = _once(session.items)
    gc.collect()
    gc.freeze()  # or each fork copies what the collector touches
    folder = Path.cwd()
    with (folder / RESULTS).open("w", encoding="utf-8") as results:
        for mutant in json.loads((folder / PLAN).read_text(encoding="utf-8")):
            verdict = _judged(mutant["function"], mutant["name"], tests)
            results.write(json.dumps([mutant["module"], mutant["name"], verdict]) + "\n")
            results.flush()
    return True


def _once(items: list[pytest.Item]) -> Tests:
    tests = Tests()
    for item in items:
        switch.ran.clear()
        began = time.process_time()
        if not _passes(item):
            raise pytest.UsageError(f"{item.nodeid} fails without any mutant")
        tests.add(item, time.process_time() - began, switch.ran)
    tests.sort()
    if _tried("", "", items, sum(tests.seconds.values())) != 0:
        raise pytest.UsageError("the tests pass once, and fail in a fork without any mutant")
    return tests


def _passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False))


def _judged(function: str, name: str, tests: Tests) -> Verdict:
    items = tests.of(function)
    if not items:
        return Verdict.UNTESTED
    code = _tried(function, name, items, sum(tests.seconds[item] for item in items))
    if code is None:
        return Verdict.ENDLESS
    if 0 < code < LAST_CODE:
        tests.has_found(function, code - 1)
    return Verdict.KILLED if code else Verdict.SURVIVED


def _tried(function: str, name: str, items: list[pytest.Item], seconds: float) -> int | None:
    """The place of the test that failed, counted from 1; 0 if none did, ``None`` if the system had to stop it."""
    child = os.fork()
    if not child:
        _try(function, name, items, 5 + round(3 * seconds))
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _try(function: str, name: str, items: list[pytest.Item], seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    switch.chosen[function] = name
    code = LAST_CODE
    # Whatever a mutant raises, this process must not go on as the parent's.
    with contextlib.suppress(BaseException):
        code = next((min(place, LAST_CODE) for place, item in enumerate(items, 1) if not _passes(item)), 0)
    os._exit(code)
