"""Lanes: how early each kind of reading goes to CrossTrade, and how old what is known may be for it. The one table of both."""

from collections.abc import Callable
from datetime import timedelta

from bot.crosstrade.budget import Priority
from bot.crosstrade.client import CrossTrade
from bot.desk.lookup.lanes import Lanes
from bot.timings import DeskTimings


def lanes_of(client: CrossTrade, fresh: Callable[[], timedelta], timings: DeskTimings) -> Lanes:
    """The lanes of a client.

    Args:
        client: all of them share what it knows.
        fresh: how old what a card or a press is decided on may be.
        timings: how old it may be for all others.
    """
    return Lanes(
        exits=client.lane(Priority.EXIT),
        exit_presses=client.lane(Priority.EXIT, fresh, decides=True),
        exit_cards=client.lane(Priority.EXIT_CARD, fresh, decides=True),
        presses=client.lane(Priority.PRESS, fresh, decides=True),
        news=client.lane(Priority.NEWS, lambda: timings.known_following),
        tickets=client.lane(Priority.TICKET, fresh, decides=True),
        evidence=client.lane(Priority.TICKET),
        looking=client.lane(Priority.READ, lambda: timings.known_looking),
        open_cards=client.lane(Priority.OPEN_CARD, lambda: fresh() / 2),
        rounds=client.lane(Priority.BACKGROUND, lambda: timings.known_rounds),
        links=client.lane(Priority.BACKGROUND, lambda: timings.known_links),
        background=client.lane(Priority.BACKGROUND, lambda: timings.known_background),
    )
