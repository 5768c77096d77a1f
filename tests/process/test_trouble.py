"""What a bad day brings to a bot as a process: what stops a start is one sentence, and no end is lost with the process."""

import asyncio
import resource
import socket
import sys
from asyncio.subprocess import Process

import aiohttp
import pytest

from tests.process.conftest import Street, free_port
from tests.street import COMMAND, POLICY, until


async def ended(process: Process) -> tuple[int, str]:
    """A command's exit code and what it said."""
    async with asyncio.timeout(20):
        _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def answered(street: Street, member: str = "trader", **options: object) -> str:
    """What a member alone reads after /reverse."""
    reply = await street.discord.slash(member, "desk", "reverse", {**COMMAND, **options})
    await until(lambda: bool(street.discord.interaction(reply.id).text))
    return street.discord.interaction(reply.id).text


async def test_a_token_that_discord_refuses_stops_the_start_with_one_sentence(street: Street) -> None:
    street.settings["DISCORD_TOKEN"] = "wrong-and-secret"
    code, said = await ended(await street.launch("run"))
    assert code == 2
    assert "DISCORD_TOKEN" in said
    assert "Traceback" not in said
    assert "wrong-and-secret" not in said


async def test_a_missing_setting_stops_the_start_with_one_sentence(street: Street) -> None:
    street.settings["CROSSTRADE_TOKEN"] = ""
    code, said = await ended(await street.launch("run"))
    assert code == 2
    assert "CROSSTRADE_TOKEN" in said
    assert "Traceback" not in said


async def test_a_policy_that_can_not_be_used_stops_the_start(street: Street) -> None:
    (street.folder / "policy.toml").write_text(POLICY + "\nsurprise = 1\n")
    code, said = await ended(await street.launch("run"))
    assert code == 2
    assert "policy.toml" in said
    assert "Traceback" not in said


async def test_i24_a_second_process_on_the_same_journal_refuses_to_start(street: Street) -> None:
    await street.start()
    code, said = await ended(await street.launch("run"))
    assert code == 1
    assert "journal" in said
    assert "Traceback" not in said
    card = await street.ask()
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("accepted")


async def test_sigterm_sees_an_order_on_its_way_to_its_end(street: Street) -> None:
    await street.start()
    card = await street.ask()
    await street.control("faults", rules=[{"kind": "delay", "call": "ReversePosition", "seconds": 1.0}])
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: street.rows("SELECT state FROM tickets") == [("sending",)])
    assert await street.stop() == 0
    assert street.rows("SELECT state FROM tickets") == [("accepted",)]
    assert "accepted" in street.discord.message(card.id).text.casefold()


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit to fill the disk of one process alone")
async def test_a_full_disk_sends_no_order_that_could_not_be_journaled(street: Street) -> None:
    await street.start()
    card = await street.ask()
    assert street.process is not None
    size = max(file.stat().st_size for file in street.folder.glob("desk.db*"))
    _, hard = resource.prlimit(street.process.pid, resource.RLIMIT_FSIZE)
    # Nothing may grow any more; what is written in place inside the files still works, as on a full disk.
    resource.prlimit(street.process.pid, resource.RLIMIT_FSIZE, (min(size, 4096), hard))
    await street.discord.click("trader", card.id, "Confirm")
    told = await street.card("not sent", seconds=15)
    assert told.id == card.id
    assert street.entries() == []
    assert "journal" in (await answered(street, "second")).casefold()
    resource.prlimit(street.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await until(lambda: street.rows("SELECT state FROM tickets") == [("not sent",)], 20)
    again = await street.ask("second")
    await street.discord.click("second", again.id, "Confirm")
    await street.card("accepted")


async def test_metrics_and_health_are_served_on_loopback(street: Street) -> None:
    port = free_port()
    street.settings["METRICS_PORT"] = str(port)
    await street.start()
    card = await street.ask()
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("accepted")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        page = await (await session.get("/metrics")).text()
        assert 'crosstalk_events_total{event="accepted"} 1.0' in page
        assert 'crosstalk_up{link="crosstrade"} 1.0' in page
        assert 'crosstalk_link{link="ninjatrader"} 1.0' in page
        assert 'crosstalk_crosstrade_requests_total{purpose="orders"} 1.0' in page
        assert 'crosstalk_crosstrade_requests_total{purpose="commands that only read"} 0.0' in page
        assert "crosstalk_crosstrade_requests_left " in page
        assert (await session.get("/healthz")).status == 200
        await street.control("faults", rules=[{"kind": "offline"}])
        await answered(street, "second")
        assert (await session.get("/healthz")).status == 503
        assert 'crosstalk_link{link="ninjatrader"} 0.0' in await (await session.get("/metrics")).text()


async def test_a_metrics_port_that_is_taken_stops_the_start_with_one_sentence(street: Street) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        street.settings["METRICS_PORT"] = str(taken.getsockname()[1])
        code, said = await ended(await street.launch("run"))
    assert code == 2
    assert "METRICS_PORT" in said
    assert "Traceback" not in said
