"""Made-up decisions of every kind, by number: the same number is the same case anywhere. Few values, so that they meet often."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bot.trading.market.facts import Account, Facts, Order, Position, Quote
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Member, Ticket, TicketState, Told
from bot.trading.risk.halts import Switch, Switches, SwitchState
from bot.trading.risk.policy import AccountRule, Approval, Grant, Limit, Policy
from tests.rules.reference import COMMANDS, Case
from tests.rules.strategies import ES, ES_DECEMBER, NOW, NQ, TICK, TICKET

MONTHS = (ES, ES, ES, ES_DECEMBER, NQ)
ACCOUNTS = ("Sim101", "Sim101", "Sim101", "Apex-1")
ROLES = (1, 2, 3)
STATES = (
    OrderState.WORKING,
    OrderState.WORKING,
    OrderState.PART_FILLED,
    OrderState.OTHER,
    OrderState.FILLED,
    OrderState.CANCELLED,
)
LAST = Decimal("5800.00")


def case(number: int) -> Case:
    """One decision; against half of them little speaks, as most would be denied for several reasons at once."""
    return _Maker(random.Random(f"case {number}")).case()


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.kind = rng.choice([*COMMANDS])
        self.account, self.contract = rng.choice(ACCOUNTS), rng.choice(MONTHS)
        self.easy = rng.random() < 0.6

    def odds(self, usual: float, easy: float = 0.02) -> bool:
        return self.rng.random() < (easy if self.easy else usual)

    def case(self) -> Case:
        orders = tuple(self.order(number) for number in range(self.rng.choice([0, 0, 1, 2, 3])))
        positions = tuple(
            Position(self.account, contract, quantity)
            for contract in (ES, ES_DECEMBER, NQ)
            if (quantity := self.rng.choice([-11, -3, -1, 0, 0, 1, 2, 4, 11]))
        )
        quote = self.quote()
        facts = Facts(
            None if self.odds(0.04, 0.005) else self.details(),
            None if self.odds(0.04, 0.005) else positions,
            None if self.odds(0.04, 0.005) else orders,
            None if self.odds(0.04, 0.005) else quote,
        )
        intent = self.intent(positions, orders)
        tickets = tuple(self.ticket(number, intent) for number in range(self.rng.choice([0, 0, 1, 2])))
        held = frozenset(self.rng.sample(ROLES, self.rng.choice([1, 1, 2, 3]))) if not self.odds(0.05) else frozenset()
        return Case(intent, 7, held, self.policy(), facts, tickets, self.switches(), NOW)

    def details(self) -> Account:
        rng = self.rng
        return Account(
            self.account,
            rng.choice([None, "Rithmic"]) if self.odds(0.4, 0.1) else "Simulator",
            connected=rng.choice([None, False]) if self.odds(0.2) else True,
            realised=None if self.odds(0.1) else Decimal(rng.choice(["0", "-900", "-1000", "-1100.01", "500"])),
            unrealised=None if self.odds(0.1) else Decimal(rng.choice(["0", "-100", "100", "-0.01"])),
        )

    def quote(self) -> Quote:
        rng = self.rng
        bid, ask = LAST - rng.choice([0, 1, 2]) * TICK, LAST + rng.choice([0, 1, 2]) * TICK
        if self.odds(0.1):
            bid, ask = ask + TICK, bid
        age = rng.choice([3, 9, 10, 10.001, 12, 45, 3600]) if self.odds(0.4, 0.1) else rng.choice([0, 1, 2])
        return Quote(
            self.contract,
            TICK,
            Decimal(50),
            None if self.odds(0.1) else bid,
            None if self.odds(0.1) else ask,
            None if self.odds(0.1) else LAST,
            None if self.odds(0.1) else NOW - timedelta(seconds=age),
            market_open=rng.choice([True, False, None]),
        )

    def price(self) -> Decimal:
        off = Decimal("0.10") if self.odds(0.1) else Decimal()
        return LAST + self.rng.choice([-500, -200, -21, -8, -1, 0, 1, 8, 20, 201, 400]) * TICK + off

    def terms(self, quantity: int | None = None) -> Terms:
        kind = self.rng.choice([*OrderType, OrderType.MARKET])
        side = self.rng.choice([*Side])
        stop = None
        if kind.has_stop:
            stop = self.price() if self.odds(0.5, 0.1) else LAST + side.sign * 8 * TICK
        size = quantity or self.rng.choice([1, 1, 2, 3, 5, 14, 22])
        return Terms(side, size, kind, limit=self.price() if kind.has_limit else None, stop=stop)

    def order(self, number: int) -> Order:
        rng, terms = self.rng, self.terms()
        kind = None if self.odds(0.15, 0.05) else terms.type
        return Order(
            (f"o{number}", f"alias{number}"),
            self.account,
            rng.choice(MONTHS),
            terms.side,
            kind,
            rng.choice(STATES),
            terms.quantity,
            filled=rng.choice([0, 0, 0, 1, 2]),
            limit=terms.limit,
            stop=terms.stop,
        )

    def intent(self, positions: tuple[Position, ...], orders: tuple[Order, ...]) -> OrderIntent:
        rng, account, contract, terms = self.rng, self.account, self.contract, self.terms()
        held = next((each.quantity for each in positions if each.contract == contract), 0)
        if self.kind is PlaceOrder:
            most = rng.choice([None, None, 1, 2, 3])
            return PlaceOrder(account, contract, terms, "own", self.require(), most)
        if self.kind is Invert:
            right = Terms(Side.SELL if held > 0 else Side.BUY, abs(held) or 1)
            return Invert(
                account, contract, replace(terms, type=OrderType.MARKET, limit=None, stop=None) if self.odds(0.3) else right
            )
        if self.kind in {Change, Replace, Cancel}:
            return self.about_order(orders, terms)
        if self.kind is VerifiedReverse:
            return VerifiedReverse(account, contract, terms, "own")
        closing = Terms(Side.SELL if held > 0 else Side.BUY, rng.choice([1, 1, 2, abs(held) or 1]))
        if self.kind is Close:
            return Close(account, contract, closing, closing.quantity)
        if self.kind is Bracket:
            return self.bracket(closing)
        return Reverse(account, contract, terms) if self.kind is Reverse else FlatPlace(account, contract, terms)

    def require(self) -> frozenset[str]:
        return frozenset(self.rng.sample(["flat", "long", "short"], 2)) if self.odds(0.3, 0.1) else frozenset()

    def bracket(self, closing: Terms) -> Bracket:
        away = closing.side.sign * 8 * TICK
        stop = self.price() if self.odds(0.6, 0.3) else LAST + away
        target = self.price() if self.odds(0.6, 0.3) else LAST - away
        shape = self.rng.choice(["both", "both", "stop", "target"])
        if shape == "target":
            return Bracket(self.account, self.contract, replace(closing, type=OrderType.LIMIT, limit=target), None)
        terms = replace(closing, type=OrderType.STOPMARKET, stop=stop)
        return Bracket(self.account, self.contract, terms, None if shape == "stop" else target)

    def about_order(self, orders: tuple[Order, ...], terms: Terms) -> OrderIntent:
        """Of an order that is listed as the desk finds it: the contract, side and terms are that order's."""
        order = self.rng.choice(orders) if orders and not self.odds(0.1) else None
        if order is None or order.type is None:
            order = replace(self.order(9), type=OrderType.LIMIT, limit=LAST, stop=None, ids=("gone",))
        self.contract = order.contract
        kind = order.type or OrderType.LIMIT
        before = Terms(order.side, order.quantity, kind, limit=order.limit, stop=order.stop)
        if self.kind is Cancel:
            return Cancel(self.account, order.contract, before, order.ids[-1])
        size = self.rng.choice([1, 2, order.quantity, order.quantity + 1, order.quantity + 9])
        changed = replace(before, quantity=size)
        if self.rng.random() < 0.4:
            changed = replace(
                changed,
                limit=None if before.limit is None else self.price(),
                stop=None if before.stop is None else LAST + before.side.sign * 9 * TICK,
            )
        if self.kind is Change:
            return Change(self.account, order.contract, changed, order.ids[-1], before)
        new = replace(terms, side=order.side)
        if new.stop is not None:
            new = replace(new, stop=LAST + new.side.sign * 8 * TICK)
        return Replace(self.account, order.contract, new, order.ids[-1], before, self.require())

    def ticket(self, number: int, wanted: OrderIntent) -> Ticket:
        rng = self.rng
        state = rng.choice([TicketState.ACCEPTED, TicketState.REJECTED, TicketState.CANCELLED, TicketState.NEVER_ARRIVED])
        if self.odds(0.5, 0.15):
            state = rng.choice([TicketState.SENDING, TicketState.UNKNOWN])
        ago = rng.choice([0.5, 3, 5.9, 6, 9.9, 10, 10.001, 30, 60, 60.001, 500])
        return replace(
            TICKET,
            id=f"t{number}",
            intent=wanted if rng.random() < 0.15 else self.sent(number),
            requester=Member(rng.choice([7, 7, 8]), "Ada"),
            state=state,
            sent_at=NOW - timedelta(seconds=ago),
            ended_at=None if rng.random() < 0.3 else NOW - timedelta(seconds=ago / 2),
            told=rng.choice([None, None, None, Told.OVERDUE]),
            order_ids=rng.choice([(), (), ("o0",), ("x",)]),
            order_state=rng.choice([None, None, OrderState.WORKING, OrderState.FILLED]),
            filled=rng.choice([0, 0, 1, 30]),
        )

    def sent(self, number: int) -> Intent:
        rng = self.rng
        account = self.account if rng.random() < 0.8 else "Sim102"
        contract: Contract = rng.choice([self.contract, *MONTHS])
        terms = self.terms()
        before = replace(terms, quantity=rng.choice([1, 5]))
        return rng.choice(
            (
                Reverse(account, contract, terms),
                VerifiedReverse(account, contract, terms, f"own{number}"),
                Invert(account, contract, terms),
                PlaceOrder(account, contract, terms, f"own{number}"),
                PlaceOrder(account, contract, terms, f"own{number}"),
                FlatPlace(account, contract, terms),
                Close(account, contract, Terms(terms.side, terms.quantity), terms.quantity),
                Cancel(account, contract, terms, "o0"),
                Change(account, contract, terms, rng.choice(["o0", "o1", "x"]), before),
                Replace(account, contract, terms, "o1", before),
                Bracket(account, contract, replace(terms, type=OrderType.STOPMARKET, limit=None, stop=LAST), None),
                Flatten(Scope((account,), rng.choice([None, contract]))),
                CancelWorking(Scope((account,))),
            )
        )

    def switches(self) -> Switches:
        if not self.odds(0.25):
            return Switches()
        return Switches(tuple(self.switch() for _ in range(self.rng.choice([1, 2, 2]))))

    def switch(self) -> Switch:
        rng = self.rng
        account, root = rng.choice(["*", "Sim101", "sim101", "Apex-1"]), rng.choice(["*", "ES", "NQ"])
        return Switch(account, root, rng.choice([SwitchState.HALTED, SwitchState.REDUCING]), NOW)

    def patterns(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return ("*",) if self.easy else tuple(self.rng.sample(names, self.rng.choice([1, 2])))

    def policy(self) -> Policy:
        rng = self.rng
        return Policy(
            grants=tuple(self.grants()),
            limits=tuple(self.limit() for _ in range(rng.choice([0, 1, 1, 2]))),
            approvals=tuple(
                Approval(self.patterns(("*", "Apex*", "sim?01")), rng.choice(ROLES), rng.choice([1, 2, 3]))
                for _ in range(rng.choice([0, 1, 2]))
            ),
            accounts=tuple(
                AccountRule(rng.choice(["Apex-*", "*", "Sim101"]), rng.random() < 0.8) for _ in range(rng.choice([0, 1, 1, 2]))
            ),
        )

    def grants(self) -> Iterator[Grant]:
        rng = self.rng
        if self.easy:
            yield Grant(rng.choice(ROLES), frozenset({"*"}), ("*",), ("*",), 30)
        for _ in range(rng.choice([1, 2, 4])):
            yield Grant(
                rng.choice(ROLES),
                frozenset(rng.sample(sorted(set(COMMANDS.values())), 4)) if rng.random() < 0.7 else frozenset({"*"}),
                self.patterns(("*", "Sim*", "apex-?", "SIM101", "?im*")),
                self.patterns(("*", "ES", "N?", "nq", "E*")),
                rng.choice([None, 1, 2, 5, 30]),
                frozenset(rng.sample([*OrderType], 3)),
            )

    def limit(self) -> Limit:
        rng = self.rng

        def maybe(*values: int) -> int | None:
            return rng.choice([None, *values])

        loss = maybe(1000, 1, 100_000)
        return Limit(
            self.patterns(("*", "Sim*", "apex-?")),
            self.patterns(("*", "ES", "N?")),
            max_position=rng.choice([40, 100]) if self.easy and rng.random() < 0.5 else maybe(0, 3, 5, 11, 20),
            orders_per_minute=maybe(1, 2, 5),
            duplicate_seconds=maybe(0, 3, 10, 60),
            price_band_ticks=maybe(20, 200, 400),
            daily_loss=None if loss is None else Decimal(loss),
            stale_seconds=rng.choice([1, 3, 10, 10, 60, 3600]),
        )
