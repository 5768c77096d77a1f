"""The bot to compare with: discord.py and aiohttp, no checks, no reads, no journal. It answers and it posts, and that is all.

``/reverse`` is answered with a card; its Confirm is acknowledged, then the order goes out. It reads its settings from the
names that the real one uses.
"""

import asyncio
import itertools
import json
import os
from typing import Any, cast

import aiohttp
import discord
import yarl
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

_URL = os.environ.get("CROSSTRADE_URL", "")


class Sender:
    """Sends orders: a POST each, or an RPC on one WebSocket."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ids = itertools.count()

    async def open(self) -> None:
        """Connect the socket, if orders travel by it."""
        if os.environ.get("CROSSTRADE_TRANSPORT") == "websocket":
            self._socket = await self._session.ws_connect(f"{_URL}/ws/stream")

    async def send(self, account: str, body: dict[str, object]) -> str:
        """Send one order; gives the answer as text."""
        if self._socket is not None:
            args = {"account": account, **body}
            await self._socket.send_json({"action": "rpc", "id": str(next(self._ids)), "api": "ReversePosition", "args": args})
            return await self._socket.receive_str()
        path = f"/v1/api/accounts/{account}/positions/reverseposition"
        async with self._session.post(_URL + path, json=body) as response:
            return await response.text()


class Card(ui.LayoutView):
    """A card with one button."""

    def __init__(self, sender: Sender, account: str, body: dict[str, object]) -> None:
        super().__init__(timeout=None)
        confirm: ui.Button[Card] = ui.Button(label="Confirm", style=discord.ButtonStyle.success)
        self._sender, self._account, self._body = sender, account, body
        # Assigned as discord.py's own decorator would do it.
        confirm.callback = self._confirmed  # type: ignore[method-assign]
        text: ui.TextDisplay[Card] = ui.TextDisplay(f"{account}\n{json.dumps(body)}")
        self.add_item(ui.Container(text, ui.ActionRow(confirm)))

    async def _confirmed(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        answer = await self._sender.send(self._account, self._body)
        done = ui.LayoutView()
        done.add_item(ui.TextDisplay(f"rejected or not: {answer}"))
        await interaction.edit_original_response(view=done)


@app_commands.command(description="Post a card")
async def reverse(interaction: discord.Interaction[Any], account: str, instrument: str, side: str, qty: int) -> None:
    """Answer with a card."""
    body: dict[str, object] = {
        "instrument": instrument,
        "action": side.upper(),
        "quantity": qty,
        "orderType": "MARKET",
        "timeInForce": "DAY",
    }
    await interaction.response.send_message(view=Card(cast("Bare", interaction.client).sender, account, body))


class Bare(discord.Client):
    """The bot."""

    sender: Sender

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), max_messages=None)
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        """Register the command."""
        guild = discord.Object(int(os.environ["DISCORD_GUILD_ID"]))
        self.tree.add_command(reverse, guild=guild)
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
