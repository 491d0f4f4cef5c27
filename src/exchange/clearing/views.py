"""From the store's integers to the JSON of `wire/rest/clearing.py`, showing each reader what is theirs to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row

from exchange.clearing.queries import Entry, Holding
from exchange.clearing.store import hits_of
from exchange.domain.order import Side
from exchange.domain.symbol import Symbol
from exchange.domain.trade import BustReason
from exchange.domain.units import format_money, format_price, format_time
from exchange.post_trade.figures import Figures
from exchange.post_trade.invariants import Proof
from exchange.post_trade.ledger import CASH, OF_NO_TRADE, LedgerAccount, account_of
from exchange.post_trade.positions import Position
from exchange.post_trade.rule import Hit, Rule, Verdict, When
from exchange.post_trade.rule_kinds import Hours, Tier, format_percent
from exchange.post_trade.rules import RuleSet
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import Step
from exchange.wire.rest import clearing as j

CASH_NAME = "cash"


class Reader(NamedTuple):
    """Who reads. accounts: those whose side may be seen; None for everything."""

    accounts: frozenset[int] | None

    def sees(self, account_id: int) -> bool:
        """Tell whether an account is the reader's to see."""
        return self.accounts is None or account_id in self.accounts


Symbols = Mapping[int, Symbol]


def asset_text(symbols: Symbols, asset: int) -> str:
    """Return the name of an asset."""
    if asset == CASH:
        return CASH_NAME
    symbol = symbols.get(asset)
    return symbol.symbol if symbol else f"symbol {asset}"


def amount_text(asset: int, amount: int) -> str:
    """Write an amount of an asset: money for cash, else shares."""
    return format_money(amount) if asset == CASH else str(amount)


# --- trades ---------------------------------------------------------------------------------------


def trade_view(trade: Trade, symbols: Symbols, reader: Reader) -> j.ClearedTrade:
    """Write a trade as it stands."""
    return j.ClearedTrade(**_trade_fields(trade, symbols, reader))


def trade_story(
    trade: Trade,
    symbols: Symbols,
    reader: Reader,
    *,
    steps: Sequence[Step],
    rulings: Sequence[Row[Any]],
    requests: Sequence[Row[Any]],
    entries: Sequence[Entry],
) -> j.TradeStory:
    """Write a trade with everything that happened to it; its parties see no rulings and not the other's entries."""
    sees_all = reader.accounts is None
    return j.TradeStory(
        **_trade_fields(trade, symbols, reader),
        steps=[_step_view(step, sees_all) for step in steps],
        rulings=[_ruling_view(row) for row in rulings] if sees_all else [],
        requests=[_request_view(row) for row in requests] if sees_all else [],
        ledger=[entry_view(entry, symbols) for entry in entries if is_visible(entry, reader)],
    )


def _trade_fields(trade: Trade, symbols: Symbols, reader: Reader) -> dict[str, Any]:
    sees_buyer, sees_seller = reader.sees(trade.buy_account_id), reader.sees(trade.sell_account_id)
    return {
        "match_id": str(trade.match_id),
        "symbol": asset_text(symbols, trade.symbol_id),
        "state": trade.state.value,
        "version": trade.version,
        "price": format_price(trade.price),
        "qty": str(trade.quantity),
        "notional": format_money(trade.notional),
        "reference_price": _price_or_none(trade.reference_price),
        "buy_account": str(trade.buy_account_id) if sees_buyer else None,
        "sell_account": str(trade.sell_account_id) if sees_seller else None,
        "buy_order_id": str(trade.buy_order_id) if sees_buyer else None,
        "sell_order_id": str(trade.sell_order_id) if sees_seller else None,
        "taker_side": Side(trade.taker_side).name.lower(),
        "executed_at": format_time(trade.executed_ns),
        "seq": trade.sequence,
        "epoch": trade.epoch,
    }


def _step_view(step: Step, sees_all: bool) -> j.TradeStep:
    return j.TradeStep(
        at=format_time(step.time_ns),
        state=step.state.value,
        version=step.version,
        what=step.occurrence.value if step.occurrence else "executed",
        who=step.who if sees_all else "",
        why=step.why if sees_all else "",
        ruling_id=str(step.ruling_id) if step.ruling_id else None,
    )


def _ruling_view(row: Row[Any]) -> j.TradeRuling:
    return j.TradeRuling(
        ruling_id=str(row.ruling_id),
        at=format_time(row.time_ns),
        verdict=row.verdict,
        code=chr(row.code) if row.code else None,
        who=row.who,
        why=row.why,
        hits=[hit_view(hit) for hit in hits_of(row)],
    )


def hit_view(hit: Hit) -> j.RuleHit:
    """Write what a rule found."""
    fields = msgspec.structs.asdict(hit) | {"measured": str(hit.measured), "limit": str(hit.limit)}
    return j.RuleHit(**fields)


def _request_view(row: Row[Any]) -> j.EngineRequestView:
    return j.EngineRequestView(
        ruling_id=str(row.ruling_id),
        kind=row.kind,
        code=chr(row.code),
        state=row.state,
        new_price=_price_or_none(row.new_price),
        new_qty=str(row.new_quantity) if row.new_quantity else None,
        attempts=row.attempts,
        created_at=format_time(row.created_ns),
        tried_at=format_time(row.tried_ns) if row.tried_ns else None,
        answer=row.answer,
    )


# --- ledger, balances, positions ------------------------------------------------------------------


def is_visible(entry: Entry, reader: Reader) -> bool:
    """Tell whether a ledger entry touches an account that the reader may see."""
    sides = (account_of(entry.transfer.debit), account_of(entry.transfer.credit))
    return reader.accounts is None or any(side.account_id and reader.sees(side.account_id) for side in sides)


def entry_view(entry: Entry, symbols: Symbols) -> j.LedgerEntry:
    """Write a ledger entry."""
    transfer = entry.transfer
    debit, credit = account_of(transfer.debit), account_of(transfer.credit)
    is_trade = transfer.code not in OF_NO_TRADE
    return j.LedgerEntry(
        number=str(entry.number),
        id=transfer.transfer_id.hex(),
        asset=asset_text(symbols, debit.asset),
        amount=amount_text(debit.asset, transfer.amount),
        debit=_side_view(debit),
        credit=_side_view(credit),
        what=transfer.code.name.lower(),
        match_id=str(transfer.subject) if is_trade else None,
        version=transfer.version,
        seq=transfer.sequence,
        at=format_time(transfer.time_ns),
    )


def _side_view(account: LedgerAccount) -> j.LedgerSide:
    return j.LedgerSide(account.holder.name.lower(), str(account.account_id) if account.account_id else None)


def balance_view(holding: Holding, symbols: Symbols) -> j.BalanceView:
    """Write what an account has of an asset."""
    total = holding.available + holding.due
    return j.BalanceView(
        account=str(holding.account_id),
        asset=asset_text(symbols, holding.asset),
        available=amount_text(holding.asset, holding.available),
        due=amount_text(holding.asset, holding.due),
        total=amount_text(holding.asset, total),
        overdrawn=total < 0,
    )


def position_view(account_id: int, symbol_id: int, position: Position, symbols: Symbols) -> j.PositionView:
    """Write what an account has of a symbol."""
    return j.PositionView(
        account=str(account_id),
        symbol=asset_text(symbols, symbol_id),
        qty=str(position.quantity),
        deposited=str(position.deposited),
        bought=str(position.bought),
        sold=str(position.sold),
        cost=format_money(position.cost),
        average_price=_price_or_none(position.average_price),
    )


# --- rules and reports ----------------------------------------------------------------------------


def rules_view(rule_set: RuleSet) -> j.RulesView:
    """Write the rules in force."""
    items = [
        j.RuleView(
            id=rule.id,
            kind=rule.KIND,
            meaning=rule.MEANING,
            params_hash=params_hash,
            parameters=_parameters(rule),
        )
        for rule, params_hash in zip(rule_set.rules, rule_set.hashes, strict=True)
    ]
    return j.RulesView(version=rule_set.version, on_rule_error="hold", items=items)


def _parameters(rule: Rule) -> dict[str, object]:
    """Write a rule's parameters as the configuration has them."""
    fields = {name: getattr(rule, name) for name in rule.__struct_fields__ if name != "id"}
    if rule.KIND == "max_notional":
        fields["limit"] = format_money(fields["limit"])
    return {name: _parameter(value) for name, value in fields.items()}


def _parameter(value: object) -> object:
    match value:
        case Verdict():
            return value.name.lower()
        case BustReason():
            return chr(value)
        case When():
            return {name: list(names) for name, names in msgspec.structs.asdict(value).items() if names}
        case Hours():
            return "-".join(f"{each // 60:02}:{each % 60:02}" for each in (value.begins, value.ends))
        case Tier():
            up_to = {"up_to": format_price(value.up_to)} if value.up_to else {}
            return up_to | {"percent": format_percent(value.bps).removesuffix(" %")}
        case tuple():
            return [_parameter(item) for item in value]
    return value


def figures_view(figures: Figures) -> j.Figures:
    """Write a component's figures of a symbol."""
    return j.Figures(
        trades=figures.trades,
        qty=str(figures.quantity),
        notional=format_money(figures.notional),
        busted=figures.busted,
    )


def proof_view(proof: Proof, sequence: int, epoch: int, symbols: Symbols) -> j.ProofView:
    """Write a proof."""
    return j.ProofView(
        holds=proof.holds,
        seq=sequence,
        epoch=epoch,
        transfers=proof.transfers,
        trades=proof.trades,
        ledger_hash=proof.ledger_hash,
        assets=[
            j.AssetProof(
                asset=asset_text(symbols, asset),
                sum=amount_text(asset, total),
                house=amount_text(asset, proof.house[asset]),
            )
            for asset, total in proof.sums.items()
        ],
        faults=proof.faults,
        faults_count=proof.faults_count,
    )


def _price_or_none(price: int) -> str | None:
    return format_price(price) if price else None
