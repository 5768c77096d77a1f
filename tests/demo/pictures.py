"""``python -m tests.demo.pictures``: take README's picture of a reversal anew, from the demo's page at a phone's width."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, ViewportSize

from bot.sandbox.demo.guide import reverse_command
from bot.sandbox.demo.stage import staged
from tests.demo.browser import appears, button, chromium, opened, pastes

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "reverse.png"
# As wide as a phone, and so high that no card is cut off.
PHONE: ViewportSize = {"width": 420, "height": 1200}
SCALE = 2
# Long enough between the order's acceptance and its fill to take a picture of it.
FILL_SECONDS = 3.0
MARGIN = 24
COLOURS = 128


async def taken(browser: str) -> list[bytes]:
    """The card as it is posted, after Confirm, and filled."""
    async with (
        staged(_say, pages=True) as stage,
        opened(browser, stage.discord.base, viewport=PHONE, scale=SCALE) as page,
    ):
        stage.simulator.set_timing(replace(stage.simulator.timing, fill=FILL_SECONDS))
        await pastes(page, reverse_command("Sim102", stage.held("Sim102")))
        ticket = await _card(page)
        await button(page, "Confirm").click()
        await appears(page, "submitted to NinjaTrader, not filled yet")
        accepted = await _card(page)
        await appears(page, "filled 1 at")
        return [ticket, accepted, await _card(page)]


async def _card(page: Page) -> bytes:
    # A pointer over a card makes the page offer an answer to it.
    await page.mouse.move(0, 0)
    return await page.locator("article.channel-message").last.screenshot()


def side_by_side(cards: Sequence[bytes]) -> Image.Image:
    """One picture of all, in few enough colours to be small."""
    images = [Image.open(BytesIO(card)).convert("RGB") for card in cards]
    width = sum(image.width + MARGIN for image in images) + MARGIN
    height = max(image.height for image in images) + 2 * MARGIN
    # The page's own ground, beside the first card's time.
    whole = Image.new("RGB", (width, height), images[0].getpixel((images[0].width - MARGIN, MARGIN)))
    left = MARGIN
    for image in images:
        whole.paste(image, (left, MARGIN))
        left += image.width + MARGIN
    return whole.quantize(COLOURS, dither=Image.Dither.NONE)


def main() -> int:
    """Take and write it."""
    browser = chromium()
    if browser is None:
        _say("Chromium is not installed.")
        return 1
    PICTURE.parent.mkdir(exist_ok=True)
    side_by_side(asyncio.run(taken(browser))).save(PICTURE, optimize=True)
    _say(f"{PICTURE}: {PICTURE.stat().st_size} bytes")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
