"""The kill switch, whole: by a file beside the journal and by the channel, in virtual time."""

from bot.sandbox.discord.world import FILLS
from tests.street import until
from tests.whole.conftest import Street
from tests.whole.test_mass_actions import calls, held
from tests.whole.test_orders import WHERE, begun, confirmed


async def denied(street: Street, code: str, *words: str) -> None:
    """Ask for an order that is denied."""
    reply = await street.discord.slash("trader", "desk", "reverse", {**WHERE, "side": "buy", "qty": 1})
    await until(lambda: code in street.discord.interaction(reply.id).text, why=lambda: street.discord.interaction(reply.id).text)
    for word in words:
        assert word in street.discord.interaction(reply.id).text


async def test_a_file_named_halt_denies_orders_and_lets_exits_pass_until_it_is_gone(street: Street) -> None:
    await begun(street, "rest")
    card = await street.ask()
    file = street.folder / "HALT"
    file.write_text("CPI, back at 14:00\n")
    # At once, whether or not anybody has been told yet.
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: "HALTED" in street.discord.message(card.id).text)
    assert calls(street) == []
    await denied(street, "HALTED", "by the file HALT", "CPI, back at 14:00", "Take the file HALT away")
    await street.card("**Halted** · The desk is halted by the file HALT", FILLS)
    await confirmed(street, "close", "closed 1", qty=1, **WHERE)
    assert calls(street) == ["ClosePosition"]
    assert held(street)["Sim101", "ES 09-26"] == -1
    file.unlink()
    await street.card("**Resumed** · The desk: the file HALT is gone.", FILLS)
    await confirmed(street, "reverse", "accepted", side="buy", qty=1, **WHERE)
    told = [message.text.split(" ")[0] for message in street.discord.messages(FILLS)]
    assert (told.count("**Halted**"), told.count("**Resumed**")) == (1, 1)
    assert await street.stop() == 0


async def test_halt_and_resume_in_the_channel_hold_over_a_kill(street: Street) -> None:
    await begun(street, "rest")
    card = await street.ask()
    reply = await street.discord.slash("trader", "desk", "halt", {"scope": "account", "account": "Sim101", "reason": "CPI"})
    # For everybody in the channel where it was asked, and for who asked.
    await street.card("**Halted** · Account `Sim101` is halted by")
    health = await street.discord.slash("trader", "desk", "health", {})
    await until(lambda: "Kill switch   Sim101 halted" in street.discord.interaction(health.id).text)
    await until(lambda: "**Halted**" in street.discord.interaction(reply.id).text)
    await street.discord.click("trader", card.id, "Confirm")
    await until(lambda: "HALTED" in street.discord.message(card.id).text)
    await street.kill()
    street.discord.heal()
    await street.start()
    await denied(street, "HALTED", "(`CPI`)", "/resume scope:account account:Sim101")
    await street.discord.slash("viewer", "desk", "resume", {"scope": "account", "account": "Sim101"})
    await denied(street, "HALTED")
    await street.discord.slash("trader", "desk", "resume", {"scope": "account", "account": "Sim101"})
    await street.card("**Resumed** · Account `Sim101`: lifted by")
    await confirmed(street, "reverse", "accepted", side="buy", qty=1, **WHERE)
    assert calls(street) == ["ReversePosition"]
    names = [name for (name,) in street.rows("SELECT name FROM events WHERE name IN ('halted', 'resumed', 'stopped', 'started')")]
    assert names == ["started", "halted", "started", "resumed"]
    assert await street.stop() == 0
    assert street.rows("SELECT name FROM events ORDER BY seq DESC LIMIT 1") == [("stopped",)]
