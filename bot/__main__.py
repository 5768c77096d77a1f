"""``python -m bot``: reads the command line, runs one command, turns errors into one sentence and an exit code.

Exit codes: 0 good, 1 failed, 2 wrong use or settings, 69 a service is unreachable.
"""

import argparse
import gc
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bot.errors import DeskError, PolicyError, ServiceUnreachable, SettingsError

T = TypeVar("T")
GOOD, FAILED, WRONG_USE, UNREACHABLE = 0, 1, 2, 69


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (SettingsError, PolicyError) as error:
        return _ended(error, WRONG_USE)
    except ServiceUnreachable as error:
        return _ended(error, UNREACHABLE)
    except DeskError as error:
        return _ended(error, FAILED)
    except KeyboardInterrupt:
        return GOOD


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="python -m bot", description="A Discord desk for NinjaTrader 8, by way of CrossTrade.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, function: object) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=function)
        return added

    command("run", "Run the bot with the settings of the environment and .env.", _run)
    demo = command("demo", "Try it without any token: a local Discord page, a simulated NinjaTrader and the real bot.", _demo)
    demo.add_argument("--script", action="store_true", help="play the whole story without a browser, print it and exit")
    demo.add_argument("--port", type=int, default=None, help="port of the page; a free one if left out")
    demo.add_argument("--websocket", action="store_true", help="let orders travel by the WebSocket")
    check = command("check", "Check settings, policy, journal, Discord and CrossTrade, and say what to do.", _check)
    check.add_argument("--json", action="store_true", help="print one JSON object in place of lines")
    simulator = command("simulator", "Run the simulated NinjaTrader behind the CrossTrade API.", _simulator)
    simulator.add_argument("--host", default="127.0.0.1", help="address to listen on")
    simulator.add_argument("--port", type=int, default=8765, help="port to listen on; 0 for a free one")
    simulator.add_argument("--token", default=None, help="the only bearer token accepted; any if left out")
    spelt = "how instruments are spelt in what it answers: ES 12-26, ESZ6, or ES DEC26"
    simulator.add_argument("--names", choices=["dated", "code", "word"], default="dated", help=spelt)
    policy = command("policy", "Read the policy file and say what it allows, or print its JSON schema.", _policy)
    policy.add_argument("file", nargs="?", type=Path, default=None, help="policy file; POLICY_FILE or policy.toml if left out")
    policy.add_argument("--schema", action="store_true", help="print the JSON schema for editors")
    asks = ("ROLES", "COMMAND [account=…] [instrument=…] [qty=…] [type=…]")
    policy.add_argument(
        "--why", nargs="+", metavar=asks, default=None, help="say whether these roles may do that, and by which line"
    )
    _add_audit(command("audit", "Check that nobody has changed the journal's log, or write it out.", _audit_verify))
    backup = command("backup", "Copy the journal to a new file, also while the bot runs, and read the copy back.", _backup)
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file; its heads go to FILE.heads")
    return top


def _add_audit(audit: argparse.ArgumentParser) -> None:
    tasks = audit.add_subparsers(required=True, metavar="TASK")
    text = "Say whether every row stands as it was written, or which is the first that doesn't; also while the bot runs."
    verify = tasks.add_parser("verify", help=text, description=text)
    verify.set_defaults(command=_audit_verify)
    verify.add_argument("--file", type=Path, default=None, help="an export to check; the journal at DATABASE_URL if left out")
    verify.add_argument(
        "--heads",
        type=Path,
        default=None,
        help="heads to compare with; of a journal, those beside it if left out; of an export, none",
    )
    text = "Write out every row, and the head; what is written can be checked by verify."
    export = tasks.add_parser("export", help=text, description=text)
    export.set_defaults(command=_audit_export)
    export.add_argument("--format", required=True, choices=["csv", "json"], help="how it is written")
    export.add_argument("--out", type=Path, default=None, help="a new file; standard output if left out")


@contextmanager
def _loading() -> Iterator[None]:
    """A place to load what a command needs."""
    # It stays: never looked at as garbage, it makes the start a tenth shorter, and every later collection.
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _run(_options: argparse.Namespace) -> int:
    with _loading():
        from bot.logs import configure  # noqa: PLC0415 - each command loads only what it needs
        from bot.program import proxies  # noqa: PLC0415
        from bot.program.run import run  # noqa: PLC0415
        from bot.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    configure(settings.log_level.value, settings.log_format.value, (*settings.secrets, *proxies.secrets()))
    return _finished(run(settings))


def _demo(options: argparse.Namespace) -> int:
    with _loading():
        from bot.sandbox.demo import main as demo  # noqa: PLC0415

    return _finished(demo(port=options.port, script=options.script, websocket=options.websocket))


def _check(options: argparse.Namespace) -> int:
    with _loading():
        from bot.program.check import check, check_in_json  # noqa: PLC0415

    return _finished(check_in_json() if options.json else check())


def _simulator(options: argparse.Namespace) -> int:
    with _loading():
        from bot.program.signals import until_told  # noqa: PLC0415
        from bot.sandbox.ninjatrader import serve  # noqa: PLC0415

    _finished(until_told(serve(options.host, options.port, options.token, options.names)))
    return GOOD


def _policy(options: argparse.Namespace) -> int:
    with _loading():
        from bot.program.policy import show  # noqa: PLC0415

    return show(options.file, schema=options.schema, why=options.why)


def _audit_verify(options: argparse.Namespace) -> int:
    with _loading():
        from bot.program.audit import verify  # noqa: PLC0415

    return _finished(verify(options.file, options.heads))


def _audit_export(options: argparse.Namespace) -> int:
    with _loading():
        from bot.program.audit import export  # noqa: PLC0415

    return _finished(export(options.format, options.out))


def _backup(options: argparse.Namespace) -> int:
    with _loading():
        from bot.program.backup import backup  # noqa: PLC0415

    return _finished(backup(options.file.absolute()))


def _finished(work: Coroutine[None, None, T]) -> T:
    import asyncio  # noqa: PLC0415 - half of what --help would load

    return asyncio.run(work)


def _ended(error: DeskError, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
