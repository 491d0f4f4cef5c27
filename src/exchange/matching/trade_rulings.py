"""Busts and corrections of trades; each command carries the trade's facts as its event had them.

A bust is final and happens once. A correction gives the trade another price or less quantity, and may be
corrected again. Orders and book are not touched: what was filled stays filled. Holdings and the reference
price follow.
"""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.reasons import Reason
from exchange.domain.trade import BustReason
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX, public_id, sequence_of
from exchange.matching.order_checks import Refusal
from exchange.matching.venue_state import VenueState
from exchange.wire.records import number_of

BUST_REASONS = tuple(reason.value for reason in BustReason)


class TradeRulings:
    """Judges and carries out rulings. What a trade stands at is its facts, or its last correction."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._events = state.events

    def bust(self, command: c.BustTrade) -> None:
        """Break a trade: move back what it moved."""
        refusal = self._refusal_of_ruling(command)
        if refusal:
            self._refuse(command, refusal)
            return
        price, quantity = self._standing(command)
        self._state.holdings.undo_trade(
            buyer=command.buy_account_id, seller=command.sell_account_id, symbol_id=command.symbol_id,
            price=price, quantity=quantity,
        )  # fmt: skip
        self._state.corrected.pop(command.match_id, None)
        self._state.busted[command.match_id] = None
        market = self._state.markets[command.symbol_id]
        market.reference.bust(command.match_id)
        if market.guard is not None:
            market.guard.bust(sequence_of(command.match_id), price)
        self._write(e.TradeBusted, command, price=price, quantity=quantity)

    def correct(self, command: c.CorrectTrade) -> None:
        """Give a trade another price or less quantity: move back what it moved, and move the new values."""
        refusal = self._refusal_of_ruling(command) or self._refusal_of_correction(command)
        if refusal:
            self._refuse(command, refusal)
            return
        price, quantity = self._standing(command)
        accounts = {
            "buyer": command.buy_account_id, "seller": command.sell_account_id, "symbol_id": command.symbol_id
        }  # fmt: skip
        self._state.holdings.undo_trade(**accounts, price=price, quantity=quantity)
        self._state.holdings.trade(**accounts, price=command.new_price, quantity=command.new_quantity)
        self._state.corrected[command.match_id] = (command.new_price, command.new_quantity)
        market = self._state.markets[command.symbol_id]
        market.reference.correct(command.match_id, command.new_price)
        if market.guard is not None:
            market.guard.correct(sequence_of(command.match_id), price, command.new_price)
        self._write(
            e.TradeCorrected, command, price=price, quantity=quantity, new_price=command.new_price,
            new_quantity=command.new_quantity,
        )  # fmt: skip

    def _standing(self, command: c.TradeFacts) -> tuple[int, int]:
        return self._state.corrected.get(command.match_id, (command.price, command.quantity))

    def _refusal_of_ruling(self, command: c.BustTrade | c.CorrectTrade) -> Refusal | None:
        state = self._state
        if command.reason not in BUST_REASONS:
            return Refusal(Reason.COMMAND_MALFORMED, command.reason)
        for account_id in (command.buy_account_id, command.sell_account_id):
            if account_id not in state.directory.accounts:
                return Refusal(Reason.UNKNOWN_ACCOUNT, account_id)
        if command.symbol_id not in state.directory.symbols:
            return Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        sequence = sequence_of(command.match_id)
        is_ours = command.match_id == public_id(self._events.partition, sequence)
        if not (is_ours and 0 < sequence <= self._events.sequence and command.price and command.quantity):
            return Refusal(Reason.UNKNOWN_TRADE, command.match_id)
        if command.match_id in state.busted:
            return Refusal(Reason.TRADE_ALREADY_BUSTED, command.match_id)
        split_at = state.markets[command.symbol_id].split_sequence
        if sequence < split_at:
            return Refusal(Reason.TRADE_BEFORE_SPLIT, command.match_id, split_at)
        rulings = len(state.busted) + len(state.corrected)
        if command.match_id not in state.corrected and rulings >= state.limits.rulings:
            return Refusal(Reason.DIRECTORY_FULL, rulings, state.limits.rulings)
        return None

    def _refusal_of_correction(self, command: c.CorrectTrade) -> Refusal | None:
        price, quantity = command.new_price, command.new_quantity
        on_tick = (
            0 < price <= PRICE_MAX and price % self._state.markets[command.symbol_id].tick_at(price) == 0
        )
        changes = (price, quantity) != self._standing(command)
        if not (
            on_tick and 0 < quantity <= command.quantity and price * quantity <= NOTIONAL_MAX and changes
        ):
            return Refusal(Reason.CORRECTION_INVALID, quantity, command.quantity)
        return None

    def _write(self, event_type: type[e.Event], command: c.BustTrade | c.CorrectTrade, **values: int) -> None:
        self._events.write(
            event_type, symbol_id=command.symbol_id, match_id=command.match_id, ruling_id=command.ruling_id,
            reason=BustReason(command.reason), buy_account_id=command.buy_account_id,
            sell_account_id=command.sell_account_id, buy_order_id=command.buy_order_id,
            sell_order_id=command.sell_order_id, executed_ns=command.executed_ns, **values,
        )  # fmt: skip

    def _refuse(self, command: c.BustTrade | c.CorrectTrade, refusal: Refusal) -> None:
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=command.match_id, measured=refusal.measured,
            limit=refusal.limit, symbol_id=command.symbol_id,
        )  # fmt: skip
