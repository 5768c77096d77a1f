"""Both bots far away from all that they talk to: each has a Discord and a simulated NinjaTrader, and CrossTrade's real budget."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.chaos.books import End, end_of, is_over, title_of
from benchmarks.distance import Distance
from benchmarks.stage import Name, core_for_the_bots, running_bot, settings_of
from bot.sandbox.discord import WORLD, InteractionView, LocalDiscord, Person
from bot.sandbox.discord.world import TRADER_ROLE
from bot.sandbox.ninjatrader import AccountSpec, Simulator, running
from bot.sandbox.ninjatrader.cloud import CAPACITY, RATE, Received

DISCORD_SECONDS, CROSSTRADE_SECONDS = 0.08, 0.06
CHANNEL = "desk"
CALL, PATH = "PlaceOrder", "orders/place"
# The longest that a policy file lets cards live.
CONFIRM_SECONDS = 300
FIRST_MEMBER = 1180000000000000901
POLICY = f"""
[desk]
confirm_seconds = {CONFIRM_SECONDS}
price_tolerance_ticks = 400

[[grant]]
role = {TRADER_ROLE}
commands = "*"
accounts = ["*"]
instruments = ["*"]
max_quantity = 5

[[limit]]
max_position = 10
price_band_ticks = 400
daily_loss = 100000.0
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with buttons.

    Attributes:
        at: when Discord had it, in nanoseconds of the monotonic clock.
        message: its id.
        account: what it is about.
    """

    at: int
    message: int
    account: str


@dataclass(slots=True)
class Side:
    """One bot and all that it talks to.

    Attributes:
        queued: when the event of each interaction set out, in nanoseconds of the monotonic clock.
        cards: every card that could be pressed, oldest first.
    """

    name: Name
    discord: LocalDiscord
    simulator: Simulator
    to_discord: Distance = field(default_factory=lambda: Distance(DISCORD_SECONDS))
    to_crosstrade: Distance = field(default_factory=lambda: Distance(CROSSTRADE_SECONDS))
    queued: dict[int, int] = field(default_factory=dict)
    cards: list[Shown] = field(default_factory=list)
    _known: set[int] = field(default_factory=set)

    def note(self, event: str, payload: Mapping[str, Any]) -> None:
        """Take in what Discord announces."""
        if event == "INTERACTION_CREATE":
            self.queued[int(payload["id"])] = time.monotonic_ns()
        elif event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} and int(payload["id"]) not in self._known:
            text = json.dumps(payload.get("components"))
            if '"Confirm"' in text and (account := next(self._named_in(text), None)) is not None:
                self._known.add(int(payload["id"]))
                self.cards.append(Shown(time.monotonic_ns(), int(payload["id"]), account))

    def _named_in(self, text: str) -> Iterator[str]:
        return (account.name for account in self.simulator.world.accounts if re.search(rf"\b{account.name}\b", text))

    def card(self, account: str, since: int) -> Shown | None:
        """The first card of an account from then on."""
        return next((card for card in self.cards if card.account == account and card.at >= since), None)

    def text(self, card: Shown) -> str:
        """The text of a card now."""
        return self.discord.message(card.message).text

    def is_told(self, card: Shown) -> bool:
        """Tell whether a card says how its order ended; the bare bot's shows CrossTrade's answer, and that is all."""
        text = self.text(card)
        return "rejected or not" in text if self.name is Name.BARE else is_over(text)

    def says_sent(self, card: Shown) -> bool:
        """Tell whether a card says that its order has left, or may have."""
        text = self.text(card)
        return '"success": true' in text if self.name is Name.BARE else end_of(text) in {End.ACCEPTED, End.REJECTED, End.UNKNOWN}

    def title(self, card: Shown) -> str:
        """The first line of a card."""
        return title_of(self.text(card))

    def is_denied(self, asked: InteractionView) -> bool:
        """Tell whether a command got no card."""
        return "denied" in self.discord.interaction(asked.id).text.casefold()

    def at_bot(self, interaction: int) -> int | None:
        """When the bot had the event of an interaction."""
        return self.to_discord.reached(self.queued[interaction])

    def at_door(self, account: str, since: int) -> int | None:
        """When the next order in an account left the bot, from then on."""
        left = self.to_crosstrade.departures
        return next((order.at for order in left if order.at >= since and is_order(order.said, account)), None)

    def orders(self, account: str) -> list[Received]:
        """The orders in an account, as they came in at CrossTrade."""
        return [one for one in self.simulator.cloud.received if one.call == CALL and _account_of(one) == account]


def is_order(said: bytes, account: str) -> bool:
    """Tell whether bytes that leave a bot are an order in an account, over REST or the WebSocket."""
    if said.startswith(f"POST /v1/api/accounts/{account}/{PATH} ".encode()):
        return True
    return said.startswith(b"{") and f'"{CALL}"'.encode() in said and f'"{account}"'.encode() in said


def _account_of(request: Received) -> str:
    named = re.search(r"/accounts/([^/]+)/", request.path)
    return named[1] if named else str(request.body.get("account"))


@asynccontextmanager
async def far(
    folder: Path,
    accounts: Iterable[str],
    *,
    transport: str = "rest",
    members: int = 0,
    names: Iterable[Name] = tuple(Name),
    to_discord: float = DISCORD_SECONDS,
) -> AsyncIterator[dict[Name, Side]]:
    """Start everything, and end it.

    Args:
        folder: where the bots run.
        accounts: their names; each begins flat.
        transport: how orders travel.
        members: how many traders there are beside the usual one.
        names: which bots run.
        to_discord: seconds to Discord, there and back.

    Raises:
        StageError: a part didn't start.
    """
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    more = tuple(Person(member(one), FIRST_MEMBER + one, member(one), ("trader",)) for one in range(members))
    specs = tuple(map(AccountSpec, accounts))
    async with AsyncExitStack() as stack:
        core = stack.enter_context(core_for_the_bots())
        sides = {}
        for name in names:
            discord = LocalDiscord(world=replace(WORLD, people=(*WORLD.people, *more)), patience=10.0)
            side = sides[name] = Side(name, discord, Simulator(accounts=specs), Distance(to_discord))
            # Behind the gateway in the row of those that are told, and so told when it has queued the event.
            discord.backend.subscribers.append(side.note)
            await stack.enter_async_context(side.to_discord.to(await stack.enter_async_context(discord.running())))
            await stack.enter_async_context(side.to_crosstrade.to(await stack.enter_async_context(running(side.simulator))))
            settings = settings_of(name, side.to_discord.url, side.to_crosstrade.url, transport, RATE, CAPACITY)
            await stack.enter_async_context(running_bot(name, discord, settings, folder, core))
        yield sides


def member(number: int) -> str:
    """The name of one of the traders beside the usual one."""
    return f"member{number}"
