"""What may become of a ticket, as scenes that a desk is taken through: for each kind of order all that apply to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from bot.desk.requests import (
    BracketRequest,
    CancelRequest,
    CloseRequest,
    FlatPlaceRequest,
    FlattenRequest,
    ModifyRequest,
    PlaceRequest,
    ReplaceRequest,
    ReverseRequest,
)
from bot.timings import USUAL
from bot.trading.market.facts import Execution
from bot.trading.orders.broker_calls import CancelOrders, CloseStrategy, FlattenAccount
from bot.trading.orders.intents import Action, Bracket, Cancel, Change, Close, PlaceOrder, Replace
from bot.trading.orders.outcomes import Accepted, NotSent, Rejected, Unknown
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket
from tests.desk.conftest import APPROVER, HERE, TRADER
from tests.desk.fakes import ES
from tests.journal.upgrade.stage import AGAIN, GRACE, OVERDUE, Asking, Stage, moved

Scene = Callable[[Stage], Awaitable[Ticket]]
NO_POSITION = Rejected("No position found for ES 09-26", 400)


@dataclass(frozen=True)
class Kind:
    """A kind of order.

    Attributes:
        calls: the desk's calls for it; of several, in their order.
        scenes: what may become of it.
        held: what is open in its account.
        rests: whether an order works there.
        is_cut_short: whether a crash in the middle of it is kept, too.
    """

    ask: Asking
    calls: tuple[type[Action], ...]
    scenes: tuple[Scene, ...] = ()
    held: int = -2
    rests: bool = False
    is_cut_short: bool = False


# Up to the claim.


async def offered(stage: Stage) -> Ticket:
    return await stage.asked()


async def waits_for_approval(stage: Stage) -> Ticket:
    ticket = await stage.asked()
    await stage.room.confirm(ticket)
    return ticket


async def approved_before_confirm(stage: Stage) -> Ticket:
    ticket = await stage.asked()
    await stage.room.approve(ticket, APPROVER)
    return ticket


async def quoted_again(stage: Stage) -> Ticket:
    ticket = await stage.asked()
    stage.broker.book_positions[stage.account, ES] = -1
    stage.broker.last += 40
    await stage.room.confirm(ticket)
    stage.broker.last -= 40
    return ticket


async def denied(stage: Stage) -> Ticket:
    ticket = await stage.asked()
    stage.room.halt_file.append("CPI")
    await stage.room.confirm(ticket)
    stage.room.halt_file.clear()
    return ticket


async def cancelled(stage: Stage) -> Ticket:
    ticket = await stage.asked()
    await stage.room.cancel(ticket)
    return ticket


async def expired(stage: Stage) -> Ticket:
    ticket = await stage.asked()
    stage.room.clock.pass_by(61)
    await stage.desk._recovery.expire([await stage.room.now(ticket.id)])
    return ticket


async def void(stage: Stage) -> Ticket:
    made = await stage.desk.offer(TRADER, HERE, stage.ask(stage.account))
    assert isinstance(made, Ticket), made
    await stage.desk.not_posted(made.id, "Discord refuses to show the card: the right to send messages is missing.", perhaps=True)
    return made


# What its call answers.


async def sending(stage: Stage) -> Ticket:
    return await stage.held()


async def accepted(stage: Stage) -> Ticket:
    return await stage.sent()


async def rejected(stage: Stage) -> Ticket:
    stage.broker.outcomes.append(NO_POSITION)
    return await stage.sent()


async def not_sent(stage: Stage) -> Ticket:
    stage.broker.outcomes.append(NotSent("The request budget didn't allow it in time."))
    return await stage.sent()


async def unknown(stage: Stage) -> Ticket:
    stage.broker.outcomes.append(Unknown("the connection was reset"))
    return await stage.sent()


async def absent_once(stage: Stage) -> Ticket:
    return await stage.seek(await unknown(stage), GRACE)


async def never_arrived(stage: Stage) -> Ticket:
    return await stage.seek(await absent_once(stage), AGAIN)


async def never_arrived_says_a_person(stage: Stage) -> Ticket:
    return await stage.resolve(await unknown(stage), "never arrived")


async def rejected_says_a_person(stage: Stage) -> Ticket:
    return await stage.resolve(await unknown(stage), "rejected")


async def accepted_says_a_person(stage: Stage) -> Ticket:
    return await stage.resolve(await unknown(stage), "accepted")


# One call, followed.


def _own(stage: Stage) -> str:
    """The id of the newest order in the account."""
    return [order for order in stage.broker.book_orders if order.account == stage.account][-1].id


async def found(stage: Stage) -> Ticket:
    stage.broker.losing |= stage_calls(stage)
    ticket = await stage.sent()
    stage.broker.losing.clear()
    return await stage.seek(ticket, GRACE)


def stage_calls(stage: Stage) -> set[type[Action]]:
    """The calls of the kind that is on."""
    return set(next(kind for kind in KINDS.values() if kind.ask is stage.ask).calls)


async def found_and_done(stage: Stage) -> Ticket:
    return await done(stage, await found(stage))


async def working(stage: Stage) -> Ticket:
    return await stage.follow(await stage.sent())


async def done(stage: Stage, ticket: Ticket | None = None) -> Ticket:
    ticket = ticket or await stage.sent()
    if ticket.order_ids:
        stage.broker.change(_own(stage), OrderState.FILLED, 1)
        stage.broker.book_positions[stage.account, ES] = 1
    return await stage.follow(ticket)


async def gone(stage: Stage) -> Ticket:
    ticket = await stage.sent()
    stage.broker.book_orders[:] = [order for order in stage.broker.book_orders if order.account != stage.account]
    return await stage.follow(ticket, 110, times=4)


async def rejected_later(stage: Stage) -> Ticket:
    ticket = await stage.sent()
    stage.broker.change(_own(stage), OrderState.REJECTED)
    return await stage.follow(ticket)


async def part_filled(stage: Stage) -> Ticket:
    ticket = await stage.sent()
    order = next(order for order in stage.broker.book_orders if order.id == _own(stage))
    stage.broker.book_orders.remove(order)
    stage.broker.book_orders.append(
        moved(order, state=OrderState.PART_FILLED, filled=1, quantity=2, average_fill_price=Decimal(5795))
    )
    return await stage.follow(ticket)


async def cancelled_by_somebody(stage: Stage) -> Ticket:
    ticket = await stage.sent()
    stage.broker.change(_own(stage), OrderState.CANCELLED)
    return await stage.follow(ticket)


async def moved_by_somebody(stage: Stage) -> Ticket:
    ticket = await stage.sent()
    order = next(order for order in stage.broker.book_orders if order.id == _own(stage))
    stage.broker.book_orders.remove(order)
    stage.broker.book_orders.append(moved(order, limit=Decimal(5780)))
    return await stage.follow(ticket)


async def found_by_its_fill(stage: Stage) -> Ticket:
    ticket = await unknown(stage)
    at, quantity = stage.room.clock(), ticket.order.terms.quantity
    fill = Execution(
        f"fill-{ticket.id}", f"x-{ticket.id}", stage.account, ES, ticket.order.terms.side, quantity, Decimal(5800), at
    )
    stage.broker.book_executions.append(fill)
    return await stage.seek(ticket, 2)


# Closes, cancellations and changes that take their time.


async def taken(stage: Stage) -> Ticket:
    """Taken and not done."""
    if not stage_calls(stage).isdisjoint({Cancel, Change}):
        stage.broker.outcomes.append(Accepted(stage.resting))
        return await stage.sent()
    stage.broker.dawdling |= stage_calls(stage)
    ticket = await stage.sent()
    stage.broker.dawdling.clear()
    stage.broker.under_way.clear()
    return ticket


async def overdue(stage: Stage) -> Ticket:
    return await stage.follow(await taken(stage), OVERDUE)


async def overdue_and_done(stage: Stage) -> Ticket:
    ticket = await overdue(stage)
    stage.broker.carry_out(ticket.order)
    return await stage.follow(ticket, 60)


async def found_and_overdue(stage: Stage) -> Ticket:
    """Its answer was lost; a person says that it was taken, and it doesn't come about."""
    stage.broker.outcomes.append(Unknown("the connection was reset"))
    ticket = await stage.sent()
    order = None if isinstance(ticket.intent, Close) else stage.resting
    ticket = await stage.resolve(ticket, "accepted", order)
    return await stage.follow(ticket, OVERDUE, times=2)


async def waits_for_the_market(stage: Stage) -> Ticket:
    stage.broker.shut = True
    ticket = await stage.follow(await stage.sent(), OVERDUE)
    stage.broker.shut = False
    return ticket


async def rejected_by_the_broker(stage: Stage) -> Ticket:
    stage.broker.locked = "Order rejected: account locked"
    ticket = await stage.sent()
    stage.broker.locked = None
    await stage.room.passes(2)
    return await stage.follow(ticket)


async def turned_over(stage: Stage) -> Ticket:
    ticket = await taken(stage)
    stage.broker.book_positions[stage.account, ES] = 3
    return await stage.follow(ticket)


async def turned_over_after_it_was_lost(stage: Stage) -> Ticket:
    ticket = await unknown(stage)
    stage.broker.book_positions[stage.account, ES] = 3
    return await stage.seek(ticket, GRACE)


async def partly_closed(stage: Stage) -> Ticket:
    ticket = await taken(stage)
    stage.broker.book_positions[stage.account, ES] = -1
    return await stage.follow(ticket)


async def given_up(stage: Stage) -> Ticket:
    return await stage.follow(await overdue(stage), USUAL.desk.close_ends.total_seconds())


# Replacements.


async def old_one_stays(stage: Stage) -> Ticket:
    stage.broker.replaced = OrderState.WORKING
    ticket = await stage.follow(await stage.sent(), OVERDUE, times=2)
    stage.broker.replaced = OrderState.CANCELLED
    return ticket


async def old_one_filled(stage: Stage) -> Ticket:
    stage.broker.replaced = OrderState.FILLED
    ticket = await stage.follow(await stage.sent())
    stage.broker.replaced = OrderState.CANCELLED
    return ticket


# Stops and targets.


async def protected(stage: Stage) -> Ticket:
    return await stage.follow(await stage.sent(), 3, times=3)


async def stop_rejected(stage: Stage) -> Ticket:
    ticket = await protected(stage)
    stage.broker.change(_own(stage), OrderState.REJECTED)
    return await stage.follow(ticket, 6, times=3)


async def target_filled(stage: Stage) -> Ticket:
    ticket = await protected(stage)
    target, stop = [order for order in stage.broker.book_orders if order.account == stage.account][-2:]
    stage.broker.change(target.id, OrderState.FILLED, 2)
    stage.broker.change(stop.id, OrderState.CANCELLED)
    stage.broker.book_positions[stage.account, ES] = 0
    return await stage.follow(ticket, 6, times=3)


async def entered_without_a_stop(stage: Stage) -> Ticket:
    ticket = await stage.sent()
    stage.broker.change(_own(stage), OrderState.FILLED, 1)
    stage.broker.book_positions[stage.account, ES] = 1
    return await stage.follow(ticket, 6, times=3)


# Mass actions.


async def without_word(stage: Stage) -> Ticket:
    """Nothing of the account can be read from the press on."""
    ticket = await stage.asked()
    unread = {f"{what} {stage.account}" for what in ("positions", "orders")} | {"all_positions", "all_orders", "strategies"}
    stage.broker.failing |= unread
    await stage.room.confirm(ticket)
    stage.broker.failing -= unread
    return await stage.room.now(ticket.id)


async def unseen_and_done(stage: Stage) -> Ticket:
    return await stage.seek(await without_word(stage), GRACE)


async def unseen_and_not_done(stage: Stage) -> Ticket:
    stage.broker.refusing = dict.fromkeys(stage_calls(stage), Unknown("the connection was reset"))
    ticket = await without_word(stage)
    stage.broker.refusing = {}
    return await stage.seek(ticket, GRACE)


async def not_all(stage: Stage) -> Ticket:
    """Orders don't hear."""
    stage.rest()
    stage.broker.deaf = True
    ticket = await stage.sent()
    stage.broker.deaf = False
    return ticket


async def refused_by_the_broker(stage: Stage) -> Ticket:
    stage.broker.locked = "Order rejected: account locked"
    ticket = await stage.sent()
    stage.broker.locked = None
    return ticket


async def refused_by_crosstrade(stage: Stage) -> Ticket:
    stage.broker.refusing = dict.fromkeys(stage_calls(stage), Rejected("Unauthorized", 401))
    ticket = await stage.sent()
    stage.broker.refusing = {}
    return ticket


async def never_left(stage: Stage) -> Ticket:
    stage.broker.refusing = dict.fromkeys(stage_calls(stage), NotSent("The request budget didn't allow it in time."))
    ticket = await stage.sent()
    stage.broker.refusing = {}
    return ticket


async def in_its_first_call(stage: Stage) -> Ticket:
    if CancelOrders in stage_calls(stage):
        stage.rest()
    return await stage.held(next(iter(_calls(stage))))


async def in_its_last_call(stage: Stage) -> Ticket:
    if CancelOrders in stage_calls(stage):
        stage.rest()
    return await stage.held(_calls(stage)[-1])


def _calls(stage: Stage) -> tuple[type[Action], ...]:
    return next(kind for kind in KINDS.values() if kind.ask is stage.ask).calls


# Verified reversals.


async def not_read_as_flat(stage: Stage) -> Ticket:
    stage.broker.dawdling.add(Close)
    ticket = await stage.sent()
    stage.broker.dawdling.clear()
    stage.broker.under_way.clear()
    return ticket


async def close_refused_by_the_broker(stage: Stage) -> Ticket:
    return await rejected_by_the_broker(stage)


async def left_behind_orders(stage: Stage) -> Ticket:
    stage.rest()
    stage.broker.deaf = True
    ticket = await stage.sent()
    stage.broker.deaf = False
    return ticket


async def entry_rejected(stage: Stage) -> Ticket:
    stage.broker.refusing = {PlaceOrder: Rejected("Insufficient margin", 400)}
    ticket = await stage.sent()
    stage.broker.refusing = {}
    return ticket


async def entry_not_sent(stage: Stage) -> Ticket:
    stage.broker.refusing = {PlaceOrder: NotSent("The request budget didn't allow it in time.")}
    ticket = await stage.sent()
    stage.broker.refusing = {}
    return ticket


async def entry_unknown(stage: Stage) -> Ticket:
    stage.broker.refusing = {PlaceOrder: Unknown("the connection was reset")}
    ticket = await stage.sent()
    stage.broker.refusing = {}
    return ticket


async def entry_found(stage: Stage) -> Ticket:
    stage.broker.losing = {PlaceOrder}
    ticket = await stage.sent()
    stage.broker.losing = set()
    return await stage.seek(ticket, GRACE)


async def entry_never_arrived(stage: Stage) -> Ticket:
    ticket = await stage.seek(await entry_unknown(stage), GRACE)
    return await stage.seek(ticket, AGAIN)


async def entry_filled(stage: Stage) -> Ticket:
    return await done(stage)


# What passes the time comes before what must stay as it is.
_BEFORE: tuple[Scene, ...] = (expired, cancelled, void)
_ENDED: tuple[Scene, ...] = (*_BEFORE, rejected, not_sent)
_LOST: tuple[Scene, ...] = (
    never_arrived, absent_once, never_arrived_says_a_person, rejected_says_a_person, accepted_says_a_person, unknown,
)  # fmt: skip
_ORDER: tuple[Scene, ...] = (
    gone, found_and_done, found, found_by_its_fill, done, part_filled, rejected_later, cancelled_by_somebody, moved_by_somebody,
    working,
)  # fmt: skip
_SLOW: tuple[Scene, ...] = (overdue_and_done, found_and_overdue, overdue)
_CLOSE: tuple[Scene, ...] = (
    given_up, *_SLOW, waits_for_the_market, rejected_by_the_broker, turned_over_after_it_was_lost, found, turned_over,
    partly_closed, done, taken,
)  # fmt: skip
_OPEN: tuple[Scene, ...] = (quoted_again, offered)
_ENTRY: tuple[Scene, ...] = (denied, waits_for_approval, approved_before_confirm)
_MASS_ACTION: tuple[Scene, ...] = (
    not_all, refused_by_the_broker, refused_by_crosstrade, never_left, unseen_and_done, unseen_and_not_done, without_word,
    accepted, in_its_first_call, in_its_last_call,
)  # fmt: skip
_VERIFIED: tuple[Scene, ...] = (
    not_read_as_flat, close_refused_by_the_broker, left_behind_orders, entry_never_arrived, entry_found, entry_rejected,
    entry_not_sent, entry_unknown, entry_filled, accepted, in_its_first_call, in_its_last_call,
)  # fmt: skip
LIVE = frozenset({waits_for_approval, approved_before_confirm})
# What a crash leaves that the next start must settle, and two that it must not touch.
CUT_SHORT = frozenset({unknown, sending, in_its_first_call, in_its_last_call, without_word, offered, working})


def _limit(account: str) -> PlaceRequest:
    return PlaceRequest(account, "ES 09-26", Side.BUY, 1, OrderType.LIMIT, limit="5795", oco="group")


def _place(scenes: tuple[Scene, ...]) -> tuple[Scene, ...]:
    return (*_ENDED, *_LOST, *scenes, accepted, sending, *_OPEN)


def _enter(scenes: tuple[Scene, ...]) -> tuple[Scene, ...]:
    return (*_ENTRY, *_place(scenes))


_REST = "rest-{}".format
KINDS: dict[str, Kind] = {
    "place": Kind(_limit, (PlaceOrder,), _enter(_ORDER), is_cut_short=True),
    "reverse": Kind(lambda a: ReverseRequest(a, "ES 09-26", Side.BUY, 1, mode="direct"), (), _enter((done, working))),
    "invert": Kind(lambda a: ReverseRequest(a, "ES 09-26", Side.BUY, 2, mode="invert"), (), _enter((done,))),
    "verified": Kind(
        lambda a: ReverseRequest(a, "ES 09-26", Side.BUY, 1, mode="verified"), (Close, PlaceOrder),
        (*_ENDED, *_ENTRY, *_VERIFIED, *_OPEN), is_cut_short=True,
    ),
    "flatplace": Kind(lambda a: FlatPlaceRequest(a, "ES 09-26", Side.BUY, 1), (), _enter((done,)), held=0),
    "atm": Kind(
        lambda a: PlaceRequest(a, "ES 09-26", Side.BUY, 1, strategy="Scalp"), (PlaceOrder,),
        (entered_without_a_stop, unknown, accepted), held=0,
    ),
    "close": Kind(lambda a: CloseRequest(a, "ES 09-26"), (Close,), _place(_CLOSE), is_cut_short=True),
    "close-in-part": Kind(lambda a: CloseRequest(a, "ES 09-26", 1), (Close,), (overdue_and_done, overdue, done, taken, unknown)),
    "cancel": Kind(lambda a: CancelRequest(a, _REST(a)), (Cancel,), _place((*_SLOW, found, done, taken)), rests=True),
    "modify": Kind(
        lambda a: ModifyRequest(a, _REST(a), limit="5785"), (Change,), _place((*_SLOW, found, working, taken)), rests=True
    ),
    "replace": Kind(
        lambda a: ReplaceRequest(a, _REST(a), 1, limit="5785"), (Replace,),
        _enter((gone, found, done, old_one_stays, old_one_filled, working)), rests=True,
    ),
    "bracket": Kind(
        lambda a: BracketRequest(a, "ES 09-26", 2, "5790", "5810"), (Bracket,),
        _place((stop_rejected, target_filled, protected)),
    ),
    "flatten": Kind(
        lambda a: FlattenRequest("account", a), (CancelOrders, FlattenAccount), (*_BEFORE, *_MASS_ACTION, offered),
        is_cut_short=True,
    ),
    "flatten-of-everything": Kind(
        lambda _: FlattenRequest("everything"), (FlattenAccount,), (accepted, not_all, refused_by_the_broker, sending),
        is_cut_short=True
    ),
    "flatten-of-an-instrument": Kind(
        lambda a: FlattenRequest("instrument", a, "ES 09-26"), (CancelOrders, Close), (*_MASS_ACTION, offered), is_cut_short=True
    ),
    "flatten-of-shorts": Kind(
        lambda a: FlattenRequest("account", a, only="short"), (FlattenAccount,), (not_all, refused_by_the_broker, accepted)
    ),
    "cancel-many": Kind(
        lambda a: CancelRequest(a, scope="account"), (CancelOrders,),
        (*_BEFORE, not_all, refused_by_crosstrade, never_left, without_word, accepted, in_its_first_call, offered),
        rests=True, is_cut_short=True,
    ),
    "flatten-of-a-strategy": Kind(
        lambda a: FlattenRequest("strategy", a, strategy="334"), (CloseStrategy,),
        (
            *_BEFORE, refused_by_the_broker, refused_by_crosstrade, never_left, unseen_and_done, unseen_and_not_done,
            without_word, accepted, in_its_first_call, offered,
        ), is_cut_short=True,
    ),
}  # fmt: skip
