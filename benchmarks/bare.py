"""The bot to compare with: discord.py and aiohttp, no checks, no reads, no journal. It answers and it posts, and that is all.

``/reverse`` and ``/place`` are answered with a card; its Confirm is acknowledged, then the order goes out as soon as CrossTrade's
budget has a request left. It reads its settings from the names that the real one uses.
"""

import asyncio
import itertools
import json
import os
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import aiohttp
import discord
import yarl
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

_URL = os.environ.get("CROSSTRADE_URL", "")


@dataclass(frozen=True, slots=True)
class Call:
    """The call of an order: the function's name over the WebSocket, its path below the account over REST."""

    api: str
    path: str


REVERSE = Call("ReversePosition", "positions/reverseposition")
PLACE = Call("PlaceOrder", "orders/place")


class Budget:
    """CrossTrade's: so many requests a second, and so many at once."""

    def __init__(self, rate: float, burst: int) -> None:
        self._apart = 1 / rate
        self._saved = (burst - 1) * self._apart
        self._next = 0.0

    async def spend(self) -> None:
        """Wait for one's turn."""
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now - self._saved) + self._apart
        if (wait := self._next - self._apart - now) > 0:
            await asyncio.sleep(wait)


class Sender:
    """Sends orders: a POST each, or an RPC on one WebSocket."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._ids = itertools.count()
        self._budget = Budget(float(os.environ["CROSSTRADE_RATE"]), int(os.environ["CROSSTRADE_BURST"]))

    async def open(self) -> None:
        """Connect the socket, if orders travel by it."""
        if os.environ.get("CROSSTRADE_TRANSPORT") == "websocket":
            self._socket = await self._session.ws_connect(f"{_URL}/ws/stream")
            self._reading = asyncio.create_task(self._read(self._socket))

    async def send(self, call: Call, account: str, body: dict[str, object]) -> str:
        """Send one order; gives the answer as text."""
        await self._budget.spend()
        if self._socket is not None:
            number = str(next(self._ids))
            answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._answers[number] = answer
            await self._socket.send_json({"action": "rpc", "id": number, "api": call.api, "args": {"account": account, **body}})
            return await answer
        async with self._session.post(f"{_URL}/v1/api/accounts/{account}/{call.path}", json=body) as response:
            return await response.text()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            answer = json.loads(message.data)
            if (waiting := self._answers.pop(str(answer.get("id")), None)) is not None:
                waiting.set_result(json.dumps(answer["data"]))


class Card(ui.LayoutView):
    """A card with one button."""

    def __init__(self, sender: Sender, call: Call, account: str, body: dict[str, object]) -> None:
        super().__init__(timeout=None)
        confirm: ui.Button[Card] = ui.Button(label="Confirm", style=discord.ButtonStyle.success)
        self._send = partial(sender.send, call, account, body)
        # Assigned as discord.py's own decorator would do it.
        confirm.callback = self._confirmed  # type: ignore[method-assign]
        text: ui.TextDisplay[Card] = ui.TextDisplay(f"{account}\n{json.dumps(body)}")
        self.add_item(ui.Container(text, ui.ActionRow(confirm)))

    async def _confirmed(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        answer = await self._send()
        done = ui.LayoutView()
        done.add_item(ui.TextDisplay(f"rejected or not: {answer}"))
        await interaction.edit_original_response(view=done)


@app_commands.command(description="Post a card")
async def reverse(interaction: discord.Interaction[Any], account: str, instrument: str, side: str, qty: int) -> None:
    """Answer with a card."""
    await _show(interaction, REVERSE, account, instrument, side, qty)


@app_commands.command(description="Post a card")
async def place(interaction: discord.Interaction[Any], account: str, instrument: str, side: str, qty: int) -> None:
    """Answer with a card."""
    await _show(interaction, PLACE, account, instrument, side, qty)


async def _show(interaction: discord.Interaction[Any], call: Call, account: str, instrument: str, side: str, qty: int) -> None:
    body: dict[str, object] = {
        "instrument": instrument,
        "action": side.upper(),
        "quantity": qty,
        "orderType": "MARKET",
        "timeInForce": "DAY",
    }
    await interaction.response.send_message(view=Card(cast("Bare", interaction.client).sender, call, account, body))


class Bare(discord.Client):
    """The bot."""

    sender: Sender

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), max_messages=None)
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        """Register the commands."""
        guild = discord.Object(int(os.environ["DISCORD_GUILD_ID"]))
        self.tree.add_command(reverse, guild=guild)
        self.tree.add_command(place, guild=guild)
        await self.sender.open()
        await self.tree.sync(guild=guild)


async def main() -> None:
    """Run until terminated."""
    Route.BASE = os.environ["DISCORD_API_URL"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY_URL"])
    headers = {"Authorization": f"Bearer {os.environ['CROSSTRADE_TOKEN']}"}
    async with aiohttp.ClientSession(headers=headers) as session, Bare() as client:
        client.sender = Sender(session)
        await client.start(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    asyncio.run(main())
