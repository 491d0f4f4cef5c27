"""Instructions and closing prices in the store, in every database."""

from __future__ import annotations

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_store import save_obligations
from exchange.clearing.instruction_store import (
    instruction_faults,
    list_instructions,
    marks_of,
    price_history,
    read_open,
    save_instructions,
    save_prices,
    settlement_prices,
    write_instructions,
)
from exchange.infra.store import begin_write
from exchange.post_trade.netting import Obligation
from tests.post_trade.stream import Stream

OWED = [Obligation(1, 1, 10, -100), Obligation(2, 1, -10, 100)]


def test_what_is_due_is_read_in_order_and_by_pages(keeper: BookKeeper) -> None:
    with begin_write(keeper.store) as connection:
        for cycle, due in ((23, 25), (22, 23)):
            save_obligations(connection, 0, cycle, OWED)
            write_instructions(connection, 0, cycle, due)
        assert [(each.cycle, each.account_id) for each in read_open(connection, 0)] == [
            (22, 1), (22, 2), (23, 1), (23, 2)
        ]  # fmt: skip
        assert [each.cycle for each in read_open(connection, 0, 24)] == [22, 22]
        (page,) = list_instructions(connection, 0, [2], True, (22, 2, 1), 5)
        assert page.open.key == (23, 2, 1)
        save_instructions(connection, 0, [page._replace(quantity=0, cash=0, settled_on=25)])
        assert len(read_open(connection, 0)) == 3
        assert len(list_instructions(connection, 0, None, False, (-1, -1, -1), 9)) == 4
        assert instruction_faults(connection, 0) == [
            "account 1 and symbol 1: instructions and what was settled sum to 20 shares, the cycles owe 0",
            "account 2 and symbol 1: instructions and what was settled sum to -10 shares, the cycles owe 0",
        ]


def test_prices_are_those_that_closed_last_then_the_last_trade_then_the_reference(keeper: BookKeeper) -> None:
    stream = Stream()
    stream.trade(1, 2, 1, price="188.00")
    for batch in stream.batches([]):
        keeper.commit(batch)
    directory = keeper.within(lambda connection, books: books.directory)
    with begin_write(keeper.store) as connection:
        assert marks_of(connection, 0, directory, [2, 1], 0) == {1: 188_0000, 2: 10_0000}
        save_prices(connection, 0, {(1, 20): 7, (1, 21): 8, (1, 22): 9})
        assert settlement_prices(connection, 0, directory, [1, 2], 21) == {1: 8, 2: 10_0000}
        save_prices(connection, 0, {(1, 21): 5})
        assert price_history(connection, 0, 1, 22, 2) == [5, 9]
        assert price_history(connection, 0, 1, 20, 9) == [7]
