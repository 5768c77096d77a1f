"""A person's way through the page, in a real browser: the command, the card, the buttons, and news that come by themselves."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from bot.sandbox.demo.guide import FIRST_COMMAND, FLATTEN_COMMAND
from bot.sandbox.demo.stage import Stage, staged
from tests.demo.browser import appears, button, opened, pastes, told

PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Everything that the demo starts, in this process, so that its book can be looked at."""
    async with staged(lambda _: None, pages=True) as stage:
        yield stage


@pytest.fixture
async def page(browser: str, stage: Stage) -> AsyncIterator[Page]:
    """The page as its first visitor finds it."""
    async with opened(browser, stage.discord.base) as page:
        yield page


async def becomes(page: Page, name: str) -> None:
    """The person at the page is somebody else now."""
    await page.locator("#viewer-picker").select_option(label=name)


def sent(stage: Stage) -> int:
    """How many reversals have reached the simulator."""
    return sum(request["call"] == "ReversePosition" for request in stage.simulator.book()["requests"])


async def test_a_command_is_typed_with_help_confirmed_and_answered_with_order_id_and_fill(page: Page, stage: Stage) -> None:
    await page.locator("#channel-composer-input").press_sequentially("/rev")
    await page.get_by_role("option", name="reverse").click()
    await page.get_by_role("combobox", name="account").press_sequentially("101")
    await page.get_by_role("option", name="Sim101").click()
    await page.get_by_role("combobox", name="instrument").press_sequentially("09")
    await page.get_by_role("option", name="ES 09-26").click()
    await page.get_by_role("option", name="buy").click()
    await page.get_by_label("qty").fill("1")
    await page.locator("#send-message").click()
    for words in ("confirm?", "SIM", "Sim101", "BUY 1 MARKET", "Now: SHORT 2", "After: LONG 1", "past by the calendar"):
        await appears(page, words)
    assert sent(stage) == 0
    await button(page, "Confirm").click()
    await appears(page, "accepted · order")
    [order] = [one for one in stage.simulator.book()["orders"] if one["account"] == "Sim101" and one["name"] != "Close"]
    await appears(page, order["id"])
    await appears(page, "filled 1 at")
    await expect(button(page, "Confirm")).to_have_count(0)
    assert stage.held("Sim101") == {"ES 09-26": 1}
    await page.goto(f"{stage.discord.base}/fills")
    await appears(page, "Filled 1 at")


async def test_only_the_requester_confirms_and_cancel_ends_the_ticket(page: Page, stage: Stage) -> None:
    await pastes(page, FIRST_COMMAND)
    await becomes(page, "Sam (second trader)")
    await button(page, "Confirm").click()
    await appears(page, "Only Tess (trader) (@Tess (trader)) can confirm this ticket.")
    await becomes(page, "Tess (trader)")
    await expect(told(page, "Only Tess (trader) (@Tess (trader)) can confirm this ticket.")).to_have_count(0)
    await button(page, "Cancel").click()
    await appears(page, "nothing was sent")
    await expect(button(page, "Confirm")).to_have_count(0)
    assert sent(stage) == 0


async def test_a_ticket_that_nobody_presses_is_seen_to_expire(page: Page, stage: Stage) -> None:
    stage.set_confirm_seconds(5)
    discord = stage.discord

    async def life() -> str:
        asked = await discord.type("viewer", "desk", "/policy")
        return await discord.until(lambda: discord.interaction(asked.id).text)

    while "for 5 s" not in await life():
        pass
    await pastes(page, FIRST_COMMAND)
    await appears(page, "Expires")
    await expect(told(page, "expired").last).to_be_visible()
    await expect(button(page, "Confirm")).to_have_count(0)
    assert sent(stage) == 0


async def fits(place: Locator) -> None:
    """What is there lies within the phone's width."""
    edges: list[list[float]] = []
    # Found and measured in one go: the page draws its cards anew at any time, and nothing that was found before is there then.
    while not edges:
        await expect(place).to_be_visible()
        edges = await place.evaluate_all(
            "found => found.map(each => each.getBoundingClientRect()).map(box => [box.left, box.right])"
        )
    [(left, right)] = edges
    assert 0 <= left < right <= PHONE["width"]


async def test_cards_fit_a_phone(page: Page) -> None:
    await page.set_viewport_size(PHONE)
    for line, words in (
        (FIRST_COMMAND, ("After: LONG 1", "past by the calendar")),
        (FLATTEN_COMMAND, ("FLATTEN", "FLAT, 1 working", "take no new order there meanwhile")),
    ):
        await pastes(page, line)
        for word in words:
            await appears(page, word)
            await fits(told(page, word).last)
        for label in ("Confirm", "Cancel"):
            await fits(button(page, label))
