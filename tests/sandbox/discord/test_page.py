"""The page, in a real browser: a person types, chooses, sends, presses, and sees later news without doing anything."""

import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.sandbox.discord import LocalDiscord

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def local() -> AsyncIterator[LocalDiscord]:
    discord = LocalDiscord(token="the-right-token")
    async with discord.running(pages=True):
        yield discord


@pytest.fixture
async def page(local: LocalDiscord, bot: Process) -> AsyncIterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = await browser.new_page()
        await page.goto(local.base)
        await expect(page.get_by_text("No messages in this channel.")).to_be_visible()
        yield page
        await browser.close()


async def test_two_people_find_their_way_and_later_news_come_by_themselves(page: Page, local: LocalDiscord) -> None:
    box = page.locator("#channel-composer-input")
    conversation = page.locator("main")

    # One fills in the command as Discord's own box asks for it, and presses.
    await box.press_sequentially("/car")
    await page.get_by_role("option", name="card").click()
    await page.get_by_role("combobox", name="fruit").press_sequentially("ap")
    await page.get_by_role("option", name="Apricot").click()
    await page.locator("#send-message").click()
    await page.get_by_role("button", name="Confirm").click()
    await expect(conversation.get_by_text("Noted")).to_be_visible()
    await expect(conversation.get_by_text("State: filled")).to_be_visible()
    assert local.messages("desk")[1].earlier[-1] == "Card 1\nState: confirmed by trader"

    # The other presses on a card that the first made with a pasted line.
    await box.fill("/card fruit:apple number:2")
    await box.press("Enter")
    await expect(conversation.get_by_text("Posted for apple")).to_be_visible()
    await page.locator("#viewer-picker").select_option(label="Sam (second trader)")
    await expect(conversation.get_by_text("Posted for apple")).to_have_count(0)
    await page.get_by_role("button", name="Confirm").click()
    await expect(conversation.get_by_text("State: filled")).to_have_count(2)
    assert "confirmed by second" in local.messages("desk")[-2].earlier[-1]


async def test_a_page_that_somebody_ended_is_opened_again(local: LocalDiscord) -> None:
    before = local.pages.addresses["desk"]
    await local.pages._previews["desk"].close()
    async with aiohttp.ClientSession(local.base) as session, session.get("/", allow_redirects=False) as reply:
        assert reply.status == 302
        assert reply.headers["Location"] not in ("", before)


async def test_every_channel_has_a_page_and_strangers_have_none(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession(local.base) as session:
        for path, name in (("/", "desk"), ("/fills", "fills")):
            async with session.get(path, allow_redirects=False) as reply:
                assert (reply.status, reply.headers["Location"]) == (302, local.pages.addresses[name])
        async with session.get("/nowhere") as reply:
            assert reply.status == 404
