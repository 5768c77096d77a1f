"""A small bot of its own, run as a process: what the local Discord must be able to serve, and nothing of ours."""

import asyncio
import io
import os
import re
import signal
from typing import Any, Self

import discord
import yarl
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

_FRUITS = ("apple", "apricot", "banana")


def card(number: int, state: str) -> ui.LayoutView:
    """Return the card of a number in a state; only an open one has buttons."""
    view = ui.LayoutView(timeout=None)
    colour = discord.Colour.green() if state == "open" else discord.Colour.light_grey()
    container: ui.Container[ui.LayoutView] = ui.Container(accent_colour=colour)
    container.add_item(ui.TextDisplay(f"Card {number}"))
    container.add_item(ui.TextDisplay(f"State: {state}"))
    if state == "open":
        container.add_item(ui.ActionRow(Press.made(number, "confirm"), Press.made(number, "ask")))
    view.add_item(container)
    return view


class Question(ui.Modal, title="A question"):
    """A form with one field."""

    answer: ui.TextInput[Any] = ui.TextInput(label="Answer", custom_id="answer")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Repeat what was said."""
        await interaction.response.send_message(f"You said {self.answer.value}", ephemeral=True)


class Press(ui.DynamicItem[ui.Button[Any]], template=r"card:(?P<number>\d+):(?P<deed>confirm|ask)"):
    """A button that survives a restart."""

    def __init__(self, button: ui.Button[Any], number: int, deed: str) -> None:
        super().__init__(button)
        self.number, self.deed = number, deed

    @classmethod
    def made(cls, number: int, deed: str) -> Self:
        """Return the button for a new card."""
        return cls(ui.Button(label=deed.title(), custom_id=f"card:{number}:{deed}"), number, deed)

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Return the button that was pressed."""
        assert isinstance(item, ui.Button)
        return cls(item, int(match["number"]), match["deed"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Show the form, or acknowledge and edit the card twice: at once and a moment later."""
        if self.deed == "ask":
            await interaction.response.send_modal(Question())
            return
        await interaction.response.defer()
        assert interaction.message is not None
        message = interaction.client.get_partial_messageable(interaction.channel_id or 0).get_partial_message(
            interaction.message.id
        )
        await message.edit(view=card(self.number, f"confirmed by {interaction.user.name}"))
        await interaction.followup.send("Noted", ephemeral=True)
        await asyncio.sleep(float(os.environ.get("PROBE_LATER", "0.2")))
        await message.edit(view=card(self.number, "filled"))


class Probe(discord.Client):
    """The bot."""

    def __init__(self) -> None:
        intents = discord.Intents(guilds=True)
        super().__init__(intents=intents, chunk_guilds_at_startup=False)
        self.tree = app_commands.CommandTree(self)
        self.home = discord.Object(int(os.environ["DISCORD_GUILD_ID"]))

    async def setup_hook(self) -> None:
        """Register everything in the one guild."""
        self.add_dynamic_items(Press)
        commands: tuple[app_commands.Command[Any, ..., None], ...] = (open_card, secret, report, slow)
        for command in commands:
            self.tree.add_command(command, guild=self.home)
        await self.tree.sync(guild=self.home)


async def _fruits(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=fruit.title(), value=fruit) for fruit in _FRUITS if fruit.startswith(current)]


@app_commands.command(name="card", description="Post a card")
@app_commands.autocomplete(fruit=_fruits)
async def open_card(interaction: discord.Interaction, fruit: str, number: app_commands.Range[int, 1, 9] = 1) -> None:
    """Defer, post an ordinary message, take the thinking one away."""
    await interaction.response.defer(ephemeral=True)
    place = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    await place.send(view=card(number, "open"), allowed_mentions=discord.AllowedMentions.none(), silent=True)
    await interaction.edit_original_response(content=f"Posted for {fruit}")


@app_commands.command(name="secret", description="Say something to one person")
async def secret(interaction: discord.Interaction) -> None:
    """Answer, follow up, edit the answer, delete the follow-up."""
    await interaction.response.send_message("one", ephemeral=True)
    second = await interaction.followup.send("two", ephemeral=True, wait=True)
    await interaction.edit_original_response(content="one, edited")
    await second.delete()


@app_commands.command(name="report", description="Send a file")
async def report(interaction: discord.Interaction) -> None:
    """Answer with a file shown in a gallery, and read it back from where Discord keeps it."""
    file = discord.File(io.BytesIO(b"a;b\n1;2\n"), filename="report.csv")
    await interaction.response.send_message("Here it is", file=file)
    message = await interaction.original_response()
    content = await message.attachments[0].read()
    await interaction.followup.send(f"Kept {len(content)} bytes")


@app_commands.command(name="slow", description="Never answer")
async def slow(_: discord.Interaction) -> None:
    """Leave the person waiting."""


async def main() -> None:
    """Log in and stay until told to go."""
    Route.BASE = os.environ["DISCORD_API_URL"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY_URL"])
    discord.utils.setup_logging()
    async with Probe() as probe:
        closing = set[asyncio.Task[None]]()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: closing.add(asyncio.create_task(probe.close())))
        await probe.start(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except discord.LoginFailure:
        raise SystemExit(2) from None
