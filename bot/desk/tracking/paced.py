"""Reads that nobody waits for: each counts against the poll budget that following and the guard of stops and targets share."""

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from bot.clock import Clock
from bot.desk.ports import Broker
from bot.desk.tracking.poll_budget import PollBudget
from bot.desk.tracking.reasons import Reasons
from bot.errors import BrokerError
from bot.timings import DeskTimings
from bot.trading.market.lifecycle import Lifecycle

log = logging.getLogger(__name__)
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Asking:
    """The broker, asked within a poll budget."""

    broker: Broker
    clock: Clock
    timings: DeskTimings
    pace: PollBudget

    async def asked(self, reading: Awaitable[Read]) -> Read:
        """The answer to a read.

        Raises:
            BrokerError: it can't be.
        """
        self.pace.spend(self.clock())
        return await reading

    async def tried(self, reading: Awaitable[Read]) -> Read | None:
        """The answer to a read, or ``None`` where it can't be had: that proves nothing."""
        try:
            return await self.asked(reading)
        except BrokerError as error:
            log.info("not read: %s", error)
            return None

    async def story(self, account: str, order_id: str) -> Lifecycle | None:
        """The add-on's record of an order, if it says so soon."""
        self.pace.spend(self.clock())
        return await Reasons(self.broker, self.timings.reason_within).story(account, order_id)
