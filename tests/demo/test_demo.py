"""The demo from outside: it tells its whole story, says what is wrong in one sentence, and leaves nothing behind."""

import asyncio
import os
import re
import signal
import socket
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from bot.trading.orders.intents import TRADING_COMMANDS
from tests.demo.conftest import Demo

# Nobody has to be that slow; this only ends a test that hangs.
HANGS = 60.0
# At CrossTrade's three requests a second the story takes about a minute on a machine that has nothing else to do.
STORY_HANGS = 240.0
linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")


async def ended(process: Process, within: float = HANGS) -> tuple[int, str, str]:
    """Exit code, output and errors, once the process is over."""
    async with asyncio.timeout(within):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def guide_of(process: Process) -> str:
    """What the demo prints until it waits for a person."""
    assert process.stdout is not None
    async with asyncio.timeout(HANGS):
        lines = []
        while line := await process.stdout.readline():
            lines.append(line.decode())
            if line.startswith(b"Stop with"):
                return "".join(lines)
    pytest.fail(f"the demo ended: {lines}")


def children(process: Process) -> list[int]:
    """The processes that it has started and that live."""
    return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def left_in(folder: Path) -> list[str]:
    """What the demo has put where temporary files go."""
    return [one.name for one in folder.iterdir()]


@pytest.mark.timeout(STORY_HANGS + 60)
@pytest.mark.parametrize("transport", [(), ("--websocket",)], ids=["rest", "websocket"])
async def test_the_script_tells_the_whole_story_and_ends_with_the_first_order_id(
    demo: Demo, tmp_path: Path, transport: tuple[str, ...]
) -> None:
    began = time.monotonic()
    code, story, errors = await ended(await demo("--script", *transport), STORY_HANGS)
    print(f"the story took {time.monotonic() - began:.1f} s")  # noqa: T201 - a figure to read, no promise to keep
    assert (code, errors) == (0, ""), story
    for words in (
        'Tess (trader) types  /reverse account:Sim101 instrument:"ES 09-26" side:buy qty:1',
        "SIM · Sim101",
        "Tess (trader) presses  [Confirm]",
        "filled 1 at ",
        "denied · NO_GRANT",
        "Vera (viewer) types  /positions",
        "Only Tess (trader) (@Tess (trader)) can confirm this ticket.",
        "cancelled",
        "No position found for instrument",
        "outcome unknown",
        "LIVE · Apex-001",
        "Arno (approver) presses  [Approve]",
        "expired",
        "A ticket can be confirmed for 30 s",
        "BUY 1 LIMIT",
        "quantity 1 → 2",
        "order cancelled, 0 of 3 filled",
        "closed 2",
        "target and stop are there",
        "accepted · nothing works in ",
        "read back until flat, cancel what the close leaves working; never flat: stop here",
        "accepted · flat in ",
    ):
        assert words in story, words
    for command in TRADING_COMMANDS:
        assert f"types  /{command} " in story, command
    first = re.search(r"accepted · order (\w{32})", story)
    assert first is not None
    assert story.splitlines()[-1].endswith(first[1])
    assert left_in(tmp_path) == []


def control_c(process: Process) -> None:
    """What a terminal does: the demo and its bot hear it at once."""
    os.killpg(process.pid, signal.SIGINT)


@linux
@pytest.mark.parametrize("stop", [Process.terminate, control_c])
async def test_a_signal_ends_the_page_and_leaves_no_process_and_no_folder(
    demo: Demo, tmp_path: Path, stop: Callable[[Process], None]
) -> None:
    process = await demo()
    guide = await guide_of(process)
    assert '/reverse account:Sim101 instrument:"ES 09-26" side:buy qty:1' in guide
    assert re.search(r'/reverse account:Sim102 instrument:"ES \d\d-\d\d" side:buy qty:1', guide)
    assert re.search(r'/reverse account:Apex-001 instrument:"MNQ \d\d-\d\d" side:sell qty:1', guide)
    # Nobody can type here.
    assert "Type a word" not in guide
    address = re.search(r"http://[\w.:]+/", guide)
    assert address is not None
    async with aiohttp.ClientSession() as session, session.get(address[0]) as page:
        assert page.status == 200
        assert "html" in page.content_type
    [bot] = children(process)
    assert len(left_in(tmp_path)) == 1
    stop(process)
    code, said, errors = await ended(process)
    assert (code, errors) == (0, "")
    assert said.endswith("Stopped.\n")
    with pytest.raises(ProcessLookupError):
        os.kill(bot, 0)
    assert left_in(tmp_path) == []


async def said_after(process: Process, words: str) -> str:
    """What the demo prints until a line holds these words."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(HANGS):
        while not lines or words not in lines[-1]:
            assert not process.stdout.at_eof(), lines
            lines.append((await process.stdout.readline()).decode())
    return "".join(lines)


async def test_words_typed_into_the_terminal_change_what_ninjatrader_does(demo: Demo) -> None:
    process = await demo(stdin=PIPE)
    guide = await guide_of(process)
    assert "lost · reject · partial · slow · busy · offline · online · closed · open · fine · book · help" in guide
    control = re.search(r"http://[\w.:]+/control", guide)
    assert control is not None
    assert process.stdin is not None
    process.stdin.write(b"offline\n")
    await said_after(process, "offline: NinjaTrader is off")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{control[0]}/faults") as reply:
            assert [rule["kind"] for rule in (await reply.json())["rules"]] == ["offline"]
        process.stdin.write(b"  Fine BOOK\r\n\nbok\n")
        book = await said_after(process, "“bok” is none of the words")
        assert "    Sim101:\n      SHORT 2 ES 09-26 at " in book
        assert "going wrong: nothing" in book
        # The end of what is typed is not the end of the demo.
        process.stdin.close()
        async with session.get(f"{control[0]}/faults") as reply:
            assert (await reply.json())["rules"] == []
    process.terminate()
    code, said, errors = await ended(process)
    assert (code, errors) == (0, "")
    assert said.endswith("Stopped.\n")


@linux
async def test_a_bot_that_dies_ends_the_demo_with_the_last_lines_of_its_log(demo: Demo, tmp_path: Path) -> None:
    process = await demo()
    await guide_of(process)
    [bot] = children(process)
    os.kill(bot, signal.SIGKILL)
    code, _, errors = await ended(process)
    assert code == 1
    assert "The bot ended by itself with exit code -9" in errors
    assert "started: 0 tickets" in errors
    assert left_in(tmp_path) == []


@linux
async def test_a_story_that_is_stopped_is_not_a_story_that_was_told(demo: Demo, tmp_path: Path) -> None:
    process = await demo("--script")
    assert process.stdout is not None
    async with asyncio.timeout(HANGS):
        while b"presses" not in await process.stdout.readline():
            assert not process.stdout.at_eof()
    [bot] = children(process)
    process.terminate()
    code, _, errors = await ended(process)
    assert (code, errors) == (1, "Stopped before the end of the story.\n")
    with pytest.raises(ProcessLookupError):
        os.kill(bot, 0)
    assert left_in(tmp_path) == []


async def test_a_port_that_is_taken_is_one_clear_sentence(demo: Demo, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, errors = await ended(await demo("--port", str(port)))
    assert code == 1
    assert errors.startswith(f"Port {port} can't be opened here (")
    assert len(errors.splitlines()) == 1
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("port", ["-1", "65536"])
async def test_a_port_that_cannot_be_is_one_clear_sentence(demo: Demo, port: str) -> None:
    code, _, errors = await ended(await demo(f"--port={port}"))
    assert (code, errors) == (1, "--port must lie between 0 and 65535; leave it out for a free one.\n")


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("simcord", "simcord"),
        ("linkify_it", "linkify-it-py"),
        ("markdown_it", "markdown-it-py"),
        ("PIL", "pillow"),
        ("regex", "regex"),
    ],
)
async def test_a_package_that_is_missing_is_named_in_one_clear_sentence(demo: Demo, module: str, package: str) -> None:
    without = f"import sys; sys.modules[{module!r}] = None; from bot.__main__ import main; sys.exit(main(['demo']))"
    code, _, errors = await ended(await demo(program=("-c", without)))
    assert code == 1
    assert errors == f"The demo needs {package}; install what requirements/demo.txt lists, then start it again.\n"
