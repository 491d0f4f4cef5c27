"""Stream messages that are written when their event is stored, and sent and sent again just as they were written.

Busts and corrections on the channels trades and status, and everything else on status.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.configuration import SymbolChange, change_names
from exchange.domain.directory import Directory
from exchange.domain.risk import RiskScope
from exchange.domain.units import format_date
from exchange.market_data.tape import TapeUpdate
from exchange.reporter.views import figures_view, trade_view
from exchange.wire.rest.admin import BUST_REASON_TEXT
from exchange.wire.rest.market import price_text, time_text
from exchange.wire.rest.phases import auction_fields
from exchange.wire.rest.stream import StatusMessage, TradeChanged
from exchange.wire.rest.symbols import STATE_TEXT
from exchange.wire.rest.volatility import LIMIT_EVENTS, limit_fields

WHOLE_EXCHANGE = 0
"""The symbol id of messages that concern no symbol."""

_encode = msgspec.json.Encoder().encode


PUBLIC_SCOPES = (RiskScope.MARKET, RiskScope.SYMBOL)
"""Blocks of these are told to everybody; those of a participant or an account to nobody."""


class Announcement(msgspec.Struct, frozen=True, gc=False):
    """A message that is kept. symbol_id: 0 for the whole exchange; message: as JSON."""

    channel: str
    symbol_id: int
    sequence: int
    message: bytes


class Announcer:
    """Writes announcements. chains: sequence of each symbol's last message on status."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.chains: dict[int, int] = {}
        self._names: dict[int, str] = {}

    def know(self, directory: Directory) -> None:
        """Learn the names of the symbols."""
        self._names = {symbol_id: each.symbol for symbol_id, each in directory.symbols.items()}

    def announce(self, notable: Iterable[e.Event], updates: Iterable[TapeUpdate]) -> list[Announcement]:
        """Write what is to be said of a batch's events, in their order."""
        changes = [update for update in updates if update.before is not None]
        told: list[Announcement] = []
        both: list[e.Event | TapeUpdate] = [*notable, *changes]
        for item in sorted(both, key=lambda each: each.sequence):
            if isinstance(item, TapeUpdate):
                told += self._trade_changed(item)
            else:
                told += self._status(item)
        return told

    def _trade_changed(self, update: TapeUpdate) -> list[Announcement]:
        symbol_id = update.trade.symbol_id
        on_trades = self._change_message(update, "trades", update.prev_sequence)
        on_status = self._change_message(update, "status", self._link(symbol_id, update.sequence))
        return [
            Announcement("trades", symbol_id, update.sequence, _encode(on_trades)),
            Announcement("status", symbol_id, update.sequence, _encode(on_status)),
        ]

    def _change_message(self, update: TapeUpdate, channel: str, prev_sequence: int) -> TradeChanged:
        trade, before = update.trade, update.before
        assert before is not None
        assert trade.reason is not None
        name = self._names[trade.symbol_id]
        message = TradeChanged(
            channel="trades" if channel == "trades" else "status",
            type="correction" if trade.stands else "bust",
            symbol=name,
            prev_seq=prev_sequence,
            seq=update.sequence,
            at=time_text(update.time_ns),
            match_id=str(trade.match_id),
            executed_seq=trade.sequence,
            executed_at=time_text(trade.executed_ns),
            price=price_text(before.price),
            qty=str(before.quantity),
            reason=BUST_REASON_TEXT[trade.reason],
            ruling_id=str(trade.ruling_id),
            version=trade.version,
            trade=trade_view(trade, name),
            tape=figures_view(update.day.figures),
        )
        if trade.stands:
            message.new_price, message.new_qty = price_text(trade.price), str(trade.quantity)
        return message

    def _status(self, event: e.Event) -> list[Announcement]:
        fields: dict[str, Any]
        match event:
            case e.SymbolAdded(name=name, state=state, reference_price=price):
                self._names[event.symbol_id] = event.symbol
                fields = {"name": name, "state": STATE_TEXT[state], "reference_price": price_text(price)}
                fields["type"] = "symbol_added"
            case e.SymbolConfigured():
                self._names[event.symbol_id] = event.symbol
                fields = _configured(event)
            case ce.SymbolRenamed():
                self._names[event.symbol_id] = event.symbol
                fields = {"type": "symbol_renamed", "former_symbol": event.old_symbol, "name": event.name}
            case ce.ShortSaleRestricted(is_restricted=is_restricted, days=days):
                kind = "short_sales_restricted" if is_restricted else "short_sales_free"
                fields = {"type": kind, "days": days, "price": price_text(event.price) if event.price else ""}
            case ce.SymbolSplit() | ce.DividendPaid():
                fields = _corporate_action(event)
            case e.ConfigurationChanged(configuration_version=version):
                fields = {"type": "configuration", "configuration_version": version}
            case e.SymbolStateChanged(state=state, reason=reason):
                fields = {"type": "symbol_state", "state": STATE_TEXT[state], "reason": reason}
            case (
                e.PhaseChanged()
                | e.PhaseScheduled()
                | e.AuctionIndicated()
                | e.AuctionExecuted()
                | e.AuctionExtended()
            ):
                fields = auction_fields(event)
            case _ if isinstance(event, LIMIT_EVENTS):
                fields = limit_fields(event)
            case e.TradingBlocked(scope=scope, note=note) if scope in PUBLIC_SCOPES:
                fields = {"type": "trading_blocked", "reason": note}
            case e.TradingUnblocked(scope=scope, note=note) if scope in PUBLIC_SCOPES:
                fields = {"type": "trading_unblocked", "reason": note}
            case e.ReferencePriceSet(reference_price=price):
                fields = {"type": "reference_price", "reference_price": price_text(price)}
            case e.BusinessDayStarted(date=date):
                fields = {"type": "business_date", "business_date": format_date(date)}
            case e.EngineStarted(epoch=epoch):
                fields = {"type": "engine_started", "epoch": epoch}
            case _:
                return []
        symbol_id = event.symbol_id
        message = StatusMessage(
            channel="status",
            symbol=self._names.get(symbol_id, ""),
            prev_seq=self._link(symbol_id, event.sequence),
            seq=event.sequence,
            at=time_text(event.time_ns),
            **fields,
        )
        return [Announcement("status", symbol_id, event.sequence, _encode(message))]

    def _link(self, symbol_id: int, sequence: int) -> int:
        previous = self.chains.get(symbol_id, 0)
        self.chains[symbol_id] = sequence
        return previous


def _corporate_action(event: ce.SymbolSplit | ce.DividendPaid) -> dict[str, Any]:
    """Write a split or a dividend."""
    fields: dict[str, Any] = {"reference_price": price_text(event.reference_price), "reason": event.note}
    if isinstance(event, ce.SymbolSplit):
        return fields | {"type": "split", "new_shares": event.new_shares, "old_shares": event.old_shares}
    return fields | {"type": "dividend", "price": price_text(event.amount)}


def _configured(event: e.SymbolConfigured) -> dict[str, Any]:
    """Write what a version of the configuration did to a symbol."""
    return {
        "type": "symbol_added" if event.changes & SymbolChange.LISTED else "symbol_changed",
        "name": event.name,
        "state": STATE_TEXT[event.state],
        "reference_price": price_text(event.reference_price),
        "changes": change_names(event.changes),
        "configuration_version": event.configuration_version,
    }
