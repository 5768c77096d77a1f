"""The words that somebody types into the demo's terminal, so that things go wrong at NinjaTrader, and well again.

What the simulator can do beyond these words stands in docs/simulator.md. Reading what is typed is ``typed``'s work.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.sandbox.ninjatrader import Kind, Simulator

Told = Iterable[str]
# Every call that can change something, as the simulator names them together.
TRADING = "trading"
CLOSES_TAKE = 20.0
PARTS_APART = 2.0
# States of NinjaTrader after which nothing follows.
DONE = frozenset({"Filled", "Cancelled", "Rejected"})


@dataclass(frozen=True, slots=True)
class Word:
    """One of them.

    Attributes:
        says: what is so from now on.
        pull: does it; gives more to print, if there is more.
    """

    says: str
    pull: Callable[[Simulator], Told]


def _add(kind: Kind, call: str = "*", **details: Any) -> Callable[[Simulator], Told]:
    def pull(simulator: Simulator) -> Told:
        simulator.faults.add(kind, call, **details)
        return ()

    return pull


def _online(simulator: Simulator) -> Told:
    simulator.faults.remove(Kind.OFFLINE)
    return ()


def _market(simulator: Simulator, *, open_now: bool) -> Told:
    simulator.set_market(open_now=open_now)
    return ()


def _fine(simulator: Simulator) -> Told:
    simulator.faults.clear()
    return _market(simulator, open_now=True)


def _book(simulator: Simulator) -> Iterator[str]:
    """Positions and working orders of every account, and what is going wrong."""
    book = simulator.book()
    for account in book["accounts"]:
        name = account["name"]
        own = [_position(row) for row in book["positions"] if row["account"] == name]
        own += [_order(row) for row in book["orders"] if row["account"] == name and row["orderState"] not in DONE]
        yield f"{name}: {'' if own else 'flat, nothing works'}".rstrip()
        yield from (f"  {line}" for line in own)
    kinds = sorted({rule.kind.value for rule in simulator.faults.rules})
    yield f"going wrong: {', '.join(kinds) or 'nothing'}"


def _position(row: Mapping[str, Any]) -> str:
    return f"{row['marketPosition'].upper()} {row['quantity']} {row['instrument']} at {row['averagePrice']}"


def _order(row: Mapping[str, Any]) -> str:
    prices = " ".join(str(row[name]) for name in ("stopPrice", "limitPrice") if row[name])
    filled = f", {row['filled']} filled" if row["filled"] else ""
    order = f"{row['orderAction'].upper()} {row['quantity']} {row['instrument']} {row['orderType'].upper()} {prices}".rstrip()
    return f"{order}  {row['orderState']}{filled}  {row['id']}"


def _help(_simulator: Simulator) -> Iterator[str]:
    return (f"{word:<8} {meant.says}" for word, meant in WORDS.items())


WORDS: Mapping[str, Word] = {
    "lost": Word("the next order is done, but its answer gets lost", _add(Kind.TIMEOUT, TRADING, effect=True, count=1)),
    "reject": Word("NinjaTrader rejects the next order, after CrossTrade's yes", _add(Kind.REJECT, count=1)),
    "partial": Word("orders fill one contract at a time", _add(Kind.PARTIAL, quantity=1, seconds=PARTS_APART)),
    "slow": Word(f"orders that close take {CLOSES_TAKE:.0f} s", _add(Kind.SLOW_CLOSE, seconds=CLOSES_TAKE)),
    "busy": Word("CrossTrade says “too many requests” to everything", _add(Kind.RATE_LIMIT)),
    "offline": Word("NinjaTrader is off; CrossTrade can't reach it", _add(Kind.OFFLINE)),
    "online": Word("NinjaTrader is back", _online),
    "closed": Word("the market is closed, nothing fills", partial(_market, open_now=False)),
    "open": Word("the market is open", partial(_market, open_now=True)),
    "fine": Word("all goes well again", _fine),
    "book": Word("what NinjaTrader really holds, and what works there", _book),
    "help": Word("these words", _help),
}


def heard(simulator: Simulator, line: str) -> Iterator[str]:
    """Do what a line asks for, word by word; gives what to print."""
    for typed in line.lower().split():
        word = WORDS.get(typed)
        if word is None:
            yield f"“{typed}” is none of the words: {', '.join(WORDS)}"
        else:
            yield f"{typed}: {word.says}"
            yield from (f"  {more}" for more in word.pull(simulator))
