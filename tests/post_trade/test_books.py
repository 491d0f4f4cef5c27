"""The books: what each event and each ruling changes, and that only the order of the stream matters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.trade import BustReason
from exchange.post_trade.books import Books, EngineRequest
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.ledger import CASH, Holder, ledger_hash
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.post_trade.trade import Trade, whole_life
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.records import decode_events
from tests.post_trade.stream import NOON_NS, Stream

RULES = parse_rules(DEFAULT_RULES)


def books_after(stream: Stream) -> Books:
    books = Books(RULES)
    for event in stream.events:
        books.take(event, {}.get)
    books.check()
    return books


def life(books: Books, match_id: int) -> list[tuple[str, str, str]]:
    kept = [step for step in books.changes.steps if step.match_id == match_id]
    trade = books.changes.captured.get(match_id)
    steps = whole_life(trade, kept) if trade else kept
    return [(step.state.value, step.who, step.why) for step in steps]


def stored(books: Books, match_id: int) -> Trade:
    """Give the trade as the store would have it, and let the books take everything as stored."""
    trade = books.changes.changed.get(match_id) or books.changes.captured[match_id]
    books.forget_changes()
    return trade


# --- events -------------------------------------------------------------------------------------------------


def test_an_ordinary_trade_is_captured_and_accepted() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    books = books_after(stream)
    assert life(books, match_id) == [
        ("captured", "engine", "executed, event 9"),
        ("accepted", "rules 1", "no rule was hit"),
    ]
    assert books.changes.rulings == []
    assert books.changes.requests == []


SMALL = '{"id": "SMALL", "kind": "max_quantity", "limit": 10, "action": "hold"}'
ODD = '{"id": "ODD", "kind": "max_quantity", "limit": 1000, "action": "hold"}'


def test_rules_that_the_stream_brings_hold_from_the_last_of_their_set_until_the_next_set() -> None:
    stream = Stream()
    trades = [stream.trade(1, 2, 100)]
    stream.configure_rules(7, SMALL, ODD)
    trades.append(stream.trade(1, 2, 100))
    stream.configure_rules(8)
    trades.append(stream.trade(1, 2, 100))
    books = books_after(stream)
    assert [life(books, match_id)[-1] for match_id in trades] == [
        ("accepted", "rules 1", "no rule was hit"),
        ("held", "rules 2 (configuration 7)", "hit by SMALL"),
        ("accepted", "rules 1", "no rule was hit"),
    ]
    (ruling,) = books.changes.rulings
    assert ruling.hits[0].rule_version == "2 (configuration 7)"


def test_half_a_set_of_rules_changes_nothing() -> None:
    stream = Stream()
    stream.configure_rules(7, SMALL, ODD)
    stream.events.pop()
    match_id = stream.trade(1, 2, 100)
    assert life(books_after(stream), match_id)[-1][1] == "rules 1"


@pytest.mark.parametrize("text", ['{"id": "X", "kind": "from_the_future"}', "no JSON"])
def test_rules_that_cannot_be_read_let_no_trade_pass(text: str) -> None:
    stream = Stream()
    stream.configure_rules(7, text)
    with pytest.raises(BooksBroken, match="configuration version 7 has rules that this program cannot read"):
        books_after(stream)


def test_a_trade_beyond_the_guideline_is_held_and_booked_all_the_same() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100, price="195.00")
    books = books_after(stream)
    assert life(books, match_id)[-1] == ("held", "rules 1", "hit by CE-CORE")
    assert [(ruling.verdict, ruling.hits[0].rule_id) for ruling in books.changes.rulings] == [
        ("hold", "CE-CORE")
    ]
    assert books.changes.requests == []
    assert books.ledger.net(Holder.DUE, 1, 1) == 100


def test_a_trade_far_beyond_it_is_booked_and_the_engine_is_asked_for_its_bust() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100, price="230.00")
    books = books_after(stream)
    assert life(books, match_id)[-1] == ("bust_pending", "rules 1", "hit by CE-CORE")
    assert books.changes.requests == [
        EngineRequest(ruling_id=1, match_id=match_id, kind="bust", code=ord("E"), created_ns=stream.time_ns)
    ]
    assert books.ledger.net(Holder.DUE, 1, 1) == 100


def test_the_engines_bust_takes_cash_shares_and_position_back() -> None:
    stream = Stream()
    stream.deposit(1, 1_000_0000)
    before = books_after(stream)
    match_id = stream.trade(1, 2, 100, price="230.00")
    stream.bust(match_id, ruling_id=1)
    after = books_after(stream)
    assert life(after, match_id)[-1] == ("busted", "engine", "busted for reason E, event 11")
    for account in (1, 2):
        for asset in (CASH, 1):
            assert after.ledger.holding(account, asset) == before.ledger.holding(account, asset)
        assert after.positions.positions[account, 1].quantity == 0
        assert after.positions.positions[account, 1].cost == 0
    assert [(done.kind, done.ruling_id) for done in after.changes.fulfilments] == [("bust", 1)]


def test_the_engines_correction_books_the_new_facts_as_a_new_version() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100, price="195.00")
    stream.correct(match_id, "189.00", 60, ruling_id=4)
    books = books_after(stream)
    trade = books.changes.captured[match_id]
    assert (trade.state, trade.version, trade.price, trade.quantity) == ("corrected", 2, 189_0000, 60)
    assert books.ledger.net(Holder.DUE, 1, CASH) == -189_0000 * 60
    assert books.ledger.net(Holder.DUE, 2, 1) == -60
    assert len(books.ledger.unsaved_transfers) == 4 + 4 + 4


def test_a_corrected_trade_can_be_corrected_again_and_busted() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    stream.correct(match_id, "189.00", 60)
    stream.correct(match_id, "188.00", 50)
    stream.bust(match_id)
    books = books_after(stream)
    assert [state for state, _, _ in life(books, match_id)] == [
        "captured", "accepted", "corrected", "corrected", "busted",
    ]  # fmt: skip
    assert books.ledger.holding(1, CASH) == books.ledger.holding(2, 1) == 0


def test_a_trade_with_oneself_leaves_nothing_behind_but_is_held() -> None:
    stream = Stream()
    match_id = stream.trade(1, 1, 100)
    books = books_after(stream)
    assert life(books, match_id)[-1] == ("held", "rules 1", "hit by SELF")
    assert books.ledger.holding(1, CASH) == books.ledger.holding(1, 1) == 0


def test_cash_and_shares_that_come_and_go_are_booked_and_compared_with_the_engine() -> None:
    stream = Stream()
    stream.deposit(1, 1_000_0000)
    stream.deposit(2, 300, symbol_id=1)
    stream.trade(1, 2, 1)
    stream.withdraw(1, 500_0000)
    stream.withdraw(2, 100, symbol_id=1)
    books = books_after(stream)
    assert books.ledger.net(Holder.AVAILABLE, 1, CASH) == 500_0000
    assert books.ledger.net(Holder.EXTERNAL, 0, 1) == -200
    assert books.positions.positions[2, 1].quantity == 199


def test_events_of_the_directory_are_kept_and_all_others_pass_by() -> None:
    books = books_after(Stream(participants=2))
    assert [type(event).__name__ for event in books.changes.directory] == [
        "SymbolAdded", "SymbolAdded", "ParticipantCreated", "AccountCreated", "ParticipantCreated", "AccountCreated",
    ]  # fmt: skip


def test_a_bust_of_a_trade_nobody_has_seen_breaks_the_books() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    stream.bust(match_id)
    del stream.events[-2]
    with pytest.raises(BooksBroken, match="TradeBusted of trade 9: clearing has never seen this trade"):
        books_after(stream)


def test_a_second_bust_breaks_the_books() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    stream.bust(match_id)
    stream.bust(match_id)
    with pytest.raises(BooksBroken, match="clearing has it as busted already"):
        books_after(stream)


def test_a_bust_with_other_facts_breaks_the_books() -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    stream.bust(match_id, quantity=99)
    with pytest.raises(BooksBroken, match="quantity is 99 in the engine's event and 100 here"):
        books_after(stream)


# --- rulings of operators -----------------------------------------------------------------------------------


def held_trade() -> tuple[Books, Trade]:
    stream = Stream()
    match_id = stream.trade(1, 2, 100, price="195.00")
    books = books_after(stream)
    return books, stored(books, match_id)


def test_an_operator_releases_a_held_trade() -> None:
    books, trade = held_trade()
    assert books.release(trade, "ops", "news was out", NOON_NS).state == "accepted"
    assert life(books, trade.match_id) == [("accepted", "ops", "news was out")]
    ruling = books.changes.rulings[0]
    assert (ruling.ruling_id, ruling.verdict, ruling.who, ruling.why) == (2, "release", "ops", "news was out")


def test_an_operator_orders_a_bust_and_the_engine_is_asked() -> None:
    books, trade = held_trade()
    pending = books.order_bust(trade, BustReason.CONSENT, "ops", "both agree", NOON_NS)
    assert pending.state == "bust_pending"
    assert books.changes.requests == [
        EngineRequest(ruling_id=2, match_id=trade.match_id, kind="bust", code=ord("C"), created_ns=NOON_NS)
    ]


def test_an_operator_orders_a_correction_and_the_trade_stays_until_the_engine_has_done_it() -> None:
    books, trade = held_trade()
    same = books.order_correction(trade, 189_0000, 50, BustReason.ERRONEOUS, "ops", "agreed", NOON_NS)  # type: ignore[arg-type]
    assert (same.state, same.price, same.version) == ("held", trade.price, 1)
    request = books.changes.requests[0]
    assert (request.kind, request.new_price, request.new_quantity) == ("correct", 189_0000, 50)


def test_a_refused_bust_holds_the_trade_again_with_the_engines_sentence() -> None:
    books, trade = held_trade()
    pending = books.order_bust(trade, BustReason.ERRONEOUS, "ops", "typo", NOON_NS)
    request = books.changes.requests[0]
    assert books.refuse_request(pending, request, "There is no such trade.", NOON_NS).state == "held"
    assert life(books, trade.match_id)[-1] == ("held", "engine", "There is no such trade.")


@pytest.mark.parametrize("act", ["release", "order_bust", "order_correction"])
def test_what_cannot_happen_is_refused_and_changes_nothing(act: str) -> None:
    stream = Stream()
    match_id = stream.trade(1, 2, 100)
    stream.bust(match_id)
    books = books_after(stream)
    trade = stored(books, match_id)
    arguments: dict[str, tuple[Any, ...]] = {
        "release": (), "order_bust": (BustReason.ERRONEOUS,), "order_correction": (1, 1, BustReason.ERRONEOUS),
    }  # fmt: skip
    with pytest.raises(TransitionRefused, match="it is busted, and a bust is final"):
        getattr(books, act)(trade, *arguments[act], "ops", "why", NOON_NS)
    assert (books.changes.steps, books.changes.rulings, books.changes.requests) == ([], [], [])


# --- any split of the stream --------------------------------------------------------------------------------


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Draw a day of deposits, trades, busts and corrections."""
    stream = Stream(participants=3)
    live: list[int] = []
    accounts = st.integers(1, 3)
    for act in draw(
        st.lists(st.sampled_from(["deposit", "trade", "trade", "trade", "bust", "correct"]), max_size=25)
    ):
        if act == "deposit":
            stream.deposit(draw(accounts), draw(st.integers(1, 10_000)), draw(st.integers(0, 2)))
        elif act == "trade":
            price = draw(st.sampled_from(["189.20", "189.00", "195.00", "230.00"]))
            live.append(stream.trade(draw(accounts), draw(accounts), draw(st.integers(1, 1_000)), price))
        elif live and act == "bust":
            stream.bust(live.pop(draw(st.integers(0, len(live) - 1))))
        elif live:
            stream.correct(draw(st.sampled_from(live)), "189.10", draw(st.integers(1, 1_000)))
    return stream


@settings(max_examples=60, deadline=None)
@given(stream=streams(), sizes=st.lists(st.integers(1, 9), max_size=20))
def test_any_split_into_batches_gives_the_same_books(stream: Stream, sizes: list[int]) -> None:
    whole = books_after(stream)
    books = Books(RULES)
    trades: dict[int, Trade] = {}
    transfers = []
    for batch in stream.batches(sizes):
        for event in decode_events(batch.events):
            books.take(event, trades.get)
        books.check()
        trades |= books.changes.captured | books.changes.changed
        transfers += books.ledger.unsaved_transfers
        books.forget_changes()
    assert books.ledger.running_hash == whole.ledger.running_hash == ledger_hash(transfers)
    assert books.positions.positions == whole.positions.positions
    assert trades == whole.changes.captured
    for (account, asset), held in stream.holdings.items():
        assert books.ledger.holding(account, asset) == held
