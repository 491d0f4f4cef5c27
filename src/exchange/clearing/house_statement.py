"""What the clearing house adds to an account's statement: what was settled and failed, charged, secured and held."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from exchange.clearing.collateral_desk import read_margins
from exchange.clearing.fee_store import charged_to
from exchange.clearing.house_store import backing_of, list_acts, read_house_balances
from exchange.clearing.house_views import balance_view, instruction_view, line_view, margin_view
from exchange.clearing.instruction_store import list_instructions, read_lines
from exchange.clearing.settlement_desk import SETTLEMENT, is_ended
from exchange.clearing.store import read_balances
from exchange.clearing.views import Symbols
from exchange.domain.units import format_money
from exchange.post_trade.house_ledger import account_id_of
from exchange.post_trade.ledger import Ledger
from exchange.wire.rest.collateral import MarginView
from exchange.wire.rest.house import HouseBalanceView, InstructionView, SettlementLineView

INSTRUCTIONS_MAX = 10_000
RUNS_MAX = 100
"""Runs of settlement of a day that a statement looks at, the newest of all days."""


class HousePart(NamedTuple):
    """The house's part of a statement. settled: of the day's runs; open: as it stands; charged: for the day, by fee."""

    settled: list[SettlementLineView]
    open: list[InstructionView]
    charged: dict[str, str]
    margin: MarginView | None
    house: list[HouseBalanceView]


def house_part(
    connection: Connection,
    partition: int,
    account_id: int,
    business_date: int,
    symbols: Symbols,
    days: Callable[[int], int],
    now_ns: int,
) -> HousePart:
    """Read the house's part of an account's statement. days: for how many settlement days a due day is past."""
    balances = read_house_balances(connection, partition)
    trades = Ledger(dict(read_balances(connection, partition)))
    runs = [
        act
        for act in list_acts(connection, partition, SETTLEMENT, 0, RUNS_MAX)
        if act.business_date == business_date and is_ended(connection, partition, act)
    ]
    open_ = list_instructions(connection, partition, [account_id], True, (-1, -1, -1), INSTRUCTIONS_MAX)
    margins = read_margins(connection, partition, [account_id])
    return HousePart(
        settled=[
            line_view(line, symbols)
            for run in reversed(runs)
            for line in read_lines(connection, partition, run.number, [account_id])
        ],
        open=[instruction_view(each, symbols, days(each.due)) for each in open_],
        charged={
            name: format_money(amount)
            for name, amount in sorted(charged_to(connection, partition, account_id, business_date).items())
        },
        margin=margin_view(margins[0], balances, now_ns) if margins else None,
        house=[
            balance_view(number, balance, symbols, lambda each: backing_of(trades, each))
            for number, balance in sorted(balances.items())
            if account_id_of(number) == account_id
        ],
    )
