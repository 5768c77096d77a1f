"""The demo as a process, as somebody runs it who has just unpacked it: an empty home, no settings, nothing of this process."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.demo.browser import chromium

ROOT = Path(__file__).parents[2]

Demo = Callable[..., Coroutine[Any, Any, Process]]


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """Return what starts a Python program of the project; whatever still runs at the end is killed."""
    started: list[Process] = []
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT"} or name.startswith("COV")},
        "HOME": str(tmp_path),
        **dict.fromkeys(("TMPDIR", "TEMP"), str(tmp_path)),
    }

    async def start(*arguments: str, program: tuple[str, ...] = ("-m", "bot", "demo"), stdin: int = DEVNULL) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            *arguments,
            cwd=ROOT,
            env=environment,
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def browser() -> str:
    """Return where Chromium is; without it the test is skipped, and fails where everything must be tested."""
    found = chromium()
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("Chromium is not installed.")
    if found is None:
        pytest.skip("Chromium is not installed.")
    return found
