"""Why NinjaTrader has rejected an order that CrossTrade had taken, in the broker's words. Nothing is decided here."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from bot.desk.ports import Broker
from bot.errors import BrokerError
from bot.trading.following import reason
from bot.trading.words import code

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Asks the add-on for them; rows of orders have none."""

    broker: Broker
    within: timedelta

    async def why(self, account: str, order_id: str) -> str | None:
        """The words, ready to show; ``None`` where the add-on doesn't know them or doesn't say so soon."""
        try:
            async with asyncio.timeout(self.within.total_seconds()):
                words = reason(await self.broker.lifecycle(account, order_id))
        except (TimeoutError, BrokerError) as error:
            log.info("why order %s was rejected is not known: %s", order_id, error)
            return None
        return None if words is None else code(words)
