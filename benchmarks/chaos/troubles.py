"""Troubles of one order, by name: levers of the simulator and of the local Discord. Only data is here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.discord import Fault, Loss
from bot.sandbox.discord.world import DESK

PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"
# What the bot shows to both services, and nobody may ever read.
TOKEN = "chaos-4f1c9a7e"  # noqa: S105 - of simulators
# Says the token, as what goes wrong in a server may repeat what it was asked with.
TROUBLE = {"success": False, "error": f"internal error: {TOKEN}"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong once.

    Attributes:
        name: as the report calls it.
        at: ``order``: a call that changes something; ``read``: a call that looks; ``discord``: a call to Discord.
        lever: fields of the simulator's rule, or of the local Discord's fault.
    """

    name: str
    at: str
    lever: Mapping[str, Any]


# No answer lies here: what says plainly that nothing was done (400, 401, 429) comes only where nothing was done.
_ORDER: Mapping[str, Mapping[str, Any]] = {
    "408 before": {"kind": "timeout"},
    "408 after": {"kind": "timeout", "effect": True},
    "dropped before": {"kind": "drop"},
    "dropped after": {"kind": "drop", "effect": True},
    "reset before": {"kind": "reset"},
    "reset after": {"kind": "reset", "effect": True},
    "429": {"kind": "rate_limit", "seconds": 1},
    "401": {"kind": "answer", "status": 401, "body": {"success": False, "error": "unauthorized"}},
    "400 says the token": {"kind": "answer", "status": 400, "body": {"success": False, "error": f"{TOKEN} may not do that"}},
    "500 before": {"kind": "answer", "status": 500, "body": TROUBLE},
    "500 after": {"kind": "answer", "status": 500, "body": TROUBLE, "effect": True},
    "502 page after": {"kind": "answer", "status": 502, "body": PAGE, "effect": True},
    "503 before": {"kind": "answer", "status": 503, "body": TROUBLE},
    "garbage after": {"kind": "garbage"},
    "empty success after": {"kind": "answer", "status": 200, "body": {"success": True}, "effect": True},
    "slow drip": {"kind": "drip", "seconds": 1.5},
    "slow before": {"kind": "delay", "seconds": 1.2},
    "slow after": {"kind": "delay", "seconds": 1.2, "effect": True},
    "late, done": {"kind": "late", "seconds": 4.0, "effect": True},
    "late by far, done": {"kind": "late", "seconds": 15.0, "effect": True},
    "late, thrown away": {"kind": "late", "seconds": 2.0},
    "rejected later": {"kind": "reject", "seconds": 0.4},
    "partial fills": {"kind": "partial", "quantity": 1, "seconds": 0.4},
    "slow close": {"kind": "slow_close", "seconds": 2.0},
    "id changes": {"kind": "id_changes"},
    "own id lost": {"kind": "own_id_lost"},
}
_READ: Mapping[str, Mapping[str, Any]] = {
    "read 408": {"kind": "timeout"},
    "read 500": {"kind": "answer", "status": 500, "body": TROUBLE},
    "read reset": {"kind": "reset"},
    "read garbage": {"kind": "garbage"},
    "read drip": {"kind": "drip", "seconds": 1.0},
    "read 429": {"kind": "rate_limit", "seconds": 1},
    "read 401": {"kind": "answer", "status": 401, "body": {"success": False, "error": "unauthorized"}},
}
_EDIT = {"method": "PATCH", "path": f"/channels/{DESK}/messages/*"}
_POST = {"method": "POST", "path": f"/channels/{DESK}/messages"}
_ACK = {"method": "POST", "path": "/interactions/*/callback"}
_DISCORD: Mapping[str, Mapping[str, Any]] = {
    "edit 500": {**_EDIT, "status": 500},
    "edit 503, often": {**_EDIT, "status": 503, "times": 6},
    "edit 429": {**_EDIT, "status": 429, "retry_after": 0.3},
    "edit 401": {**_EDIT, "status": 401},
    "edit lost before": {**_EDIT, "lose": Loss.REQUEST},
    "edit lost after": {**_EDIT, "lose": Loss.REPLY},
    "edit slow": {**_EDIT, "delay": 1.0},
    "edit garbage": {**_EDIT, "garbage": True},
    "edit drip": {**_EDIT, "drip": 1.0},
    "post 500": {**_POST, "status": 500},
    "post lost after": {**_POST, "lose": Loss.REPLY},
    "post garbage": {**_POST, "garbage": True},
    "ack lost before": {**_ACK, "lose": Loss.REQUEST},
    "ack lost after": {**_ACK, "lose": Loss.REPLY},
    "ack 500": {**_ACK, "status": 500},
    "ack slow": {**_ACK, "delay": 0.8},
}
ALL = tuple(
    Trouble(name, at, lever)
    for at, table in (("order", _ORDER), ("read", _READ), ("discord", _DISCORD))
    for name, lever in table.items()
)
AT = {at: tuple(each for each in ALL if each.at == at) for at in ("order", "read", "discord")}


def rule(trouble: Trouble, call: str) -> dict[str, Any]:
    """The simulator's rule for it, for the next call of that name."""
    return {"call": call, "count": 1, **trouble.lever}


def fault(trouble: Trouble) -> Fault:
    """The local Discord's fault for it."""
    return Fault(**trouble.lever)
