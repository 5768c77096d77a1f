"""What people do reaches a bot that is a process of its own, and what the bot does is seen by the right people."""

import asyncio
from asyncio.subprocess import Process

import pytest

from bot.sandbox.discord import InteractionType, InteractionView, LocalDiscord, MessageView, NotPossibleError
from bot.sandbox.discord.world import DESK, TRADER, VIEWER


async def posted_card(local: LocalDiscord) -> MessageView:
    await local.slash("trader", "desk", "card", {"fruit": "apple", "number": 3})
    return await local.until(lambda: next((each for each in local.messages("desk") if each.buttons), None))


async def followed_up(local: LocalDiscord, shown: InteractionView, count: int) -> InteractionView:
    def enough() -> InteractionView | None:
        now = local.interaction(shown.id)
        return now if len(now.messages) >= count else None

    return await local.until(enough)


async def test_typing_into_an_option_offers_what_fits(local: LocalDiscord, bot: Process) -> None:
    assert await local.autocomplete("trader", "desk", "card", "fruit", "ap") == [
        ("Apple", "apple"),
        ("Apricot", "apricot"),
    ]


async def test_a_command_is_deferred_and_its_card_is_an_ordinary_message(local: LocalDiscord, bot: Process) -> None:
    asked = await local.slash("trader", "desk", "card", {"fruit": "apple", "number": 3})
    assert asked.answer == "deferred"
    assert asked.handed is not None
    assert asked.acknowledged is not None
    assert asked.handed < asked.acknowledged
    posted = await local.until(lambda: next((each for each in local.messages("desk") if each.buttons), None))
    assert posted.text == "Card 3\nState: open"
    assert [button.label for button in posted.buttons] == ["Confirm", "Ask"]
    assert posted.button("Confirm").custom_id == "card:3:confirm"
    assert set(posted.flags) == {"components_v2", "suppress_notifications"}
    assert posted.interaction is None
    await local.until(lambda: local.interaction(asked.id).text == "Posted for apple")


async def test_a_line_as_typed_runs_the_command(local: LocalDiscord, bot: Process) -> None:
    asked = await local.type("trader", "desk", '/card fruit:"red apple" number:7')
    await local.until(lambda: local.interaction(asked.id).text == 'Posted for "red apple"')
    assert "Card 7" in local.messages("desk")[-1].text


async def test_edits_that_come_later_are_remembered_one_by_one(local: LocalDiscord, bot: Process) -> None:
    card = await posted_card(local)
    pressed = await local.click("second", card.id, "Confirm")
    assert pressed.answer == "deferred_update"
    await local.until(lambda: "filled" in local.message(card.id).text)
    last = local.message(card.id)
    assert last.earlier == ("Card 3\nState: open", "Card 3\nState: confirmed by second")
    assert last.buttons == ()
    assert last.edited is not None


async def test_a_word_to_one_person_is_seen_by_that_person_only(local: LocalDiscord, bot: Process) -> None:
    card = await posted_card(local)
    pressed = await local.click("viewer", card.id, "Confirm")
    noted = (await followed_up(local, pressed, 1)).messages[0]
    assert noted.flags == ("ephemeral",)
    assert noted.id in [each.id for each in local.messages("desk", "viewer")]
    assert noted.id not in [each.id for each in local.messages("desk", "trader")]


async def test_a_form_is_shown_and_sent(local: LocalDiscord, bot: Process) -> None:
    card = await posted_card(local)
    asked = await local.press("trader", "desk", "Ask")
    assert asked.answer == "modal"
    assert asked.source == card.id
    sent = await local.submit_modal("trader", asked.id, {"answer": "forty-two"})
    assert sent.text == "You said forty-two"


async def test_an_answer_is_edited_and_a_follow_up_deleted(local: LocalDiscord, bot: Process) -> None:
    asked = await local.slash("viewer", "desk", "secret")
    await local.until(lambda: any(each.deleted for each in local.interaction(asked.id).messages))
    first, second = local.interaction(asked.id).messages
    assert (first.text, first.earlier) == ("one, edited", ("one",))
    assert (second.text, second.deleted) == ("two", True)


async def test_a_file_is_kept_and_can_be_read_back(local: LocalDiscord, bot: Process) -> None:
    asked = await local.slash("trader", "desk", "report")
    told = await followed_up(local, asked, 2)
    assert told.messages[0].files == ("report.csv",)
    assert told.messages[1].text == "Kept 8 bytes"


async def test_two_presses_at_once_both_reach_the_bot(local: LocalDiscord, bot: Process) -> None:
    card = await posted_card(local)
    presses = await asyncio.gather(local.click("trader", card.id, "Confirm"), local.click("second", card.id, "Confirm"))
    assert [each.answer for each in presses] == ["deferred_update", "deferred_update"]


async def test_a_button_that_is_gone_is_pressed_only_by_force(local: LocalDiscord, bot: Process) -> None:
    card = await posted_card(local)
    await local.click("trader", card.id, "Confirm")
    await local.until(lambda: not local.message(card.id).buttons)
    with pytest.raises(NotPossibleError, match="No matching component"):
        await local.click("trader", card.id, "Confirm")
    again = await local.press_anyway("trader", card.id, "card:3:confirm")
    assert again.answer == "deferred_update"


async def test_a_command_that_is_not_answered_is_told_as_such(bot: Process, local: LocalDiscord) -> None:
    local._watch.patience = 0.1
    asked = await local.slash("trader", "desk", "slow")
    assert asked.answer is None
    assert asked.handed is not None
    assert asked.acknowledged is None


async def test_nobody_acts_where_they_cannot_look(local: LocalDiscord, bot: Process) -> None:
    with pytest.raises(NotPossibleError, match="403"):
        await local.slash("viewer", "private", "card", {"fruit": "apple"})
    with pytest.raises(NotPossibleError, match="requires option 'fruit'"):
        await local.slash("trader", "desk", "card", {})
    with pytest.raises(NotPossibleError, match="Nobody here is called 'stranger'"):
        await local.slash("stranger", "desk", "card", {})


async def test_what_no_honest_client_sends_can_be_sent(local: LocalDiscord, bot: Process) -> None:
    local._watch.patience = 0.1
    command = next(each for each in local.commands() if each["name"] == "secret")
    data = {"id": command["id"], "name": "secret", "type": 1, "options": []}
    elsewhere = await local.forge("trader", "elsewhere", InteractionType.APPLICATION_COMMAND, data)
    assert elsewhere.handed is not None
    assert elsewhere.member == TRADER
    assert elsewhere.channel != DESK


async def test_members_bring_the_roles_that_they_have_now(local: LocalDiscord) -> None:
    local.set_roles("viewer", "trader", "approver")
    member = local.backend.get_member(local.world.guild, VIEWER)
    assert member.role_ids == [local.world.roles["trader"], local.world.roles["approver"]]
