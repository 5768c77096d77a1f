"""The catalogue of safeguards: each is where it says, and one of them is taken away here, which must be missed."""

from pathlib import Path

import pytest

from benchmarks.safeguards.catalogue import SAFEGUARDS, Safeguard
from benchmarks.safeguards.command import StaleError, missed, without

ROOT = Path(__file__).parents[2]
# Enough for any change of the timing elsewhere; it ends with the first one that shows it.
SESSIONS = 20


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_each_stands_where_the_catalogue_says_and_what_is_put_in_its_place_is_code(safeguard: Safeguard) -> None:
    for change in safeguard.changes:
        text = (ROOT / change.file).read_text(encoding="utf-8")
        assert text.count(change.old) == 1, change.file
        compile(text.replace(change.old, change.new), change.file, "exec")


def test_there_are_twenty_and_each_has_a_name_of_its_own() -> None:
    assert len({safeguard.name for safeguard in SAFEGUARDS}) == len(SAFEGUARDS) >= 20


def test_one_that_is_somewhere_else_by_now_is_told(tmp_path: Path) -> None:
    change = SAFEGUARDS[0].changes[0]
    moved = Safeguard("moved", "", (type(change)(change.file, "what nobody has ever written", ""),))
    with pytest.raises(StaleError, match="moved"):
        without(moved, tmp_path)


@pytest.mark.timeout(600)
async def test_an_order_that_is_sent_again_is_missed() -> None:
    again = next(safeguard for safeguard in SAFEGUARDS if safeguard.name == "nothing is sent again")
    shown = await missed(again, 1, SESSIONS)
    # The card may tell the second one's answer before the books are compared.
    assert shown.found in {"orders executed twice", "presses whose end is not told"}, shown
