"""The steps of an order's way, recognised from outside and at once: in Discord, in the journal, at NinjaTrader."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from benchmarks.chaos.books import End, end_of
from benchmarks.chaos.channel import Card
from benchmarks.chaos.plan import Run
from bot.sandbox.ninjatrader.cloud import Received
from bot.sandbox.virtual import VirtualLoop

OPEN = frozenset({None, "offered", "sending"})


class Way(StrEnum):
    """The steps of an order's way."""

    ASKED = "0 asked"
    CARD = "1 card posted"
    PRESSED = "2 press delivered"
    SENDING = "3 journal says sending"
    SEEN = "4 request seen"
    DONE = "5 request done"
    ANSWERED = "6 answered"
    JOURNALED = "7 end journaled"
    SHOWN = "8 end shown"


class Traces(Protocol):
    """Where an order leaves traces."""

    @property
    def changes(self) -> int:
        """Changes in Discord so far."""

    @property
    def commits(self) -> int:
        """Possible changes in the journal so far."""

    def card_of(self, run: Run) -> Card | None:
        """Its card."""

    def is_pressed(self, card: Card) -> bool:
        """True once the bot was handed a Confirm of that card."""

    def state_of(self, ticket: str) -> str | None:
        """Its state in the journal."""

    def request_of(self, run: Run) -> Received | None:
        """The call that counts, as it came in at NinjaTrader."""


@dataclass(slots=True)
class Walk:
    """One order on its way. What can't have changed is not looked at again."""

    run: Run
    traces: Traces
    asked: bool = False
    card: Card | None = None
    looks: Mapping[Way, Callable[[], bool]] = field(init=False)
    _request: Received | None = None
    _changes: int = -1
    _commits: int = -1
    _state: str | None = None
    _is_shown: bool = False

    def __post_init__(self) -> None:
        """Prepare the questions; each is asked many times."""
        self.looks = {
            Way.ASKED: lambda: self.asked,
            Way.CARD: lambda: self._see_card() is not None,
            Way.PRESSED: lambda: (card := self._see_card()) is not None and self.traces.is_pressed(card),
            Way.SENDING: lambda: self._see_state() == "sending",
            Way.SEEN: lambda: self._see_request() is not None,
            Way.DONE: lambda: (seen := self._see_request()) is not None and seen.had_effect,
            Way.ANSWERED: lambda: (seen := self._see_request()) is not None and seen.status is not None,
            Way.JOURNALED: lambda: self._see_state() not in OPEN,
            Way.SHOWN: self._see_end,
        }

    def _see_card(self) -> Card | None:
        self._see_channel()
        return self.card

    def _see_end(self) -> bool:
        self._see_channel()
        return self._is_shown

    def _see_channel(self) -> None:
        if self._changes != self.traces.changes:
            self._changes = self.traces.changes
            self.card = self.card or self.traces.card_of(self.run)
            self._is_shown = self.card is not None and end_of(self.card.text) is not End.OPEN

    def _see_state(self) -> str | None:
        card = self._see_card()
        if card is not None and self._commits != self.traces.commits:
            self._commits = self.traces.commits
            self._state = self.traces.state_of(card.ticket)
        return self._state

    def _see_request(self) -> Received | None:
        self._request = self._request or self.traces.request_of(self.run)
        return self._request


@dataclass(slots=True)
class Lookout:
    """Looks after every step of the loop whether what somebody waits for has come, and acts before anything else happens."""

    loop: VirtualLoop
    _awaited: list[tuple[Callable[[], bool], Callable[[], None]]] = field(default_factory=list)

    def when(self, condition: Callable[[], bool], act: Callable[[], None]) -> Callable[[], None]:
        """Do something once as soon as something is so; returns how to wait no longer."""
        entry = (condition, act)
        self._awaited.append(entry)
        self.loop.after_step = self._look
        return lambda: self._forget(entry)

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for it; ``False`` when it doesn't come in time."""
        if condition():
            return True
        coming = self.loop.create_future()
        forget = self.when(condition, lambda: None if coming.done() else coming.set_result(None))
        try:
            async with asyncio.timeout(seconds):
                await coming
        except TimeoutError:
            return False
        finally:
            forget()
        return True

    def _forget(self, entry: tuple[Callable[[], bool], Callable[[], None]]) -> None:
        if entry in self._awaited:
            self._awaited.remove(entry)
        if not self._awaited:
            self.loop.after_step = None

    def _look(self) -> None:
        for entry in tuple(self._awaited):
            if entry[0]():
                self._forget(entry)
                entry[1]()
