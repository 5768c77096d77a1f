"""The one place that touches SimCord's private names, each with the reason why; written against SimCord 3.2.1.

SimCord was made for tests inside the bot's own process and on a virtual clock. Here its rules run on wall-clock time
behind sockets. What the world contains, what is served and who acts live elsewhere and know only the names below.
"""

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import discord
from simcord import Env, InteractionResult

# Private: the clock that SimCord stamps ids, messages and interaction deadlines with; the default one stands still.
from simcord._clock import Clock

# Private: the store behind the rules. Subclassed for fixed ids, real deadlines and the history of edits.
from simcord.backend import Backend

# Private: who may see a channel, as the viewer's own client would decide it.
from simcord.backend.access import channel_accessible, message_accessible

# Private: the placeholder address in every attachment, replaced by ours on the way out.
from simcord.backend.cdn import CDN_BASE

# Private: the stored shapes that the readers flatten.
from simcord.backend.models import Interaction, Message, Overwrite

# Private: the wire shapes of READY, GUILD_CREATE and GUILD_MEMBERS_CHUNK.
from simcord.backend.serializers import guild_create_payload, member_payload, message_payload, user_payload

# Private: what a disabled, hidden or vanished control means is decided there.
from simcord.enums import ComponentType, InteractionType, OptionType, OverwriteType

# Public: the rules of 140 routes. Importing the routes registers them.
from simcord.http import routes
from simcord.http.router import RouteNotImplemented, UnsupportedField, dispatch

# Private: which intent an event needs, and what a bot without the message content intent gets to see.
from simcord.intents import censor_message, prune_guild_create, required_intent

# Private: the envelope of an INTERACTION_CREATE, for interactions that no honest client would send.
from simcord.interactions import base_payload

__all__ = [
    "CDN_BASE",
    "Backend",
    "ComponentType",
    "Interaction",
    "InteractionType",
    "Message",
    "NumberedBackend",
    "OptionType",
    "Overwrite",
    "OverwriteType",
    "RealTimeEnv",
    "RouteNotImplemented",
    "UnsupportedField",
    "base_payload",
    "censor_message",
    "channel_accessible",
    "dispatch",
    "guild_create_payload",
    "member_payload",
    "message_accessible",
    "message_payload",
    "on_page_action",
    "prune_guild_create",
    "record_of",
    "required_intent",
    "routes",
    "user_payload",
]

_UPLOAD_LIMIT = 10 * 1024 * 1024


class _WallClock(Clock):
    """SimCord's clock, driven by an ordinary one."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        super().__init__()
        self._now = now
        self._start = now()

    def now(self) -> dt.datetime:
        return self._now()

    def advance(self, seconds: float) -> None:
        """Do nothing: time passes by itself."""


class NumberedBackend(Backend):
    """The store, with ids that can be fixed beforehand and a memory for what messages said earlier.

    Args:
        clock: UTC now.
        first_ids: ids for the first objects made, in order.

    Attributes:
        earlier: what messages were before each edit, by message id.
        deleted: what was deleted, by message id.
        listeners: called after every change, also of what is shown to one person only and so announced to no bot, with
            the id of the channel that it happened in; None is everywhere.

    """

    def __init__(self, clock: Callable[[], dt.datetime], first_ids: Iterable[int] = ()) -> None:
        self._planned = deque(first_ids)
        self.earlier: dict[int, list[Message]] = {}
        self.deleted: dict[int, Message] = {}
        self.listeners: list[Callable[[int | None], None]] = []
        super().__init__(clock=_WallClock(clock))

    def snowflake(self) -> int:
        """Return the next fixed id, or one made of the current time like Discord's own."""
        if self._planned:
            return self.reserve_id(self._planned.popleft())
        return super().snowflake()

    @contextmanager
    def numbered(self, *ids: int) -> Iterator[None]:
        """Give these ids to the objects made inside."""
        self._planned.extend(ids)
        yield
        self._planned.clear()

    def emit(self, event: str, payload: Mapping[str, Any]) -> None:
        """Announce an event, with what SimCord leaves empty in an interaction filled in."""
        if event == "INTERACTION_CREATE":
            guild_id = payload.get("guild_id")
            owner = {"0": guild_id or "0"}
            payload = {**payload, "authorizing_integration_owners": owner, "attachment_size_limit": _UPLOAD_LIMIT}
        super().emit(event, payload)
        self._tell(int(payload["channel_id"]) if "channel_id" in payload else None)

    def register_commands(self, guild_id: int | None, payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Register commands, which the page offers from then on."""
        commands = super().register_commands(guild_id, payloads)
        self._tell(None)
        return commands

    def commit_message(self, message: Message, *, broadcast: bool = True) -> Message:
        """Put a message into its channel."""
        message = super().commit_message(message, broadcast=broadcast)
        self._tell(message.channel_id)
        return message

    def edit_message(self, channel_id: int, message_id: int, fields: dict[str, Any]) -> Message:
        """Edit, and remember how it was."""
        # Edits replace lists instead of changing them, so a shallow copy keeps what was shown.
        before = replace(self.get_message(channel_id, message_id))
        message = super().edit_message(channel_id, message_id, fields)
        self.earlier.setdefault(message_id, []).append(before)
        self._tell(channel_id)
        return message

    def delete_message(self, channel_id: int, message_id: int) -> None:
        """Delete, and remember what was there."""
        message = self.get_message(channel_id, message_id)
        super().delete_message(channel_id, message_id)
        self.deleted[message_id] = message
        self._tell(channel_id)

    def _tell(self, channel_id: int | None) -> None:
        for listener in self.listeners:
            listener(channel_id)


class RealTimeEnv(Env):
    """SimCord's environment for a bot that is another process: nothing to attach, nothing to settle.

    Args:
        backend: the shared store; several environments may stand on one, each with a page of its own.
        answered: waits until the bot has answered an interaction, or its three seconds are over.

    """

    def __init__(self, backend: Backend, answered: Callable[[Interaction], Awaitable[None]]) -> None:
        # A client that never connects: SimCord wants one to build message objects with.
        super().__init__(discord.Client(intents=discord.Intents(guilds=True)))
        self.backend = backend
        self._answered = answered
        self._sent: dict[asyncio.Task[Any] | None, Interaction] = {}
        self._started = True
        # Below 1 the page's every action is refused as a bad envelope.
        self._generation = 1

    def _begin_operation(self, label: str) -> None:
        """Let several people act at once: the guard that this replaces serves the virtual clock."""

    def _end_operation(self) -> None:
        """Nothing was begun."""

    def _notify_dispatch_observers(self, interaction: Interaction) -> None:
        """Note which interaction the running task has just sent."""
        super()._notify_dispatch_observers(interaction)
        self._sent[asyncio.current_task()] = interaction

    async def _settle_internal(
        self,
        *,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - SimCord's signature
        idle: float = 0.05,  # noqa: ARG002 - SimCord's signature
        dispatch: str | None = None,  # noqa: ARG002 - SimCord's signature
        _deadline: float | None = None,
    ) -> None:
        """Wait for the bot's answer to what this task sent; later news comes by itself."""
        interaction = self._sent.pop(asyncio.current_task(), None)
        if interaction is not None:
            await self._answered(interaction)

    async def send_raw(self, interaction: Interaction, payload: Mapping[str, Any]) -> None:
        """Send an interaction that was built by hand."""
        self._notify_dispatch_observers(interaction)
        self.backend.emit("INTERACTION_CREATE", payload)
        await self._settle_internal()


def record_of(result: InteractionResult) -> Interaction:
    """Return the stored interaction behind a result."""
    return result._interaction  # noqa: SLF001 - the public side hides whether and how it was answered


def on_page_action(preview: Any, rewrite: Callable[[dict[str, Any], int, Sequence[Mapping[str, Any]]], dict[str, Any]]) -> None:
    """Let every action of the page pass through a function first.

    Args:
        preview: the page.
        rewrite: gets the action as the browser sent it, the revision that the page is at, and the commands that it offers.

    """
    act = preview._action  # noqa: SLF001 - no public seam between the page's server and its actions
    page_of = preview._get_page  # noqa: SLF001 - no public way to a page either

    async def act_rewritten(context_id: str | None, body: Any) -> Any:
        if isinstance(body, dict):
            page = page_of(context_id)
            body = rewrite(body, page.revision, page.command_catalog.get("entries", ()))
        return await act(context_id, body)

    preview._action = act_rewritten  # noqa: SLF001 - the seam that isn't public
