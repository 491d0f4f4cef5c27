"""Who and what the exchange knows: symbols, participants, accounts and keys, projected from the event stream.

The venue keeps one and so does every component: the same events make the same directory.
"""

from __future__ import annotations

import msgspec

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.allocation import Allocation
from exchange.domain.configuration import RuleText, RuleTexts
from exchange.domain.participant import Account, Key, Participant
from exchange.domain.risk import RiskLimit, TradingBlock
from exchange.domain.symbol import AuctionTerms, ShortSaleTerms, Symbol, TickTable
from exchange.domain.volatility import VolatilityTerms


class Directory:
    """Symbols, participants, accounts and keys by their ids, in the order in which they came.

    Ids count 1, 2, 3, …; nothing is removed but revoked keys, lifted blocks and limits taken away.
    """

    def __init__(self) -> None:
        self.symbols: dict[int, Symbol] = {}
        self.symbol_ids: dict[str, int] = {}
        self.former_names: dict[str, int] = {}
        """Symbol ids by a name that the symbol had before."""
        self.participants: dict[int, Participant] = {}
        self.participant_ids: dict[str, int] = {}
        self.accounts: dict[int, Account] = {}
        self.keys: dict[int, Key] = {}
        self.key_ids: dict[bytes, int] = {}
        self.keys_created = 0
        self.configuration_version = 0
        """Of the last version whose changes all were sequenced, 0 before the first."""
        self.rules = RuleTexts()
        self.breaker_close = 0
        """The index level below which the market stops by its fall, 0 for no breaker."""
        self.blocks: dict[tuple[int, int], TradingBlock] = {}
        """Who may not trade, by scope and subject."""
        self.risk_limits: dict[tuple[int, int, int, int], RiskLimit] = {}
        """By scope, subject, symbol (0 for any) and kind."""

    def apply(self, event: e.Event) -> bool:
        """Take one event in; tell whether it concerned the directory."""
        match event:
            case e.SymbolAdded():
                self._add_symbol(event)
            case e.SymbolStateChanged():
                self._change_symbol(event.symbol_id, state=event.state)
            case e.ReferencePriceSet():
                self._change_symbol(event.symbol_id, reference_price=event.reference_price)
            case ce.SymbolSplit() | ce.DividendPaid():
                self._change_symbol(event.symbol_id, reference_price=event.reference_price)
            case ce.SymbolRenamed():
                self._rename_symbol(event)
            case ce.ShortSaleTermsSet():
                short = ShortSaleTerms(event.trigger_bps, event.needs_locate, event.needs_marking)
                self._change_symbol(event.symbol_id, short_sales=short)
            case ce.ShortSaleRestricted():
                self._change_symbol(event.symbol_id, is_short_restricted=event.is_restricted)
            case e.MarketProtectionSet():
                self._change_symbol(event.symbol_id, protection_bps=event.protection_bps)
            case e.PhaseChanged():
                if event.symbol_id:
                    self._change_symbol(event.symbol_id, phase=event.phase)
            case e.AuctionTermsSet():
                terms = AuctionTerms(event.collar_bps, event.extension_ns, event.extensions_max)
                self._change_symbol(event.symbol_id, auction=terms)
            case v.PriceBandsSet():
                self._change_symbol(event.symbol_id, volatility=VolatilityTerms(tier=event.tier))
            case v.PriceCorridorSet():
                self._change_symbol(event.symbol_id, volatility=corridor_of(event))
            case v.MarketBreakerSet():
                self.breaker_close = event.close_level
            case e.AllocationSet():
                self._change_symbol(event.symbol_id, allocation=Allocation(event.steps, event.lead_makers))
            case e.SymbolConfigured():
                self._configure_symbol(event)
            case e.RuleConfigured():
                self.rules.take(rule_of(event))
            case e.ConfigurationChanged():
                self.configuration_version = event.configuration_version
            case e.ParticipantCreated():
                self.participants[event.participant_id] = Participant(event.participant_id, event.name)
                self.participant_ids[event.name] = event.participant_id
            case e.SelfTradePreventionSet():
                self.participants[event.participant_id] = msgspec.structs.replace(
                    self.participants[event.participant_id],
                    self_trade_group=event.group, self_trade_mode=event.mode,
                )  # fmt: skip
            case e.AccountCreated():
                self.accounts[event.account_id] = Account(event.account_id, event.participant_id, event.name)
            case e.KeyCreated():
                key = Key(event.key_id, event.participant_id, event.role, event.sha256, event.label)
                self.keys[key.key_id] = key
                self.key_ids[key.sha256] = key.key_id
                self.keys_created = max(self.keys_created, key.key_id)
            case e.KeyRevoked():
                self.key_ids.pop(self.keys.pop(event.key_id).sha256)
            case e.TradingBlocked():
                self.blocks[event.scope, event.subject_id] = block_of(event)
            case e.TradingUnblocked():
                self.blocks.pop((event.scope, event.subject_id), None)
            case e.RiskLimitSet():
                self._set_risk_limit(event)
            case _:
                return False
        return True

    def symbol_named(self, symbol: str) -> Symbol | None:
        """Return the symbol of this name, if it is listed."""
        return self.symbols.get(self.symbol_ids.get(symbol, 0))

    def present_name(self, former: str) -> str:
        """Return what a symbol is called that had this name before, empty where none had."""
        symbol = self.symbols.get(self.former_names.get(former, 0))
        return symbol.symbol if symbol else ""

    def accounts_of(self, participant_id: int) -> list[Account]:
        """Return a participant's accounts, oldest first."""
        return [account for account in self.accounts.values() if account.participant_id == participant_id]

    def _add_symbol(self, event: e.SymbolAdded | e.SymbolConfigured) -> None:
        self.symbols[event.symbol_id] = Symbol(
            event.symbol_id,
            event.symbol,
            event.name,
            event.round_lot,
            event.reference_price,
            event.state,
            TickTable(event.ticks),
        )
        self.symbol_ids[event.symbol] = event.symbol_id

    def _rename_symbol(self, event: ce.SymbolRenamed) -> None:
        self.symbol_ids.pop(event.old_symbol, None)
        self.former_names.pop(event.symbol, None)
        self.former_names[event.old_symbol] = event.symbol_id
        self.symbol_ids[event.symbol] = event.symbol_id
        self._change_symbol(event.symbol_id, symbol=event.symbol, name=event.name)

    def _configure_symbol(self, event: e.SymbolConfigured) -> None:
        if event.symbol_id not in self.symbols:
            self._add_symbol(event)
            return
        self._change_symbol(
            event.symbol_id, name=event.name, reference_price=event.reference_price, round_lot=event.round_lot,
            state=event.state, ticks=TickTable(event.ticks),
        )  # fmt: skip

    def _set_risk_limit(self, event: e.RiskLimitSet) -> None:
        key = (event.scope, event.subject_id, event.symbol_id, event.kind)
        self.risk_limits.pop(key, None)
        if event.is_set:
            self.risk_limits[key] = RiskLimit(
                event.scope, event.subject_id, event.symbol_id, event.kind, event.value, event.span
            )

    def _change_symbol(self, symbol_id: int, **changes: object) -> None:
        self.symbols[symbol_id] = msgspec.structs.replace(self.symbols[symbol_id], **changes)


def rule_of(event: e.RuleConfigured | c.ConfigureRule) -> RuleText:
    """Return the rule that an event or a command carries."""
    return RuleText(event.configuration_version, event.number, event.count, event.rules_version, event.text)


def corridor_of(event: v.PriceCorridorSet) -> VolatilityTerms:
    """Return the corridor that an event tells of."""
    return VolatilityTerms(
        dynamic_bps=event.dynamic_bps, static_bps=event.static_bps, call_ns=event.call_ns,
        random_ns_max=event.random_ns_max,
    )  # fmt: skip


def block_of(event: e.TradingBlocked) -> TradingBlock:
    """Return the block that an event tells of."""
    return TradingBlock(event.scope, event.subject_id, event.key_id, event.role, event.cause, event.note)
