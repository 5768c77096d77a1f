"""News from the desk to Discord: drawing tickets and posting notices, by REST alone and without any cache.

When to try again, and what counts as told, is the outbox's business.
"""

import asyncio
import hashlib
import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.chat import wording
from bot.chat.cards import card, foot
from bot.chat.notices import drawn
from bot.chat.people import roles_of
from bot.chat.private import PrivateCards
from bot.chat.recall import Recall
from bot.chat.rivals import Rivals
from bot.chat.translate import CHANNEL_SHUT, NOBODY_THERE, code_of, translated
from bot.clock import UNSET, Clock
from bot.dates import Dates
from bot.desk.ports import Notice
from bot.errors import DeliveryDelayed, DeliveryError, DeliveryRefused
from bot.timings import USUAL, ChatTimings
from bot.trading.health.vitals import ChatVitals
from bot.trading.orders.tickets import Ticket, TicketState, Visibility, shifted

log = logging.getLogger(__name__)
LONGEST_NOTICE = 1900
LOOK_BACK = 100
SAME_START = 1000
# Discord asks for a heartbeat every 41.25 seconds; one that late is no connection any more.
A_HEARTBEAT_AGO = 40.0
# Discord stamps messages by its own clock.
CLOCK_DIFFERENCE = timedelta(minutes=1)
NOBODY = discord.AllowedMentions.none()
# Of a private ticket these concern nobody but its requester: nothing was sent.
_STAYS_PRIVATE = frozenset({TicketState.OFFERED, TicketState.CANCELLED, TicketState.EXPIRED, TicketState.VOID})


class DiscordMessenger:
    """Fills ``bot.desk.ports.Messenger``. Clients come and go; without one, everything is put off.

    Args:
        clock: the desk's; people read its moments as the host's clock has them.
        why_not: why nothing may be told just now, if so; then everything is put off, too.
        timings: how long is waited for what.
    """

    def __init__(self, clock: Clock, why_not: Callable[[], str | None] = lambda: None, timings: ChatTimings = USUAL.chat) -> None:
        self.clock = clock
        self.timings = timings
        self.recall = Recall(clock.seconds, timings.token_lives)
        self.private = PrivateCards(clock.seconds, timings.token_lives)
        # Private tickets whose result may stand in the channel, its answer lost.
        self._perhaps_posted: set[str] = set()
        self._why_not = why_not
        self.rivals = Rivals(clock.seconds)
        self.dates = Dates(clock)
        self._client: discord.Client | None = None

    @property
    def attached(self) -> bool:
        """Tell whether there is a client to deliver by."""
        return self._client is not None and self._why_not() is None

    def vitals(self) -> ChatVitals:
        """State of the link to Discord."""
        client = self._client
        if client is None or client.is_closed():
            return ChatVitals(rivals=self.rivals.count(), clock_ahead=self.dates.ahead)
        # Infinite without a connection.
        up = client.is_ready() and not math.isinf(client.latency)
        return ChatVitals(up, measured(client.latency), self.rivals.count(), self.dates.ahead)

    def attach(self, client: discord.Client) -> None:
        """Deliver by this client from now on; it has logged in."""
        self._client = client

    def living(self, client: discord.Client) -> discord.Client:
        """The client that is logged in now; that one, where none is."""
        return self._client or client

    def detach(self, client: discord.Client) -> None:
        """Stop delivering by this client."""
        if self._client is client:
            self._client = None

    async def show(self, ticket: Ticket, late: float) -> int | None:
        """Draw the ticket as it stands; returns the id of the message if it posted one.

        Raises:
            DeliveryDelayed, DeliveryRefused: see ``translate``.
        """
        if ticket.message is not None:
            return await self._edit(ticket, ticket.message, late)
        if ticket.visibility is Visibility.PRIVATE:
            return await self._show_private(ticket, late)
        if (lost := await self._find(ticket)) is not None:
            await self._edit(ticket, lost, late)
            return lost
        if ticket.state is TicketState.VOID:
            # It could not be posted when it was new, and its requester was told so.
            return None
        return (await self.post(ticket, late)).id

    async def tell(self, notice: Notice, delivery_id: int, late: float, perhaps_since: datetime | None = None) -> None:
        """Post a notice; Discord takes one with the same id and text only once within some minutes.

        Args:
            notice: what to tell, and where.
            delivery_id: of the outbox's row.
            late: how many seconds ago the news happened.
            perhaps_since: since when it may stand there already, if it may; later than those minutes only the channel knows.

        Raises:
            DeliveryDelayed, DeliveryRefused: see ``translate``.
        """
        channel = self._channel(notice.channel)
        if perhaps_since is not None and await self._stands(notice, perhaps_since):
            return
        with translated("a notice"):
            await channel.send(
                wording.fit(drawn(notice.text, late), LONGEST_NOTICE),
                silent=notice.silent,
                suppress_embeds=True,
                nonce=_nonce("notice", delivery_id, notice.text),
                allowed_mentions=NOBODY,
            )

    async def roles(self, guild: int, member: int) -> frozenset[int] | None:
        """A member's roles as of now; ``None`` for somebody who isn't there.

        Raises:
            DeliveryDelayed, DeliveryRefused: see ``translate``.
        """
        found = self._ready().get_guild(guild)
        if found is None or found.unavailable:
            raise DeliveryDelayed("The server is not there just now.")
        try:
            with translated("a question about a member"):
                return roles_of(await found.fetch_member(member))
        except DeliveryRefused as error:
            if code_of(error) in NOBODY_THERE:
                return None
            raise

    async def fall_back(self, ticket: Ticket, late: float) -> None:
        """Send the ticket to its requester's direct messages.

        Raises:
            DeliveryDelayed, DeliveryRefused: see ``translate``.
        """
        with translated("a direct message"):
            channel = await self._ready().create_dm(discord.Object(ticket.requester.id))
            nonce = _nonce("direct", ticket.id, ticket.version)
            await channel.send(view=self.card(ticket, late, buttons=False), nonce=nonce, allowed_mentions=NOBODY)

    def card(self, ticket: Ticket, late: float = 0.0, *, buttons: bool = True, note: str | None = None) -> discord.ui.LayoutView:
        """The ticket's card, its times as people's clocks have them."""
        return card(shifted(ticket, self.clock.set_by), late, buttons=buttons, note=note)

    async def post(self, ticket: Ticket, late: float = 0.0, *, instead_of: int | None = None) -> discord.Message:
        """Post the ticket's card where it was asked for.

        Args:
            ticket: what to post.
            late: how many seconds ago the news happened.
            instead_of: the message that showed it before and is gone.

        Raises:
            DeliveryDelayed, DeliveryRefused: see ``translate``.
        """
        channel = self._channel(ticket.origin.channel, ticket.origin.guild)
        with translated("the ticket"):
            # The same nonce makes it one message, whoever posts it first: the command or the outbox.
            nonce = _nonce("card", ticket.id, instead_of)
            async with asyncio.timeout(self.timings.post_within):
                return await channel.send(view=self.card(ticket, late), nonce=nonce, allowed_mentions=NOBODY)

    async def _find(self, ticket: Ticket) -> int | None:
        """The ticket's message, if there is one after all: the process may have ended between posting it and noting where."""
        channel = self._channel(ticket.origin.channel, ticket.origin.guild)
        # Where it should be by the time, and among the newest, as the machine's clock may be wrong by any amount.
        since = (self._in_discord(ticket.created_at), None)
        me = self._ready().user
        # Anybody may post a copy of a card; ours alone can be edited.
        found = await self._look_for(channel, lambda message: message.author == me and shows(message, ticket.id), *since)
        return None if found is None else found.id

    async def _stands(self, notice: Notice, since: datetime) -> bool:
        """Tell whether the notice can be read in its channel already."""
        me, start = self._ready().user, drawn(notice.text).strip()[:SAME_START]

        def is_it(message: discord.Message) -> bool:
            return message.author == me and message.content.startswith(start)

        return await self._look_for(self._channel(notice.channel), is_it, self._in_discord(since)) is not None

    def _in_discord(self, at: datetime) -> datetime:
        """A moment of the desk's time as Discord's clock had it at the earliest, by what its answers say of that clock."""
        return self.clock.shown(at) - (self.dates.ahead or UNSET) - CLOCK_DIFFERENCE

    async def _look_for(
        self, channel: discord.PartialMessageable, fits: Callable[[discord.Message], bool], *since: datetime | None
    ) -> discord.Message | None:
        """The first message that fits, of those that came next after each moment, or of the newest where that is ``None``."""
        try:
            with translated("the channel's history"):
                for moment in since:
                    async for message in channel.history(limit=LOOK_BACK, after=moment):
                        if fits(message):
                            return message
        except DeliveryRefused as error:
            # Without the right to read the history it is posted anew: better twice than never.
            log.info("channel %s: %s", channel.id, error)
        return None

    async def _edit(self, ticket: Ticket, message: int, late: float) -> int | None:
        part = self._channel(ticket.origin.channel, ticket.origin.guild).get_partial_message(message)
        try:
            with translated("the ticket"):
                await part.edit(view=self.card(ticket, late), allowed_mentions=NOBODY)
        except DeliveryRefused as error:
            if code_of(error) in CHANNEL_SHUT:
                raise
            # Deleted, in a thread that was archived since, or not ours to edit: a stale card with live buttons must not be all.
            log.info("ticket %s is posted anew: %s", ticket.id, error)
            return (await self.post(ticket, late, instead_of=message)).id
        return None

    async def _show_private(self, ticket: Ticket, late: float) -> int | None:
        if ticket.state not in _STAYS_PRIVATE:
            posted = await self._post_result(ticket, late)
            await self._point_to(ticket, posted)
            return posted.id
        found, client = self.private.find(ticket.id), self._ready()
        if found is None:
            raise DeliveryRefused("The private card is out of reach.")
        with translated("the private ticket"):
            await found.redraw(client, self.card(ticket, late))
        return None

    async def _post_result(self, ticket: Ticket, late: float) -> discord.PartialMessage | discord.Message:
        """Post what became of a private ticket, or redraw what was posted although nobody heard so.

        Discord takes a second post for the first one, with what that one said.
        """
        may_stand = ticket.id in self._perhaps_posted or self.private.find(ticket.id) is None
        if may_stand and (lost := await self._find(ticket)) is not None:
            await self._edit(ticket, lost, late)
            self._perhaps_posted.discard(ticket.id)
            return self._channel(ticket.origin.channel, ticket.origin.guild).get_partial_message(lost)
        # Whatever ends the post, that nobody waits for it any longer among it, may leave it standing there; a no doesn't.
        self._perhaps_posted.add(ticket.id)
        try:
            posted = await self.post(ticket, late)
        except DeliveryRefused:
            self._perhaps_posted.discard(ticket.id)
            raise
        self._perhaps_posted.discard(ticket.id)
        return posted

    async def _point_to(self, ticket: Ticket, posted: discord.PartialMessage | discord.Message) -> None:
        """Take the buttons off the private card; that it can't be done costs nothing, as the result is posted."""
        found = self.private.find(ticket.id)
        self.private.drop(ticket.id)
        if found is None:
            return
        note = wording.RESULT_POSTED.format(link=posted.jump_url)
        try:
            with translated("the private ticket"):
                await found.redraw(self._ready(), self.card(ticket, buttons=False, note=note))
        except DeliveryError as error:
            log.info("private card of ticket %s not redrawn: %s", ticket.id, error)

    def _channel(self, channel: int, guild: int | None = None) -> discord.PartialMessageable:
        return self._ready().get_partial_messageable(channel, guild_id=guild)

    def _ready(self) -> discord.Client:
        if (why := self._why_not()) is not None:
            raise DeliveryDelayed(why)
        if self._client is None:
            raise DeliveryDelayed("The bot is not logged in to Discord.")
        return self._client


def measured(seconds: float) -> float | None:
    """discord.py's latency, as far as it is one.

    It is infinite without a connection and not a number before the first heartbeat was answered. An answer that comes before
    discord.py has noted when it asked is counted from the heartbeat before, some 41 s ago.
    """
    return seconds if seconds < A_HEARTBEAT_AGO else None


def shows(message: discord.Message, ticket_id: str) -> bool:
    """Tell whether a message is the card of that ticket, by its buttons or by its last line."""
    waiting: list[Any] = list(message.components)
    while waiting:
        part = waiting.pop()
        waiting += getattr(part, "children", ())
        if str(getattr(part, "custom_id", None) or "").startswith(f"ticket:{ticket_id}:"):
            return True
        if foot(ticket_id) in str(getattr(part, "content", None) or "").splitlines():
            return True
    return False


def _nonce(*parts: object) -> str:
    """A name for one message, the same after a restart, within Discord's 25 characters."""
    return hashlib.blake2s(repr(parts).encode(), digest_size=12).hexdigest()
