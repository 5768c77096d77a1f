"""README's picture: it is small, and can be taken anew."""

from io import BytesIO

from PIL import Image

from tests.demo.pictures import MARGIN, PHONE, PICTURE, SCALE, side_by_side, taken


async def test_the_picture_of_a_reversal_can_be_taken_anew(browser: str) -> None:
    cards = await taken(browser)
    whole = side_by_side(cards)
    widths = [Image.open(BytesIO(card)).width for card in cards]
    assert len(widths) == 3
    assert max(widths) <= PHONE["width"] * SCALE
    assert whole.width == sum(widths) + 4 * MARGIN


def test_the_picture_that_is_kept_is_small_and_as_wide_as_three_cards() -> None:
    assert PICTURE.stat().st_size < 150_000
    with Image.open(PICTURE) as kept:
        assert kept.width > 2 * PHONE["width"] * SCALE
