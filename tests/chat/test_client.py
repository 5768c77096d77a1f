"""Getting connected and staying so: what stops the start, what is tried again, and where the bot goes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Self

import aiohttp
import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.chat.client import DeskClient, point_at, run_client
from bot.chat.connection import Brake
from bot.chat.messenger import DiscordMessenger
from bot.errors import DeliveryDelayed, SettingsError
from bot.program.run import COGS
from bot.timings import USUAL
from tests.clocks import HandClock

from .conftest import Stage
from .desk import FakeDesk
from .samples import GUILD, TICKET
from .small_discord import SmallDiscord, serving

# A close code that discord.py neither resumes nor takes for a refused token.
REFUSED_SHARD = 4010
NOWHERE = "http://127.0.0.1:9/api/v10"


class Enough(Exception):
    """Ends a loop that would never end."""


class Pauses:
    """Counts the waits instead of waiting, up to so many."""

    def __init__(self, most: int = 1) -> None:
        self.waits: list[float] = []
        self._most = most

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) >= self._most:
            raise Enough


@pytest.fixture(autouse=True)
def addresses() -> Iterator[None]:
    """Leave discord.py's addresses as they were; they hold for the whole process."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture
async def small() -> AsyncIterator[SmallDiscord]:
    async with serving(SmallDiscord()) as small:
        yield small


def _maker(desk: FakeDesk, api: str, gateway: str | None) -> Callable[[], DeskClient]:
    return lambda: DeskClient(desk, desk.messenger, (GUILD,), COGS, api_url=api, gateway_url=gateway)


async def test_the_client_asks_for_little_and_keeps_less(stage: Stage) -> None:
    client = stage.client
    assert client.intents.value == discord.Intents(guilds=True).value == 1
    assert list(client.cached_messages) == []
    mentions: discord.AllowedMentions | None = client.allowed_mentions
    assert mentions is not None
    assert dict(mentions.to_dict()) == {"parse": []}
    await stage.reverse()
    guild = client.get_guild(GUILD)
    assert guild is not None
    assert client.user is not None
    assert [member.id for member in guild.members] == [client.user.id]


async def test_commands_hide_behind_no_permission_of_discords(stage: Stage) -> None:
    for command in stage.client.tree.get_commands(guild=discord.Object(GUILD)):
        payload = command.to_dict(stage.client.tree)
        assert payload["default_member_permissions"] is None
        assert payload["dm_permission"] is False


def test_point_at_moves_rest_and_gateway_and_leaves_what_is_not_named() -> None:
    gateway = DiscordWebSocket.DEFAULT_GATEWAY
    assert point_at("http://127.0.0.1:1/api/v10/", None) is None
    assert Route("GET", "/x").url == "http://127.0.0.1:1/api/v10/x"
    assert gateway == DiscordWebSocket.DEFAULT_GATEWAY
    assert point_at(None, "ws://127.0.0.1:2/") == yarl.URL("ws://127.0.0.1:2/")
    assert yarl.URL("ws://127.0.0.1:2/") == DiscordWebSocket.DEFAULT_GATEWAY


async def test_a_refused_token_is_said_to_be_the_settings_fault(desk: FakeDesk, small: SmallDiscord) -> None:
    small.statuses["/users/@me"] = 401
    with pytest.raises(SettingsError) as caught:
        await run_client(_maker(desk, small.api, small.gateway), "wrong", pause=Pauses())
    assert caught.value.setting == "DISCORD_TOKEN"
    assert "wrong" not in str(caught.value)


async def test_i21_a_persons_token_is_refused(desk: FakeDesk, small: SmallDiscord) -> None:
    small.me["bot"] = False
    with pytest.raises(SettingsError, match="bot application") as caught:
        await run_client(_maker(desk, small.api, small.gateway), "token", pause=Pauses())
    assert caught.value.setting == "DISCORD_TOKEN"
    assert not [call for call in small.asked if call.startswith("PUT")]


@pytest.mark.parametrize("status", [403, 404])
async def test_a_guild_without_the_bot_is_said_to_be_the_settings_fault(desk: FakeDesk, small: SmallDiscord, status: int) -> None:
    small.statuses["/commands"] = status
    with pytest.raises(SettingsError, match=str(GUILD)) as caught:
        await run_client(_maker(desk, small.api, small.gateway), "token", pause=Pauses())
    assert caught.value.setting == "DISCORD_GUILD_ID"


async def test_a_token_that_the_gateway_refuses_stops_as_well(desk: FakeDesk, small: SmallDiscord) -> None:
    small.closes = [4004]
    with pytest.raises(SettingsError) as caught:
        await run_client(_maker(desk, small.api, small.gateway), "token", pause=Pauses())
    assert caught.value.setting == "DISCORD_TOKEN"


async def test_a_discord_out_of_reach_is_tried_for_ever_with_growing_pauses(desk: FakeDesk) -> None:
    pauses = Pauses(8)
    with pytest.raises(Enough):
        await run_client(_maker(desk, NOWHERE, "ws://127.0.0.1:9/"), "token", pause=pauses)
    assert pauses.waits == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("path", ["/users/@me", "/applications/@me", "/commands"])
async def test_a_discord_in_its_bad_hour_is_tried_again(desk: FakeDesk, small: SmallDiscord, path: str) -> None:
    small.statuses[path] = 503
    pauses = Pauses(2)
    with pytest.raises(Enough):
        await run_client(_maker(desk, small.api, small.gateway), "token", pause=pauses)
    assert pauses.waits == [1, 2]


async def test_a_first_gateway_connection_that_fails_is_tried_again_with_a_new_client(
    desk: FakeDesk, small: SmallDiscord
) -> None:
    made: list[DeskClient] = []

    def make() -> DeskClient:
        # The first client finds no gateway; the next one does, and is then thrown out.
        gateway = small.gateway if made else "ws://127.0.0.1:9/"
        made.append(_maker(desk, small.api, gateway)())
        return made[-1]

    small.closes = [REFUSED_SHARD]
    pauses = Pauses(2)
    with pytest.raises(Enough):
        await run_client(make, "token", pause=pauses)
    assert [client.reached for client in made] == [False, True]
    assert pauses.waits == [1, 2]
    assert all(client.is_closed() for client in made)


async def test_a_lost_connection_is_resumed_where_the_settings_say_and_not_where_ready_says(
    desk: FakeDesk, small: SmallDiscord
) -> None:
    small.resume_url = "ws://127.0.0.1:9/"
    small.closes = [4000, REFUSED_SHARD]
    with pytest.raises(Enough):
        await run_client(_maker(desk, small.api, small.gateway), "token", pause=Pauses())
    assert small.said == ["identify", "resume"]


async def test_without_a_gateway_setting_another_discord_is_asked_for_its_own(desk: FakeDesk, small: SmallDiscord) -> None:
    small.resume_url = small.gateway
    small.closes = [4000, REFUSED_SHARD]
    with pytest.raises(Enough):
        await run_client(_maker(desk, small.api, None), "token", pause=Pauses())
    assert "GET /gateway/bot" in small.asked
    assert small.said == ["identify", "resume"]


async def test_news_wait_while_there_is_no_client(desk: FakeDesk, small: SmallDiscord) -> None:
    small.closes = [REFUSED_SHARD]
    with pytest.raises(Enough):
        await run_client(_maker(desk, small.api, small.gateway), "token", pause=Pauses())
    with pytest.raises(DeliveryDelayed):
        await desk.messenger.show(TICKET, 0.0)


async def test_stopping_closes_the_client(desk: FakeDesk, small: SmallDiscord) -> None:
    small.closes = [None]
    made: list[DeskClient] = []

    def make() -> DeskClient:
        made.append(_maker(desk, small.api, small.gateway)())
        return made[-1]

    running = asyncio.create_task(run_client(make, "token"))
    async with asyncio.timeout(10):
        while not (made and made[0].reached):
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert made[0].is_closed()


class Scripted:
    """A client whose connection ends as it was told, after so many seconds of a hand clock."""

    def __init__(self, end: Exception | None, clock: HandClock, lasts: float = 0.0) -> None:
        self.closed = False
        self.brake = Brake(clock.seconds, USUAL.chat)
        self._end = end
        self._clock = clock
        self._lasts = lasts

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc_value: object, traceback: object) -> None:
        self.closed = True

    async def login(self, token: str) -> None:
        """Succeed."""

    async def connect(self) -> None:
        self.brake.began()
        self._clock.now += timedelta(seconds=self._lasts)
        if self._end is not None:
            raise self._end


@pytest.mark.parametrize("end", [None, KeyError("attachment_size_limit"), OSError(), TimeoutError(), aiohttp.ClientError()])
async def test_whatever_ends_a_connection_another_one_follows(end: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    pauses, clock = Pauses(3), HandClock()
    made: list[Scripted] = []

    def make() -> Scripted:
        made.append(Scripted(end, clock))
        return made[-1]

    with pytest.raises(Enough):
        await run_client(make, "token", pause=pauses)
    assert len(made) == 3
    assert pauses.waits == [1, 2, 4]
    assert all(client.closed for client in made)
    assert ("fault" in caplog.text) == isinstance(end, KeyError)


async def test_sessions_that_end_at_once_use_up_no_more_than_discord_allows_a_day() -> None:
    pauses, clock = Pauses(700), HandClock()
    with pytest.raises(Enough):
        await run_client(lambda: Scripted(OSError(), clock), "token", pause=pauses)
    assert pauses.waits[:9] == [1, 2, 4, 8, 16, 32, 64, 120, 120]
    assert sum(pauses.waits) > 86_400 * 700 / 1000


async def test_pauses_begin_small_again_only_after_a_session_that_lasted() -> None:
    pauses, clock, lasting = Pauses(7), HandClock(), iter([0.0, 59.0, 0.0, 61.0, 0.0, 0.0, 0.0])
    with pytest.raises(Enough):
        await run_client(lambda: Scripted(OSError(), clock, next(lasting)), "token", pause=pauses)
    assert pauses.waits == [1, 2, 4, 0, 1, 2, 4]


async def test_the_token_is_in_no_log_line(desk: FakeDesk, small: SmallDiscord, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    small.closes = [REFUSED_SHARD]
    with pytest.raises(Enough):
        await run_client(_maker(desk, small.api, small.gateway), "very-secret-token", pause=Pauses())
    assert "very-secret-token" not in caplog.text


async def test_a_client_that_is_closed_says_nothing_of_itself_any_more(desk: FakeDesk) -> None:
    """discord.py comes to call itself ready up to two seconds after it was, whatever has become of it meanwhile."""
    client = DeskClient(desk, desk.messenger, (GUILD,), ())
    async with client:
        client.dispatch("ready")
    client.dispatch("ready")
    assert client.is_closed()


async def test_a_messenger_serves_the_newest_client_only(desk: FakeDesk) -> None:
    messenger = DiscordMessenger(HandClock())
    first, second = (DeskClient(desk, messenger, (GUILD,), ()) for _ in range(2))
    messenger.attach(first)
    messenger.attach(second)
    messenger.detach(first)
    assert messenger._client is second
