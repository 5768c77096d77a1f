"""Discord's and the network's exceptions become ours here, and nowhere else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.errors import DeliveryDelayed, DeliveryRefused

TOO_MANY_REQUESTS = 429
UNAUTHORIZED = 401
# Discord's own codes of a channel that is gone, or that the bot may not see or post in.
CHANNEL_SHUT = frozenset({10003, 50001, 50013})
# What the network and Discord's bad hours raise; the two timeouts are one class from Python 3.11 on.
UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)
# All that aiohttp says where a client was closed while it was about to call, as one is when Discord is out of reach.
_CLOSED = "Session is closed"

# Of somebody who has left, or whose account is gone.
NOBODY_THERE = frozenset({10007, 10013})


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Run one call to Discord.

    Args:
        what: what is being done, as in "Discord didn't take <what>".

    Raises:
        DeliveryDelayed: it may work later: 429, 5xx, garbage, the network, a client or a token that is being replaced.
        DeliveryRefused: it never will: what it is about is gone, the right is missing, or the call itself is wrong.
    """
    try:
        yield
    except discord.RateLimited as error:
        raise DeliveryDelayed(f"Discord asks to wait before {what}.", error.retry_after) from error
    except discord.HTTPException as error:
        raise _of_answer(error, what) from error
    except UNREACHABLE as error:
        raise DeliveryDelayed(f"Discord could not be reached for {what} ({type(error).__name__}).") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DeliveryDelayed(f"Discord's answer to {what} can't be read.") from error
    except RuntimeError as error:
        if str(error) != _CLOSED:
            raise
        raise DeliveryDelayed(f"The connection to Discord was closed before {what}.") from error


def code_of(error: DeliveryRefused) -> int | None:
    """Discord's own code of a no."""
    return error.__cause__.code if isinstance(error.__cause__, discord.HTTPException) else None


def _of_answer(error: discord.HTTPException, what: str) -> DeliveryDelayed | DeliveryRefused:
    if error.status == TOO_MANY_REQUESTS:
        return DeliveryDelayed(f"Discord asks to wait before {what}.", _retry_after(error))
    if error.status >= 500 or error.status == UNAUTHORIZED:
        return DeliveryDelayed(f"Discord answered {error.status} to {what}.")
    return DeliveryRefused(f"Discord refuses {what} ({error.status}, code {error.code}).")


def _retry_after(error: discord.HTTPException) -> float | None:
    try:
        return float(error.response.headers.get("Retry-After", ""))
    except ValueError:
        return None
