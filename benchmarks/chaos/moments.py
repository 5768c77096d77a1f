"""The moments at which the bot is killed, each recognised from outside: in Discord, in the journal, at NinjaTrader."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from benchmarks.chaos.channel import Card
from benchmarks.chaos.plan import Kill, Run, Step
from benchmarks.chaos.stage import Stage
from bot.sandbox.discord import Fault
from bot.sandbox.discord.world import DESK
from bot.sandbox.ninjatrader.cloud import Received
from bot.sandbox.ninjatrader.faults import Kind

LOOK_SECONDS = 0.001
SECONDS = 4.0
# What makes a moment last long enough to be hit; the kill comes within it.
HELD_UP = 0.4
OPEN = frozenset({None, "offered", "sending"})


@dataclass(frozen=True, slots=True)
class Moments:
    """Waits for a moment of one run."""

    stage: Stage
    run: Run
    kill: Kill

    def prepare(self) -> None:
        """Make the moment long enough to be hit, where it needs it."""
        faults, call = self.stage.simulator.faults, self.run.act.calls[-1]
        match self.kill.step:
            case Step.DECIDED:
                for read in ("ListPositions", "ListOrders"):
                    faults.add(Kind.DELAY, read, seconds=HELD_UP)
            case Step.SEEN:
                faults.rules.clear()
                faults.add(Kind.DELAY, call, seconds=HELD_UP)
            case Step.DONE:
                faults.rules.clear()
                faults.add(Kind.DELAY, call, seconds=HELD_UP, effect=True)
            case Step.JOURNALED:
                self.stage.discord.fail(Fault("PATCH", f"/channels/{DESK}/messages/*", times=None, delay=HELD_UP))

    async def come(self) -> bool:
        """Wait for it; ``False`` when it doesn't come."""
        if self.kill.step is Step.MOMENT:
            await asyncio.sleep(self.kill.after)
            return True
        try:
            async with asyncio.timeout(SECONDS):
                while not await self._conditions[self.kill.step]():  # noqa: ASYNC110 - other processes have no event
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            return False
        return True

    @property
    def _conditions(self) -> dict[Step, Callable[[], Awaitable[bool]]]:
        return {
            Step.CARD: self._card_is_there,
            Step.HANDED: self._is_handed,
            Step.DECIDED: self._is_handed,
            Step.SENDING: self._says_sending,
            Step.SEEN: self._is_seen,
            Step.DONE: self._is_done,
            Step.ANSWERED: self._is_answered,
            Step.JOURNALED: self._is_journaled,
        }

    @property
    def _card(self) -> Card | None:
        return self.stage.channel.card_of(*self.run.named)

    def _received(self) -> Received | None:
        """The call that counts, as it came in at the simulator."""
        for record in self.stage.simulator.cloud.received:
            if record.call == self.run.act.calls[-1] and is_about(record, self.run, self.stage):
                return record
        return None

    async def _card_is_there(self) -> bool:
        return self._card is not None

    async def _is_handed(self) -> bool:
        card = self._card
        pressed = self.stage.channel.presses.get(card.buttons.get("Confirm", ""), []) if card else []
        return any(self.stage.discord.interaction(one).handed is not None for one in pressed)

    async def _state(self) -> str | None:
        return None if (card := self._card) is None else await self.stage.journal.state(card.ticket)

    async def _says_sending(self) -> bool:
        return await self._state() == "sending"

    async def _is_seen(self) -> bool:
        record = self._received()
        return record is not None and not record.had_effect

    async def _is_done(self) -> bool:
        record = self._received()
        return record is not None and record.had_effect

    async def _is_answered(self) -> bool:
        record = self._received()
        return record is not None and record.status is not None

    async def _is_journaled(self) -> bool:
        return await self._state() not in OPEN


class OrdersThere(Protocol):
    """Knows the orders that worked there before."""

    def order_there(self, run: Run) -> str:
        """The id of a run's."""


def is_about(record: Received, run: Run, stage: OrdersThere) -> bool:
    """Tell whether a request is about what a run is about."""
    body = record.body if isinstance(record.body, dict) else {}
    if f"/accounts/{run.account}/" not in record.path and body.get("account") != run.account:
        return False
    named = body.get("instrument")
    if named is not None or run.rests == 0:
        return named in (run.instrument, None)
    order = stage.order_there(run)
    return body.get("orderId") == order or order in unquote(record.path) or record.call in {"CancelOrders", "Flatten"}
