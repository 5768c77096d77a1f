"""Reasons why NinjaTrader rejected an order that CrossTrade had taken, as the add-on stored them. Nothing is decided here."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from bot.desk.ports import Broker
from bot.errors import BrokerError
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.words import ascii_lower

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Asks the add-on for reasons; rows of orders have none."""

    broker: Broker
    within: timedelta

    async def story(self, account: str, order_id: str) -> Lifecycle | None:
        """The add-on's record of an order; ``None`` where it doesn't say so soon, or names another account's."""
        try:
            async with asyncio.timeout(self.within.total_seconds()):
                found = await self.broker.lifecycle(account, order_id)
        except (TimeoutError, BrokerError) as error:
            log.info("what is stored of order %s is not known: %s", order_id, error)
            return None
        is_its = found.account is None or ascii_lower(found.account) == ascii_lower(account)
        return found if is_its else None
