"""The program's other commands, as a person or a script runs them."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import aiohttp
import pytest

from tests.process.conftest import ROOT, Street
from tests.street import POLICY


async def ran(*arguments: str, cwd: Path = ROOT) -> tuple[int, str, str]:
    """A command's exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=cwd, env={"PATH": "", "PYTHONPATH": str(ROOT)}, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_simulator_says_where_it_is_and_stops_when_told(number: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "simulator", "--port", "0", "--token", "abc", cwd=ROOT, stdout=PIPE
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith("CrossTrade simulator at http://127.0.0.1:")
    assert line.endswith(" (token abc)\n")
    url = line.split()[3]
    async with aiohttp.ClientSession(url) as session:
        assert (await session.get("/v1/api/accounts")).status == 401
        assert (await session.get("/v1/api/accounts", headers={"Authorization": "Bearer abc"})).status == 200
    process.send_signal(number)
    async with asyncio.timeout(10):
        assert await process.wait() == 0


async def test_help_names_every_command() -> None:
    code, out, _ = await ran("--help")
    assert code == 0
    for name in ("run", "demo", "check", "simulator", "policy"):
        assert name in out


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("simulator", "--port", "many")])
async def test_wrong_use_exits_with_two(arguments: tuple[str, ...]) -> None:
    assert (await ran(*arguments))[0] == 2


async def test_a_policy_is_read_out_in_words(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    code, out, _ = await ran("policy", str(file))
    assert code == 0
    assert "at most 5 per order" in out
    file.write_text("[[grant]]\nrole = 1\ncommands = ['reverse']\n")
    code, out, err = await ran("policy", str(file))
    assert code == 2
    assert "grant[1]" in err
    assert "Traceback" not in err


async def test_the_policy_schema_is_printed() -> None:
    code, out, _ = await ran("policy", "--schema")
    assert code == 0
    assert out == (ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8")


async def test_check_finds_all_good_or_says_what_to_do(street: Street) -> None:
    process = await street.launch("check")
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert "good" in out.decode()
    assert "oauth2/authorize" in out.decode()
    assert process.returncode in {0, 1}, err.decode()
    street.settings["CROSSTRADE_URL"] = "http://127.0.0.1:9"
    process = await street.launch("check")
    async with asyncio.timeout(30):
        await process.communicate()
    assert process.returncode == 69
