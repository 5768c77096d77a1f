"""Answering one person, by whichever way is still open.

The first answer must come within Discord's three seconds. From then on the interaction's token answers, by whichever client is
logged in: what doesn't get through, as Discord or the way there is away for a moment, is tried again for a while.
"""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import discord

from bot.chat import wording
from bot.chat.markdown import markdown
from bot.chat.rivals import ALREADY_ACKNOWLEDGED, CAME, OVER, first_answer
from bot.chat.tokens import Token
from bot.chat.translate import code_of, translated
from bot.desk.reads.reports import Fills
from bot.desk.requests import Refused
from bot.errors import DeliveryDelayed, DeliveryError, DeliveryRefused

log = logging.getLogger(__name__)

Made = TypeVar("Made")
# More lines than that take longer to draw than others should wait.
MANY = 200
Taken = TypeVar("Taken")
# That Discord has the first answer, and whether that shows "thinking", which a later one takes the place of.
_TAKEN, _THINKING = "taken", "thinking"


def reference(interaction: discord.Interaction[Any]) -> str:
    """A short name for one interaction, for people to quote and for the log to find."""
    return f"{interaction.id:x}"[-7:]


async def acknowledge(interaction: discord.Interaction[Any], what: str, *, thinking: bool = False) -> None:
    """Take Discord's three seconds off the clock.

    Where the way there or back is lost it is said again: Discord tells whether it has the first one.

    Args:
        interaction: a command or a press.
        what: as ``translated`` has it.
        thinking: show "thinking", for the person alone, whose place the answer takes; commands do in any case.

    Raises:
        DeliveryError: Discord doesn't take it, or can't be reached in time.
    """
    timings, clock = interaction.client.messenger.timings, interaction.client.messenger.clock
    pause, tried = timings.answer_again, False
    left = interaction.extras[CAME] + timings.first_within - clock.seconds()
    while True:
        try:
            with first_answer(interaction, what, again=tried):
                await interaction.response.defer(ephemeral=thinking, thinking=thinking)
            break
        except DeliveryDelayed:
            left -= pause
            if left <= 0:
                raise
            tried = True
        except DeliveryRefused as error:
            if tried and code_of(error) == ALREADY_ACKNOWLEDGED:
                break
            raise
        await asyncio.sleep(pause)
        pause *= 2
    interaction.extras[_TAKEN] = True
    interaction.extras[_THINKING] = thinking


async def thinking(interaction: discord.Interaction[Any]) -> None:
    """Take Discord's three seconds off the clock; the answer is for the person alone.

    Raises:
        DeliveryError: Discord doesn't take it.
    """
    await acknowledge(interaction, "the command", thinking=True)


async def answer(interaction: discord.Interaction[Any], text: str) -> bool:
    """Tell the person alone and never fail at it; that Discord doesn't take it is logged, as nobody is left to tell.

    Returns:
        Whether Discord has it.
    """
    if interaction.extras.get(OVER):
        log.info("interaction %s (%s) can't be answered any more", interaction.id, reference(interaction))
        return False
    try:
        if interaction.type is discord.InteractionType.autocomplete:
            await _no_choices(interaction)
        else:
            await say(interaction, [text])
    except (DeliveryError, discord.InteractionResponded) as error:
        log.warning("interaction %s (%s) not answered: %s", interaction.id, reference(interaction), error)
        return False
    return True


async def say(interaction: discord.Interaction[Any], texts: Sequence[str]) -> None:
    """Tell the person alone, in as many messages as it takes, the first in the place of "thinking" where that is shown.

    Raises:
        DeliveryError: Discord doesn't take it.
    """
    first, *rest = texts
    if interaction.extras.get(_THINKING):
        await _in_place_of_thinking(interaction, first)
    elif is_taken(interaction):
        rest = [first, *rest]
    else:
        await _first(interaction, first)
    await _more(interaction, rest)


async def show(interaction: discord.Interaction[Any], texts: Sequence[str], picture: discord.File) -> None:
    """Put a picture in the place of "thinking", with the first text beside it and the others below.

    Raises:
        DeliveryError: Discord doesn't take it.
    """
    first, *rest = texts
    # Whatever sends a file closes it.
    drawn, name, words = picture.fp.read(), picture.filename, picture.description

    async def put(client: discord.Client) -> None:
        await Token.of(interaction).edit(
            client, content=first, attachments=[discord.File(io.BytesIO(drawn), name, description=words)]
        )

    await keep_trying(interaction, "a picture", put)
    await _more(interaction, rest)


async def redraw(interaction: discord.Interaction[Any], view: discord.ui.LayoutView) -> None:
    """Put a card in the place of "thinking".

    Raises:
        DeliveryError: Discord doesn't take it.
    """
    within = interaction.client.messenger.timings.card_tried
    await keep_trying(interaction, "the private ticket", lambda client: Token.of(interaction).edit(client, view=view), within)


async def told(interaction: discord.Interaction[Any], made: Made | Refused, drawn: Callable[[Made], list[str]]) -> None:
    """Tell what the desk has read, or why it didn't."""
    if isinstance(made, Refused):
        await say(interaction, [wording.denied(made.denials)])
    elif isinstance(made, Fills) and len(made.earlier or ()) > MANY:
        # Drawing thousands of lines beside the loop: it must go on meanwhile.
        await say(interaction, await asyncio.to_thread(drawn, made))
    else:
        await say(interaction, drawn(made))


def is_taken(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether Discord has the first answer."""
    return bool(interaction.extras.get(_TAKEN)) or interaction.response.is_done()


async def keep_trying(
    interaction: discord.Interaction[Any],
    what: str,
    call: Callable[[discord.Client], Awaitable[Taken]],
    within: float | None = None,
) -> Taken:
    """Make a call until Discord has taken it or refuses it, each time by the client that is logged in then.

    Args:
        interaction: whom it is for.
        what: as ``translated`` has it.
        call: is handed the client; making it twice must do no harm.
        within: seconds of pauses between tries in all; those of an answer if left out.

    Raises:
        DeliveryError: Discord doesn't take it, or it took too long.
    """
    messenger = interaction.client.messenger
    timings = messenger.timings
    pause, left = timings.answer_again, timings.answer_tried if within is None else within
    while True:
        try:
            with translated(what):
                return await call(messenger.living(interaction.client))
        except DeliveryDelayed as error:
            wait = max(pause, error.retry_after or 0.0)
            left -= wait
            if left <= 0:
                raise
            log.info("interaction %s: %s; trying again in %.2f s", interaction.id, error, wait)
        await asyncio.sleep(wait)
        pause = min(pause * 2, timings.longest_answer_pause)


async def _first(interaction: discord.Interaction[Any], text: str) -> None:
    """Answer first, and once more where that was lost on its way, unless it was only Discord's word that it has come."""
    sent = markdown(text)
    try:
        with first_answer(interaction, "an answer"):
            await interaction.response.send_message(sent, ephemeral=True)
    except DeliveryDelayed:
        try:
            with first_answer(interaction, "an answer", again=True):
                await interaction.response.send_message(sent, ephemeral=True)
        except DeliveryRefused as error:
            if code_of(error) != ALREADY_ACKNOWLEDGED:
                raise
    interaction.extras[_TAKEN] = True


async def _in_place_of_thinking(interaction: discord.Interaction[Any], text: str) -> None:
    sent = markdown(text)
    try:
        await keep_trying(interaction, "an answer", lambda client: Token.of(interaction).edit(client, content=sent))
    except DeliveryRefused:
        # A card may stand there, which takes no other text.
        await _once_more(interaction, sent)
    interaction.extras[_THINKING] = False


async def _more(interaction: discord.Interaction[Any], texts: Sequence[str]) -> None:
    for text in texts:
        await _once_more(interaction, markdown(text))


async def _once_more(interaction: discord.Interaction[Any], sent: str) -> None:
    await keep_trying(interaction, "an answer", lambda client: Token.of(interaction).send(client, sent))


async def _no_choices(interaction: discord.Interaction[Any]) -> None:
    if not interaction.response.is_done():
        with first_answer(interaction, "suggestions"):
            await interaction.response.autocomplete([])
