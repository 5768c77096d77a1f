"""The simulator's own levers under /control, for tests and demos: no token, loopback only, not part of the API."""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from .book import AccountSpec, Holding
from .faults import Rule
from .hours import Hours
from .simulator import Simulator
from .wire import ApiError, dumps, loads

Lever = Callable[[Simulator, Mapping[str, Any]], dict[str, Any]]


def _book(simulator: Simulator, _data: Mapping[str, Any]) -> dict[str, Any]:
    return simulator.book()


def _reset(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Take `accounts` (name, provider, cash, positions: instrument, quantity signed, averagePrice) and `seed`."""
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
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _position(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Take `account`, `instrument`, `quantity` (signed) and `averagePrice`: the position is so, without an order."""
    world = simulator.world
    account, contract = world.account(data["account"]), world.contract(data["instrument"])
    world.set_position(account, contract, int(data["quantity"]), _decimal(data.get("averagePrice")))
    return {"success": True}


def _price(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Take `last`, `frozen`, `age` (seconds), `feed` for an `instrument`; `frozen` alone is for the whole market."""
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


def _market(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Take `open`: true, false, or null for the calendar's word."""
    simulator.world.market.hours = Hours(data["open"])
    return {"success": True}


def _faults(simulator: Simulator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Take `rules` to add and `clear` to drop the old ones first; answers with those in force."""
    rules = [Rule.from_json(rule) for rule in data.get("rules", ())]
    if data.get("clear"):
        simulator.faults.clear()
    simulator.faults.rules += rules
    return {"success": True, "rules": [rule.to_json() for rule in simulator.faults.rules]}


def add_routes(app: web.Application, simulator: Simulator) -> None:
    """Put the levers on their paths."""
    app.router.add_get("/control/book", _handler(simulator, _book))
    app.router.add_get("/control/faults", _handler(simulator, _faults))
    levers: dict[str, Lever] = {
        "reset": _reset, "position": _position, "price": _price, "market": _market, "faults": _faults,
    }  # fmt: skip
    for name, lever in levers.items():
        app.router.add_post(f"/control/{name}", _handler(simulator, lever))


def _handler(simulator: Simulator, lever: Lever) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:
            return _reply(403, {"success": False, "error": "loopback only"})
        try:
            text = await request.text()
            data = loads(text) if text.strip() else {}
            return _reply(200, lever(simulator, data))
        except ApiError as error:
            return _reply(error.status, error.body)
        except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation) as error:
            return _reply(400, {"success": False, "error": repr(error)})

    return handle


def _reply(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, text=dumps(body), content_type="application/json")
