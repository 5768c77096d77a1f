"""Faults, switched at run time: one list of rules, asked in one place. Those who ask act on the answer."""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

EVERY, TRADING, READING = "*", "trading", "reading"


class Kind(StrEnum):
    """Kind of fault. Where `effect` is named: False = nothing was done, True = it was done and the answer is spoilt."""

    DROP = "drop"
    """The connection is closed instead of an answer (`effect`). Also for frames: `call` = marketData, pnlUpdate."""
    RESET = "reset"
    """The connection is reset (RST) instead of an answer (`effect`)."""
    TIMEOUT = "timeout"
    """408 "Client not ready" (`effect`)."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After (`seconds`, default 1), whatever the budget says (`effect`)."""
    ANSWER = "answer"
    """`status` with `body` (`effect`): a string goes out as it stands, anything else as JSON."""
    GARBAGE = "garbage"
    """Unreadable text in place of the body or the frame; it was done."""
    DELAY = "delay"
    """Wait `seconds`, before the work, or after it (`effect`)."""
    DRIP = "drip"
    """Give the body out in small pieces over `seconds` (REST)."""
    LATE = "late"
    """408, and the request reaches the add-on `seconds` later: done then (`effect`), or discarded for its age."""
    OFFLINE = "offline"
    """The add-on is off: calls that need it answer 408 "Client not ready", and the stream falls silent."""
    NO_PLAN = "no_plan"
    """The plan has no API: 401 api_requires_pro to every call, and to the WebSocket's handshake (`call` = handshake)."""
    OLD_ADDON = "old_addon"
    """An add-on from before the lifecycle, market and bracket calls: "Unknown API command"."""
    WITHOUT = "without"
    """The call isn't there: 404 with did_you_mean, as an RPC "Unknown API command"; `body` "rest" or "rpc": over that alone."""
    SHARED = "shared"
    """Another program of the same user spends `quantity` requests of the budget a second."""
    OLD_LIMIT = "old_limit"
    """Over the budget the 429 has the older page's form: "Rate limit exceeded", no Retry-After."""
    SLOW_LIMIT = "slow_limit"
    """No 429: after two quick calls each answer takes `seconds` (default: 5 to 16, as measured)."""
    BARE = "bare"
    """Errors in the endpoint pages' form: only `error`."""
    NESTED = "nested"
    """Answers in llms-full's form: all but `success` stands under `data`, or under the name in `body`, such as "order"."""
    REJECT = "reject"
    """The order goes to Rejected after the 200, in `seconds` (default: about 1)."""
    LEG_REJECTED = "leg_rejected"
    """Stop and target of a bracket or an ATM strategy, or the one in `body`, are rejected `seconds` after they were taken."""
    LEG_CANCELLED = "leg_cancelled"
    """Somebody cancels them, or the one in `body`, after `seconds`; with one of an OCO group the other goes too."""
    ATM_BARE = "atm_bare"
    """An ATM strategy places its target alone; with `body` "both" neither of its orders."""
    PARTIAL = "partial"
    """The order fills by `quantity` contracts at a time, `seconds` apart."""
    SLOW_CLOSE = "slow_close"
    """The closing order takes `seconds` to fill."""
    BLIND_CLOSE = "blind_close"
    """A close or flatten is a market order of the size of now: no close that runs is joined, nothing is cancelled before."""
    STUCK = "stuck"
    """An order that is cancelled stays CancelPending, and can still fill; `body`: orders of this type, or of this id, alone."""
    DEAF = "deaf"
    """The cancel of an order is taken and ignored (`body` as in stuck)."""
    COMES_BACK = "comes_back"
    """An order that is cancelled is put back under another id, `seconds` later (default: at once; `body` as in stuck)."""
    LAG = "lag"
    """Lists (`call` = ListOrders, ListPositions, GetAllOrders ...) are as they were `seconds` ago (default: 3)."""
    LOCKED = "locked"
    """New orders go to Rejected `seconds` after the 200; `body`: those of `account`, those that `closes`, the broker's `text`."""
    CLOSE_UNSURE = "close_unsure"
    """Close answers 409 close_needs_reconciliation: the add-on could not see the end of it (`effect`)."""
    RESTING_STAYS = "resting_stays"
    """Flatten leaves the working orders of an instrument in which nothing is open."""
    FLAT_OBJECT = "flat_object"
    """GetPosition answers a Flat object instead of 400."""
    NULL_ORDER_ID = "null_order_id"
    """Order rows have `id` and a null `orderId`."""
    OWN_ID_LOST = "own_id_lost"
    """An order without ATM strategy keeps a generated id in place of the caller's own."""
    ID_CHANGES = "id_changes"
    """The order gets another id, a number, when the broker accepts it; lists show the new one, both find it."""
    NAMELESS = "nameless"
    """Order rows have no `name`."""
    COARSE = "coarse"
    """Order rows are stamped in steps of `seconds` (default: 1), so that a close and the order behind it bear one time."""
    STATE_WORD = "state_word"
    """Orders that live are shown in the state `body`, such as "Trigger pending"."""
    UNLISTED = "unlisted"
    """Accounts whose connection is down are left out of the lists of all accounts, all positions and the snapshot."""
    PRUNED = "pruned"
    """Orders leave lists and GetOrder `seconds` after their end (default: at once)."""
    CLOSE_FIELDS = "close_fields"
    """Close answers as the newest add-on: pending, verified, remainingQuantity, and close_in_progress."""
    NO_ACK = "no_ack"
    """A subscription is taken without an acknowledgement (`call` = subscribe, unsubscribe)."""
    EVENT_GAP = "event_gap"
    """An account event is lost; the next frame has a gap in `seq` and says `dropped` (`call` = orderUpdate ...)."""
    EVENT_TWICE = "event_twice"
    """An account event comes twice."""
    RESYNC = "resync"
    """A resync frame comes in place of an account event."""


@dataclass(slots=True)
class Rule:
    """One fault. `count` None: until removed.

    `call` is an API call's name, a pushed frame's type, "trading" for each call that can change something, "reading" for each
    call that can't, or "*" for all.
    """

    kind: Kind
    call: str = EVERY
    effect: bool = False
    count: int | None = None
    probability: float = 1.0
    seconds: float | None = None
    status: int = 500
    body: Any = None
    quantity: int = 1

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Rule":
        """Read a rule from the control endpoint; ValueError or TypeError for anything that is not one."""
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown or "kind" not in data:
            raise ValueError(f"not a rule: {sorted(unknown) or 'no kind'}")
        rule = cls(**{**data, "kind": Kind(data["kind"])})
        rule.probability = float(rule.probability)
        rule.seconds = None if rule.seconds is None else float(rule.seconds)
        return rule

    def to_json(self) -> dict[str, Any]:
        """Give the rule as the control endpoint shows it."""
        return asdict(self)


class Faults:
    """The rules in force. Only `take` decides whether one applies, and counts it."""

    def __init__(self, seed: int = 0, trading: Collection[str] = (), reading: Collection[str] = ()) -> None:
        """Start with nothing going wrong; the seed drives the probabilities, `trading` and `reading` are the calls so named."""
        self.rules: list[Rule] = []
        self._dice = random.Random(seed)
        self._named = {TRADING: frozenset(trading), READING: frozenset(reading)}

    def add(self, kind: Kind, call: str = EVERY, **details: Any) -> Rule:
        """Add a rule."""
        rule = Rule(kind, call, **details)
        self.rules.append(rule)
        return rule

    def remove(self, *kinds: Kind) -> None:
        """Drop every rule of these kinds."""
        self.rules[:] = [rule for rule in self.rules if rule.kind not in kinds]

    def clear(self) -> None:
        """Let everything go well again."""
        self.rules.clear()

    def has(self, call: str, kind: Kind) -> bool:
        """Tell whether a rule of this kind is for this call, without using it up."""
        return any(rule.kind is kind and self._is_for(rule, call) for rule in self.rules)

    def take(self, call: str, kind: Kind, fits: Callable[[Rule], bool] = lambda _rule: True) -> Rule | None:
        """Give the first rule of this kind that strikes this call now; one use of its count is spent."""
        for rule in self.rules:
            if rule.kind is kind and self._is_for(rule, call) and fits(rule) and self._dice.random() < rule.probability:
                if rule.count is not None:
                    rule.count -= 1
                    if rule.count <= 0:
                        self.rules.remove(rule)
                return rule
        return None

    def seconds(self, rule: Rule, least: float, most: float) -> float:
        """Give the rule's seconds, or some between these."""
        return self._dice.uniform(least, most) if rule.seconds is None else rule.seconds

    def _is_for(self, rule: Rule, call: str) -> bool:
        return rule.call in (call, EVERY) or call in self._named.get(rule.call, ())
