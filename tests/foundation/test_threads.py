"""Work in threads keeps its order, its bounds and its errors."""

import threading
import time
from collections.abc import Iterator

import pytest

from headstart.foundation.threads import map_ordered


def test_results_come_in_order() -> None:
    def slow_if_even(number: int) -> int:
        time.sleep(0.002 * (number % 2 == 0))
        return number * number

    assert list(map_ordered(slow_if_even, range(50))) == [number * number for number in range(50)]


def test_items_are_drawn_here_and_few_at_a_time() -> None:
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for number in range(1000):
            assert threading.current_thread() is threading.main_thread()
            drawn += 1
            yield number

    results = map_ordered(lambda number: number, items())
    for taken in range(20):
        next(results)
        assert drawn <= taken + 10


@pytest.mark.parametrize("where", ["item", "work"])
def test_an_error_stops_it_at_once(where: str) -> None:
    done = []

    def work(number: int) -> None:
        if where == "work" and number == 3:
            raise ValueError("work")
        done.append(number)

    def items() -> Iterator[int]:
        for number in range(1000):
            if where == "item" and number == 3:
                raise ValueError("item")
            yield number

    with pytest.raises(ValueError, match=where):
        list(map_ordered(work, items()))
    assert len(done) < 20
