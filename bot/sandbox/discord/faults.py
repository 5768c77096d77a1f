"""Faults that can be made in the REST API while it runs: errors, delays, lost requests, lost replies.

Only which call is hit by what; the REST side acts on it.
"""

import fnmatch
from dataclasses import dataclass, field
from enum import StrEnum

_ANY = "*"


class Loss(StrEnum):
    """The moment when the connection is dropped."""

    REQUEST = "request"  # before anything happened
    REPLY = "reply"  # after it happened: the bot can't know


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong, for the next calls that match.

    Attributes:
        method: HTTP method, or * for any.
        path: pattern of the path below /api/v10, `/channels/*/messages` for instance.
        times: how many calls it still hits; None is until it is taken away.
        status: answered instead of doing anything; None does what was asked.
        retry_after: seconds, for a 429.
        delay: seconds before anything else.
        lose: the connection is dropped, with the request or with the reply.
        garbage: what was asked is done, and answered with text that nobody can read.
        drip: seconds over which the answer comes in small pieces.

    """

    method: str = _ANY
    path: str = _ANY
    times: int | None = 1
    status: int | None = None
    retry_after: float = 0.1
    delay: float = 0.0
    lose: Loss | None = None
    garbage: bool = False
    drip: float = 0.0

    def hits(self, method: str, path: str) -> bool:
        """Return whether this call is to go wrong."""
        spent = self.times is not None and self.times <= 0
        return not spent and self.method in (_ANY, method) and fnmatch.fnmatchcase(path, self.path)


NO_FAULT = Fault(times=0)


@dataclass(slots=True)
class Faults:
    """The faults that are switched on, first come first served."""

    _faults: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Switch one on."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Switch all off."""
        self._faults.clear()

    def take(self, method: str, path: str) -> Fault:
        """Return what hits this call, counted down; `NO_FAULT` if nothing does."""
        for fault in self._faults:
            if fault.hits(method, path):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return NO_FAULT
