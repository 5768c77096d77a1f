"""Levers under /control, and what each does to the simulated world. How they are reached stands in `control`."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from .book import AccountSpec, Holding, Resting
from .calls import Ask
from .faults import Kind, Rule
from .names import Names
from .simulator import Simulator
from .tickets import read_ticket
from .timing import Timing
from .wire import Args, epoch_ms

Lever = Callable[[Simulator, Mapping[str, Any]], dict[str, Any]]


def book(simulator: Simulator, _data: Mapping[str, Any]) -> dict[str, Any]:
    """Show the truth: orders, executions, positions, accounts, and each request that could change something."""
    return simulator.book()


def reset(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Start afresh, if wanted with other `accounts` and another `seed`.

    An account has a `name`, and may have `provider`, `cash`, `positions` (`instrument`, signed `quantity`, `averagePrice`) and
    `orders` (`instrument`, signed `quantity`, `ticks` from the price, `ocoId`).
    """
    accounts = data.get("accounts")
    simulator.reset(None if accounts is None else tuple(map(_account_spec, accounts)), data.get("seed"))
    return {"success": True}


def _account_spec(data: Mapping[str, Any]) -> AccountSpec:
    return AccountSpec(
        data["name"],
        data.get("provider", "Simulator"),
        Decimal(data.get("cash", 100_000)),
        tuple(
            Holding(one["instrument"], int(one["quantity"]), _decimal(one.get("averagePrice")))
            for one in data.get("positions", ())
        ),
        tuple(
            Resting(one["instrument"], int(one["quantity"]), int(one["ticks"]), one.get("ocoId", ""))
            for one in data.get("orders", ())
        ),
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def account(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Change an `account`: its `connection` to the broker ("Connected", "ConnectionLost" ...), `cash`, `realised` result."""
    found = simulator.world.account(data["account"])
    found.connection = str(data.get("connection", found.connection))
    found.cash = Decimal(data.get("cash", found.cash))
    found.realised = Decimal(data.get("realised", found.realised))
    return {"success": True, "connection": found.connection, "cash": found.cash, "realised": found.realised}


def position(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Let an `account` hold a signed `quantity` of an `instrument`, at `averagePrice`, without an order; by `type` anything."""
    world = simulator.world
    if "type" in data:
        world.account(data["account"]).others[data["instrument"]] = (data["type"], int(data["quantity"]))
        return {"success": True}
    where, contract = world.account(data["account"]), world.contract(data["instrument"])
    world.set_position(where, contract, int(data["quantity"]), _decimal(data.get("averagePrice")))
    return {"success": True}


def _other_order(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    where, now = simulator.world.account(data["account"]), simulator.world.clock()
    number = f"other-{len(where.other_orders) + len(where.other_fills) + 1}"
    shared = {"account": where.name, "instrument": data["instrument"], "instrumentType": data["type"], "epoch": epoch_ms(now)}
    shared |= {"quantity": int(data.get("quantity", 1)), "orderId": number}
    action = str(data.get("action", "BUY")).upper()
    if str(data.get("orderType", "MARKET")).upper() == "MARKET":
        side = "Long" if action == "BUY" else "Short"
        where.other_fills.append({**shared, "id": f"{number}-1", "marketPosition": side, "price": Decimal(100)})
    else:
        kinds = {"orderAction": action.title(), "orderType": str(data["orderType"]).title(), "orderState": "Working"}
        prices = {"limitPrice": Decimal(data.get("limitPrice", 0)), "stopPrice": Decimal(data.get("stopPrice", 0))}
        if data.get("stuck"):
            where.stuck_others.add(number)
        where.other_orders[number] = {**shared, **kinds, **prices, "id": number, "filled": 0}
    return {"success": True, "orderId": number}


def order(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Place an order by hand, as somebody at NinjaTrader does: the fields of PlaceOrder with `account`; no fault strikes it.

    With a `type` such as `Stock` it is of no contract of ours: at market it fills at once, else it works until the
    account's orders are cancelled, or for ever if it is `stuck`.
    """
    if "type" in data:
        return _other_order(simulator, data)
    usual = {"orderType": "MARKET", "timeInForce": "GTC", "quantity": 1}
    ask = Ask("by hand", Args({**usual, **data}), simulator.world, simulator.faults, is_rpc=False)
    return {"success": True, "orderId": simulator.world.exchange.submit(read_ticket(ask)).id}


def price(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Set `last`, `frozen`, `age` (seconds), `feed` of an `instrument`; `frozen` alone is for the whole market."""
    world = simulator.world
    if "instrument" not in data:
        world.market.frozen = bool(data["frozen"])
        return {"success": True}
    contract = world.contract(data["instrument"])
    if "last" in data:
        world.market.set_price(contract, Decimal(data["last"]))
    ticker = world.market.ticker(contract)
    ticker.frozen = bool(data.get("frozen", ticker.frozen))
    ticker.age = float(data.get("age", ticker.age))
    ticker.has_feed = bool(data.get("feed", ticker.has_feed))
    world.exchange.match_all()
    return {"success": True, "last": ticker.last, "bid": ticker.bid, "ask": ticker.ask, "frozen": ticker.frozen}


def market(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Open the market: `open` true, false, or null for the calendar's word."""
    simulator.set_market(open_now=data["open"])
    return {"success": True}


def timing(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Change how long things take, in seconds: `step`, `fill`, `reject`, `close_wait`, `tick`, `quotes`, `prune`."""
    simulator.set_timing(replace(simulator.timing, **{name: float(value) for name, value in data.items()}))
    return {"success": True, **{one.name: getattr(simulator.timing, one.name) for one in fields(Timing)}}


def stream(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Let another program have the stream (`taken`), or shut it: with `open` false it is closed and refused until true."""
    if data.get("taken"):
        simulator.hub.give_away()
    if "open" in data:
        simulator.hub.set_open(open_now=bool(data["open"]))
    return {"success": True, "open": simulator.hub.is_open}


def cloud(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Switch the cloud: `rateLimited`, `accountEvents` on the stream, the spelling of `names`, prices of `roots`, its date."""
    switches = simulator.cloud
    switches.rate_limited = bool(data.get("rateLimited", switches.rate_limited))
    switches.account_events = bool(data.get("accountEvents", switches.account_events))
    simulator.set_names(Names(data.get("names", simulator.names)))
    simulator.set_roots(answered=bool(data.get("roots", simulator.roots)))
    switches.date_ahead = float(data.get("dateAhead", switches.date_ahead))
    told = {"names": simulator.names, "roots": simulator.roots, "dateAhead": switches.date_ahead}
    return {"success": True, "rateLimited": switches.rate_limited, "accountEvents": switches.account_events, **told}


def faults(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Add `rules`; before that, `remove` rules of these kinds, or `clear` them all. Shows those in force."""
    rules, gone = [Rule.from_json(rule) for rule in data.get("rules", ())], [Kind(name) for name in data.get("remove", ())]
    if data.get("clear"):
        simulator.faults.clear()
    simulator.faults.remove(*gone)
    simulator.faults.rules += rules
    return {"success": True, "rules": [rule.to_json() for rule in simulator.faults.rules]}


LEVERS: Mapping[str, Lever] = {
    lever.__name__: lever for lever in (faults, market, price, position, order, account, timing, stream, cloud, reset)
}
"""Those that change something, by name; each is a POST."""
LOOKS: Mapping[str, Lever] = {"book": book, "faults": faults}
"""Those that only look; each is a GET."""


def listed() -> dict[str, Any]:
    """Tell which levers there are, and which kinds of faults."""
    return {
        "get": {f"/control/{name}": _about(lever) for name, lever in LOOKS.items()},
        "post": {f"/control/{name}": _about(lever) for name, lever in LEVERS.items()},
        "faults": [kind.value for kind in Kind],
        "more": "docs/simulator.md",
    }


def _about(lever: Lever) -> str:
    return (lever.__doc__ or "").partition("\n")[0]
