"""The eye on the policy file while the bot runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.errors import DeskError, PolicyError
from bot.policyfile._reading import FileReading, look
from bot.trading.risk.policy import Policy

_log = logging.getLogger(__name__)


class PolicyWatch:
    """The policy in force, and the eye on its file.

    Attributes:
        current: the policy in force; a refused file leaves it as it is.
        before: the one that was in force when a change was told last.
        digest: the first 12 hex digits of the SHA-256 of the bytes that it came from.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; raises ``PolicyError``."""
        self._path = path
        self._last = look(path)
        self.current, self._end_required = self._last.judge(str(path))
        self.before = self.current
        self.digest = self._last.digest[:12]
        self._judged = self._last.digest
        self._owes_change = False

    async def watch(
        self,
        on_change: Callable[[Policy], Awaitable[None]],
        on_refused: Callable[[PolicyError], Awaitable[None]],
        interval: float,
    ) -> None:
        """Look at the file every ``interval`` seconds, for ever.

        A change counts when two looks in a row find the same, as half a file may be a valid policy with limits missing. It is
        in force before ``on_change`` is told. Each distinct content that is refused is told once. A ``DeskError`` out of
        either is logged, and told again at the next look.
        """
        while True:
            await asyncio.sleep(interval)
            seen = await asyncio.to_thread(look, self._path)
            settled, self._last = seen == self._last, seen
            if settled:
                try:
                    await self._take(seen, on_change, on_refused)
                except DeskError as error:
                    _log.warning("What became of the policy file could not be told yet: %s", error)

    async def _take(
        self,
        seen: FileReading,
        on_change: Callable[[Policy], Awaitable[None]],
        on_refused: Callable[[PolicyError], Awaitable[None]],
    ) -> None:
        if seen.digest != self._judged:
            try:
                found, end_required = seen.judge(str(self._path), end_required=self._end_required)
            except PolicyError as error:
                _log.warning("The policy file is refused, policy %s stays in force: %s", self.digest, error)
                await on_refused(error)
            else:
                self._end_required = end_required
                self._put_in_force(found, seen.digest[:12])
            self._judged = seen.digest
        if self._owes_change:
            told = self.current
            await on_change(told)
            self._owes_change, self.before = False, told

    def _put_in_force(self, found: Policy, digest: str) -> None:
        if digest != self.digest:
            self.current, self.digest, self._owes_change = found, digest, True
            _log.info("Policy %s is in force.", digest)
