"""Proxies of the environment: who goes through one, who doesn't, and that its password stays where it is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import discord
import pytest
from discord.http import Route

from bot.clock import system_clock
from bot.crosstrade import CrossTrade
from bot.errors import BrokerError, SettingsError
from bot.program.proxies import proxy_for, secrets, shown
from bot.redaction import Redactor

PROXY = "http://desk:pass%40word@proxy.example:3128"
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "WSS_PROXY")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://discord.com/api/v10", None),
        ({"HTTPS_PROXY": PROXY}, "https://discord.com/api/v10", PROXY),
        ({"https_proxy": PROXY}, "wss://gateway.discord.gg", PROXY),
        ({"ALL_PROXY": PROXY}, "https://app.crosstrade.io", PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "https://app.crosstrade.io", "http://proxy.example:3128"),
        ({"HTTPS_PROXY": PROXY}, "http://app.crosstrade.io", None),
        ({"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}, "http://127.0.0.1:8765", None),
        ({"HTTP_PROXY": PROXY}, "http://localhost:8765", None),
        ({"HTTP_PROXY": PROXY}, "ws://[::1]:8765/ws/stream", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "crosstrade.io,x"}, "https://app.crosstrade.io", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, "https://app.crosstrade.io", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "crosstrade.io"}, "https://discord.com/api", PROXY),
    ],
)
def test_who_goes_through_a_proxy(
    environment: Mapping[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize("proxy", ["socks5://desk:secret-9@proxy:1080", "http://", "http://proxy:99999", "ftp://proxy"])
def test_one_that_cant_be_used_is_a_wrong_setting(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SettingsError, match=r"^HTTPS_PROXY: only a proxy like http://HOST:PORT") as caught:
        proxy_for("https://discord.com")
    assert "secret" not in str(caught.value)


def test_its_password_is_shown_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert shown(PROXY) == "http://proxy.example:3128"
    clean = Redactor(secrets())(f"{PROXY} pass@word pass%40word")
    assert "pass" not in clean


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that notes whom it is asked for, and refuses."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.partition(" HTTP/")[0] + ("" if "Proxy-Authorization" not in head else " as somebody"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://desk:secret-9@127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_rest_and_stream_of_crosstrade_both_go_through_it() -> None:
    async with listening() as (proxy, asked):
        client = CrossTrade(
            "https://app.invalid", "secret", clock=system_clock(), new_id=lambda: "1", transport="websocket", proxy=proxy
        )
        async with client, asyncio.timeout(10):
            with pytest.raises(BrokerError) as caught:
                await client.accounts()
            while len(asked) < 2:
                await asyncio.sleep(0.01)
    assert set(asked) == {"CONNECT app.invalid:443 as somebody"}
    assert "secret-9" not in str(caught.value)


async def test_discord_goes_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # As a client of another test may have pointed it elsewhere: the address is discord.py's, for a whole process.
    monkeypatch.setattr(Route, "BASE", "https://discord.com/api/v10")
    async with listening() as (proxy, asked), discord.Client(intents=discord.Intents.none(), proxy=proxy) as client:
        with pytest.raises(Exception, match="403"):
            await client.login("token")
    assert asked == ["CONNECT discord.com:443 as somebody"]
