"""Steps of the loop: a callback with its context and the party that it belongs to, now or at a moment of virtual time."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from typing import Any, Protocol

from .parties import PARTY, Party


class Owner(Protocol):
    """The loop, as far as its steps need it."""

    def get_debug(self) -> bool:
        """Tell whether asyncio's debug mode is on."""


class Step(asyncio.Handle):
    """A callback that is to run as soon as its turn comes."""

    __slots__ = ("party",)

    _callback: Callable[..., object]
    _args: Sequence[Any]
    _context: Context

    # Not by the base class, which asks for the debug mode each time: there are millions of these.
    def __init__(self, callback: Callable[..., object], args: Sequence[Any], loop: Owner, context: Context | None) -> None:
        self._context = context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self.party: Party | None = context.get(PARTY)

    def run(self) -> None:
        """Run it; exceptions are the caller's business."""
        self._context.run(self._callback, *self._args)

    @property
    def is_cancelled(self) -> bool:
        """Tell whether it was called off."""
        return self._cancelled


class Alarm(asyncio.TimerHandle):
    """A callback that is to run at a moment of virtual time."""

    __slots__ = ("party",)

    _callback: Callable[..., object]
    _args: Sequence[Any]
    _context: Context

    def __init__(
        self, when: float, callback: Callable[..., object], args: Sequence[Any], loop: Owner, context: Context | None
    ) -> None:
        self._context = context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True
        self.party: Party | None = context.get(PARTY)

    def run(self) -> None:
        """Run it; exceptions are the caller's business."""
        self._context.run(self._callback, *self._args)

    @property
    def is_cancelled(self) -> bool:
        """Tell whether it was called off."""
        return self._cancelled


AnyStep = Step | Alarm
