"""Commands and events as fixed-width records: in journal, event log, on the bus, at the native border.

Integers are little-endian, nothing is padded. A record is a header, a fixed body, and for a few types a tail.

Command header, 16 bytes: 0 length u32 (of the whole record) · 4 type u8 · 5 version u8 · 6 flags u8 (zero)
· 7 partition u8 · 8 command sequence u64.

Event header, 40 bytes: 0 length u32 · 4 type u8 · 5 version u8 · 6 flags u8 (bit 0: last of its command)
· 7 partition u8 · 8 event sequence u64 · 16 command sequence u64 · 24 time u64 · 32 epoch u32
· 36 symbol id u32.

`docs/records.md` lists the bodies; it is generated from `LAYOUTS`. A reader refuses what it does not know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.allocation import AllocationStep, LeadMaker
from exchange.domain.corporate_action import HoldingCause
from exchange.domain.order import (
    CancelReason,
    OrderType,
    PegKind,
    RepriceReason,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from exchange.domain.order_list import ListedOrder, ListEnd
from exchange.domain.participant import Role
from exchange.domain.phase import AuctionKind, Phase, PhaseCause
from exchange.domain.quote import ProtectionKind, Quote
from exchange.domain.reasons import Reason
from exchange.domain.risk import BlockCause, LimitKind, RiskScope
from exchange.domain.symbol import SymbolState, TickRow
from exchange.domain.trade import BustReason, TradeCondition
from exchange.domain.volatility import LimitState

RECORD_BYTES_MAX = 4_096
VERSION = 1
LAST_OF_COMMAND = 1
COMMAND_HEADER = struct.Struct("<IBBBBQ")
EVENT_HEADER = struct.Struct("<IBBBBQQQII")
LENGTH = struct.Struct("<I")
SEQUENCE = struct.Struct("<Q")
VERSION_OFFSET = 5
FLAGS_OFFSET = 6
SEQUENCE_OFFSET = 8
_ROWS: dict[str, tuple[struct.Struct, type[msgspec.Struct]]] = {
    "r": (struct.Struct("<II"), TickRow),
    "s": (struct.Struct("<BBHII"), AllocationStep),
    "l": (struct.Struct("<IH"), LeadMaker),
    "o": (struct.Struct("<BBBBII36sIIIIHQ"), ListedOrder),
    "u": (struct.Struct("<IIIII"), Quote),
}
"""Rows of a tail by their code: how one lies in bytes, and what it is."""
_ENUMS: dict[str, type[IntEnum]] = {
    "side": Side,
    "taker_side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "role": Role,
    "state": SymbolState,
    "bust_reason": BustReason,
    "cancel_reason": CancelReason,
    "reprice_reason": RepriceReason,
    "mode": SelfTradeMode,
    "phase": Phase,
    "phase_cause": PhaseCause,
    "auction": AuctionKind,
    "limit_state": LimitState,
    "trade_condition": TradeCondition,
    "reject_reason": Reason,
    "scope": RiskScope,
    "holding_cause": HoldingCause,
    "cause": BlockCause,
    "kind": LimitKind,
    "end": ListEnd,
    "peg_kind": PegKind,
    "protection_kind": ProtectionKind,
}


class ProtocolError(ValueError):
    """Bytes that are not what the layout says; the message names the field and the offset."""


def version_refused(offset: int, seen: int, read: int) -> str:
    """Say that bytes are of a version that is not read here, and who is to be upgraded. Offset: of the version."""
    who = "newer: upgrade the reader" if seen > read else "older: upgrade the sender"
    return f"version at offset {offset}: {seen}, this version reads {read}; the sender is {who}"


class Layout:
    """How one command or event lies in bytes.

    body: "name:code" pairs, code being that of `struct`, or one of: e one-byte enum, E two-byte enum, ? flag,
    t symbol text of 8, i client order id of 36, k 32 bytes, b bytes of tail text, r rows of tail ticks, s rows of tail
    allocation steps, l rows of tail lead market makers, o rows of tail orders of a list, u rows of tail quotes, z a
    number of four bytes with its sign.
    """

    CODES: ClassVar[dict[str, str]] = {
        "e": "B",
        "E": "H",
        "?": "B",
        "t": "8s",
        "i": "36s",
        "k": "32s",
        "b": "H",
        "r": "H",
        "s": "H",
        "l": "H",
        "o": "H",
        "u": "H",
        "z": "i",
    }

    def __init__(self, value_type: type, number: int, body: str, enums: dict[str, str] | None = None) -> None:
        pairs = [pair.split(":") for pair in body.split()]
        self.value_type = value_type
        self.number = number
        self.is_event = issubclass(value_type, e.Event)
        self.fields = [(name, code) for name, code in pairs]
        self.enums = {
            name: _ENUMS[(enums or {}).get(name, name)] for name, code in self.fields if code in "eE"
        }
        header = EVENT_HEADER if self.is_event else COMMAND_HEADER
        self.header_bytes = header.size
        self.struct = struct.Struct(
            header.format + "".join(self.CODES.get(code, code) for _, code in self.fields)
        )
        self.has_tail = any(code in "brslou" for _, code in self.fields)
        self.is_plain = not any(code in "?tibrslou" for _, code in self.fields)
        self.event_names = (*_EVENT_HEADER_NAMES, *(name for name, _ in self.fields))
        self.enum_members = [(name, kind._value2member_map_) for name, kind in self.enums.items()]


_EVENT_HEADER_NAMES = (
    "last_of_command", "partition", "sequence", "command_sequence", "time_ns", "epoch", "symbol_id",
)  # fmt: skip
"""The event header without length, type and version."""
_EVENT_HEADER_SKIPPED = 3
_BUST = {"reason": "bust_reason"}
_FACTS = (
    "match_id:Q symbol_id:I price:I quantity:I buy_account_id:I sell_account_id:I "
    "buy_order_id:Q sell_order_id:Q executed_ns:Q"
)
_EVENT_FACTS = _FACTS.replace("symbol_id:I ", "")
_RULE = "configuration_version:I number:H count:H rules_version:I text:b"
_CONFIRMATION = "configuration_version:I key_id:I approver_key_id:I sha256:k note:b"
_ORDER = "side:e order_type:e time_in_force:e flags:B price:I quantity:I client_order_id:i"
_AUCTION_TERMS = "collar_bps:H extension_ns:Q extensions_max:B"
_CORRIDOR = "dynamic_bps:H static_bps:H call_ns:Q random_ns_max:Q"
_SHORT_SALES = "trigger_bps:H needs_locate:? needs_marking:?"
_ALLOCATION = "steps:s lead_makers:l"
_TERMS = " minimum_quantity:I display_quantity:I stop_price:I trail_amount:I trail_bps:H expires_ns:Q"
_PROTECTION = "quantity:I executions:I percent_bps:I delta:I window_ms:I"
_SEEN = " measured:q limit:q"
_LIMIT = "kind:e is_set:? value:q span:I"

LAYOUTS: dict[type, Layout] = {
    layout.value_type: layout
    for layout in (
        Layout(c.StartEngine, 1, "epoch:I"),
        Layout(c.Tick, 2, ""),
        Layout(c.StartBusinessDay, 3, "date:I ends_ns:Q"),
        Layout(c.AddSymbol, 10, "symbol:t reference_price:I round_lot:I state:e name:b ticks:r"),
        Layout(c.SetSymbolState, 11, "symbol_id:I state:e reason:b"),
        Layout(c.SetReferencePrice, 12, "symbol_id:I reference_price:I"),
        Layout(
            c.ConfigureSymbol,
            13,
            "configuration_version:I symbol:t reference_price:I round_lot:I state:B name:b ticks:r",
        ),
        Layout(c.SplitSymbol, 14, "symbol_id:I new_shares:H old_shares:H cash_price:I note:b"),
        Layout(c.RenameSymbol, 15, "symbol_id:I symbol:t name:b"),
        Layout(c.PayDividend, 16, "symbol_id:I amount:I note:b"),
        Layout(c.SetShortSaleTerms, 17, "symbol_id:I " + _SHORT_SALES),
        Layout(c.CreateParticipant, 20, "name:b"),
        Layout(c.CreateAccount, 21, "participant_id:I name:b"),
        Layout(c.CreateKey, 22, "participant_id:I role:e sha256:k label:b"),
        Layout(c.RevokeKey, 23, "key_id:I"),
        Layout(c.Deposit, 30, "account_id:I symbol_id:I amount:q"),
        Layout(c.Withdraw, 31, "account_id:I symbol_id:I amount:q"),
        Layout(c.EnterOrder, 40, "account_id:I symbol_id:I " + _ORDER),
        Layout(c.CancelOrder, 41, "order_id:Q participant_id:I"),
        Layout(c.AmendOrder, 42, "order_id:Q participant_id:I price:I quantity:I"),
        Layout(c.ReplaceOrder, 43, "order_id:Q participant_id:I price:I quantity:I client_order_id:i"),
        Layout(c.CancelOrders, 44, "participant_id:I account_id:I symbol_id:I side:B"),
        Layout(c.BustTrade, 50, _FACTS + " ruling_id:Q reason:e", _BUST),
        Layout(c.CorrectTrade, 51, _FACTS + " ruling_id:Q reason:e new_price:I new_quantity:I", _BUST),
        Layout(c.ConfigureRule, 60, _RULE),
        Layout(c.ConfirmConfiguration, 61, _CONFIRMATION),
        Layout(c.EnterSpecialOrder, 62, "account_id:I symbol_id:I " + _ORDER + _TERMS),
        Layout(c.SetMarketProtection, 63, "symbol_id:I protection_bps:H"),
        Layout(c.SetSelfTradePrevention, 64, "participant_id:I group:I mode:e"),
        Layout(c.SetPhase, 85, "symbol_id:I phase:e reason:b"),
        Layout(c.SchedulePhase, 86, "symbol_id:I phase:e at_ns:Q random_ns_max:Q seed:Q"),
        Layout(c.ClearSchedule, 87, "symbol_id:I"),
        Layout(c.SetAuctionTerms, 88, "symbol_id:I " + _AUCTION_TERMS),
        Layout(c.HaltTrading, 89, "symbol_id:I reason:b"),
        Layout(c.ResumeTrading, 90, "symbol_id:I call_ns:Q random_ns_max:Q seed:Q reason:b"),
        Layout(c.SetPriceBands, 91, "symbol_id:I tier:B"),
        Layout(c.SetPriceCorridor, 92, "symbol_id:I " + _CORRIDOR + " seed:Q"),
        Layout(c.SetMarketBreaker, 93, "close_level:Q"),
        Layout(c.ReportIndexLevel, 94, "level:Q"),
        Layout(
            c.CancelOrdersWithin,
            70,
            "participant_id:I account_id:I symbol_id:I side:B lowest_price:I highest_price:I",
        ),
        Layout(c.SetCancelTimer, 71, "participant_id:I timeout_ms:I"),
        Layout(c.BlockTrading, 72, "scope:e subject_id:I key_id:I role:B cancels_orders:? note:b"),
        Layout(c.UnblockTrading, 73, "scope:e subject_id:I key_id:I role:B note:b"),
        Layout(c.SetRiskLimit, 74, "scope:e subject_id:I symbol_id:I " + _LIMIT),
        Layout(c.SetAllocation, 65, "symbol_id:I " + _ALLOCATION),
        Layout(c.EnterOrderList, 75, "account_id:I symbol_id:I contingency:B orders:o"),
        Layout(c.ReserveOrderId, 76, ""),
        Layout(
            c.EnterPeggedOrder,
            77,
            "account_id:I symbol_id:I side:e time_in_force:e kind:B offset:z limit:I quantity:I client_order_id:i",
        ),
        Layout(c.MassQuote, 78, "account_id:I quote_id:I quotes:u"),
        Layout(c.CancelQuotes, 79, "participant_id:I account_id:I symbol_id:I"),
        Layout(c.SetQuoteProtection, 80, "account_id:I symbol_id:I " + _PROTECTION),
        Layout(c.ResetQuoteProtection, 81, "account_id:I symbol_id:I"),
        Layout(e.EngineStarted, 101, "rules_version:I"),
        Layout(e.BusinessDayStarted, 103, "date:I ends_ns:Q"),
        Layout(e.SymbolAdded, 110, "symbol:t reference_price:I round_lot:I state:e name:b ticks:r"),
        Layout(e.SymbolStateChanged, 111, "state:e reason:b"),
        Layout(e.ReferencePriceSet, 112, "reference_price:I"),
        Layout(
            e.SymbolConfigured,
            113,
            "configuration_version:I changes:B symbol:t reference_price:I round_lot:I state:e name:b ticks:r",
        ),
        Layout(e.ParticipantCreated, 120, "participant_id:I name:b"),
        Layout(e.AccountCreated, 121, "account_id:I participant_id:I name:b"),
        Layout(e.KeyCreated, 122, "key_id:I participant_id:I role:e sha256:k label:b"),
        Layout(e.KeyRevoked, 123, "key_id:I"),
        Layout(e.Deposited, 130, "account_id:I amount:q balance:q"),
        Layout(e.Withdrawn, 131, "account_id:I amount:q balance:q"),
        Layout(e.OrderAccepted, 140, "order_id:Q account_id:I " + _ORDER),
        Layout(
            e.OrderCancelled,
            141,
            "order_id:Q account_id:I side:e reason:e price:I quantity:I",
            {"reason": "cancel_reason"},
        ),
        Layout(
            e.OrderAmended,
            142,
            "order_id:Q account_id:I side:e kept_priority:? old_price:I price:I quantity:I leaves:I",
        ),
        Layout(
            e.OrderReplaced,
            143,
            "order_id:Q new_order_id:Q account_id:I side:e order_type:e time_in_force:e flags:B "
            "cancelled_quantity:I price:I quantity:I client_order_id:i",
        ),
        Layout(e.OrdersCancelled, 144, "participant_id:I count:I"),
        Layout(
            e.OrderRejected,
            145,
            "order_id:Q account_id:I side:B order_type:B time_in_force:B flags:B price:I "
            "quantity:I client_order_id:i reason:E measured:q limit:q",
            {"reason": "reject_reason"},
        ),
        Layout(e.OrderDuplicated, 146, "order_id:Q account_id:I"),
        Layout(
            e.CommandRejected, 147, "command_type:B reason:E subject:Q" + _SEEN, {"reason": "reject_reason"}
        ),
        Layout(
            e.TradeExecuted,
            150,
            "maker_order_id:Q taker_order_id:Q maker_account_id:I taker_account_id:I price:I "
            "quantity:I reference_price:I maker_leaves:I taker_leaves:I taker_side:e state:e",
            {"state": "trade_condition"},
        ),
        Layout(e.TradeBusted, 151, _EVENT_FACTS + " ruling_id:Q reason:e", _BUST),
        Layout(
            e.TradeCorrected, 152, _EVENT_FACTS + " ruling_id:Q reason:e new_price:I new_quantity:I", _BUST
        ),
        Layout(e.RuleConfigured, 160, _RULE),
        Layout(e.ConfigurationChanged, 161, _CONFIRMATION),
        Layout(e.AllocationSet, 162, _ALLOCATION),
        Layout(e.SpecialTermsAccepted, 163, "order_id:Q account_id:I" + _TERMS),
        Layout(
            e.OrderRepriced,
            164,
            "order_id:Q account_id:I side:e reason:e price:I",
            {"reason": "reprice_reason"},
        ),
        Layout(e.OrderRefreshed, 165, "order_id:Q account_id:I side:e price:I displayed:I leaves:I"),
        Layout(e.MarketProtectionSet, 166, "protection_bps:H"),
        Layout(
            e.OrderTriggered,
            167,
            "order_id:Q account_id:I side:e order_type:e time_in_force:e flags:B price:I leaves:I "
            "stop_price:I last_price:I",
        ),
        Layout(e.SelfTradePreventionSet, 168, "participant_id:I group:I mode:e"),
        Layout(
            e.MatchPrevented,
            169,
            "maker_order_id:Q taker_order_id:Q maker_account_id:I taker_account_id:I price:I quantity:I "
            "taker_side:e mode:e",
        ),
        Layout(e.PhaseChanged, 185, "phase:e cause:e ends_ns:Q reason:b", {"cause": "phase_cause"}),
        Layout(e.PhaseScheduled, 186, "phase:e at_ns:Q random_ns_max:Q"),
        Layout(e.ScheduleCleared, 187, "count:I"),
        Layout(e.AuctionTermsSet, 188, _AUCTION_TERMS),
        Layout(
            e.AuctionIndicated,
            189,
            "auction:e price:I far_price:I reference_price:I paired:Q imbalance:Q side:B",
        ),
        Layout(e.AuctionExecuted, 190, "auction:e price:I reference_price:I volume:Q imbalance:Q side:B"),
        Layout(e.AuctionExtended, 191, "auction:e price:I lowest:I highest:I number:B ends_ns:Q"),
        Layout(v.PriceBandsSet, 192, "tier:B"),
        Layout(v.PriceCorridorSet, 193, _CORRIDOR),
        Layout(v.PriceBandsMoved, 194, "reference_price:I lower:I upper:I is_doubled:?"),
        Layout(v.LimitStateChanged, 195, "state:e bid:I ask:I ends_ns:Q", {"state": "limit_state"}),
        Layout(v.AuctionCollarSet, 196, "reference_price:I lower:I upper:I extension:B"),
        Layout(v.CorridorLeft, 197, "price:I lowest:I highest:I"),
        Layout(v.MarketBreakerSet, 198, "close_level:Q"),
        Layout(v.IndexLevelReported, 199, "level:Q fall_bps:H"),
        Layout(v.MarketBreakerTripped, 200, "level:B index_level:Q ends_ns:Q"),
        Layout(e.OrderListAccepted, 205, "list_id:Q account_id:I contingency:B orders:o"),
        Layout(e.OrderListTriggered, 206, "list_id:Q account_id:I order_id:Q quantity:I"),
        Layout(e.OrderListEnded, 207, "list_id:Q account_id:I order_id:Q end:e"),
        Layout(e.PegAccepted, 208, "order_id:Q account_id:I kind:e offset:z limit:I", {"kind": "peg_kind"}),
        Layout(e.QuoteAccepted, 209, "account_id:I quote_id:I bid_order_id:Q ask_order_id:Q"),
        Layout(e.QuoteRejected, 210, "account_id:I quote_id:I reason:E" + _SEEN, {"reason": "reject_reason"}),
        Layout(e.QuotesCancelled, 211, "account_id:I count:I"),
        Layout(e.QuoteProtectionSet, 212, "account_id:I " + _PROTECTION),
        Layout(e.QuoteProtectionReached, 213, "account_id:I kind:e" + _SEEN, {"kind": "protection_kind"}),
        Layout(e.QuoteProtectionReset, 214, "account_id:I"),
        Layout(e.TradingBlocked, 170, "scope:e subject_id:I key_id:I role:B cause:e count:I note:b"),
        Layout(e.TradingUnblocked, 171, "scope:e subject_id:I key_id:I role:B note:b"),
        Layout(e.CancelTimerSet, 172, "participant_id:I expires_ns:Q"),
        Layout(e.CancelTimerExpired, 173, "participant_id:I count:I"),
        Layout(e.RiskLimitSet, 174, "scope:e subject_id:I " + _LIMIT),
        Layout(e.RiskAlerted, 175, "scope:e subject_id:I kind:e percent:B measured:q limit:q"),
        Layout(
            ce.SymbolSplit,
            220,
            "new_shares:H old_shares:H old_reference:I reference_price:I cash_price:I note:b",
        ),
        Layout(ce.SymbolRenamed, 221, "old_symbol:t symbol:t name:b"),
        Layout(ce.DividendPaid, 222, "amount:I old_reference:I reference_price:I note:b"),
        Layout(
            ce.HoldingAdjusted,
            223,
            "account_id:I cause:e asset:I amount:q balance:q",
            {"cause": "holding_cause"},
        ),
        Layout(ce.ShortSaleTermsSet, 225, _SHORT_SALES + " closing_price:I"),
        Layout(ce.ShortSaleRestricted, 226, "is_restricted:? days:B price:I closing_price:I"),
        Layout(ce.SpecialTermsAdjusted, 224, "order_id:Q account_id:I" + _TERMS),
    )
}
BY_NUMBER: dict[int, Layout] = {layout.number: layout for layout in LAYOUTS.values()}


def number_of(value_type: type) -> int:
    """Return the record type of a command or event class."""
    return LAYOUTS[value_type].number


def encode_command(command: c.Command, sequence: int = 0, partition: int = 0) -> bytes:
    """Write a command as its record; the sequencer puts the sequence in later."""
    layout = LAYOUTS[type(command)]
    body, tail = _body_of(layout, command)
    size = layout.struct.size + len(tail)
    return layout.struct.pack(size, layout.number, VERSION, 0, partition, sequence, *body) + tail


def encode_event(event: e.Event) -> bytes:
    """Write an event as its record."""
    layout = LAYOUTS[type(event)]
    body, tail = _body_of(layout, event)
    flags = LAST_OF_COMMAND if event.last_of_command else 0
    return (
        layout.struct.pack(
            layout.struct.size + len(tail),
            layout.number,
            VERSION,
            flags,
            event.partition,
            event.sequence,
            event.command_sequence,
            event.time_ns,
            event.epoch,
            event.symbol_id,
            *body,
        )
        + tail
    )


def decode_command(buffer: bytes, offset: int = 0) -> c.Command:
    """Read the command record at an offset. Raise `ProtocolError` where it is none."""
    return decode_sequenced(buffer, offset)[1]


def decode_sequenced(buffer: bytes, offset: int = 0) -> tuple[int, c.Command]:
    """Read the command record at an offset with its sequence. Raise `ProtocolError` where it is none."""
    layout = _layout_at(buffer, offset)
    if layout.is_event:
        raise ProtocolError(f"type at offset {offset + 4}: {layout.number} is an event, not a command")
    values = layout.struct.unpack_from(buffer, offset)
    command: c.Command = layout.value_type(**_fields_of(layout, values[6:], buffer, offset))
    return values[5], command


def decode_unchecked(buffer: bytes, offset: int = 0) -> c.Command:
    """Read a command record, leaving each enum field a plain integer that may mean nothing, for the venue to judge.

    Raise `ProtocolError` where it is none.
    """
    layout = _layout_at(buffer, offset)
    if layout.is_event:
        raise ProtocolError(f"type at offset {offset + 4}: {layout.number} is an event, not a command")
    values = layout.struct.unpack_from(buffer, offset)
    command: c.Command = layout.value_type(**_fields_of(layout, values[6:], buffer, offset, enums=False))
    return command


def decode_event(buffer: bytes, offset: int = 0) -> e.Event:
    """Read the event record at an offset. Raise `ProtocolError` where it is none."""
    layout = _layout_at(buffer, offset)
    if not layout.is_event:
        raise ProtocolError(f"type at offset {offset + 4}: {layout.number} is a command, not an event")
    values = layout.struct.unpack_from(buffer, offset)
    if layout.is_plain and (fields := _plain_event(layout, values)) is not None:
        plain: e.Event = layout.value_type(**fields)
        return plain
    _, _, _, flags, partition, sequence, command_sequence, time_ns, epoch, symbol_id = values[:10]
    event: e.Event = layout.value_type(
        sequence=sequence,
        command_sequence=command_sequence,
        time_ns=time_ns,
        epoch=epoch,
        partition=partition,
        last_of_command=bool(flags & LAST_OF_COMMAND),
        symbol_id=symbol_id,
        **_fields_of(layout, values[10:], buffer, offset),
    )
    return event


def sequence_of(events: bytes, offset: int = 0) -> int:
    """Return the sequence of an event record."""
    sequence: int = EVENT_HEADER.unpack_from(events, offset)[5]
    return sequence


def time_of(events: bytes, offset: int = 0) -> int:
    """Return the time of an event record in nanoseconds."""
    time_ns: int = EVENT_HEADER.unpack_from(events, offset)[7]
    return time_ns


def _plain_event(layout: Layout, values: tuple[Any, ...]) -> dict[str, Any] | None:
    """Return the fields of an event of numbers and enums alone; None where an enum has no such member."""
    fields = dict(zip(layout.event_names, values[_EVENT_HEADER_SKIPPED:], strict=True))
    fields["last_of_command"] = bool(fields["last_of_command"] & LAST_OF_COMMAND)
    for name, members in layout.enum_members:
        member = members.get(fields[name])
        if member is None:
            return None
        fields[name] = member
    return fields


def split(buffer: bytes) -> Iterator[tuple[int, int]]:
    """Give (offset, length) of each record in a run of whole records. Raise `ProtocolError` if broken."""
    offset, end = 0, len(buffer)
    while offset < end:
        if offset + LENGTH.size > end:
            raise ProtocolError(
                f"length at offset {offset}: {end - offset} bytes are left, a record has at least 16"
            )
        (length,) = LENGTH.unpack_from(buffer, offset)
        if not COMMAND_HEADER.size <= length <= min(RECORD_BYTES_MAX, end - offset):
            raise ProtocolError(f"length at offset {offset}: {length}, with {end - offset} bytes left")
        yield offset, length
        offset += length


def decode_commands(buffer: bytes) -> list[tuple[int, c.Command]]:
    """Read a run of command records as (sequence, command)."""
    return [decode_sequenced(buffer, offset) for offset, _ in split(buffer)]


def decode_events(buffer: bytes) -> list[e.Event]:
    """Read a run of event records."""
    return [decode_event(buffer, offset) for offset, _ in split(buffer)]


def _layout_at(buffer: bytes, offset: int) -> Layout:
    if offset + COMMAND_HEADER.size > len(buffer):
        raise ProtocolError(f"header at offset {offset}: {len(buffer) - offset} bytes are left")
    length, number, version, _, _, _ = COMMAND_HEADER.unpack_from(buffer, offset)
    layout = BY_NUMBER.get(number)
    if layout is None:
        raise ProtocolError(f"type at offset {offset + 4}: {number} is unknown to this version")
    if version != VERSION:
        raise ProtocolError(version_refused(offset + VERSION_OFFSET, version, VERSION))
    size = layout.struct.size
    if (
        length < size
        or (length > size and not layout.has_tail)
        or length > min(RECORD_BYTES_MAX, len(buffer) - offset)
    ):
        raise ProtocolError(f"length at offset {offset}: {length}, type {number} has {size}")
    return layout


def _body_of(layout: Layout, value: Any) -> tuple[list[Any], bytes]:
    body: list[Any] = []
    tail = b""
    for name, code in layout.fields:
        field = getattr(value, name)
        if code in "ti":
            field = field.encode("ascii")
        elif code == "b":
            text = field.encode()
            tail += text
            field = len(text)
        elif code in _ROWS:
            row_struct, _ = _ROWS[code]
            tail += b"".join(row_struct.pack(*_packed(row)) for row in field)
            field = len(field)
        body.append(field)
    return body, tail


def _fields_of(
    layout: Layout, values: tuple[Any, ...], buffer: bytes, offset: int, *, enums: bool = True
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    at = offset + layout.struct.size
    end = offset + LENGTH.unpack_from(buffer, offset)[0]
    for (name, code), value in zip(layout.fields, values, strict=True):
        try:
            if code in "eE" and enums:
                value = layout.enums[name](value)
            elif code == "?":
                value = bool(value)
            elif code in "ti":
                value = value.rstrip(b"\0").decode("ascii")
            elif code == "b":
                text = _tail(buffer, at, value, end)
                value, at = text.decode(), at + len(text)
            elif code in _ROWS:
                row_struct, row_type = _ROWS[code]
                rows = _tail(buffer, at, value * row_struct.size, end)
                value, at = (
                    tuple(row_type(*_read(row)) for row in row_struct.iter_unpack(rows)),
                    at + len(rows),
                )
        except ValueError as error:
            raise ProtocolError(
                f"{name} in the {layout.value_type.__name__} at offset {offset}: {error}"
            ) from error
        fields[name] = value
    if at != end:
        raise ProtocolError(f"tail at offset {at}: {end - at} bytes too many in {layout.value_type.__name__}")
    return fields


def _packed(row: msgspec.Struct) -> tuple[Any, ...]:
    """Return the fields of a row of a tail as they are packed: a text as its bytes."""
    return tuple(v.encode("ascii") if isinstance(v, str) else v for v in msgspec.structs.astuple(row))


def _read(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the fields of a row of a tail as they were unpacked: bytes as a text."""
    return tuple(v.rstrip(b"\0").decode("ascii") if isinstance(v, bytes) else v for v in values)


def _tail(buffer: bytes, at: int, size: int, end: int) -> bytes:
    if at + size > end:
        raise ProtocolError(f"tail at offset {at}: {size} bytes wanted, {end - at} there")
    return bytes(buffer[at : at + size])
