"""The two ways to run the demo: for a person at the page, or as a story that plays itself. Both end at a signal."""

import asyncio
import signal
import sys
from io import TextIOWrapper

from bot.errors import DeskError
from bot.sandbox.demo.guide import page_guide, reverse_command
from bot.sandbox.demo.levers import WORDS, heard
from bot.sandbox.demo.stage import Stage, staged
from bot.sandbox.demo.story import SHORTEST_LIFE, tell
from bot.sandbox.demo.typed import lines, source

GOOD = 0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


async def play(*, port: int, script: bool, websocket: bool) -> int:
    """Run until told to stop, or to the story's end; returns the exit code.

    Raises:
        DeskError: see ``bot.sandbox.demo.main``.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        # Where the terminal knows fewer letters, a question mark is better than no demo.
        sys.stdout.reconfigure(errors="replace")
    stop = _stop_on_signals()
    acting = asyncio.create_task(_story(websocket=websocket) if script else _page(port, websocket=websocket))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({acting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        # Ctrl-C reaches the bot too; that it is gone by then is no news.
        if acting.done() and not stop.is_set():
            acting.result()
            return GOOD
    finally:
        # What the task has started, its context managers stop.
        acting.cancel()
        stopping.cancel()
        await asyncio.gather(acting, stopping, return_exceptions=True)
    if script:
        raise DeskError("Stopped before the end of the story.")
    _say("Stopped.")
    return GOOD


async def _page(port: int, *, websocket: bool) -> None:
    typing = source()
    async with staged(_warn, port=port, pages=True, websocket=websocket) as stage:
        front, live = (reverse_command(account, stage.held(account)) for account in ("Sim102", "Apex-001"))
        words = () if typing is None else tuple(WORDS)
        for line in page_guide(stage.discord.base, str(stage.log), stage.crosstrade, front=front, live=live, words=words):
            _say(line)
        await stage.bot.beside(_listen(stage, typing))


async def _listen(stage: Stage, typing: int | None) -> None:
    """Do what is typed, for ever."""
    if typing is not None:
        async for line in lines(typing):
            for answer in heard(stage.simulator, line):
                _say(f"  {answer}")
    await asyncio.Event().wait()


async def _story(*, websocket: bool) -> None:
    async with staged(_warn, websocket=websocket, confirm_seconds=SHORTEST_LIFE) as stage:
        order_id = await stage.bot.beside(tell(stage, _say))
    # After everything has stopped, so that this is the last line.
    _say(f"The story is told, and every step of it proved. The first reversal is order {order_id}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _warn(line: str) -> None:
    _say(f"  bot's log: {line}")


def _stop_on_signals() -> asyncio.Event:
    """An event that any polite way to end a program sets."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        # nohup and background jobs ignore some on purpose.
        if signal.getsignal(number) is signal.SIG_IGN:
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Windows' event loops have no signal handlers; this one runs between two bytecodes of the main thread.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop
