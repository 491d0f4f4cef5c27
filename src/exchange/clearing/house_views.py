"""How the house's acts, accounts and instructions are shown as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection

from exchange.clearing.house_store import Act, find_act
from exchange.clearing.instruction_store import KeptInstruction, Line
from exchange.clearing.settlement_desk import END, GIVEN_UP
from exchange.clearing.views import Symbols, amount_text, asset_text
from exchange.domain.units import Price, format_date, format_money, format_price, format_time
from exchange.post_trade.house_ledger import (
    NEVER_BELOW_ZERO,
    Backing,
    Entry,
    HouseBalance,
    account_id_of,
    holder_of,
)
from exchange.post_trade.ledger import asset_of
from exchange.wire.rest import house as j


def act_view(act: Act, sees_all: bool = True) -> j.ActView:
    """Show an act. sees_all: with who did it."""
    return j.ActView(
        number=str(act.number),
        source=act.source,
        kind=act.kind,
        date=format_date(act.business_date),
        at=format_time(act.time_ns),
        who=act.who if sees_all else "",
        why=act.why if sees_all else "",
        entries=act.entries,
        detail=body_of(act) if sees_all else {},
        hash=act.hash.hex(),
    )


def body_of(act: Act) -> dict[str, Any]:
    """Return what an act was, from its JSON."""
    return msgspec.json.decode(act.body, type=dict[str, Any])


def run_view(connection: Connection, partition: int, act: Act, sees_all: bool) -> j.RunView:
    """Show a run of settlement as far as it has come."""
    end = find_act(connection, partition, act.source + END)
    body = body_of(act)
    return j.RunView(
        number=str(act.number),
        date=format_date(act.business_date),
        state="reserved" if end is None else "given_up" if end.kind == GIVEN_UP else "settled",
        instructions=body["instructions"],
        failed=body["failed"],
        unpaid=[str(account_id) for account_id in body["unpaid"]] if sees_all else [],
        paid=format_money(body["paid"]),
        at=format_time(act.time_ns),
        who=act.who if sees_all else "",
        why=act.why if sees_all else "",
    )


def instruction_view(kept: KeptInstruction, symbols: Symbols, days: int) -> j.InstructionView:
    """Show an instruction. days: for how many settlement days it has failed."""
    return j.InstructionView(
        cycle=format_date(kept.cycle),
        account=str(kept.account_id),
        symbol=asset_text(symbols, kept.symbol_id),
        due=format_date(kept.due),
        qty=str(kept.quantity),
        cash=format_money(kept.cash),
        moved=str(kept.moved),
        compensated=str(kept.compensated),
        days=days,
        settled_on=format_date(kept.settled_on) if kept.settled_on else "",
    )


def line_view(line: Line, symbols: Symbols) -> j.SettlementLineView:
    """Show what a run did to an instruction."""
    return j.SettlementLineView(
        cycle=format_date(line.cycle),
        account=str(line.account_id),
        symbol=asset_text(symbols, line.symbol_id),
        due=format_date(line.due),
        qty=str(line.moved),
        price=format_price(Price(line.price)),
        mark=format_money(line.mark),
        failed=str(line.failed),
    )


def entry_view(place: int, entry: Entry, symbols: Symbols) -> j.HouseEntryView:
    """Show an entry of the house's ledger."""
    asset = asset_of(entry.debit)
    return j.HouseEntryView(
        place=str(place),
        debit=account_text(entry.debit),
        credit=account_text(entry.credit),
        asset=asset_text(symbols, asset),
        amount=amount_text(asset, entry.amount),
        code=entry.code.name.lower(),
        phase=entry.phase.name.lower(),
    )


def balance_view(
    number: int, balance: HouseBalance, symbols: Symbols, backing: Backing
) -> j.HouseBalanceView:
    """Show an account of the house's ledger."""
    asset, holder = asset_of(number), holder_of(number)
    free = balance.net - balance.debits_pending + backing(number)
    return j.HouseBalanceView(
        holder=holder.name.lower(),
        account=str(account_id_of(number) or ""),
        asset=asset_text(symbols, asset),
        balance=amount_text(asset, balance.net),
        reserved=amount_text(asset, balance.debits_pending),
        free=amount_text(asset, free),
        below_zero=holder in NEVER_BELOW_ZERO and free < 0,
    )


def account_text(number: int) -> str:
    """Return the name of an account of the house's ledger."""
    account_id = account_id_of(number)
    return f"{holder_of(number).name.lower()} {account_id}" if account_id else holder_of(number).name.lower()
