"""Holdings move with deposits and trades, and back with busts."""

from __future__ import annotations

from exchange.risk.holdings import CASH, Holdings

XYZ = 1
ANN, BOB = 1, 2


def test_an_account_without_an_entry_has_nothing() -> None:
    assert Holdings().balance(ANN, CASH) == 0


def test_adding_returns_the_balance_afterwards() -> None:
    holdings = Holdings()
    assert holdings.add(ANN, CASH, 500) == 500
    assert holdings.add(ANN, CASH, -700) == -200
    assert holdings.balance(ANN, CASH) == -200


def test_a_trade_moves_shares_one_way_and_money_the_other() -> None:
    holdings = Holdings()
    holdings.trade(buyer=ANN, seller=BOB, symbol_id=XYZ, price=100_000, quantity=3)
    assert [holdings.balance(ANN, what) for what in (XYZ, CASH)] == [3, -300_000]
    assert [holdings.balance(BOB, what) for what in (XYZ, CASH)] == [-3, 300_000]


def test_an_undone_trade_leaves_nothing_moved() -> None:
    holdings = Holdings()
    holdings.add(BOB, XYZ, 10)
    trade = {"buyer": ANN, "seller": BOB, "symbol_id": XYZ, "price": 100_000, "quantity": 3}
    holdings.trade(**trade)
    holdings.undo_trade(**trade)
    assert [holdings.balance(account, what) for account in (ANN, BOB) for what in (XYZ, CASH)] == [
        0,
        0,
        10,
        0,
    ]


def test_a_trade_with_oneself_changes_nothing() -> None:
    holdings = Holdings()
    holdings.trade(buyer=ANN, seller=ANN, symbol_id=XYZ, price=100_000, quantity=3)
    assert (holdings.balance(ANN, XYZ), holdings.balance(ANN, CASH)) == (0, 0)
