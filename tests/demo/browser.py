"""The demo's page in a real browser: opened, and read and worked by the words that a person sees."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The bot tells everything within five seconds, the page looks twice a second; the rest is for a slow machine.
PATIENCE_MS = 20_000


def chromium() -> str | None:
    """Where the browser is, if there is one."""
    return shutil.which("chromium")


@asynccontextmanager
async def opened(
    browser: str, address: str, *, viewport: ViewportSize | None = None, scale: float | None = None
) -> AsyncIterator[Page]:
    """The page as its first visitor finds it."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = await running.new_page(viewport=viewport, device_scale_factor=scale, locale="en-US", timezone_id="UTC")
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        await page.goto(address)
        await expect(page.locator("#channel-composer-input")).to_be_visible()
        yield page
        await running.close()


def told(page: Page, words: str) -> Locator:
    """Words that stand in the conversation."""
    return page.locator("main").get_by_text(words)


def button(page: Page, label: str) -> Locator:
    """The newest button with this label."""
    return page.locator("main").get_by_role("button", name=label, exact=True).last


async def appears(page: Page, words: str) -> None:
    """The words stand in the conversation now or soon."""
    await expect(told(page, words).last).to_be_visible()


async def pastes(page: Page, line: str) -> None:
    """A person pastes a command as one line and sends it."""
    box = page.locator("#channel-composer-input")
    await box.fill(line)
    await box.press("Enter")
    await appears(page, "confirm?")
