"""``/reverse`` from the command to the card, and its buttons, through real discord.py."""

from .conftest import Stage, buttons_of, text_of, told


async def test_reverse_posts_a_card_that_says_what_would_happen(stage: Stage) -> None:
    result = await stage.reverse()
    text = text_of(stage.card())
    for expected in ("Sim101", "SIM", "ES 09-26", "BUY 1 MARKET", "LONG 2", "LONG 1", "trader", "close LONG 2"):
        assert expected in text
    assert buttons_of(stage.card()) == ["Confirm", "Cancel"]
    assert stage.card().jump_url in told(result)
    assert result.ephemeral
    assert stage.desk.tickets["t1"].message == stage.card().id


async def test_confirm_shows_the_order_id_and_takes_the_buttons_away(stage: Stage) -> None:
    await stage.reverse()
    result = await stage.trader.click(stage.card(), label="Confirm")
    assert result.acknowledged
    assert "order-1" in text_of(stage.card())
    assert buttons_of(stage.card()) == []
    assert stage.desk.orders == ["t1"]
    assert len(stage.posts()) == 1
