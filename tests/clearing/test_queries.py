"""What REST reads: pages by key, filters, and sums beyond 64 bits."""

from __future__ import annotations

from sqlalchemy import Engine

from exchange.clearing import queries
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.queries import Holding, TradeFilter
from exchange.domain.events import BusinessDayStarted
from exchange.domain.trade import BustReason
from tests.post_trade.stream import NOON_NS, Stream


def commit(keeper: BookKeeper, stream: Stream) -> None:
    (batch,) = stream.batches([])
    keeper.commit(batch)


def test_a_trade_between_two_of_the_readers_accounts_is_listed_once(
    keeper: BookKeeper, store: Engine
) -> None:
    stream = Stream()
    ids = [stream.trade(1, 2, 1), stream.trade(2, 1, 2), stream.trade(2, 3, 3), stream.trade(3, 3, 4)]
    commit(keeper, stream)
    with store.connect() as connection:

        def listed(limit: int, before: int = 0) -> list[int]:
            wanted = TradeFilter(accounts=[1, 2], before=before)
            return [trade.match_id for trade in queries.list_trades(connection, 0, wanted, limit)]

        assert listed(10) == [ids[2], ids[1], ids[0]]
        assert listed(2) == [ids[2], ids[1]]
        assert listed(2, ids[1]) == [ids[0]]
        assert queries.list_trades(connection, 0, TradeFilter(accounts=[]), 10) == []


def test_nothing_of_another_partition_is_read(keeper: BookKeeper, store: Engine) -> None:
    stream = Stream()
    stream.deposit(1, 5)
    stream.trade(1, 2, 1)
    commit(keeper, stream)
    with store.connect() as connection:
        assert queries.list_trades(connection, 1, TradeFilter(), 10) == []
        assert queries.list_entries(connection, 1, None, None, 0, 10) == []
        assert queries.list_holdings(connection, 1, None, (0, -1), 10) == []
        assert queries.list_positions(connection, 1, None, (0, 0), 10) == []
        assert queries.figures_on(connection, 1, 0) == {}
        assert sum(queries.count_by_state(connection, 1).values()) == 0


def test_entries_of_one_asset_are_those_and_no_others(keeper: BookKeeper, store: Engine) -> None:
    stream = Stream()
    stream.trade(1, 2, 1)
    stream.trade(1, 2, 1, symbol_id=2)
    commit(keeper, stream)
    with store.connect() as connection:
        for asset, count in ((0, 4), (1, 2), (2, 2), (3, 0)):
            assert len(queries.list_entries(connection, 0, None, asset, 0, 10)) == count


def test_available_and_due_are_one_line_per_account_and_asset(keeper: BookKeeper, store: Engine) -> None:
    stream = Stream()
    stream.deposit(1, 500)
    stream.trade(1, 2, 3, price="1.00")
    commit(keeper, stream)
    with store.connect() as connection:
        assert queries.list_holdings(connection, 0, None, (0, -1), 10) == [
            Holding(1, 0, 500, -3_0000), Holding(1, 1, 0, 3), Holding(2, 0, 0, 3_0000), Holding(2, 1, 0, -3),
        ]  # fmt: skip
        assert queries.list_holdings(connection, 0, None, (1, 0), 1) == [Holding(1, 1, 0, 3)]


def test_money_sums_beyond_64_bits_are_exact(keeper: BookKeeper, store: Engine) -> None:
    stream = Stream()
    stream.add(BusinessDayStarted, date=20261122, ends_ns=0)
    for _ in range(4):
        stream.trade(1, 2, 4_000_000_001, price="199999.99", reference="199999.99")
    commit(keeper, stream)
    with store.connect() as connection:
        figures = queries.figures_on(connection, 0, 20261122)[1]
    assert figures.notional == 4 * 4_000_000_001 * 1_999_999_900 > 2**63


def test_requests_are_read_oldest_first_and_only_while_open(keeper: BookKeeper, store: Engine) -> None:
    stream = Stream()
    ids = [stream.trade(1, 2, number) for number in range(1, 5)]
    commit(keeper, stream)
    for match_id in ids:
        keeper.order_bust(match_id, BustReason.ERRONEOUS, "ops", "why", NOON_NS)
    keeper.note_taken(1, "ok", NOON_NS)
    keeper.note_refused(2, "no", NOON_NS)
    with store.connect() as connection:
        assert [each.ruling_id for each in queries.waiting_requests(connection, 0, 10)] == [3, 4]
        assert [each.ruling_id for each in queries.open_requests(connection, 0, 10)] == [1, 3, 4]
        assert [each.ruling_id for each in queries.open_requests(connection, 0, 2)] == [1, 3]
        assert queries.count_requests(connection, 0) == {"waiting": 2, "taken": 1}
        assert queries.count_by_state(connection, 0)["bust_pending"] == 3
