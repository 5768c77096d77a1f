"""Answers by name: worked out once, and with a bound."""

from functools import partial

from bot.trading.byname import MOST_KEPT, ByName


def test_an_answer_is_worked_out_once_for_each_name_and_no_more_are_kept_than_the_bound() -> None:
    asked: list[int] = []
    names = ByName[int, int]()

    def work_out(name: int) -> int:
        asked.append(name)
        return -name

    def answer(name: int) -> int:
        return names.get(name, partial(work_out, name))

    assert [answer(1), answer(1), answer(2)] == [-1, -1, -2]
    assert asked == [1, 2]
    for name in range(MOST_KEPT + 1):
        answer(name)
    before = len(asked)
    assert answer(1) == -1
    assert len(asked) == before + 1
