"""The simulator's own door, /control, for tests and demos: no token, loopback only, not part of the API."""

import ipaddress
from collections.abc import Awaitable, Callable
from decimal import InvalidOperation
from typing import Any

from aiohttp import web

from .levers import LEVERS, LOOKS, Lever, listed
from .simulator import Simulator
from .wire import ApiError, dumps, loads


def add_routes(app: web.Application, simulator: Simulator) -> None:
    """Put the levers on their paths, and the list of them on /control."""
    app.router.add_get("/control", _handler(simulator, lambda *_: listed()))
    for name, lever in LOOKS.items():
        app.router.add_get(f"/control/{name}", _handler(simulator, lever))
    for name, lever in LEVERS.items():
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
