"""The office is halted once, for the first reason, and everything that must stop is told."""

from __future__ import annotations

from typing import Any, cast

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.office import Office


def test_the_first_reason_to_halt_is_the_one_that_is_kept(keeper: BookKeeper) -> None:
    stopped: list[str] = []
    nothing = cast(Any, None)
    office = Office(
        config=nothing, clock=nothing, store=nothing, keeper=keeper, directory=nothing,
        source=nothing, feed=nothing, consumer=nothing, relay=nothing, rulings=nothing, reviews=nothing, started_ns=0,
        on_halt=[lambda: stopped.append("tasks")],
    )  # fmt: skip
    office.halt("the books are broken")
    office.halt("and so is something else")
    assert (office.halted, stopped, office.partition) == ("the books are broken", ["tasks"], 0)
