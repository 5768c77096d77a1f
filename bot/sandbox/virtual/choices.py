"""Choice of the ready callback that goes next. Left to itself the loop takes them as they come."""

import random
from collections import deque
from collections.abc import Collection
from typing import Protocol

from .steps import AnyStep


class Choice(Protocol):
    """Chooses; what it gives has been taken out."""

    def __call__(self, ready: deque[AnyStep]) -> AnyStep:
        """Take one out; there is one at least."""


class Shuffled:
    """Any of them, by a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def __call__(self, ready: deque[AnyStep]) -> AnyStep:
        """Take one out."""
        place = self._dice.randrange(len(ready))
        step = ready[place]
        del ready[place]
        return step


class Delayed:
    """The first that came, but at these steps it is put behind all others.

    With all sets of one step, then of two, and so on, every order of few callbacks is met; most races need one or two.

    Args:
        delays: numbers of steps, from 0.

    Attributes:
        steps: how many were taken.
        choices: those of them at which there was more than one to choose from; a delay at another changes nothing.
    """

    def __init__(self, delays: Collection[int] = ()) -> None:
        self._delays = frozenset(delays)
        self.steps = 0
        self.choices = list[int]()

    def __call__(self, ready: deque[AnyStep]) -> AnyStep:
        """Take one out."""
        if len(ready) > 1:
            self.choices.append(self.steps)
            if self.steps in self._delays:
                ready.rotate(-1)
        self.steps += 1
        return ready.popleft()
