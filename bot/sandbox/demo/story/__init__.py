"""The story that ``--script`` plays: chapters of steps, each proved both in the channel and in the simulator's book.

Here is only how it is told. A chapter is a module: ``reversals`` (the opening and the ending), ``orders``, ``exits``.
"""

from collections.abc import Callable

from bot.errors import DeskError
from bot.sandbox.demo.guide import MARGIN
from bot.sandbox.demo.scene import PATIENCE, Scene, Unproved
from bot.sandbox.demo.stage import Stage
from bot.sandbox.demo.story import exits, orders, reversals
from bot.sandbox.demo.story.plot import Chapter, Plot
from bot.sandbox.demo.story.reversals import SHORTEST_LIFE
from bot.sandbox.discord import NotPossibleError

__all__ = ["SHORTEST_LIFE", "STEPS", "StoryBroken", "tell"]

# What takes its time begins in the opening and is looked at in the ending.
STEPS: Chapter = (*reversals.OPENING, *orders.CHAPTER, *exits.CHAPTER, *reversals.ENDING)
# How a call of each transport is noted in the simulator's book.
_NOTED_AS = {"rest": "rest", "websocket": "rpc"}


class StoryBroken(DeskError):
    """A step failed."""

    def __init__(self, number: int, title: str, expected: str, said: str) -> None:
        super().__init__(f"Step {number} ({title}) failed.\n  expected: {expected}\n  the channel said:\n{said}")


async def tell(stage: Stage, say: Callable[[str], None], patience: float = PATIENCE) -> str:
    """Play the story; returns the order id of the first reversal.

    Args:
        stage: where it plays; tickets live ``SHORTEST_LIFE`` seconds there.
        say: gets the transcript, a line at a time.
        patience: seconds until something that doesn't come breaks the story.

    Raises:
        StoryBroken: a step failed.
    """
    scene, plot = Scene(stage, say, patience), Plot()
    for number, (title, step) in enumerate(STEPS, start=1):
        say(f"{number}. {title}")
        try:
            await step(scene, plot)
            _travelled(scene)
        except Unproved as error:
            raise StoryBroken(number, title, error.expected, error.said) from error
        except NotPossibleError as error:
            raise StoryBroken(number, title, "what the person does to be possible", f"{MARGIN}| {error}") from error
        say("")
    return plot.first_order


def _travelled(scene: Scene) -> None:
    """Prove that everything that could change something went the way that was asked for."""
    wanted = _NOTED_AS[scene.stage.transport]
    ways = {request["transport"] for request in scene.stage.simulator.book()["requests"]}
    scene.prove(f"every order to travel by {wanted} and not by {sorted(ways)}", holds=ways <= {wanted})
