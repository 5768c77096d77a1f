"""The broker once for each kind of reading, so that nobody who only looks is in the way of an order or of its news."""

from dataclasses import dataclass, replace

from bot.desk.ports import Broker


@dataclass(frozen=True, slots=True)
class Lanes:
    """One and the same broker; what is read by the first goes before what is read by the next.

    Attributes:
        exits: for ways out that were confirmed, up to their end.
        exit_cards: for the cards of ways out.
        news: for what becomes of orders that were sent.
        tickets: for all other cards and presses, and for evidence; every call goes by this one, in an order of its own.
        looking: for commands that only read.
        background: for what nobody waits for.
    """

    exits: Broker
    exit_cards: Broker
    news: Broker
    tickets: Broker
    looking: Broker
    background: Broker

    @classmethod
    def alike(cls, broker: Broker) -> "Lanes":
        """All of them the same, where nothing has to wait."""
        return cls(broker, broker, broker, broker, broker, broker)

    def quieter(self, quiet: Broker | None) -> "Lanes":
        """With another one for all that nobody has asked for."""
        return self if quiet is None else replace(self, news=quiet, background=quiet)
