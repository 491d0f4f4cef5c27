"""The book keeper: each batch once and whole, whatever is repeated, missing, cut or broken."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from exchange.clearing import tables
from exchange.clearing.book_keeper import UNSTORED_EVENTS_MAX, BookKeeper, UnknownTrade, events_for_clearing
from exchange.clearing.store import read_books_row, read_trade
from exchange.domain.events import EngineStarted, OrderCancelled, ParticipantCreated, TradeExecuted
from exchange.domain.order import CancelReason, Side
from exchange.domain.trade import BustReason
from exchange.infra import store as infra_store
from exchange.infra.store import Position, begin_write, read_position
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_event
from tests.infra.postgres_faults import lose_a_commit, lose_an_answer
from tests.post_trade.stream import NOON_NS, Stream
from tests.post_trade.test_books import streams

ANY = '{"id": "ANY", "kind": "max_quantity", "limit": 1000, "action": "hold"}'


def whole(stream: Stream) -> EventBatch:
    (batch,) = stream.batches([])
    return batch


def ledger_hash(keeper: BookKeeper) -> bytes:
    with keeper.store.connect() as connection:
        return read_books_row(connection, 0).ledger_hash


def state_of(keeper: BookKeeper, match_id: int) -> str:
    with keeper.store.connect() as connection:
        trade = read_trade(connection, match_id)
    assert trade
    return trade.state.value


def request_of(keeper: BookKeeper) -> tuple[str, int, str]:
    with keeper.store.connect() as connection:
        row = connection.execute(select(tables.outbox)).one()
    return row.state, row.attempts, row.answer


# --- the stream -----------------------------------------------------------------------------------


def test_a_batch_is_committed_with_its_position(keeper: BookKeeper) -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    outcome = keeper.commit(whole(stream))
    assert (outcome.sequence, outcome.events, outcome.trades, outcome.requests) == (9, 9, 1, 0)
    assert len(outcome.directory) == 8
    with keeper.store.connect() as connection:
        assert read_position(connection, 0) == (1, 9)


def test_a_batch_that_comes_again_changes_nothing(keeper: BookKeeper) -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    keeper.commit(whole(stream))
    before = ledger_hash(keeper)
    assert keeper.commit(whole(stream)).trades == 0
    assert ledger_hash(keeper) == before


def test_of_a_batch_that_overlaps_only_what_is_new_is_taken(keeper: BookKeeper) -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    keeper.commit(whole(stream))
    stream.trade(1, 2, 50)
    assert keeper.commit(whole(stream)).trades == 1


def test_a_batch_after_a_gap_is_refused(keeper: BookKeeper) -> None:
    stream = Stream()
    first, second = stream.batches([3])[0], stream.batches([5])[1]
    keeper.commit(first)
    with pytest.raises(BooksBroken, match="events 4 to 5 are missing before this batch"):
        keeper.commit(second)


def test_a_batch_that_contradicts_the_books_leaves_no_trace(keeper: BookKeeper) -> None:
    stream = Stream()
    keeper.commit(whole(stream))
    match_id = stream.trade(1, 2, 100)
    stream.bust(match_id, quantity=1)
    with pytest.raises(BooksBroken, match="quantity is 1 in the engine's event and 100 here"):
        keeper.commit(whole(stream))
    with keeper.store.connect() as connection:
        assert read_trade(connection, match_id) is None
        assert read_position(connection, 0) == (1, 8)


def test_what_is_booked_already_is_refused_even_when_the_position_is_lost(keeper: BookKeeper) -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    keeper.commit(whole(stream))
    with begin_write(keeper.store) as connection:
        connection.execute(delete(infra_store.feed_positions))
        connection.execute(delete(infra_store.directory_events))
    again = BookKeeper(keeper.store, keeper.rule_set, 0)
    with pytest.raises(BooksBroken, match="the store has some of this already"):
        again.commit(whole(stream))


@pytest.mark.parametrize("sizes", [[], [8], [9], [10], [9, 1, 1]])
def test_rules_of_the_stream_are_kept_with_the_events_wherever_the_batches_end(
    keeper: BookKeeper, sizes: list[int]
) -> None:
    stream = Stream()
    stream.configure_rules(7, '{"id": "SMALL", "kind": "max_quantity", "limit": 10, "action": "hold"}', ANY)
    first = stream.trade(1, 2, 100)
    for batch in stream.batches(sizes):
        keeper = BookKeeper(keeper.store, parse_rules(DEFAULT_RULES), 0)
        keeper.commit(batch)
    assert keeper.rule_set.version == "2 (configuration 7)"
    again = BookKeeper(keeper.store, parse_rules(DEFAULT_RULES), 0)
    second = stream.trade(1, 2, 100)
    again.commit(whole(stream))
    assert [state_of(again, match_id) for match_id in (first, second)] == ["held", "held"]


def test_damage_in_the_store_is_found_by_the_next_batch_that_touches_it(keeper: BookKeeper) -> None:
    stream = Stream()
    stream.deposit(1, 5_000)
    keeper.commit(whole(stream))
    with begin_write(keeper.store) as connection:
        connection.execute(update(tables.balances).values(credits=1))
    again = BookKeeper(keeper.store, keeper.rule_set, 0)
    stream.deposit(1, 5_000)
    with pytest.raises(BooksBroken, match="the engine says that account 1 has 10000 of cash"):
        again.commit(whole(stream))


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_failed_commit_behind_a_batch_without_anything_for_clearing_can_be_done_again(
    keeper: BookKeeper, store: Engine, is_stored: bool
) -> None:
    stream = Stream()
    (opening,) = stream.batches([])
    keeper.commit(opening)
    read = opening.last_sequence + 3
    keeper.commit(EventBatch(0, 1, opening.last_sequence + 1, 3, b""))
    for _ in range(3):
        stream.add(EngineStarted, rules_version=1)
    stream.trade(1, 2, 100)
    batch = EventBatch(0, 1, read + 1, 1, encode_event(stream.events[-1]))
    lose_an_answer(store) if is_stored else lose_a_commit(store)
    with pytest.raises(DBAPIError, match="lost"):
        keeper.commit(batch)
    assert keeper.commit(batch).trades == 1
    assert keeper.position() == Position(1, read + 1)
    assert keeper.commit(batch).trades == 0


def test_batches_without_anything_for_clearing_store_their_position_later(keeper: BookKeeper) -> None:
    stream = Stream()
    keeper.commit(whole(stream))
    stream.add(
        OrderCancelled, order_id=1, account_id=1, side=Side.BUY, reason=CancelReason.REQUESTED, price=1, quantity=1
    )  # fmt: skip
    keeper.commit(whole(stream))
    with keeper.store.connect() as connection:
        assert read_position(connection, 0).sequence == 8
    assert keeper.position().sequence == 9
    keeper.store_position()
    with keeper.store.connect() as connection:
        assert read_position(connection, 0).sequence == 9


def test_after_very_many_such_events_the_position_is_stored_at_once(keeper: BookKeeper) -> None:
    keeper.commit(EventBatch(0, 1, 1, UNSTORED_EVENTS_MAX, b""))
    with keeper.store.connect() as connection:
        assert read_position(connection, 0).sequence == UNSTORED_EVENTS_MAX


def test_only_events_for_clearing_are_decoded() -> None:
    stream = Stream(participants=1)
    stream.add(
        OrderCancelled, order_id=1, account_id=1, side=Side.BUY, reason=CancelReason.REQUESTED, price=1, quantity=1
    )  # fmt: skip
    stream.trade(1, 1, 1)
    decoded = list(events_for_clearing(whole(stream).events, 2))
    assert [type(event) for event in decoded[:1] + decoded[-1:]] == [ParticipantCreated, TradeExecuted]
    assert [event.sequence for event in decoded] == [3, 4, 6]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=streams(), sizes=st.lists(st.integers(1, 9), max_size=12), restarts=st.sets(st.integers(0, 12)))
def test_any_split_repetition_and_restart_gives_the_same_ledger(
    stream: Stream, sizes: list[int], restarts: set[int]
) -> None:
    rules = parse_rules(DEFAULT_RULES)
    hashes = []
    for split in ([], sizes):
        store = create_engine("sqlite://")
        tables.metadata.create_all(store)
        infra_store.metadata.create_all(store)
        keeper = BookKeeper(store, rules, 0)
        for number, batch in enumerate(stream.batches(split)):
            keeper.commit(batch)
            if number in restarts:
                keeper = BookKeeper(store, rules, 0)
                keeper.commit(batch)
        hashes.append(ledger_hash(keeper))
        store.dispose()
    assert hashes[0] == hashes[1]


# --- rulings and answers --------------------------------------------------------------------------


@pytest.fixture
def held(keeper: BookKeeper) -> int:
    stream = Stream()
    match_id = stream.trade(1, 2, 100, price="195.00")
    keeper.commit(whole(stream))
    return match_id


def test_a_release_is_stored(keeper: BookKeeper, held: int) -> None:
    assert keeper.release(held, "ops", "fine", NOON_NS).state == "accepted"
    assert state_of(keeper, held) == "accepted"


def test_a_ruling_on_an_unknown_trade_is_refused(keeper: BookKeeper, held: int) -> None:
    with pytest.raises(UnknownTrade, match="clearing has no trade 999"):
        keeper.order_bust(999, BustReason.ERRONEOUS, "ops", "why", NOON_NS)


def test_of_two_operators_who_rule_at_once_the_second_is_told(keeper: BookKeeper, held: int) -> None:
    keeper.release(held, "ann", "fine", NOON_NS)
    with pytest.raises(TransitionRefused, match="The trade cannot be released: it is accepted"):
        keeper.release(held, "ben", "fine", NOON_NS)
    assert keeper.order_bust(held, BustReason.CONSENT, "ben", "not fine", NOON_NS).state == "bust_pending"
    with pytest.raises(TransitionRefused, match="its bust is on the way"):
        keeper.order_bust(held, BustReason.CONSENT, "ann", "not fine", NOON_NS)


def test_a_correction_takes_what_is_left_out_from_the_trade(keeper: BookKeeper, held: int) -> None:
    keeper.order_correction(held, 0, 40, BustReason.CONSENT, "ops", "agreed", NOON_NS)  # type: ignore[arg-type]
    with keeper.store.connect() as connection:
        row = connection.execute(select(tables.outbox)).one()
    assert (row.kind, row.new_price, row.new_quantity) == ("correct", 195_0000, 40)


def test_a_try_that_failed_is_counted_and_said(keeper: BookKeeper, held: int) -> None:
    keeper.order_bust(held, BustReason.ERRONEOUS, "ops", "why", NOON_NS)
    keeper.note_failure(2, "cannot be reached", NOON_NS)
    keeper.note_failure(2, "x" * 9_000, NOON_NS)
    assert request_of(keeper) == ("waiting", 2, "x" * 500)


def test_a_request_that_the_engine_took_waits_for_its_event(keeper: BookKeeper, held: int) -> None:
    keeper.order_bust(held, BustReason.ERRONEOUS, "ops", "why", NOON_NS)
    keeper.note_taken(2, "busted, event 10", NOON_NS)
    assert request_of(keeper) == ("taken", 1, "busted, event 10")
    assert state_of(keeper, held) == "bust_pending"


def test_an_event_that_comes_before_the_answer_stays_the_last_word(keeper: BookKeeper) -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100, price="230.00")
    keeper.commit(whole(stream))
    stream.bust(match_id, ruling_id=1)
    keeper.commit(whole(stream))
    keeper.note_taken(1, "busted, event 10", NOON_NS)
    assert request_of(keeper) == ("done", 1, "busted, event 10")
    keeper.note_refused(1, "too late", NOON_NS)
    assert request_of(keeper) == ("done", 1, "busted, event 10")
    assert state_of(keeper, match_id) == "busted"


def test_a_refused_bust_holds_the_trade_and_keeps_the_reason(keeper: BookKeeper, held: int) -> None:
    keeper.order_bust(held, BustReason.ERRONEOUS, "ops", "why", NOON_NS)
    keeper.note_refused(2, "There is no such trade. (unknown_trade)", NOON_NS)
    assert request_of(keeper) == ("refused", 1, "There is no such trade. (unknown_trade)")
    assert state_of(keeper, held) == "held"
    keeper.note_refused(99, "nobody asked", NOON_NS)


def test_a_store_that_fails_makes_the_books_read_again(keeper: BookKeeper, store: Engine) -> None:
    stream = Stream()
    stream.trade(1, 2, 100)
    first, second = stream.batches([8])
    keeper.commit(first)
    with begin_write(store) as connection:
        connection.exec_driver_sql("ALTER TABLE transfers RENAME TO gone")
    with pytest.raises(Exception, match=r'no such table: transfers|"transfers" does not exist'):
        keeper.commit(second)
    with begin_write(store) as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO transfers")
    assert keeper.commit(second).trades == 1
    assert ledger_hash(keeper) != bytes(16)
