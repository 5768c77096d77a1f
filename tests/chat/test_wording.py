"""What a denial says beside its reason."""

from bot.chat.wording import denied
from bot.trading.risk.policy import Denial, DenialCode

OLD = "CrossTrade could not be read (`positions: Unknown API command: ListPositions`), so nothing is sent; try again shortly."


def test_a_denial_for_want_of_facts_says_what_mends_it_where_that_is_known() -> None:
    text = denied([Denial(DenialCode.FACTS_MISSING, OLD)])
    assert text.endswith("try again shortly. The CrossTrade add-on in NinjaTrader is too old for this; update it.")


def test_a_denial_for_another_reason_is_left_as_it_is() -> None:
    for denial in (Denial(DenialCode.FACTS_MISSING, "No answer."), Denial(DenialCode.BAD_REQUEST, OLD)):
        assert denied([denial]) == f"**denied** · `{denial.code}`\n{denial.sentence}"
