"""The plot that the chapters share: what later steps need of earlier ones, and the shape of a step."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.sandbox.demo.scene import Scene


@dataclass(slots=True)
class Plot:
    """Facts that later steps need of earlier ones.

    Attributes:
        first: the card of the first reversal.
        first_order: its order id.
        forgotten: the card that nobody presses.
        lost: the card whose answer gets lost.
        resting: id of the order that waits for its price.
    """

    first: int = 0
    first_order: str = ""
    forgotten: int = 0
    lost: int = 0
    resting: str = ""


Step = Callable[[Scene, Plot], Awaitable[None]]
Chapter = tuple[tuple[str, Step], ...]
