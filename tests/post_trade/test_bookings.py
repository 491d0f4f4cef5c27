"""Worked examples of the ledger: what a trade, a bust, a correction, a deposit and a withdrawal book."""

from __future__ import annotations

import msgspec

from exchange.domain.events import Deposited, TradeExecuted, Withdrawn
from exchange.post_trade.bookings import (
    deposit_chain,
    reversal_chain,
    trade_chain,
    withdrawal_chain,
)
from exchange.post_trade.ledger import (
    Transfer,
    TransferCode,
    account_of,
    numbers_of_event,
    sequence_and_leg,
)
from exchange.post_trade.trade import captured
from tests.post_trade.stream import Stream


def entry(transfer: Transfer) -> str:
    debit, credit = account_of(transfer.debit), account_of(transfer.credit)
    names = [
        f"{account.holder.name.lower()}{account.account_id or ''}:{account.asset or 'cash'}"
        for account in (debit, credit)
    ]
    return f"{names[0]} -> {names[1]} {transfer.amount} {transfer.code.name.lower()}"


def event_of_100_at_189_20() -> TradeExecuted:
    stream = Stream()
    stream.trade(1, 2, 100)
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    return event


EVENT = event_of_100_at_189_20()
TRADE = captured(EVENT)


def test_a_trade_goes_through_the_clearing_house_in_four_legs() -> None:
    assert [entry(leg) for leg in trade_chain(TRADE, EVENT)] == [
        "due1:cash -> ccp:cash 189200000 trade",
        "ccp:cash -> due2:cash 189200000 trade",
        "due2:1 -> ccp:1 100 trade",
        "ccp:1 -> due1:1 100 trade",
    ]


def test_a_bust_takes_the_four_legs_back() -> None:
    assert [entry(leg) for leg in reversal_chain(TRADE, TransferCode.BUST, EVENT)] == [
        "ccp:cash -> due1:cash 189200000 bust",
        "due2:cash -> ccp:cash 189200000 bust",
        "ccp:1 -> due2:1 100 bust",
        "due1:1 -> ccp:1 100 bust",
    ]


def test_a_deposit_comes_from_outside_and_a_withdrawal_goes_there() -> None:
    stream = Stream()
    stream.deposit(1, 5_000)
    stream.withdraw(1, 2_000)
    deposited, withdrawn = stream.events[-2:]
    assert isinstance(deposited, Deposited)
    assert isinstance(withdrawn, Withdrawn)
    assert [entry(leg) for leg in deposit_chain(deposited)] == [
        "external:cash -> available1:cash 5000 deposit"
    ]
    assert [entry(leg) for leg in withdrawal_chain(withdrawn)] == [
        "available1:cash -> external:cash 2000 withdrawal"
    ]


def test_ids_are_derived_so_the_same_cause_gives_the_same_id_and_any_other_another() -> None:
    later = msgspec.structs.replace(TRADE, version=2)
    chains = [
        trade_chain(TRADE, EVENT),
        trade_chain(later, EVENT),
        reversal_chain(TRADE, TransferCode.BUST, EVENT),
        reversal_chain(later, TransferCode.CORRECTION, EVENT),
    ]
    ids = [leg.transfer_id for chain in chains for leg in chain]
    assert len(set(ids)) == 16
    other = msgspec.structs.replace(EVENT, sequence=77, time_ns=1)
    assert [leg.transfer_id for leg in trade_chain(TRADE, other)] == ids[:4]
    first = msgspec.structs.replace(trade_chain(TRADE, EVENT)[0], subject=1)
    assert first.transfer_id.hex() == "98e950a1198ab853345739e9a96a583f"


def test_what_an_event_books_is_numbered_by_its_sequence_and_in_the_order_it_is_booked() -> None:
    later = msgspec.structs.replace(TRADE, version=2)
    correction = [
        *reversal_chain(TRADE, TransferCode.CORRECTION, EVENT), *trade_chain(later, EVENT),
    ]  # fmt: skip
    first = EVENT.sequence * 8
    assert [leg.number for leg in trade_chain(TRADE, EVENT)] == list(range(first, first + 4))
    assert [leg.number for leg in correction] == list(range(first, first + 8))
    assert {leg.number: (leg.sequence, leg.leg) for leg in correction} == {
        number: sequence_and_leg(number) for number in range(first, first + 8)
    }
    assert numbers_of_event(EVENT.sequence) == (first, first + 7)
