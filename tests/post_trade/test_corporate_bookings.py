"""Corporate actions in clearing's books: one transfer for each change, and the books have what the venue has."""

from __future__ import annotations

import msgspec
import pytest

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain.order import Side
from exchange.domain.phase import Phase
from exchange.post_trade.books import Books
from exchange.post_trade.corporate_bookings import adjustment_chain
from exchange.post_trade.invariants import BooksBroken, prove
from exchange.post_trade.ledger import CASH, Holder, TransferCode, account_of
from exchange.post_trade.rules import parse_rules
from tests.matching.desk import ANN, BOB, CAT, XYZ, Desk, order

SYMBOL_CLOSED = c.SetPhase(symbol_id=XYZ, phase=Phase.CLOSED)


class Traded(Desk):
    """A desk that keeps its events.

    Ann is long 7 and has 50 more brought in, bob is short 7, cat has 3; the symbol is closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.events = list(self.opened)
        self.act(
            c.Deposit(account_id=ANN, symbol_id=XYZ, amount=50), c.Deposit(account_id=CAT, symbol_id=XYZ, amount=3),
            c.Deposit(account_id=ANN, symbol_id=CASH, amount=10_000_000),
            order(Side.SELL, 7, 100_000, BOB), order(Side.BUY, 7, 100_000, ANN),
            c.SetPhase(symbol_id=XYZ, phase=Phase.CLOSED),
        )  # fmt: skip

    def act(self, *commands: c.Command) -> list[ce.HoldingAdjusted]:
        """Send commands; return what they changed of holdings by corporate actions."""
        events = self.send(*commands)
        self.events += events
        return [event for event in events if isinstance(event, ce.HoldingAdjusted)]


def booked(desk: Traded) -> Books:
    books = Books(parse_rules([]))
    for event in desk.events:
        books.take(event, {}.get)
    books.check()
    return books


@pytest.mark.parametrize("ratio", [(2, 1), (3, 2), (1, 10), (10, 7)])
def test_after_a_split_the_books_have_what_the_venue_has(ratio: tuple[int, int]) -> None:
    desk = Traded()
    assert desk.act(c.SplitSymbol(symbol_id=XYZ, new_shares=ratio[0], old_shares=ratio[1]))
    books = booked(desk)
    for account in (ANN, BOB, CAT):
        for asset in (CASH, XYZ):
            assert books.ledger.holding(account, asset) == desk.venue.balance(account, asset)
        assert books.positions.positions[account, XYZ].quantity == desk.venue.balance(account, XYZ)


def test_a_dividend_goes_from_the_issuer_to_who_is_long_and_from_who_is_short() -> None:
    desk = Traded()
    paid = desk.act(c.PayDividend(symbol_id=XYZ, amount=2_500))
    assert [(event.account_id, event.amount) for event in paid] == [
        (ANN, 142_500),
        (BOB, -17_500),
        (CAT, 7_500),
    ]
    (transfer,) = adjustment_chain(paid[1])
    sides = account_of(transfer.debit), account_of(transfer.credit)
    assert [(side.holder, side.account_id) for side in sides] == [
        (Holder.AVAILABLE, BOB),
        (Holder.EXTERNAL, 0),
    ]
    assert (transfer.code, transfer.amount) == (TransferCode.DIVIDEND, 17_500)
    assert booked(desk).ledger.holding(BOB, CASH) == desk.venue.balance(BOB, CASH)


def test_the_same_event_gives_the_same_transfer_id_and_another_cause_another() -> None:
    adjusted = Traded().act(c.SplitSymbol(symbol_id=XYZ, new_shares=3, old_shares=2))
    ids = [adjustment_chain(event)[0].transfer_id for event in adjusted]
    assert ids == [adjustment_chain(event)[0].transfer_id for event in adjusted]
    assert len(set(ids)) == len(ids) > 3


def test_the_proof_holds_after_a_split_and_a_dividend() -> None:
    desk = Traded()
    desk.act(
        c.SplitSymbol(symbol_id=XYZ, new_shares=3, old_shares=2), c.PayDividend(symbol_id=XYZ, amount=1_000)
    )
    books = booked(desk)
    ledger = books.ledger
    proof = prove(
        ledger.unsaved_transfers, books.changes.captured.values(), ledger.balances, books.positions.positions,
        ledger.running_hash,
    )  # fmt: skip
    assert proof.faults == []
    assert set(proof.sums.values()) == {0}


def test_a_balance_that_the_engine_states_otherwise_stops_the_books() -> None:
    desk = Traded()
    right = desk.act(c.SplitSymbol(symbol_id=XYZ, new_shares=2, old_shares=1))[0]
    wrong = msgspec.structs.replace(right, balance=right.balance + 1)
    desk.events[desk.events.index(right)] = wrong
    with pytest.raises(BooksBroken, match="the engine says that account 1 has"):
        booked(desk)
