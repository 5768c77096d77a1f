"""The watchdog by a process: a link that goes while a position is open, another program on the stream, another on the token."""

from pathlib import Path

import aiohttp

from bot.sandbox.discord import MessageView
from bot.sandbox.discord.world import DESK, FILLS
from bot.sandbox.ninjatrader import Kind, Rule
from tests.process.conftest import Street
from tests.street import CROSSTRADE_SECRET, POLICY, until


async def watched(street: Street) -> None:
    """Wait until the watchdog has read what is open."""
    rules = [Rule(Kind.DELAY, call, seconds=0, count=1) for call in ("GetAllPositions", "ListAccounts")]
    for rule in rules:
        street.simulator.faults.rules.append(rule)
        await until(lambda rule=rule: not any(each is rule for each in street.simulator.faults.rules))  # type: ignore[misc]
    # Its answer has come once the next command is answered.
    await asked(street)


async def asked(street: Street) -> str:
    """What the trader reads after /health."""
    reply = await street.discord.slash("trader", "desk", "health")
    await until(lambda: bool(street.discord.interaction(reply.id).text))
    return street.discord.interaction(reply.id).text


async def test_a_link_that_goes_while_a_position_is_open_is_told_and_so_is_its_return(street: Street) -> None:
    await street.start()
    await watched(street)
    assert "✓ NinjaTrader" in await asked(street)
    await street.control("faults", rules=[{"kind": "offline"}])
    alarm = await street.card("Link down", FILLS, seconds=40)
    assert "NinjaTrader: add-on is away" in alarm.text
    assert "`Sim101` (SIM) · ES" in alarm.text
    assert "read 1" in alarm.text or "read 2" in alarm.text
    await until(lambda: "NinjaTrader is down" in str(street.discord.gateway.presence))
    said = await asked(street)
    assert "✗ NinjaTrader   add-on is away" in said
    assert "Start NinjaTrader" in said
    # Getting out is tried, and goes as soon as it can.
    card = await street.offered("flatten", scope="account", account="Sim101")
    await street.discord.click("trader", card.id, "Confirm")
    await street.control("faults", clear=True)
    await until(lambda: not [p for p in street.simulator.book()["positions"] if p["account"] == "Sim101"])
    told = await street.card("Link up", FILLS, seconds=40)
    assert "NinjaTrader is back after" in told.text
    assert len([message for message in street.discord.messages(FILLS) if "Link " in message.text]) == 2
    assert [row[0] for row in street.rows("SELECT name FROM events WHERE name LIKE 'link%'")] == ["link down", "link up"]
    assert await street.stop() == 0


async def test_another_program_on_the_stream_is_told_to_people(street: Street) -> None:
    await street.start()
    await until(lambda: bool(street.simulator.hub._sessions))
    headers = {"Authorization": f"Bearer {CROSSTRADE_SECRET}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(f"{street.crosstrade}/ws/stream"):
        alarm = await street.card("Another program took CrossTrade's stream", FILLS)
        assert "Link down" in alarm.text
        assert "taken by another" in await asked(street)
        await until(lambda: "taken by another" in str(street.discord.gateway.presence))
    assert await street.stop() == 0


async def test_two_bots_on_one_token_send_no_order_twice_and_say_so(street: Street, tmp_path: Path) -> None:
    await street.start()
    folder = tmp_path / "second"
    folder.mkdir()
    (folder / "policy.toml").write_text(POLICY)
    other = Street(folder, street.discord, street.simulator, street.crosstrade, dict(street.settings))
    await other.start()
    try:
        await until(lambda: street.discord.gateway.connected == 2)
        for _ in range(3):
            await pressed_until_sent(street)
        alarm = await street.card("Another program answers with this Discord token", FILLS, seconds=30)
        assert "stop it" in alarm.text
        sent = [row for each in (street, other) for row in each.rows("SELECT id FROM tickets WHERE sent_at IS NOT NULL")]
        assert len(placed(street)) == len(sent)
        assert len([m for m in street.discord.messages(DESK) if m.buttons or "accepted" in m.text]) >= len(sent)
    finally:
        await other.kill()
    assert await street.stop() == 0


def placed(street: Street) -> list[str]:
    """The orders that reached the simulator."""
    return [request["call"] for request in street.simulator.book()["requests"] if request["call"] == "PlaceOrder"]


async def pressed_until_sent(street: Street) -> None:
    """Ask for a card and press its Confirm, again and again, until the bot whose card it is was once the faster one."""
    before = len(placed(street))
    card = await street.offered("place", account="Sim101", instrument="ES 09-26", side="buy", qty=1)
    for _ in range(20):
        # A card that was quoted anew has a button of its own.
        shown = street.discord.message(card.id)
        confirm = next(button.custom_id or "" for button in shown.buttons if button.label == "Confirm")
        reply = await street.discord.press_anyway("trader", card.id, confirm)
        await until(lambda: is_over(street, reply.id, shown))  # noqa: B023 - waited for within the round
        if "accepted" in street.discord.message(card.id).text:
            break
    # One more press, which comes too late at either of them.
    await street.discord.press_anyway("trader", card.id, confirm)
    assert len(placed(street)) - before <= 1


def is_over(street: Street, press: int, before: MessageView) -> bool:
    """Whether a press was answered: by a word to the presser, or by what the card says now."""
    text = street.discord.message(before.id).text
    return bool(street.discord.interaction(press).text) or (text != before.text and "sending" not in text)
