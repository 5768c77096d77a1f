"""Changes of the policy, what they have added and taken away, counted: a file that was cut off shows by what went."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.trading.risk.policy import Policy


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers of something, before and after.

    Attributes:
        guards: whether fewer of them let through what was stopped before, or leave somebody untold.
    """

    what: str
    before: int
    after: int
    guards: bool

    def __str__(self) -> str:
        return f"{self.what} {self.before} → {self.after}"

    @property
    def is_alarming(self) -> bool:
        """Tell whether what guards has become less."""
        return self.guards and self.after < self.before


def changes(before: Policy, after: Policy) -> tuple[Counted, ...]:
    """Everything of which there is another number now, what guards and went first."""
    counted = (
        Counted(what, old, new, guards) for (what, old, guards), (_, new, _) in zip(_counts(before), _counts(after), strict=True)
    )
    return tuple(sorted((one for one in counted if one.before != one.after), key=lambda one: not one.is_alarming))


def in_numbers(counted: Sequence[Counted]) -> list[str]:
    """Text for people, a line for what went and one for the rest."""
    gone = [str(one) for one in counted if one.is_alarming]
    rest = [str(one) for one in counted if not one.is_alarming]
    lines = [f"Fewer safeguards than before: {', '.join(gone)}. Was the file cut off?"] if gone else []
    return [*lines, *([", ".join(rest)] if rest else [])]


def _counts(policy: Policy) -> Iterator[tuple[str, int, bool]]:
    limits = policy.limits
    yield "limits", len(limits), True
    for part in ("max_position", "orders_per_minute", "duplicate_seconds", "price_band_ticks", "daily_loss"):
        yield f"limits with {part}", sum(getattr(limit, part) is not None for limit in limits), True
    yield "approvals", len(policy.approvals), True
    yield "accounts that are not live", sum(not rule.live for rule in policy.accounts), True
    yield "channels that are told", len({route.channel for route in policy.routes}), True
    yield "grants", len(policy.grants), False
    yield "accounts that are live", sum(rule.live for rule in policy.accounts), False
