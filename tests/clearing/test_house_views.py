"""What people see of the house's ledger."""

from __future__ import annotations

from exchange.clearing.house_views import account_text, balance_view
from exchange.post_trade.house_ledger import HouseBalance, HouseHolder, house_account
from exchange.post_trade.ledger import CASH


def test_accounts_have_names() -> None:
    assert account_text(house_account(HouseHolder.MARGIN, 7, CASH)) == "margin 7"
    assert account_text(house_account(HouseHolder.CAPITAL, 0, CASH)) == "capital"


def test_who_is_below_zero_is_said() -> None:
    number = house_account(HouseHolder.SETTLED, 7, CASH)
    balance = HouseBalance(debits=50_000, credits=10_000, debits_pending=10_000)
    for backing, free, below in ((50_000, "0.00", False), (40_000, "-1.00", True)):
        view = balance_view(number, balance, {}, lambda _, backing=backing: backing)
        assert (view.free, view.below_zero) == (free, below)
        assert (view.balance, view.reserved, view.account) == ("-4.00", "1.00", "7")
    fees = balance_view(house_account(HouseHolder.FEES, 0, CASH), HouseBalance(debits=1), {}, lambda _: 0)
    assert (fees.below_zero, fees.account) == (False, "")
