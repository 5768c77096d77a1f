"""The desk as the chat layer sees it: the one door to everything that has consequences.

``bot.desk.desk.Desk`` fills it; tests fill it by hand. Nothing is decided here.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bot.desk.health.watchdog import Health
from bot.desk.reads.charts import Charted, ChartRequest
from bot.desk.reads.reports import (
    AccountReport,
    Balance,
    Explanation,
    Fills,
    Listed,
    OneFill,
    OrderStory,
    Quoted,
    StrategyReport,
    Traded,
)
from bot.desk.requests import Press, Refused, ResolveRequest, SwitchRequest, TicketRequest
from bot.trading.market.facts import Execution, Order, Position
from bot.trading.orders.tickets import Member, Origin, Ticket
from bot.trading.planning.card_actions import CardAction
from bot.trading.planning.suggestions import SoFar, Suggestion
from bot.trading.risk.halts import Switches
from bot.trading.risk.policy import Denial, PermissionQuery, Policy

Acknowledge = Callable[[], Awaitable[None]]


class ReadsDoor(Protocol):
    """Requests that reading commands may make; nothing here has consequences."""

    async def positions(
        self, member: Member, account: str | None, typed: str | None = None
    ) -> tuple[Listed[Position], ...] | Refused:
        """Open positions of one account, or of all that the member may see; perhaps of one instrument only."""

    async def orders(self, member: Member, account: str | None, typed: str | None) -> tuple[Listed[Order], ...] | Refused:
        """Working orders of one account, or of all that the member may see; perhaps of one instrument only."""

    async def order(self, member: Member, account: str, order_id: str) -> OrderStory | Refused:
        """All that is known of one order."""

    async def accounts(self, member: Member) -> tuple[Balance, ...] | Refused:
        """All accounts that the member may see."""

    async def account(self, member: Member, account: str) -> AccountReport | Refused:
        """One account with its money."""

    async def pnl(self, member: Member) -> tuple[Balance, ...] | Refused:
        """The day of all accounts that the member may see."""

    async def executions(self, member: Member, account: str, hours: int | None = None) -> Fills | Refused:
        """An account's fills, with those that the desk has kept."""

    async def execution(self, member: Member, account: str, typed: str) -> OneFill | Refused:
        """One fill by its id."""

    async def recent_fills(self, member: Member, account: str) -> Sequence[Execution]:
        """Fills to offer in autocomplete, from the desk's own record."""

    async def quotes(self, member: Member, typed: str, account: str | None = None) -> tuple[Quoted, ...] | Refused:
        """Quotes of one or several instruments; the market's, or an account's own."""

    async def market(self, member: Member, typed: str | None) -> tuple[Traded, ...] | Refused:
        """Sessions of one or several markets: whether each trades, and when that changes."""

    async def strategies(self, member: Member, account: str) -> StrategyReport | Refused:
        """The strategies that run in an account."""

    async def why(self, member: Member, typed: str | None) -> Explanation | Refused:
        """The story of a ticket or an order, or of the member's own newest request."""

    async def chart(self, member: Member, request: ChartRequest) -> Charted | Refused:
        """The bars of an instrument, and what an account holds and works there."""


class ResolvingDoor(Protocol):
    """Requests that ``/resolve`` may make."""

    async def resolve(self, member: Member, request: ResolveRequest) -> str | Refused:
        """Take a person's word on an unknown outcome; a sentence for them alone, or every reason why not."""

    async def offered(self, member: Member, typed: str) -> Sequence[Suggestion[str]]:
        """The tickets that the member may resolve."""


class SuggestDoor(Protocol):
    """Suggestions for autocomplete: what the member is granted, and nothing where a fact is missing; none waits for long."""

    async def prices(self, member: Member, so_far: SoFar, name: str, typed: str) -> Sequence[Suggestion[str]]:
        """Prices for the option of that name."""

    async def sizes(self, member: Member, so_far: SoFar, typed: str) -> Sequence[Suggestion[int]]:
        """Quantities."""

    async def orders(self, member: Member, so_far: SoFar, typed: str) -> Sequence[Suggestion[str]]:
        """Working orders of an account."""

    async def running(self, member: Member, so_far: SoFar, typed: str) -> Sequence[Suggestion[str]]:
        """The ATM strategies that run in an account."""

    async def strategies(self, member: Member, typed: str) -> Sequence[Suggestion[str]]:
        """Names of ATM templates."""


class Watches(Protocol):
    """Questions that the watchdog answers, from memory, whatever is down."""

    async def report(self, member: Member) -> Health:
        """Every link, with the accounts that the member may see."""


class DeskDoor(Protocol):
    """The desk as cogs and buttons may use it. Errors are ``bot.errors.DeskError`` with a sentence for people."""

    @property
    def policy(self) -> Policy:
        """The running policy."""

    @property
    def reads(self) -> ReadsDoor:
        """Answers the commands that only read."""

    @property
    def suggest(self) -> SuggestDoor:
        """Answers keystrokes."""

    @property
    def health(self) -> Watches:
        """Tells how every link does."""

    @property
    def resolving(self) -> ResolvingDoor:
        """Takes a person's word on an unknown outcome."""

    @property
    def switches(self) -> Switches:
        """All that is halted or reducing, as last seen."""

    def may(self, member: Member, request: PermissionQuery) -> Denial | None:
        """The one decision of who may do what; ``None`` means yes."""

    async def denied(self, member: int, channel: int | None, command: str, denial: Denial) -> None:
        """Record that the gate turned somebody away."""

    async def offer(self, member: Member, origin: Origin, request: TicketRequest) -> Ticket | Refused:
        """Make a ticket of a request, or say every reason why not."""

    async def halt(self, member: Member, origin: Origin, request: SwitchRequest) -> str | Refused:
        """Halt at once, and tell the channel; the same words again for who asked, or every reason why not."""

    async def resume(self, member: Member, origin: Origin, request: SwitchRequest) -> str | Refused:
        """Lift what was halted, and tell the channel; the same words again for who asked, or every reason why not."""

    async def request(self, member: Member, ticket_id: str, verb: CardAction) -> TicketRequest | Refused:
        """The request that a member makes by a button of a sent order's card; to be handed to ``offer``."""

    async def posted(self, ticket_id: str, channel: int, message: int) -> None:
        """Remember the message that shows a ticket."""

    async def shown_privately(self, ticket_id: str) -> None:
        """Note that the card is shown to its requester alone."""

    async def not_posted(self, ticket_id: str, why: str, *, perhaps: bool = False) -> None:
        """End a ticket whose card could not be shown."""

    async def confirm(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Confirm; returns a sentence for the presser alone, or ``None`` when the card says it all."""

    async def approve(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Approve; returns a sentence for the presser alone, or ``None`` when the card says it all."""

    async def cancel(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Cancel; returns a sentence for the presser alone, or ``None`` when the card says it all."""

    def accounts_for(self, member: Member, command: str) -> Sequence[str]:
        """Accounts to offer in autocomplete, from memory."""

    def instruments_for(self, member: Member, command: str, account: str) -> Sequence[str]:
        """Contracts to offer in autocomplete, from memory."""
