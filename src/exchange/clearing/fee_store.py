"""Charging fees when a day is closed: for its trades, and for those of earlier days that were ruled on since."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from exchange.clearing import tables
from exchange.clearing.house_store import Act, Doing, list_acts, write_act
from exchange.clearing.house_tables import fee_charges
from exchange.clearing.store import STREAMED, TRADE_COLUMNS, replace, trade_of
from exchange.domain.units import format_date
from exchange.post_trade.fee_charges import Charge, entries_of, fees_of_trades, to_charge
from exchange.post_trade.fees import FeeSchedule
from exchange.post_trade.ledger import TransferCode, numbers_of_event
from exchange.post_trade.trade_life import TradeState

FEES = "fees"
ACTS_MAX = 1_000_000


def charge_fees(
    doing: Doing, schedule: FeeSchedule, business_date: int, last_date: int, last_sequence: int
) -> Act | None:
    """Charge what the days up to one cost and was not charged; None where that is nothing.

    last_date, last_sequence: of the cycle before, 0 for none.
    """
    connection, partition = doing.connection, doing.partition
    if not schedule.fees:
        return None
    days = _days(connection, partition, business_date, last_date, last_sequence)
    owed: dict[Charge, int] = {}
    for day in days:
        columns = tables.trades.c
        query = select(*TRADE_COLUMNS).where(
            columns.partition == partition,
            columns.business_date == day,
            columns.state != TradeState.BUSTED.value,
        )
        rows = connection.execute(query.execution_options(**STREAMED))
        volumes = _volumes(connection, partition, day) if schedule.has_tiers else {}
        owed |= fees_of_trades(map(trade_of, rows), schedule, volumes)
    charges = to_charge(owed, _charged(connection, partition, days))
    if not charges:
        return None
    body: dict[str, Any] = {"charges": [[*key, amount] for key, amount in charges.items()]}
    source = f"fees/{format_date(business_date)}"
    act = write_act(doing, FEES, source, business_date, body, entries_of(charges))
    whole = {key: owed.get(key, 0) for key in charges}
    replace(connection, fee_charges, 4, [(partition, *key, amount) for key, amount in whole.items()])
    return act


def _days(
    connection: Connection, partition: int, until: int, last_date: int, last_sequence: int
) -> list[int]:
    """Return the days after the last cycle, and earlier ones whose trades were busted or corrected since."""
    columns, moved = tables.trades.c, tables.transfers.c
    new = (
        select(columns.business_date)
        .where(
            columns.partition == partition, columns.business_date > last_date, columns.business_date <= until
        )
        .distinct()
    )
    ruled = select(moved.subject).where(
        moved.partition == partition,
        moved.code.in_((TransferCode.BUST, TransferCode.CORRECTION)),
        moved.number > numbers_of_event(last_sequence)[1],
    )
    old = (
        select(columns.business_date)
        .where(columns.match_id.in_(ruled), columns.business_date <= last_date)
        .distinct()
    )
    return sorted({*connection.execute(new).scalars(), *connection.execute(old).scalars()})


def _charged(connection: Connection, partition: int, days: list[int]) -> dict[Charge, int]:
    columns = fee_charges.c
    query = select(columns.business_date, columns.account_id, columns.name, columns.amount)
    rows = connection.execute(query.where(columns.partition == partition, columns.business_date.in_(days)))
    return {(day, account_id, name): amount for day, account_id, name, amount in rows}


def _volumes(connection: Connection, partition: int, day: int) -> dict[tuple[int, int], int]:
    """Return the shares that each account traded in the month before a day."""
    columns = tables.trades.c
    found: dict[tuple[int, int], int] = {}
    for side in (columns.buy_account_id, columns.sell_account_id):
        query = select(side, func.sum(columns.quantity)).where(
            columns.partition == partition,
            columns.business_date >= day // 100 * 100,
            columns.business_date < day,
            columns.state != TradeState.BUSTED.value,
        )
        for account_id, shares in connection.execute(query.group_by(side)):
            found[day, account_id] = found.get((day, account_id), 0) + int(shares)
    return found


def charged_to(connection: Connection, partition: int, account_id: int, business_date: int) -> dict[str, int]:
    """Return what an account was charged for a day, by name."""
    found = _charged(connection, partition, [business_date])
    return {name: amount for (_, owner, name), amount in found.items() if owner == account_id}


def fee_faults(connection: Connection, partition: int) -> list[str]:
    """Say where the stored charges are not the sum of what the acts charged."""
    sums: dict[Charge, int] = {}
    for act in list_acts(connection, partition, FEES, 0, ACTS_MAX):
        body: dict[str, Any] = msgspec.json.decode(act.body)
        for day, account_id, name, amount in body["charges"]:
            key = day, account_id, name
            sums[key] = sums.get(key, 0) + amount
    columns = fee_charges.c
    query = select(columns.business_date, columns.account_id, columns.name, columns.amount)
    stored = {
        tuple(row[:3]): row[3] for row in connection.execute(query.where(columns.partition == partition))
    }
    return [
        f"fee {name!r} of account {account_id} on {format_date(day)}: stored {stored.get((day, account_id, name), 0)}, "
        f"charged {sums.get((day, account_id, name), 0)}"
        for day, account_id, name in sorted({*stored, *sums})
        if stored.get((day, account_id, name), 0) != sums.get((day, account_id, name), 0)
    ]
