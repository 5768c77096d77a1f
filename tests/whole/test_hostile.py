"""What no honest app sends, by the hundred over the gateway: no order comes of it, everybody is answered, the bot lives on."""

import asyncio
import copy
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.sandbox.discord import InteractionType, MessageView
from bot.sandbox.discord.world import DESK, ELSEWHERE, GUILD, OTHER_GUILD
from bot.sandbox.ninjatrader.catalogue import TRADING_NAMES
from tests.street import until
from tests.whole.conftest import Street

EVENTS = 250
NO_NAMES: tuple[Any, ...] = ([], {"name": 7}, "\ud800")
MEMBERS = ("trader", "second", "viewer", "approver", "administrator", "owner")
# They have no part in an order of the simulated account, whatever they press.
BYSTANDERS = ("viewer", "approver", "administrator", "owner")
JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**70, 1e308, "", "0", "x" * 7000, "\ud800", "\u202eoco", "a\u00a0b", "@everyone <@1>"),
    *([], {}, [[]], [None], {"id": None}, {"name": 7}, "NaN", "1; DROP TABLE tickets"),
)
# What names an interaction and lets anybody answer it; the fields that Discord itself never leaves out.
FIELDS = ("data", "member", "guild_id", "channel_id", "channel", "application_id", "type", "version", "locale", "entitlements")
PLAIN: dict[str, Any] = {"account": "Sim101", "instrument": "ES 09-26", "side": "buy", "qty": 1, "limit": "bid", "order": "0f3a"}
EVENT_NAMES = ("MESSAGE_CREATE", "GUILD_MEMBER_UPDATE", "THREAD_CREATE", "PRESENCE_UPDATE", "WHAT_IS_TO_COME", "CHANNEL_UPDATE")


@dataclass
class Hostile:
    """Makes up one event after another, by the numbers of a seed."""

    street: Street
    chance: random.Random
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(self, payload: dict[str, Any]) -> None:
        self.sent.append(payload)
        self.street.discord.event("INTERACTION_CREATE", payload)

    def one(self) -> None:
        kinds: tuple[Callable[[], None], ...] = (self.command, self.typing, self.press, self.form, self.replay, self.noise)
        self.chance.choices(kinds, (8, 6, 6, 1, 2, 2))[0]()

    def command(self) -> None:
        self._ask(InteractionType.APPLICATION_COMMAND)

    def typing(self) -> None:
        self._ask(InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE)

    def press(self) -> None:
        shown = [message for message in self.street.discord.messages(DESK) if message.buttons]
        if not shown:
            return self.command()
        card = self.chance.choice(shown)
        ids = [str(button.custom_id) for button in card.buttons]
        member, custom_id = self.chance.choice(MEMBERS), self._made_up(self.chance.choice(ids))
        if self.chance.random() < 0.4:
            member, custom_id = self.chance.choice(BYSTANDERS), self.chance.choice(ids)
        data = {"custom_id": custom_id, "component_type": self.chance.choice((2, 2, 2, 3, 99))}
        payload = self.street.discord.envelope(member, "desk", InteractionType.MESSAGE_COMPONENT, data, card.id)
        if self.chance.random() < 0.1:
            payload["message"] = self.chance.choice(JUNK)
        return self.send(self._changed(payload, 0.2))

    def form(self) -> None:
        data = {"custom_id": self.chance.choice(JUNK), "components": self.chance.choice(JUNK)}
        self.send(self.street.discord.envelope(self._anybody(), "desk", InteractionType.MODAL_SUBMIT, data))

    def replay(self) -> None:
        if self.sent:
            self.send(copy.deepcopy(self.chance.choice(self.sent)))

    def noise(self) -> None:
        payload = {"id": self.chance.choice(JUNK), "guild_id": self.chance.choice((str(GUILD), *JUNK)), "author": 7}
        self.street.discord.event(self.chance.choice(EVENT_NAMES), payload)

    def _ask(self, kind: InteractionType) -> None:
        command = self.chance.choice(self.street.discord.commands())
        options = self._options(command, is_typing=kind is InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE)
        data: dict[str, Any] = {"id": str(command["id"]), "name": command["name"], "type": 1, "guild_id": str(GUILD)}
        data["options"] = self.chance.choice(JUNK) if self.chance.random() < 0.1 else options
        # A halt that fits would be one, by somebody who may.
        if self.chance.random() < 0.15 or command["name"] in ("halt", "resume"):
            data["name"] = self.chance.choice(("buy", "reverse now", *JUNK))
        payload = self.street.discord.envelope(self._anybody(), self.chance.choice(("desk", "fills")), kind, data)
        self.send(self._changed(payload, 0.4))

    def _options(self, command: Mapping[str, Any], *, is_typing: bool) -> list[dict[str, Any]]:
        found = []
        for option in command["options"]:
            if not option.get("required") and self.chance.random() < 0.5:
                continue
            choices = [each["value"] for each in option.get("choices", ())] or [PLAIN.get(option["name"], 1)]
            value = self.chance.choice(choices if self.chance.random() < 0.8 else JUNK)
            kind = option["type"] if self.chance.random() < 0.9 else self.chance.choice((1, 3, 4, 5, 6, 10, 99))
            found.append({"name": option["name"], "type": kind, "value": value})
        if found and is_typing:
            self.chance.choice(found)["focused"] = True
        if found and self.chance.random() < 0.1:
            found.append(dict(self.chance.choice(found)))
        return found

    def _changed(self, payload: dict[str, Any], how_often: float) -> dict[str, Any]:
        """One thing about its envelope is wrong: another place, a field that is missing or of another type."""
        if self.chance.random() > how_often:
            return payload
        match self.chance.randrange(5):
            case 0:
                payload |= {"guild_id": str(OTHER_GUILD), "channel_id": str(ELSEWHERE)}
            case 1:
                payload["user"] = payload["member"]["user"]
                for name in ("guild_id", "member"):
                    del payload[name]
            case 2:
                del payload[self.chance.choice(FIELDS)]
            case 3:
                payload["member"] = payload["member"] | {self.chance.choice(("roles", "user", "permissions")): self._junk()}
            case _:
                payload[self.chance.choice(FIELDS)] = self._junk()
        return payload

    def _made_up(self, custom_id: str) -> Any:
        ticket, _, verb = custom_id.rpartition(":")
        others = (f"{ticket}:{word}" for word in ("approve", "send", "confirm\n", "CONFIRM", ""))
        revised = (f"ticket:{ticket.split(':')[1]}:{number}:{verb}" for number in ("99", "-1", "1" * 40, "٣"))
        unknown = (f"ticket:{name}:1:confirm" for name in ("TEST9999", "", "../x", "x" * 80))
        return self.chance.choice((*others, *revised, *unknown, *JUNK))

    def _anybody(self) -> str:
        return self.chance.choice(MEMBERS)

    def _junk(self) -> Any:
        return self.chance.choice(JUNK)


def can_be_answered(payload: Mapping[str, Any]) -> bool:
    """Discord has a kind of answer for it: commands, presses, what is typed, and forms."""
    return payload.get("type") in tuple(InteractionType) and payload.get("type") != InteractionType.PING


def trading(street: Street) -> list[str]:
    """The trading calls that reached the simulator."""
    return [each["call"] for each in street.simulator.book()["requests"] if each["call"] in TRADING_NAMES]


def assert_log_is_clean(street: Street) -> None:
    assert b"Traceback" not in street.output
    assert b"\\ud800" not in street.output, "half a character in the log"


async def confirmed(street: Street, hostile: Hostile, side: str) -> None:
    """An order as people place it, with its press sent twice and by others too."""
    card: MessageView = await street.ask(side=side)
    data = {"custom_id": card.button("Confirm").custom_id, "component_type": 2}
    for member in (*BYSTANDERS, "second"):
        hostile.send(street.discord.envelope(member, "desk", InteractionType.MESSAGE_COMPONENT, data, card.id))
        # One at a time, or they would only be told that another press is worked on.
        await asyncio.sleep(0.5)
    assert card.button("Confirm") in street.discord.message(card.id).buttons, "somebody else's press did something"
    press = street.discord.envelope("trader", "desk", InteractionType.MESSAGE_COMPONENT, data, card.id)
    hostile.send(press)
    hostile.send(copy.deepcopy(press))
    hostile.send(street.discord.envelope("trader", "desk", InteractionType.MESSAGE_COMPONENT, data, card.id))
    await until(lambda: "accepted" in street.discord.message(card.id).text, 10)


@pytest.mark.parametrize("seed", range(3))
async def test_hostile_interactions_send_nothing_and_are_answered(street: Street, seed: int) -> None:
    await street.start()
    hostile, sent = Hostile(street, random.Random(seed)), 0
    for number in range(EVENTS):
        hostile.one()
        await asyncio.sleep(0.05)
        if number % 80 == 40:
            await confirmed(street, hostile, ("sell", "buy")[sent % 2])
            sent += 1
            assert trading(street) == ["ReversePosition"] * sent
    await asyncio.sleep(10)
    assert trading(street) == ["ReversePosition"] * sent, "a call without its press, or twice"
    records = street.discord.backend.interactions
    silent = [each for each in hostile.sent if can_be_answered(each) and not records[int(each["id"])].responded]
    assert silent == []
    assert_log_is_clean(street)
    assert street.output.count(b"\n") <= EVENTS
    assert street.discord.gateway.identified == 1
    await confirmed(street, hostile, ("sell", "buy")[sent % 2])
    assert trading(street) == ["ReversePosition"] * (sent + 1)


@pytest.mark.parametrize("kind", [InteractionType.APPLICATION_COMMAND, InteractionType.MESSAGE_COMPONENT])
@pytest.mark.parametrize(
    "wrong",
    [
        *({"guild_id": []}, {"guild_id": {}}, {"data": "\u202eoco"}, {"data": None}),
        *({"data": {"name": name, "options": [{"name": "qty", "value": 1}]}} for name in NO_NAMES),
    ],
    ids=ascii,
)
async def test_an_envelope_that_discord_py_reads_although_it_is_none_is_answered(
    street: Street, kind: InteractionType, wrong: dict[str, Any]
) -> None:
    await street.start()
    card = await street.ask()
    data = {"name": "reverse", "type": 1, "guild_id": str(GUILD), "custom_id": card.button("Confirm").custom_id}
    is_press = kind is InteractionType.MESSAGE_COMPONENT
    payload = street.discord.envelope("trader", "desk", kind, data | {"component_type": 2}, card.id if is_press else None)
    street.discord.event("INTERACTION_CREATE", payload | wrong)
    await until(lambda: street.discord.interaction(int(payload["id"])).answer is not None, 5)
    assert trading(street) == []
    assert_log_is_clean(street)
