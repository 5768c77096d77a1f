"""The rest that a mass action leaves, in plain words: what is open, which orders work, the command for each. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from bot.trading.market.facts import Facts, Order, OtherOrder
from bot.trading.orders.instruments import Contract
from bot.trading.orders.mass_actions import FlattenStrategy, MassAction
from bot.trading.orders.progress import MOST_NAMED, ExitRow, Working
from bot.trading.orders.tickets import Ticket, Told, side_word
from bot.trading.risk.closing import is_closing
from bot.trading.words import number, quoted

# So many commands are named; the card's rows have the rest.
MOST_COMMANDS = 2


def left_of(made: Iterable[ExitRow]) -> list[str]:
    """The rest, row by row, in plain words."""
    return [f"{_where(line)}: {_left(line)}" for line in made if not line.is_done]


def outcome_of(ticket: Ticket) -> str | None:
    """The outcome of a ticket as it is told, whole: what is left in front of the rest of it."""
    if ticket.told is not Told.REST:
        return ticket.outcome
    return " ".join(filter(None, (in_words(left_of(ticket.progress.rows)), ticket.outcome)))


def in_words(left: Sequence[str]) -> str:
    """The rest as a sentence; empty where nothing is left."""
    return f"{'; '.join(left)}." if left else ""


def commands_for(mass_action: MassAction, made: Iterable[ExitRow]) -> str:
    """The commands that deal with what is left, as a sentence; nothing where no command is known to."""
    left = [line for line in made if not line.is_done]
    found = list(dict.fromkeys(command for line in left for command in _commands(mass_action, line)))
    return f"Use {' or '.join(quoted(command, 200) for command in found[:MOST_COMMANDS])}." if found else ""


def may_open(made: Iterable[ExitRow]) -> Iterator[str]:
    """The orders that outlive the position: what each opens when it fills."""
    for line in made:
        for order in line.working:
            if not order.closes or line.now == 0:
                yield f"{order_words(order)} in {_where(line)} still works and may open a position when it fills"


def order_words(order: Working) -> str:
    """An order so that somebody finds it at NinjaTrader: side, size, type, price and id."""
    kind = "" if order.type is None else f" {order.type.value}"
    price = "" if order.price is None else f" {number(order.price)}"
    return f"{order.side.upper()} {order.quantity}{kind}{price} (order {quoted(order.id, 64)})"


def other_order_words(order: OtherOrder) -> str:
    """An order of what is no future, so that somebody finds it at NinjaTrader."""
    size = "?" if order.quantity is None else order.quantity
    side = (order.side or "?").upper()
    named = "" if order.id is None else f" (order {quoted(order.id, 64)})"
    return f"{quoted(order.instrument, 40)} {side if side.isalpha() else quoted(side, 20)} {size}{named}"


def named_some(words: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    said = list(words)
    more = len(said) - MOST_NAMED
    return ", ".join(said[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def working_in(facts: Facts, contract: Contract) -> tuple[Working, ...]:
    """The first few orders that work there."""
    position = facts.position(contract)
    held = 0 if position is None else position.quantity
    return tuple(_named(order, held) for order in facts.working(contract)[:MOST_NAMED])


def _named(order: Order, held: int) -> Working:
    price = order.limit if order.stop is None else order.stop
    return Working(order.id, order.side, order.remaining, order.type, price, is_closing(order, held))


def _left(line: ExitRow) -> str:
    parts = []
    if line.now is None:
        parts.append("positions could not be read, it may not be flat")
    elif line.now:
        # What stands on the other side, or where nothing was, is no rest of anything.
        parts.append(f"{'now' if line.is_turned or line.before == 0 else 'still'} {side_word(line.now)}")
    if line.orders_now is None:
        parts.append("orders could not be read, some may work")
    elif line.orders_now and not line.working:
        parts.append(f"{line.orders_now} still working")
    else:
        parts += _orders(line)
    return ", ".join(parts)


def _orders(line: ExitRow) -> Iterator[str]:
    for order in line.working:
        if order.closes:
            yield f"{order_words(order)} still closes"
        else:
            yield f"{order_words(order)} still works" + ("" if line.now else " and may open a position when it fills")
    if (more := (line.orders_now or 0) - len(line.working)) > 0:
        yield f"{more} more still working"


def _commands(mass_action: MassAction, line: ExitRow) -> Iterator[str]:
    if isinstance(mass_action, FlattenStrategy):
        # Whatever goes over an instrument would close what isn't the strategy's, too.
        yield f"/flatten scope:strategy account:{mass_action.account} strategy:{mass_action.strategy_id}"
        return
    where = f"account:{line.account}"
    instrument = "" if line.contract is None else f" instrument:{line.contract}"
    closing = any(order.closes for order in line.working)
    if line.now and not closing:
        yield f"/flatten scope:instrument {where}{instrument}"
    if len(line.working) == 1:
        yield f"/cancel scope:order {where} order:{line.working[0].id}"
    elif line.orders_now:
        yield f"/cancel scope:instrument {where}{instrument}"


def _where(line: ExitRow) -> str:
    return f"{quoted(line.account, 60)} {line.contract}" if line.contract else quoted(line.account, 60)
