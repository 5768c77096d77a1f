"""A local Discord over real sockets: the bot is an ordinary process that logs in.

People act through Python, HTTP or a page. SimCord knows the rules (routes, permissions, interactions, Components V2);
this package gives them sockets, a clock that runs, a guild, people and faults. Nothing here knows what the bot is for.
"""

from bot.sandbox.discord._simcord import InteractionType
from bot.sandbox.discord.faults import Fault, Loss
from bot.sandbox.discord.local import Local
from bot.sandbox.discord.people import NotPossibleError
from bot.sandbox.discord.reading import Button, InteractionView, MessageView
from bot.sandbox.discord.rest import Call
from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.discord.world import WORLD, Person, Room, World

__all__ = [
    "WORLD",
    "Button",
    "Call",
    "Fault",
    "InteractionType",
    "InteractionView",
    "Local",
    "LocalDiscord",
    "Loss",
    "MessageView",
    "NotPossibleError",
    "Person",
    "Room",
    "World",
]
