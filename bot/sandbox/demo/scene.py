"""Parts of a step of the story: people act, the channel and the book are looked at, everything is written down.

Nothing here knows the story. Whoever waits, waits for a condition; one that doesn't come breaks the story.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from bot.sandbox.demo.guide import MARGIN, NAMES, news, quoted, spoken
from bot.sandbox.demo.levers import DONE
from bot.sandbox.demo.stage import Stage
from bot.sandbox.discord import InteractionView, MessageView

Found = TypeVar("Found")

DESK, FILLS = "desk", "fills"
# The longest that anything of the story takes is the search for a lost answer, at most every ten seconds.
PATIENCE = 15.0
_ORDER = re.compile(r"accepted · order `([^`]+)`")
_FILL = re.compile(r"filled (\d+) at (\S+)")
_LATEST = 3


class Unproved(Exception):
    """Something that the story needs is not so.

    Attributes:
        expected: what should have been, as a sentence.
        said: what the channel said instead.
    """

    def __init__(self, expected: str, said: str) -> None:
        self.expected = expected
        self.said = said
        super().__init__(expected)


def order_id_on(text: str) -> str | None:
    """The order id that a card tells."""
    found = _ORDER.search(text)
    return found[1] if found else None


def fill_on(text: str) -> tuple[int, Decimal] | None:
    """The fill that a card tells: contracts and average price."""
    found = _FILL.search(text)
    return (int(found[1]), Decimal(found[2])) if found else None


class Scene:
    """People and proofs.

    Args:
        stage: where it plays.
        say: gets the transcript, a line at a time.
        patience: seconds until something that doesn't come breaks the story.
    """

    def __init__(self, stage: Stage, say: Callable[[str], None], patience: float = PATIENCE) -> None:
        self.stage = stage
        self.say = say
        self._patience = patience
        self._shown: dict[int, list[str]] = {}

    # What people do

    async def types(self, member: str, line: str) -> InteractionView:
        """Somebody types a command in #desk."""
        self.say(f"  {NAMES[member]} types  {line}")
        return await self.stage.discord.type(member, DESK, line)

    async def asks(self, member: str, line: str) -> int:
        """Somebody asks for a ticket and gets its card; returns the card's id."""
        before = {message.id for message in self._desk()}
        asked = await self.types(member, line)
        expected = "a card with buttons for what was typed"

        def card() -> MessageView | None:
            answer = self._answer(asked.id)
            if "denied" in answer:
                raise Unproved(expected, f"{MARGIN}| {' / '.join(self._spoken(answer))}")
            return next((message for message in self._desk() if message.id not in before and message.buttons), None)

        shown = await self.until(expected, card)
        self._tell(shown.id, shown.text)
        return shown.id

    async def presses(self, member: str, label: str, card: int) -> InteractionView:
        """Somebody presses a button of a card."""
        self.say(f"  {NAMES[member]} presses  [{label}]")
        return await self.stage.discord.click(member, card, label)

    async def is_told(self, interaction: InteractionView, *words: str) -> str:
        """The answer that the person who acted reads alone, once it holds these words."""

        def answer() -> str | None:
            text = self._answer(interaction.id)
            return text if _holds(text, words) else None

        text = await self.until(f"a private answer with {_listed(words)}", answer)
        self._quote(text)
        return text

    async def is_told_in_the_end(self, member: str, line: str, words: str) -> None:
        """Somebody types a command again and again until the private answer holds these words."""
        self.say(f"  {NAMES[member]} types  {line}")
        text = ""
        try:
            async with asyncio.timeout(self._patience):
                while words not in text:
                    asked = await self.stage.discord.type(member, DESK, line)
                    text = await self.until("a private answer", partial(self._answer, asked.id))
        except TimeoutError:
            raise Unproved(f"a private answer with “{words}”, within {self._patience:g} s", self._latest()) from None
        self._quote(text)

    # What the channel shows

    async def shows(self, card: int, *words: str) -> str:
        """The text of a card, once it holds these words; only its news are written down."""

        def text() -> str | None:
            now = self.stage.discord.message(card).text
            return now if _holds(now, words) else None

        found = await self.until(f"a card with {_listed(words)}", text)
        self._tell(card, found)
        return found

    async def showed(self, card: int, *words: str) -> None:
        """A card says these words, or has said them until a moment ago."""

        def seen() -> str | None:
            message = self.stage.discord.message(card)
            return next((text for text in (message.text, *reversed(message.earlier)) if _holds(text, words)), None)

        self._tell(card, await self.until(f"a card that said {_listed(words)}", seen))

    async def team_reads(self, *words: str) -> None:
        """The team's channel tells something with these words."""

        def notice() -> str | None:
            return next((one.text for one in self.stage.discord.messages(FILLS) if _holds(one.text, words)), None)

        text = await self.until(f"a message in #{FILLS} with {_listed(words)}", notice)
        self.say(f"  #{FILLS} reads  {' · '.join(self._spoken(text))}")

    # What is so

    def prove(self, expected: str, *, holds: bool) -> None:
        """Break the story unless something is so.

        Raises:
            Unproved: it isn't.
        """
        if not holds:
            raise Unproved(expected, self._latest())

    async def until(self, expected: str, look: Callable[[], Found | None]) -> Found:
        """Wait for something and give it.

        Raises:
            Unproved: it didn't come.
        """
        try:
            return await self.stage.discord.until(look, self._patience)
        except TimeoutError:
            raise Unproved(f"{expected}, within {self._patience:g} s", self._latest()) from None

    def sent(self, account: str) -> int:
        """Number of an account's reversals that have reached CrossTrade."""
        return sum(request["call"] == "ReversePosition" for request in self.requests(account))

    def requests(self, account: str) -> list[Mapping[str, Any]]:
        """Requests about an account that have reached CrossTrade and could change something, as they came."""
        return [request for request in self.stage.simulator.book()["requests"] if _account_of(request) == account]

    def working(self, account: str, instrument: str | None = None) -> list[Mapping[str, Any]]:
        """The simulator's own rows of what works in an account, of one instrument or of all."""
        rows = [row for row in self.stage.simulator.book()["orders"] if row["account"] == account]
        return [row for row in rows if row["orderState"] not in DONE and instrument in {None, row["instrument"]}]

    def order(self, order_id: str) -> Mapping[str, Any]:
        """The simulator's own row of an order.

        Raises:
            Unproved: it knows none with this id.
        """
        rows = [
            row for row in self.stage.simulator.book()["orders"] if order_id in {row["id"], row["ownOrderId"], *row["earlierIds"]}
        ]
        self.prove(f"the order {order_id} of the card in NinjaTrader's own list", holds=len(rows) == 1)
        return dict(rows[0])

    def fills(self, order_id: str) -> tuple[int, Decimal]:
        """The part of an order that the simulator has filled: contracts and average price."""
        own = self.order(order_id)["id"]
        rows = [row for row in self.stage.simulator.book()["executions"] if row["orderId"] == own]
        quantity = sum(row["quantity"] for row in rows)
        worth = sum((Decimal(row["price"]) * row["quantity"] for row in rows), Decimal())
        return quantity, worth / quantity if quantity else Decimal()

    def _answer(self, interaction: int) -> str:
        return self.stage.discord.interaction(interaction).text

    def _desk(self) -> list[MessageView]:
        return self.stage.discord.messages(DESK)

    def _latest(self) -> str:
        texts = [" / ".join(self._spoken(message.text)) for message in self._desk()[-_LATEST:]]
        return "\n".join(f"{MARGIN}| {text}" for text in texts) or f"{MARGIN}| nothing"

    def _tell(self, card: int, text: str) -> None:
        lines = self._spoken(text)
        for line in quoted(news(self._shown.get(card, []), lines)):
            self.say(line)
        self._shown[card] = lines

    def _quote(self, text: str) -> None:
        for line in quoted(self._spoken(text)):
            self.say(line)

    @staticmethod
    def _spoken(text: str) -> list[str]:
        return spoken(text, datetime.now(UTC))


def _holds(text: str, words: tuple[str, ...]) -> bool:
    # Without words, anything that was said will do.
    return bool(text) and all(word in text for word in words)


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join(f"“{word}”" for word in words) or "any words"


def _account_of(request: Mapping[str, Any]) -> str | None:
    """The account that a request is about: of REST's path, or of the RPC's arguments."""
    named = re.search(r"/accounts/([^/]+)/", request["path"])
    return named[1] if named else request["body"].get("account")
