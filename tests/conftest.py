"""True of every test: nothing leaves loopback, and no setting of this machine leaks in."""

import ipaddress
import os
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

RANDOM_RUNS = 40
RULE_CASES = 4000
SLOW_ROOMS = ("process", "demo")

SETTINGS = ("DISCORD_", "CROSSTRADE_", "DATABASE_URL", "POLICY_FILE", "LOG_", "METRICS_PORT")


# How fast a machine makes up examples says nothing about the code.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--random-runs",
        type=int,
        default=RANDOM_RUNS,
        help="how many random books are flattened and positions reversed (the full proof: 200)",
    )

    parser.addoption(
        "--rule-cases",
        type=int,
        default=RULE_CASES,
        help="how many made-up orders the rules and their reference decide (the full proof: 200000)",
    )
    parser.addoption(
        "--delays", type=int, default=1, help="how many steps of a race between presses are delayed at once (the full proof: 2)"
    )
    spelt = "how the simulated NinjaTrader spells instruments where the bot runs as a process: dated, code or word"
    parser.addoption("--names", choices=("dated", "code", "word"), default="dated", help=spelt)
    parser.addoption("--every-step", type=int, default=12, help="which steps of a race are delayed (the full proof: 1, each)")


def pytest_xdist_auto_num_workers() -> int:
    """Most of a test over real sockets is waiting for the other side, so there are more workers than processors."""
    return 3 * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Let each worker rewrite the asserts of its share of the files first, and read from the cache what others have rewritten.

    Every worker collects every test, and rewriting is two thirds of that. Without a share of its own each would rewrite all of
    them at the same time; where nothing may be cached each has to.
    """
    given: dict[str, Any] = getattr(session.config, "workerinput", {})
    if not given:
        return (yield)
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        number = int(given["workerid"].removeprefix("gw"))
        for file in sorted(_test_files(session.config))[number :: given["workercount"]]:
            # What can't be imported is told by the collection itself.
            with suppress(Exception):
                import_module(".".join(file.relative_to(session.config.rootpath).with_suffix("").parts))
        return (yield)
    finally:
        sys.dont_write_bytecode = kept


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Spread what waits for real processes over the first half of each worker's part, so that none is left to one at the end."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = [item for item in items if item.path.parent.name in SLOW_ROOMS]
    others = [item for item in items if item.path.parent.name not in SLOW_ROOMS]
    items.clear()
    for number in range(workers):
        mine, left = slow[number::workers], workers - number
        between, others = others[: len(others) // left], others[len(others) // left :]
        stride = len(between) // (2 * len(mine) or 1)
        for place, item in enumerate(mine):
            items += [item, *between[place * stride : (place + 1) * stride]]
        items += between[len(mine) * stride :]


def _test_files(config: pytest.Config) -> Iterator[Path]:
    """The files in the folders that were asked for."""
    for argument in config.args:
        folder = config.invocation_params.dir / argument
        if folder.is_dir():
            yield from folder.rglob("test_*.py")


class LeftLoopback(RuntimeError):
    """A test tried to reach another machine."""


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex


def _guarded_connect(self: socket.socket, address: Any) -> None:
    if not _is_local(address):
        raise LeftLoopback(f"a test tried to reach {address}")
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    if not _is_local(address):
        raise LeftLoopback(f"a test tried to reach {address}")
    return _connect_ex(self, address)


@pytest.fixture(autouse=True, scope="session")
def _stay_on_loopback() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded_connect)
        patch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
        yield


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(SETTINGS):
            monkeypatch.delenv(name)
