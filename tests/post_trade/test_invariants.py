"""The invariants: they hold for honest books, and each kind of damage is found and named."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.units import AccountId, Money, SymbolId
from exchange.post_trade.books import Books
from exchange.post_trade.figures import Figures, Tally
from exchange.post_trade.invariants import FINDINGS_MAX, BooksBroken, Proof, prove
from exchange.post_trade.ledger import CASH, Balance, Holder, LedgerAccount, Transfer
from exchange.post_trade.positions import Position
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.wire.records import decode_events
from tests.market_data.venue_flow import SYMBOLS, VenueFlow
from tests.post_trade.stream import Stream


def books_after(stream: Stream) -> Books:
    books = Books(parse_rules(DEFAULT_RULES))
    for event in stream.events:
        books.take(event, {}.get)
    return books


def busy_day() -> Stream:
    stream = Stream()
    stream.deposit(1, 1_000_000_0000)
    stream.deposit(2, 500, symbol_id=1)
    first = stream.trade(1, 2, 100)
    second = stream.trade(3, 2, 10, price="190.00")
    stream.bust(first)
    stream.correct(second, "189.00", 5)
    stream.withdraw(2, 100, symbol_id=1)
    return stream


def proof_of(books: Books, **damage: object) -> Proof:
    given = {
        "transfers": books.ledger.unsaved_transfers,
        "trades": list(books.changes.captured.values()),
        "balances": books.ledger.balances,
        "positions": books.positions.positions,
        "stated_hash": books.ledger.running_hash,
    } | damage
    return prove(**given)  # type: ignore[arg-type]


def test_honest_books_are_right_at_every_batch_and_in_full() -> None:
    books = books_after(busy_day())
    books.check()
    proof = proof_of(books)
    assert proof.faults == []
    assert proof.holds
    assert proof.sums == {0: 0, 1: 0}
    assert proof.house == {0: 0, 1: 0}
    assert (proof.transfers, proof.trades) == (3 + 4 + 4 + 4 + 8, 2)


def test_a_holding_that_the_engine_states_otherwise_is_found() -> None:
    stream = Stream()
    stream.deposit(1, 5_000)
    stream.holdings[1, 0] += 1
    stream.deposit(1, 5_000)
    with pytest.raises(
        BooksBroken, match="event 10: the engine says that account 1 has 10001 of cash, the ledger has 10000"
    ):
        books_after(stream)


DAMAGES = [
    (LedgerAccount(Holder.DUE, 1, CASH), "the balances of cash have moved by 7 in sum, not by 0"),
    (LedgerAccount(Holder.CCP, 0, CASH), "the balances of cash have moved by 7"),
    (LedgerAccount(Holder.DUE, 2, 1), "the balances of symbol 1 have moved by 7"),
]


@pytest.mark.parametrize(("account", "message"), DAMAGES)
def test_a_balance_that_moves_by_itself_is_found_at_the_end_of_the_batch(
    account: LedgerAccount, message: str
) -> None:
    books = books_after(busy_day())
    books.ledger.balances[account.number].credits += 7
    with pytest.raises(BooksBroken, match=message):
        books.check()


def test_a_house_that_is_not_flat_is_found() -> None:
    books = books_after(busy_day())
    books.ledger.balances[LedgerAccount(Holder.CCP, 0, CASH).number].credits += 7
    books.ledger.balances[LedgerAccount(Holder.DUE, 1, CASH).number].debits += 7
    with pytest.raises(BooksBroken, match="the clearing house has 7 of cash, not 0"):
        books.check()


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("deposited", "account 1 and symbol 1: the position is 1, the ledger has 0"),
        ("bought", "account 1 and symbol 1: the position is 1, the ledger has 0"),
    ],
)
def test_a_position_unlike_the_ledger_is_found(field: str, message: str) -> None:
    books = books_after(busy_day())
    position = books.positions.positions[1, 1]
    setattr(position, field, getattr(position, field) + 1)
    with pytest.raises(BooksBroken, match=message):
        books.check()


def test_shares_deposited_that_were_traded_are_found() -> None:
    books = books_after(busy_day())
    position = books.positions.positions[1, 1]
    position.bought += 1
    position.deposited -= 1
    with pytest.raises(BooksBroken, match="1 from trading, the ledger has 0 due"):
        books.check()


def test_money_paid_unlike_what_was_charged_is_found() -> None:
    books = books_after(busy_day())
    books.positions.paid[3] += 1
    with pytest.raises(
        BooksBroken, match="account 3: paid 9450001 in trades, the ledger has charged 9450000"
    ):
        books.check()


def test_the_full_proof_finds_a_changed_balance() -> None:
    books = books_after(busy_day())
    number = LedgerAccount(Holder.AVAILABLE, 1, CASH).number
    balances = books.ledger.balances | {number: Balance(0, 5)}
    assert proof_of(books, balances=balances).faults == [
        "account 1 available of cash: stored 0 debits and 5 credits, recomputed 0 debits and 10000000000 credits"
    ]


def test_the_full_proof_finds_a_changed_position() -> None:
    books = books_after(busy_day())
    positions = books.positions.positions | {(1, 1): Position(bought=1)}
    assert proof_of(books, positions=positions).faults == [
        "account 1 and symbol 1: stored and recomputed position differ"
    ]


def test_the_full_proof_finds_a_missing_transfer() -> None:
    books = books_after(busy_day())
    transfers: list[Transfer] = books.ledger.unsaved_transfers
    proof = proof_of(books, transfers=transfers[:-1])
    assert not proof.holds
    assert any("the ledger's hash is" in fault for fault in proof.faults)
    assert any("account 2 and symbol 1: " in fault for fault in proof.faults)


def test_the_full_proof_finds_a_missing_trade() -> None:
    books = books_after(busy_day())
    proof = proof_of(books, trades=[])
    assert any("account 3: paid" in fault or "account 3 and symbol 1" in fault for fault in proof.faults)


def test_the_full_proof_names_the_first_faults_and_counts_the_others() -> None:
    books = books_after(busy_day())
    balances = {LedgerAccount(Holder.DUE, number, 5).number: Balance(1, 1) for number in range(200)}
    proof = proof_of(books, balances=books.ledger.balances | balances)
    assert len(proof.faults) == FINDINGS_MAX
    assert proof.faults_count == 200


ASSETS = range(len(SYMBOLS) + 1)
SPECIAL = {e.OrderRefreshed, e.OrderTriggered, e.MatchPrevented, e.SpecialTermsAccepted, e.OrderRepriced}


def flow_of_every_kind(seed: int) -> tuple[VenueFlow, list[e.Event]]:
    """Let orders of every kind trade, with busts and corrections; end by having the engine state each holding."""
    flow = VenueFlow(seed)
    batches = [flow.open(), *flow.random_batches(100)]
    for account in (1, 2):
        for asset in ASSETS:
            deposit = c.Deposit(account_id=AccountId(account), symbol_id=SymbolId(asset), amount=Money(1))
            batches.append(flow.do(deposit))
    events = [event for batch in batches for event in decode_events(batch)]
    assert {type(event) for event in events} >= SPECIAL, "the flow meets what only some orders ask for"
    return flow, events


@pytest.mark.parametrize("seed", range(6))
def test_orders_of_every_kind_leave_the_books_where_the_engine_stands(seed: int) -> None:
    flow, events = flow_of_every_kind(seed)
    books = Books(parse_rules(DEFAULT_RULES))
    for event in events:
        books.take(event, {}.get)
    books.check()
    assert proof_of(books).faults == []
    for account in (1, 2):
        for asset in ASSETS:
            assert books.ledger.holding(account, asset) == flow.venue.balance(account, asset), f"seed {seed}"
    for symbol_id in ASSETS[1:]:
        positions = [books.positions.positions[account, symbol_id] for account in (1, 2)]
        assert sum(position.traded for position in positions) == 0
        assert [position.quantity for position in positions] == [
            flow.venue.balance(account, symbol_id) for account in (1, 2)
        ]


@pytest.mark.parametrize("seed", range(6))
def test_the_figures_of_orders_of_every_kind_are_those_of_the_trades_that_stand(seed: int) -> None:
    _, events = flow_of_every_kind(seed)
    tally = Tally()
    standing: dict[int, tuple[int, int, int]] = {}
    busted = dict.fromkeys(ASSETS[1:], 0)
    for event in events:
        tally.take(event)
        match event:
            case e.TradeExecuted():
                standing[event.sequence] = (event.symbol_id, event.quantity, event.price)
            case e.TradeCorrected():
                standing[event.match_id] = (event.symbol_id, event.new_quantity, event.new_price)
            case e.TradeBusted():
                busted[standing.pop(event.match_id)[0]] += 1
    figures = Figures()
    for day in {event.date for event in events if isinstance(event, e.BusinessDayStarted)}:
        for part in tally.on(day).values():
            for name in Figures.__struct_fields__:
                setattr(figures, name, getattr(figures, name) + getattr(part, name))
    trades = standing.values()
    assert figures == Figures(
        len(trades),
        sum(quantity for _, quantity, _ in trades),
        sum(quantity * price for _, quantity, price in trades),
        sum(busted.values()),
    )
