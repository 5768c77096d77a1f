"""The broker once for each kind of reading: how early its reads go, and how old what is known already may be for it."""

from dataclasses import dataclass, fields

from bot.desk.ports import Broker


@dataclass(frozen=True, slots=True)
class Lanes:
    """One and the same broker; what is read by the first goes before what is read by the next.

    Attributes:
        exits: for ways out that were confirmed, up to their end; each fact is read.
        exit_presses: for what the press of a way out is decided on.
        exit_cards: for the cards of ways out.
        presses: for what all other presses are decided on.
        news: for what becomes of orders that were sent.
        tickets: for all other cards; every call goes by this one, in an order of its own.
        evidence: for what became of orders whose answer was lost; each fact is read.
        looking: for commands that only read.
        open_cards: for what keeps known what open cards will be decided on; what is young enough for some time is left alone.
        rounds: for the watchdog's look at positions.
        links: for its look at accounts, and whether their brokers are connected.
        background: for what nobody waits for.
    """

    exits: Broker
    exit_presses: Broker
    exit_cards: Broker
    presses: Broker
    news: Broker
    tickets: Broker
    evidence: Broker
    looking: Broker
    open_cards: Broker
    rounds: Broker
    links: Broker
    background: Broker

    @classmethod
    def alike(cls, broker: Broker) -> "Lanes":
        """All of them the same, where nothing has to wait."""
        return cls(*(broker for _ in fields(cls)))
