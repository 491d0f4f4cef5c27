"""What REST reads from the store: pages of trades, entries, balances and positions, and counts.

accounts: only rows of these exchange accounts; None for all. Pages are cut by the key of the last row seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, TextClause, case, func, or_, select, tuple_, union_all

from exchange.clearing import tables
from exchange.clearing.store import (
    TAKEN,
    TRADE_COLUMNS,
    WAITING,
    request_of,
    step_of,
    trade_of,
    transfer_of,
)
from exchange.domain.order import Side
from exchange.post_trade.books import EngineRequest
from exchange.post_trade.figures import Figures
from exchange.post_trade.ledger import Holder, Transfer, TransferCode, numbers_of_event
from exchange.post_trade.positions import Position
from exchange.post_trade.trade import Trade, whole_life
from exchange.post_trade.trade_life import Step, TradeState

_PART = 1_000_000_000
"""Money is summed in two parts, for the database sums in 64 bits."""


RELATED_MAX = 1_000
"""Events around a trade among which other trades of the same order are looked for."""


class TradeFilter(NamedTuple):
    """Which trades. state: empty for any; symbol_id: 0 for any; before: match id of the last one seen, 0 for none."""

    state: str = ""
    symbol_id: int = 0
    accounts: Sequence[int] | None = None
    before: int = 0


class Entry(NamedTuple):
    """A transfer and its number in the ledger."""

    number: int
    transfer: Transfer


class Holding(NamedTuple):
    """What an account has of an asset."""

    account_id: int
    asset: int
    available: int
    due: int


def list_trades(connection: Connection, partition: int, wanted: TradeFilter, limit: int) -> list[Trade]:
    """Read a page of trades, newest first."""
    table = tables.trades
    conditions: list[ColumnElement[bool] | TextClause] = [table.c.partition == partition]
    if wanted.state:
        conditions.append(table.c.state == wanted.state)
        if wanted.state != TradeState.ACCEPTED.value:
            conditions.append(tables.IS_UNUSUAL)
    if wanted.symbol_id:
        conditions.append(table.c.symbol_id == wanted.symbol_id)
    if wanted.before:
        conditions.append(table.c.match_id < wanted.before)
    page = select(*TRADE_COLUMNS).where(*conditions).order_by(table.c.match_id.desc()).limit(limit)
    if wanted.accounts is None:
        return [trade_of(row) for row in connection.execute(page)]
    sides = [
        page.where(side.in_(wanted.accounts)) for side in (table.c.buy_account_id, table.c.sell_account_id)
    ]
    trades = [trade_of(row) for side in sides for row in connection.execute(side)]
    unique = {trade.match_id: trade for trade in trades}
    return [unique[match_id] for match_id in sorted(unique, reverse=True)[:limit]]


def trades_after(connection: Connection, partition: int, after: int, limit: int) -> list[Trade]:
    """Read trades after a match id, oldest first."""
    table = tables.trades
    page = select(*TRADE_COLUMNS).where(table.c.partition == partition, table.c.match_id > after)
    return [trade_of(row) for row in connection.execute(page.order_by(table.c.match_id).limit(limit))]


def list_entries(
    connection: Connection,
    partition: int,
    accounts: Sequence[int] | None,
    asset: int | None,
    before: int,
    limit: int,
) -> list[Entry]:
    """Read a page of ledger entries, newest first."""
    table = tables.transfers
    query = select(table).where(table.c.partition == partition)
    if accounts is not None:
        query = query.where(table.c.account_id.in_(accounts))
    if asset is not None:
        query = query.where(table.c.debit.op("&")(0xFFFFFF) == asset)
    if before:
        query = query.where(table.c.number < before)
    rows = connection.execute(query.order_by(table.c.number.desc()).limit(limit))
    return [Entry(row.number, transfer_of(row)) for row in rows]


def list_holdings(
    connection: Connection, partition: int, accounts: Sequence[int] | None, after: tuple[int, int], limit: int
) -> list[Holding]:
    """Read a page of balances, by account and asset. after: account and asset of the last one seen."""
    table = tables.balances
    query = select(
        table.c.account_id,
        table.c.asset,
        func.max(case((table.c.holder == Holder.AVAILABLE, table.c.account_number), else_=0)),
        func.max(case((table.c.holder == Holder.DUE, table.c.account_number), else_=0)),
    ).where(
        table.c.partition == partition,
        table.c.account_id > 0,
        tuple_(table.c.account_id, table.c.asset) > tuple_(*after),
    )
    if accounts is not None:
        query = query.where(table.c.account_id.in_(accounts))
    by_asset = query.group_by(table.c.account_id, table.c.asset).order_by(table.c.account_id, table.c.asset)
    rows = connection.execute(by_asset.limit(limit)).all()
    net = _nets(connection, partition, [number for row in rows for number in row[2:] if number])
    return [
        Holding(account_id, asset, net.get(available, 0), net.get(due, 0))
        for account_id, asset, available, due in rows
    ]


def list_positions(
    connection: Connection, partition: int, accounts: Sequence[int] | None, after: tuple[int, int], limit: int
) -> list[tuple[int, int, Position]]:
    """Read a page of positions, by account and symbol. after: account and symbol id of the last one seen."""
    table = tables.positions
    query = select(table).where(
        table.c.partition == partition, tuple_(table.c.account_id, table.c.symbol_id) > tuple_(*after)
    )
    if accounts is not None:
        query = query.where(table.c.account_id.in_(accounts))
    rows = connection.execute(query.order_by(table.c.account_id, table.c.symbol_id).limit(limit))
    return [
        (
            row.account_id,
            row.symbol_id,
            Position(row.deposited, row.bought, row.sold, row.bought_notional, row.sold_notional),
        )
        for row in rows
    ]


# --- one trade ------------------------------------------------------------------------------------


def steps_of(connection: Connection, trade: Trade) -> list[Step]:
    """Read everything that happened to a trade, oldest first."""
    table = tables.trade_steps
    kept = connection.execute(
        select(table).where(table.c.match_id == trade.match_id).order_by(table.c.number)
    )
    return whole_life(trade, map(step_of, kept))


def rulings_of(connection: Connection, match_id: int) -> Sequence[Row[Any]]:
    """Read the rulings on a trade, oldest first."""
    table = tables.rulings
    return connection.execute(
        select(table).where(table.c.match_id == match_id).order_by(table.c.ruling_id)
    ).all()


def requests_of(connection: Connection, match_id: int) -> Sequence[Row[Any]]:
    """Read what the engine was asked about a trade, oldest first."""
    table = tables.outbox
    return connection.execute(
        select(table).where(table.c.match_id == match_id).order_by(table.c.ruling_id)
    ).all()


def entries_of(connection: Connection, trade: Trade) -> list[Entry]:
    """Read the ledger entries of a trade, oldest first."""
    table = tables.transfers
    columns = table.c
    first = columns.number.between(*numbers_of_event(trade.sequence))
    later = or_(columns.version > 1, columns.code.in_((TransferCode.BUST, TransferCode.CORRECTION)))
    found = union_all(
        select(table).where(columns.partition == trade.partition, first),
        select(table).where(columns.subject == trade.match_id, later),
    )
    return sorted(Entry(row.number, transfer_of(row)) for row in connection.execute(found))


def matches_of_order(connection: Connection, trade: Trade) -> list[int]:
    """Read the match ids of the trades that the same incoming order made, oldest first, at most `RELATED_MAX`."""
    columns = tables.trades.c
    near = columns.match_id.between(trade.match_id - RELATED_MAX, trade.match_id + RELATED_MAX)
    side = columns.buy_order_id if trade.taker_side == Side.BUY else columns.sell_order_id
    query = select(columns.match_id).where(
        columns.symbol_id == trade.symbol_id,
        near,
        side == trade.taker_order_id,
        columns.match_id != trade.match_id,
    )
    return list(connection.execute(query.order_by(columns.match_id).limit(RELATED_MAX)).scalars())


def trades_of_account(connection: Connection, account_id: int, business_date: int, limit: int) -> list[Trade]:
    """Read an account's trades up to a business date, oldest first."""
    columns = tables.trades.c
    whole = select(*TRADE_COLUMNS).where(columns.business_date <= business_date)
    found: dict[int, Trade] = {}
    for side in (columns.buy_account_id, columns.sell_account_id):
        for row in connection.execute(
            whole.where(side == account_id).order_by(columns.match_id).limit(limit)
        ):
            found[row.match_id] = trade_of(row)
    return [found[match_id] for match_id in sorted(found)][:limit]


def last_price(connection: Connection, partition: int, symbol_id: int, business_date: int) -> tuple[int, int]:
    """Read (match id, price) of a symbol's last trade on a business date or before that was not busted, 0 for none."""
    columns = tables.trades.c
    query = select(columns.match_id, columns.price).where(
        columns.partition == partition,
        columns.symbol_id == symbol_id,
        columns.business_date <= business_date,
        columns.state != TradeState.BUSTED.value,
    )
    row = connection.execute(query.order_by(columns.match_id.desc()).limit(1)).first()
    return (row.match_id, row.price) if row else (0, 0)


# --- counts, requests, figures --------------------------------------------------------------------


def count_by_state(connection: Connection, partition: int) -> dict[str, int]:
    """Count the trades in each state; the accepted ones are all that are in no other."""
    table, books = tables.trades, tables.books
    total = connection.execute(select(books.c.trades).where(books.c.partition == partition)).scalar() or 0
    unusual = [state.value for state in TradeState if state != TradeState.ACCEPTED]
    query = select(table.c.state, func.count()).where(
        table.c.partition == partition, tables.IS_UNUSUAL, table.c.state.in_(unusual)
    )
    counted = {row[0]: row[1] for row in connection.execute(query.group_by(table.c.state))}
    counted[TradeState.ACCEPTED.value] = total - sum(counted.values())
    return {state.value: counted.get(state.value, 0) for state in TradeState}


def count_requests(connection: Connection, partition: int) -> dict[str, int]:
    """Count the requests that are not answered for good, by state."""
    table = tables.outbox
    query = select(table.c.state, func.count()).where(
        table.c.partition == partition, table.c.state.in_((WAITING, TAKEN))
    )
    counted = {row[0]: row[1] for row in connection.execute(query.group_by(table.c.state))}
    return {state: counted.get(state, 0) for state in (WAITING, TAKEN)}


def waiting_requests(connection: Connection, partition: int, limit: int) -> list[EngineRequest]:
    """Read the oldest requests that the engine has not taken."""
    table = tables.outbox
    query = select(table).where(table.c.partition == partition, table.c.state == WAITING)
    return [request_of(row) for row in connection.execute(query.order_by(table.c.ruling_id).limit(limit))]


def open_requests(connection: Connection, partition: int, limit: int) -> list[EngineRequest]:
    """Read the oldest requests whose event was not seen: waiting ones and taken ones."""
    table = tables.outbox
    oldest = [
        select(table)
        .where(table.c.partition == partition, table.c.state == state)
        .order_by(table.c.ruling_id)
        .limit(limit)
        .subquery()
        for state in (WAITING, TAKEN)
    ]
    both = union_all(*(select(part) for part in oldest)).subquery()
    query = select(both).order_by(both.c.ruling_id).limit(limit)
    return [request_of(row) for row in connection.execute(query)]


def figures_on(connection: Connection, partition: int, business_date: int) -> dict[int, Figures]:
    """Count the captured trades of a business date by symbol id."""
    table = tables.trades
    notional = table.c.price * table.c.quantity
    busted = table.c.state == TradeState.BUSTED.value
    query = (
        select(
            table.c.symbol_id,
            busted,
            func.count(),
            func.sum(table.c.quantity),
            func.sum(notional // _PART),
            func.sum(notional % _PART),
        )
        .where(table.c.partition == partition, table.c.business_date == business_date)
        .group_by(table.c.symbol_id, busted)
    )
    found: dict[int, Figures] = {}
    for symbol_id, is_busted, count, quantity, high, low in connection.execute(query):
        figures = found.setdefault(symbol_id, Figures())
        if is_busted:
            figures.busted = count
        else:
            figures.trades, figures.quantity = count, int(quantity)
            figures.notional = int(high) * _PART + int(low)
    return found


def _nets(connection: Connection, partition: int, numbers: list[int]) -> dict[int, int]:
    table = tables.balances
    query = select(table.c.account_number, table.c.debits, table.c.credits).where(
        table.c.partition == partition, table.c.account_number.in_(numbers)
    )
    return {number: credit_sum - debits for number, debits, credit_sum in connection.execute(query)}
