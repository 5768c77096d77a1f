"""The tables of the policy file: which keys there are, what each may hold, and what becomes of them.

Telling people what is wrong is ``_reading``'s work.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.orders.terms import LARGEST_QUANTITY, OrderType
from bot.trading.orders.tickets import Visibility
from bot.trading.risk import policy
from bot.trading.risk.policy import COMMANDS, EVERYTHING, Policy, ReverseMode

EVENTS = frozenset(
    {
        "offered",
        "requoted",
        "confirmed",
        "approved",
        "sending",
        "accepted",
        "rejected",
        "unknown",
        "not sent",
        "never arrived",
        "resolved",
        "not closed",
        "not cancelled",
        "not changed",
        "lost sight",
        "denied",
        "cancelled",
        "expired",
        "void",
        "step",
        "seen",
        "working",
        "part filled",
        "filled",
        "flattened",
        "stopped out",
        "target hit",
        "unprotected",
        "protected",
        "order cancelled",
        "halted",
        "resumed",
        "policy changed",
        "audit head",
        "started",
        "took over",
        "clock set",
        "link down",
        "link up",
        "stopped",
    }
)
"""Events that ``[[notify]]`` may ask for: the values of ``bot.desk.ports.EventName``, which this module may not import."""

ROOTS = "Roots; ``?`` stands for one character, ``*`` for any, and only a lone ``*`` grants a whole account."
_ROOT = re.compile(r"[A-Za-z0-9*?]{1,8}")


def _refuse(reason: str) -> NoReturn:
    raise PydanticCustomError("policy", "{reason}", {"reason": reason})


def quoted(value: str) -> str:
    """Quote a foreign text for a message, cut to a length that can be read."""
    return json.dumps(value if len(value) <= 40 else f"{value[:40]}…", ensure_ascii=False)


def _known(value: str, names: Iterable[str]) -> str:
    if value == EVERYTHING or value in names:
        return value
    listed = sorted(names)
    near = get_close_matches(value.lower().lstrip("/"), listed, n=1)
    guess = f"did you mean {quoted(near[0])}? " if near else ""
    _refuse(f"{quoted(value)} is not known; {guess}known are {', '.join(listed)} and *")


def _command(value: str) -> str:
    return _known(value, COMMANDS)


def _event(value: str) -> str:
    return _known(value, EVENTS)


def _account(value: str) -> str:
    if not value or value != value.strip() or not value.isprintable():
        _refuse('must be an account name or a pattern such as "Sim*", without blanks around it')
    return value


def _root(value: str) -> str:
    if not _ROOT.fullmatch(value):
        _refuse('must be a root such as "ES", without a month, or "*"')
    return value


def _wrapped(value: object) -> object:
    return [value] if value == EVERYTHING else value


def _amount(value: object) -> object:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _member_of(kind: type[StrEnum]) -> BeforeValidator:
    named = {member.casefold(): member for member in kind}

    def read(value: object) -> object:
        if not isinstance(value, str) or value.casefold() not in named:
            _refuse(f"must be one of {', '.join(kind)}")
        return named[value.casefold()]

    return BeforeValidator(read)


def _trading(commands: Iterable[str]) -> list[str]:
    return sorted(name for name in commands if name == EVERYTHING or name in TRADING_COMMANDS)


_Terms = TypeVar("_Terms", list[str], int | None)
_Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
_Command = Annotated[str, AfterValidator(_command), Field(json_schema_extra={"enum": [EVERYTHING, *sorted(COMMANDS)]})]
_Event = Annotated[str, AfterValidator(_event), Field(json_schema_extra={"enum": [EVERYTHING, *sorted(EVENTS)]})]
_Account = Annotated[str, AfterValidator(_account)]
_Root = Annotated[str, AfterValidator(_root), Field(json_schema_extra={"pattern": f"^{_ROOT.pattern}$"})]
_OrderType = Annotated[OrderType, _member_of(OrderType)]
# A lone "*" stands for a list of it.
_Commands = Annotated[list[_Command], BeforeValidator(_wrapped, json_schema_input_type=list[_Command] | Literal["*"])]
_Events = Annotated[list[_Event], BeforeValidator(_wrapped, json_schema_input_type=list[_Event] | Literal["*"])]
_Accounts = Annotated[list[_Account], BeforeValidator(_wrapped, json_schema_input_type=list[_Account] | Literal["*"])]
_Roots = Annotated[list[_Root], BeforeValidator(_wrapped, json_schema_input_type=list[_Root] | Literal["*"])]
_Money = Annotated[
    Decimal, BeforeValidator(_amount), Field(gt=0, le=10**12), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})
]


class Table(BaseModel):
    """One table: no other keys, no other types, no change."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True, defer_build=True
    )


class DeskTable(Table):
    """How tickets behave."""

    confirm_seconds: int = Field(default=30, ge=5, le=300, description="A ticket's life, in seconds.")
    ticket_visibility: Annotated[Visibility, _member_of(Visibility)] = Field(
        default=Visibility.CHANNEL, description="Where a ticket is shown; the result is posted to the channel either way."
    )
    price_tolerance_ticks: int = Field(
        default=20,
        ge=0,
        le=1_000_000,
        description="How far the last price may move between card and press, in ticks, before the card is re-quoted.",
    )
    reverse_mode: Annotated[ReverseMode, _member_of(ReverseMode)] = Field(
        default=ReverseMode.DIRECT,
        description=(
            "How ``/reverse`` goes where its ``mode`` is left out: CrossTrade's own way, or read back as flat before it places."
        ),
    )
    entries_fall_back: bool = Field(
        default=False,
        description=(
            "Whether an entry goes by REST when it can't be put on the stream that orders travel by; ways out always do. "
            "Without CROSSTRADE_TRANSPORT=websocket it means nothing."
        ),
    )
    fresh_ms: int = Field(
        default=1500,
        ge=0,
        le=5000,
        description="How old, in milliseconds, what a press decides on may be; 0 reads everything anew.",
    )
    guard: bool = Field(
        default=True,
        description=(
            "Whether ``/place`` carries the position that its card shows (flat, long or short) as a condition, so that the order "
            "is refused if that has changed; one with a ``require`` of the member's carries that alone."
        ),
    )

    end_required: bool | None = Field(
        default=None,
        description=(
            "Whether a file without ``[end]`` as its last table is refused, as it may have been cut off. A running bot whose "
            "file asked for that goes on to ask for it until a file says ``false``."
        ),
    )


class EndTable(Table):
    """The last table: nothing but comments may stand behind it, so that a file which has it was not cut off."""

    complete: bool = Field(description="``true``, always.", json_schema_extra={"const": True})

    @field_validator("complete")
    @classmethod
    def _is_true(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic hands it over
        if not value:
            _refuse("must be true")
        return value


class GrantTable(Table):
    """What one role may do; a member has what all their roles' grants allow together, each order whole by one of them."""

    role: _Id = Field(description="Discord role id.")
    commands: Annotated[_Commands, Field(min_length=1)] = Field(description="Names of commands without the slash.")
    accounts: _Accounts = Field(default=[], description="Patterns on the NinjaTrader account name; letter case doesn't matter.")
    instruments: _Roots = Field(default=[], description=ROOTS)
    max_quantity: Annotated[int, Field(ge=1, le=LARGEST_QUANTITY)] | None = Field(
        default=None, description="Contracts per order."
    )
    order_types: list[_OrderType] = Field(default=list(OrderType), min_length=1, description="Order types; left out, all.")

    @field_validator("accounts", "instruments", "max_quantity")
    @classmethod
    def _says_how_much(cls, value: _Terms, info: ValidationInfo) -> _Terms:
        trading = _trading(info.data.get("commands", ()))
        if trading and not value:
            _refuse(f"is required where a command that trades is granted ({', '.join(trading)})")
        return value

    def build(self) -> policy.Grant:
        return policy.Grant(
            self.role,
            frozenset(self.commands),
            tuple(self.accounts),
            tuple(self.instruments),
            self.max_quantity,
            frozenset(self.order_types),
        )


class LimitTable(Table):
    """A limit for everybody; all that match an order apply, and a key left out sets no limit."""

    accounts: Annotated[_Accounts, Field(min_length=1)] = Field(
        default=[EVERYTHING], description="Patterns on the account name; left out, all."
    )
    instruments: Annotated[_Roots, Field(min_length=1)] = Field(default=[EVERYTHING], description="Roots; left out, all.")
    max_position: Annotated[int, Field(ge=0, le=LARGEST_QUANTITY)] | None = Field(
        default=None,
        description=(
            "Contracts of a root in one account, all months together, after the fill, working and in-flight orders counted; "
            "each side of the market by itself."
        ),
    )
    orders_per_minute: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description="Orders per minute and member, over all accounts; cancellations, flattens and what was refused don't count.",
    )
    duplicate_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        default=None,
        description=(
            "How long the same account, instrument, side, quantity and type is refused, also across members; "
            "what was refused itself has no double."
        ),
    )
    price_band_ticks: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="How far limit and stop prices may lie from the last price, in ticks."
    )
    daily_loss: _Money | None = Field(
        default=None,
        description=(
            "Loss of the account's day (since 18:00 New York), in its currency, beyond which only reducing is allowed; "
            "on the figure itself everything still is."
        ),
    )
    stale_seconds: int = Field(
        default=policy.OLDEST_QUOTE,
        ge=1,
        le=3600,
        description="A quote older than this counts as missing; more than 10 is taken as 10.",
    )

    def build(self) -> policy.Limit:
        return policy.Limit(
            tuple(self.accounts),
            tuple(self.instruments),
            self.max_position,
            self.orders_per_minute,
            self.duplicate_seconds,
            self.price_band_ticks,
            self.daily_loss,
            self.stale_seconds,
        )


class ApprovalTable(Table):
    """The two-person rule."""

    accounts: Annotated[_Accounts, Field(min_length=1)] = Field(
        default=[EVERYTHING], description="Patterns on the account name; left out, all."
    )
    role: _Id = Field(description="Somebody else who holds this Discord role presses Approve; no grant is needed for that.")
    min_quantity: int = Field(default=1, ge=1, le=LARGEST_QUANTITY, description="From this many contracts on.")

    def build(self) -> policy.Approval:
        return policy.Approval(tuple(self.accounts), self.role, self.min_quantity)


class AccountTable(Table):
    """Names accounts that are no simulation and may be traded all the same; ways out need no such line."""

    name: _Account = Field(description="Account name or pattern.")
    live: bool = Field(description="Whether real money may be traded there; where lines disagree, ``false`` counts.")

    def build(self) -> policy.AccountRule:
        return policy.AccountRule(self.name, self.live)


class NotifyTable(Table):
    """Where the team reads which news."""

    channel: _Id = Field(description="Discord channel id.")
    events: Annotated[_Events, Field(min_length=1)] = Field(description="What is told there.")
    accounts: Annotated[_Accounts, Field(min_length=1)] = Field(
        default=[EVERYTHING], description="Patterns on the account name; left out, all."
    )
    silent: _Events = Field(default=[], description="Which of them make no sound.")

    def build(self) -> policy.Route:
        return policy.Route(self.channel, frozenset(self.events), tuple(self.accounts), frozenset(self.silent))


class File(Table):
    """Who may do what on the desk, and the rules that hold for everybody."""

    desk: DeskTable = DeskTable()
    grant: list[GrantTable] = []
    limit: list[LimitTable] = []
    approval: list[ApprovalTable] = []
    account: list[AccountTable] = []
    notify: list[NotifyTable] = []
    end: EndTable | None = None

    @field_validator("grant")
    @classmethod
    def _lets_somebody_trade(cls, grants: list[GrantTable]) -> list[GrantTable]:
        if not any(_trading(grant.commands) for grant in grants):
            _refuse(f"no role may trade; add a [[grant]] with a command that trades ({', '.join(sorted(TRADING_COMMANDS))})")
        return grants

    def build(self) -> Policy:
        """Translate the whole file."""
        return Policy(
            grants=tuple(grant.build() for grant in self.grant),
            limits=tuple(limit.build() for limit in self.limit),
            approvals=tuple(approval.build() for approval in self.approval),
            accounts=tuple(rule.build() for rule in self.account),
            routes=tuple(route.build() for route in self.notify),
            confirm_seconds=self.desk.confirm_seconds,
            ticket_visibility=self.desk.ticket_visibility,
            price_tolerance_ticks=self.desk.price_tolerance_ticks,
            reverse_mode=self.desk.reverse_mode,
            entries_fall_back=self.desk.entries_fall_back,
            fresh=timedelta(milliseconds=self.desk.fresh_ms),
            guard=self.desk.guard,
        )


TABLES: Mapping[str, type[Table]] = {
    "desk": DeskTable,
    "grant": GrantTable,
    "limit": LimitTable,
    "approval": ApprovalTable,
    "account": AccountTable,
    "notify": NotifyTable,
    "end": EndTable,
}
