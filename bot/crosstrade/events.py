"""Account events: each means that somebody should look at an account now. Nothing of its content is ever believed.

That NinjaTrader's accounts have events on the stream at all is inferred, and those of Tradovate get lost, doubled and out of
order; so what they tell of is read from the lists, and they only say when.
"""

from collections.abc import Iterable, Mapping

from bot.crosstrade.pushes import account_of

# Type of the frame -> the key of what it is about (documented for Tradovate).
ENTITIES = {
    "orderUpdate": "order",
    "executionUpdate": "execution",
    "positionUpdate": "position",
    "executionReportUpdate": "execution",
}
RESYNC = "resync"

Accounts = Iterable[str | None]
EVERYWHERE: Accounts = (None,)


class Events:
    """Reads the events of one connection after the other.

    ``seq`` counts the frames of a connection. Whether all kinds of frames share one count is documented for Tradovate only, so
    that a repeat is told by its own kind, and a gap by what was highest of all.
    """

    def __init__(self) -> None:
        self._highest: int | None = None
        self._seen: dict[str, int] = {}

    def restart(self) -> None:
        """A new connection counts from the start."""
        self._highest = None
        self._seen.clear()

    def news(self, frame: Mapping[str, object]) -> Accounts:
        """The accounts to look at after this frame; ``None`` among them stands for all."""
        kind, seq = str(frame.get("type")), frame.get("seq")
        is_event = kind in ENTITIES or kind == RESYNC
        lost = _is_above_zero(frame.get("dropped"))
        if isinstance(seq, int) and not isinstance(seq, bool):
            if is_event and seq <= self._seen.get(kind, seq - 1):
                return ()
            if is_event:
                self._seen[kind] = seq
            lost = lost or (self._highest is not None and seq > self._highest + 1)
            self._highest = max(seq, self._highest or seq)
        if lost:
            return EVERYWHERE
        if kind == RESYNC:
            return _named(frame.get("accounts"))
        return (account_of(frame, ENTITIES[kind]),) if is_event else ()


def _is_above_zero(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _named(accounts: object) -> Accounts:
    """The accounts that a resync names; anything but plain names, such as numbers, is taken for all of them."""
    names = accounts if isinstance(accounts, list) else []
    return tuple(names) if names and all(isinstance(name, str) for name in names) else EVERYWHERE
