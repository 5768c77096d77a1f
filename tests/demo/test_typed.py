"""Lines from a pipe and from a terminal come as they are typed, and nobody who can't type is waited for."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.sandbox.demo.typed import lines, source
from tests.demo.conftest import ROOT

unix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")


async def next_of(found: AsyncIterator[str]) -> str:
    """The next line, soon."""
    return await asyncio.wait_for(anext(found), 5)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends, closed afterwards."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


async def test_lines_come_whole_however_they_are_written_and_end_with_the_pipe(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    found = lines(reader)
    os.write(writer, b"lo")
    os.write(writer, b"st\r\nbo")
    assert await next_of(found) == "lost"
    os.write(writer, "ok\nn\u00fc".encode() + b"\xff\n")
    assert [await next_of(found) for _ in range(2)] == ["book", "n\u00fc\ufffd"]
    os.write(writer, b"fine")
    os.close(writer)
    assert await next_of(found) == "fine"
    with pytest.raises(StopAsyncIteration):
        await next_of(found)


async def test_waiting_for_a_line_holds_up_nothing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    waiting = asyncio.create_task(next_of(lines(reader)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    os.write(writer, b"x\n")
    assert await waiting == "x"


@unix
async def test_a_terminal_is_read_too() -> None:
    import pty  # noqa: PLC0415 - Windows has none

    master, slave = pty.openpty()
    try:
        found = lines(slave)
        os.write(master, b"partial\n")
        assert await next_of(found) == "partial"
        # Ctrl-D, so that nobody reads on.
        os.write(master, b"\x04")
        assert [line async for line in found] == []
    finally:
        os.close(master)
        os.close(slave)


def test_nobody_types_into_a_file_into_nothing_or_into_what_is_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pipe: tuple[int, int]
) -> None:
    (tmp_path / "words").write_text("lost\n")
    for where in (tmp_path / "words", Path(os.devnull)):
        with where.open() as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert source() is None
    monkeypatch.setattr(sys, "stdin", stdin)
    assert source() is None, "closed"
    monkeypatch.setattr(sys, "stdin", None)
    assert source() is None
    with os.fdopen(os.dup(pipe[0])) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert source() == stdin.fileno()


# A reader in the background of its terminal, which goes on meanwhile and then takes the terminal back.
BACKGROUND = """
import asyncio, os, signal
from bot.sandbox.demo.typed import lines

async def main():
    first = asyncio.ensure_future(anext(lines(0)))
    for _ in range(20):
        await asyncio.sleep(0.01)
    os.tcsetpgrp(0, os.getpgrp())
    print("back", flush=True)
    print(await first, flush=True)

signal.signal(signal.SIGTTOU, signal.SIG_IGN)
asyncio.run(main())
"""
# The terminal's own session, in the foreground.
SHELL = """
import fcntl, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.exit(subprocess.run([sys.executable, "-c", sys.argv[1]], process_group=0).returncode)
"""


@unix
async def test_in_the_background_of_a_terminal_it_goes_on_and_reads_when_it_is_back() -> None:
    import pty  # noqa: PLC0415 - Windows has none

    master, slave = pty.openpty()
    shell = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SHELL, BACKGROUND, cwd=ROOT, stdin=slave, stdout=PIPE, start_new_session=True
    )
    try:
        assert shell.stdout is not None
        async with asyncio.timeout(20):
            assert await shell.stdout.readline() == b"back\n"
            os.write(master, b"fine\n")
            assert await shell.stdout.readline() == b"fine\n"
            assert await shell.wait() == 0
    finally:
        if shell.returncode is None:
            os.killpg(shell.pid, signal.SIGKILL)
        await shell.communicate()
        os.close(master)
        os.close(slave)
