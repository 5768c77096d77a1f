"""Control over HTTP, below /control, for tests in another process: the methods of `Local`, as JSON.

`POST /control/VERB` takes the method's parameters as one object; the reads are GETs. Only translation happens here.
Wrong use is answered with 400, an unknown id with 404, what a person could not do with 409, each with an `error`.
"""

import dataclasses
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.discord._simcord import InteractionType
from bot.sandbox.discord.faults import Fault, Loss
from bot.sandbox.discord.local import Local
from bot.sandbox.discord.people import NotPossibleError

_ROOT = "/control"


def control_routes(local: Local) -> list[web.RouteDef]:
    """Return the routes that drive this local Discord."""
    verbs = {name: _verb(method) for name, method in _verbs(local).items()}
    reads = {path: _read(reader) for path, reader in _reads(local).items()}
    return [
        *(web.post(f"{_ROOT}/{name}", handler) for name, handler in verbs.items()),
        *(web.get(f"{_ROOT}/{path}", handler) for path, handler in reads.items()),
    ]


def _verbs(local: Local) -> Mapping[str, Callable[..., Any]]:
    def fail(**fault: Any) -> None:
        lose = fault.pop("lose", None)
        local.fail(Fault(**fault, lose=Loss(lose) if lose else None))

    async def forge(kind: int, **rest: Any) -> Any:
        return await local.forge(kind=InteractionType(kind), **rest)

    def envelope(kind: int, **rest: Any) -> Any:
        return local.envelope(kind=InteractionType(kind), **rest)

    def take_from_bot(channel: str | int, permissions: list[str]) -> None:
        local.take_from_bot(channel, *permissions)

    def set_roles(member: str | int, roles: list[str]) -> None:
        local.set_roles(member, *roles)

    def close_gateway(code: int) -> None:
        local.gateway.close(code)

    same = (
        *(
            local.slash,
            local.type,
            local.autocomplete,
            local.click,
            local.press,
            local.press_anyway,
            local.submit_modal,
            local.say,
        ),
        *(local.event, local.heal, local.refuse, local.delete_channel, local.open_thread, local.archive, local.copy),
    )
    own = (fail, forge, envelope, take_from_bot, set_roles, close_gateway)
    return {method.__name__: method for method in (*same, *own)}


def _reads(local: Local) -> Mapping[str, Callable[[web.Request], Any]]:
    def number(request: web.Request) -> int:
        return int(request.match_info["id"])

    def messages(request: web.Request) -> Any:
        return local.messages(request.match_info["id"], request.query.get("viewer"))

    def calls(request: web.Request) -> Any:
        return local.calls(request.query.get("method", "*"), request.query.get("path", "*"))

    def state(_request: web.Request) -> Any:
        gateway = local.gateway
        return {"connected": gateway.connected, "identified": gateway.identified, "resumed": gateway.resumed}

    return {
        "channels/{id}/messages": messages,
        "messages/{id}": lambda request: local.message(number(request)),
        "interactions": lambda _: local.interactions(),
        "interactions/{id}": lambda request: local.interaction(number(request)),
        "calls": calls,
        "commands": lambda _: local.commands(),
        "state": state,
    }


def _verb(method: Callable[..., Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            given = inspect.signature(method).bind(**await request.json())
        except (TypeError, json.JSONDecodeError) as error:
            return _refused(400, error)
        return await _answered(lambda: method(*given.args, **given.kwargs))

    return handle


def _read(reader: Callable[[web.Request], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return await _answered(lambda: reader(request))

    return handle


async def _answered(ask: Callable[[], Any]) -> web.Response:
    try:
        reply = ask()
        if inspect.isawaitable(reply):
            reply = await reply
    except NotPossibleError as error:
        return _refused(409, error)
    except LookupError as error:
        return _refused(404, error)
    except (TypeError, ValueError) as error:
        return _refused(400, error)
    return web.json_response(_plain(reply))


def _refused(status: int, error: Exception) -> web.Response:
    return web.json_response({"error": str(error)}, status=status)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
