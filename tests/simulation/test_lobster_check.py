"""What a feed showed is compared with what is known, row by row, and every difference is told."""

from __future__ import annotations

from exchange.domain.order import Side
from exchange.simulation.lobster import Quotes, QuoteState
from exchange.simulation.lobster_check import (
    QuoteRecorder,
    compare_quotes,
    compare_remaining,
    compare_trades,
    rows_of,
)
from exchange.simulation.lobster_flow import Execute, FlowOrder
from exchange.wire.rest.market import TradeView
from exchange.wire.rest.stream import BookDelta, BookSnapshot

A, B, C, D = (Quotes(101, size, 99, 10) for size in (1, 2, 3, 4))


def delta(
    seq: int, prev_seq: int, bids: list[tuple[str, str, int]], asks: list[tuple[str, str, int]]
) -> BookDelta:
    return BookDelta(symbol="AAPL", seq=seq, prev_seq=prev_seq, at="", bids=bids, asks=asks, checksum=0)


def test_a_recorder_rebuilds_the_best_quotes_from_snapshot_and_deltas() -> None:
    recorder = QuoteRecorder()
    recorder.take_snapshot(
        BookSnapshot(symbol="AAPL", seq=5, bids=[("1.00", "10", 1)], asks=[("1.02", "5", 1)], checksum=0)
    )
    recorder.take_delta(delta(6, 5, [("1.01", "7", 1)], []))
    recorder.take_delta(delta(8, 6, [("0.90", "7", 1)], []))
    recorder.take_delta(delta(9, 8, [("1.01", "0", 0)], [("1.02", "0", 0)]))
    assert recorder.states == [
        (5, Quotes(10_200, 5, 10_000, 10)),
        (6, Quotes(10_200, 5, 10_100, 7)),
        (9, Quotes(0, 0, 10_000, 10)),
    ]
    assert (recorder.deltas, recorder.gaps) == (3, 0)


def test_a_recorder_counts_messages_that_do_not_follow() -> None:
    recorder = QuoteRecorder()
    recorder.take_snapshot(BookSnapshot(symbol="AAPL", seq=5, bids=[], asks=[], checksum=0))
    recorder.take_delta(delta(9, 7, [], []))
    assert recorder.gaps == 1


def test_a_state_belongs_to_the_row_that_was_answered_last() -> None:
    sequences = [(10, 0), (12, 1), (14, 2), (20, 5)]
    states = [(5, A), (10, B), (13, C), (21, D)]
    assert rows_of(states, sequences, 0) == [(1, C), (5, D)]


def test_the_state_after_the_first_row_counts_even_where_it_changed_nothing() -> None:
    sequences = [(10, 0), (12, 1), (14, 2)]
    assert rows_of([(10, A), (14, B)], sequences, 0) == [(1, A), (2, B)]


def test_only_the_last_state_of_a_row_counts_and_only_if_it_differs() -> None:
    sequences = [(10, 0), (12, 1), (14, 2), (16, 3)]
    assert rows_of([(12, A), (14, B), (15, A), (16, C)], sequences, 0) == [(1, A), (3, C)]


def test_after_a_resumption_only_later_rows_count() -> None:
    sequences = [(10, 8), (12, 9), (14, 10)]
    assert rows_of([(4, A), (12, B), (14, C)], sequences, 7) == [(9, B), (10, C)]


def test_quotes_are_compared_at_the_same_row() -> None:
    sequences = [(10, 1), (12, 2), (14, 3)]
    states = [(10, A), (12, B), (14, C)]
    same = compare_quotes(states, sequences, [QuoteState(1, A), QuoteState(2, B), QuoteState(3, C)])
    assert same.holds
    assert (same.expected, same.equal, same.seen) == (3, 3, 3)

    late = compare_quotes(states, sequences, [QuoteState(1, A), QuoteState(3, C)])
    assert not late.holds
    assert late.differences == ["row 2: expected no change, seen 10 x 99 / 101 x 2"]

    other = compare_quotes(states, sequences, [QuoteState(1, A), QuoteState(2, D), QuoteState(3, C)])
    assert (other.holds, other.equal) == (False, 2)


def test_a_row_without_an_answer_counts_with_the_row_before() -> None:
    sequences = [(10, 1), (14, 3)]
    states = [(10, A), (12, B), (14, C)]
    expected = [QuoteState(1, A), QuoteState(2, B), QuoteState(3, C)]
    assert not compare_quotes(states, sequences, expected).holds
    assert compare_quotes(states, sequences, expected, 0, {2: 1}).holds


def trade(taker: str, maker: str, quantity: str = "5", price: str = "0.01") -> TradeView:
    return TradeView(
        match_id="1", symbol="AAPL", seq=1, price=price, qty=quantity, taker_side="buy", maker_order_id=maker,
        taker_order_id=taker, reference_price="0.01", business_date="2026-11-23", executed_at="",
        status="executed", version=1,
    )  # fmt: skip


def test_trades_are_compared_by_maker_price_and_shares() -> None:
    executions = {"50": Execute(4, 7, Side.BUY, 100, 5), "51": Execute(6, 8, Side.BUY, 100, 5)}
    ids = {7: "40", 8: "41"}
    assert compare_trades([trade("50", "40"), trade("51", "41")], executions, ids).holds
    wrong_maker = compare_trades([trade("50", "40"), trade("51", "40")], executions, ids)
    assert (wrong_maker.holds, wrong_maker.equal) == (False, 1)
    assert wrong_maker.differences[0].startswith("row 6: expected maker")
    missing = compare_trades([trade("50", "40")], executions, ids)
    assert (missing.holds, missing.seen) == (False, 1)
    foreign = compare_trades([trade("50", "40"), trade("51", "41"), trade("99", "40")], executions, ids)
    assert not foreign.holds


def test_what_remains_is_compared_order_by_order() -> None:
    orders = {7: FlowOrder(Side.BUY, 100, 50, 20)}
    assert compare_remaining({"40": (Side.BUY, 100, 20)}, orders, {7: "40"}).holds
    assert not compare_remaining({"40": (Side.BUY, 100, 50)}, orders, {7: "40"}).holds
    extra = compare_remaining({"40": (Side.BUY, 100, 20), "41": (Side.SELL, 101, 1)}, orders, {7: "40"})
    assert (extra.holds, extra.equal, extra.seen) == (False, 1, 2)
