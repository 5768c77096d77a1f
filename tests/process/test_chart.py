"""A chart by a process over real sockets: a picture that arrives, of what NinjaTrader has."""

from tests.process.conftest import Street, until


async def test_a_chart_of_a_position_arrives_as_a_private_picture(street: Street) -> None:
    await street.start()
    typed = {"instrument": '"ES 09-26"', "account": "sim101", "period": "1h"}
    asked = await street.discord.slash("trader", "desk", "chart", typed)
    # The first chart of a process imports matplotlib, which takes a busy machine some seconds.
    await until(lambda: "**ES 09-26** · 1 h" in street.discord.interaction(asked.id).text, 40)
    (picture,) = street.discord.interaction(asked.id).messages
    assert picture.files == ("ES-09-26-1h.png",)
    assert "ephemeral" in picture.flags
    assert "SHORT 2 @ " in picture.text
    assert "could not be read" not in picture.text
    assert street.entries() == []
    assert await street.stop() == 0
