"""The channel's record: each card from its first text to its last, with the moment of each change."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bot.sandbox.discord.reading import walk

_TEXT_DISPLAY = 10
_LEFT_OUT = "not among these"
_TICKET = re.compile(r"-# ticket ([0-9A-Z]{8})")


@dataclass(slots=True)
class Card:
    """A ticket's message.

    Attributes:
        message: its id.
        buttons: custom ids by label, as it was first shown.
        texts: what it said from when on, in nanoseconds of the monotonic clock, oldest first.
        is_private: whether only its member sees it.
    """

    message: int
    ticket: str
    buttons: Mapping[str, str]
    texts: list[tuple[int, str]] = field(default_factory=list)
    is_private: bool = False

    @property
    def text(self) -> str:
        """The card's text now."""
        return self.texts[-1][1]


@dataclass(slots=True)
class Channel:
    """Every card, by message; and every interaction by the custom id that was pressed, oldest first.

    Attributes:
        now: nanoseconds of a count that nobody sets.
    """

    cards: dict[int, Card] = field(default_factory=dict)
    presses: dict[str, list[int]] = field(default_factory=dict)
    now: Callable[[], int] = time.monotonic_ns
    _looked: dict[int, Any] = field(default_factory=dict)

    def note(self, event: str, payload: Mapping[str, Any]) -> None:
        """Take in what the local Discord announces."""
        if event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
            self._message(payload)
        elif event == "MESSAGE_DELETE":
            self.cards.pop(int(payload["id"]), None)
        elif event == "INTERACTION_CREATE" and "custom_id" in payload.get("data", {}):
            self.presses.setdefault(payload["data"]["custom_id"], []).append(int(payload["id"]))

    def look(self, messages: Mapping[int, Any]) -> None:
        """Take in the cards that only their members see, which are announced to nobody.

        Args:
            messages: all of the channel's, as the local Discord keeps them; one that is edited has other components.
        """
        for number, message in messages.items():
            if message.is_ephemeral and self._looked.get(number) is not message.components:
                self._looked[number] = message.components
                self._read(number, message.components, is_private=True)

    def _message(self, payload: Mapping[str, Any]) -> None:
        self._read(int(payload["id"]), payload.get("components"), is_private=False)

    def _read(self, number: int, components: Any, *, is_private: bool) -> None:
        parts = list(walk(components))
        text = "\n".join(part["content"] for part in parts if part["type"] == _TEXT_DISPLAY)
        found = _TICKET.search(text)
        if found is None:
            return
        buttons = {part["label"]: part["custom_id"] for part in parts if part.get("custom_id") and part.get("label")}
        if is_private and number not in self.cards and not buttons:
            # Something else that names a ticket.
            return
        card = self.cards.setdefault(number, Card(number, found[1], buttons, is_private=is_private))
        card.texts.append((self.now(), text))

    def others_of(self, card: Card) -> tuple[Card, ...]:
        """Other messages that show the same ticket."""
        return tuple(other for other in self.cards.values() if other.ticket == card.ticket and other is not card)

    def told(self) -> Iterator[str]:
        """The messages of each ticket that count: a private card no more once its result is posted, which it says itself."""
        posted = {card.ticket for card in self.cards.values() if not card.is_private}
        return (card.text for card in self.cards.values() if not card.is_private or card.ticket not in posted)

    def card_of(self, account: str, instrument: str | None) -> Card | None:
        """The first card that is about that account, and that instrument if one is named."""
        return next((card for card in self.cards.values() if _is_about(card.texts[0][1], account, instrument)), None)


# A card's first text stays as it is, and is looked at for each run that waits for its card.
@lru_cache(maxsize=4096)
def _is_about(first: str, account: str, instrument: str | None) -> bool:
    if account not in first:
        return False
    # Accounts that a card leaves out are named, too.
    kept = "\n".join(line for line in first.splitlines() if _LEFT_OUT not in line)
    # ES is a part of MES.
    return account in kept and (instrument is None or re.search(rf"(?<![A-Z]){re.escape(instrument)}", kept) is not None)
