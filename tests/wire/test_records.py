"""Records: every command and event survives its bytes, and what is no record is refused with field and offset."""

from __future__ import annotations

from contextlib import suppress
from enum import IntEnum
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.allocation import AllocationStep, LeadMaker
from exchange.domain.order import Side
from exchange.domain.order_list import ListedOrder
from exchange.domain.quote import Quote
from exchange.domain.symbol import TickRow
from exchange.domain.trade import BustReason
from exchange.wire.records import (
    BY_NUMBER,
    COMMAND_HEADER,
    EVENT_HEADER,
    LAYOUTS,
    RECORD_BYTES_MAX,
    Layout,
    ProtocolError,
    decode_command,
    decode_commands,
    decode_event,
    decode_events,
    decode_sequenced,
    decode_unchecked,
    encode_command,
    encode_event,
    number_of,
    split,
)  # fmt: skip

COMMANDS = [layout.value_type for layout in BY_NUMBER.values() if not layout.is_event]
EVENTS = [layout.value_type for layout in BY_NUMBER.values() if layout.is_event]
INTEGERS = {
    "B": st.integers(0, 2**8 - 1),
    "H": st.integers(0, 2**16 - 1),
    "I": st.integers(0, 2**32 - 1),
    "Q": st.integers(0, 2**64 - 1),
    "q": st.integers(-(2**63), 2**63 - 1),
    "z": st.integers(-(2**31), 2**31 - 1),
}
PRINTABLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
TEXTS = {
    "?": st.booleans(),
    "t": st.text(PRINTABLE, max_size=8),
    "i": st.text(PRINTABLE, max_size=36),
    "k": st.binary(min_size=32, max_size=32),
    "b": st.text(max_size=64),
    "r": st.lists(st.builds(TickRow, INTEGERS["I"], INTEGERS["I"]), max_size=16).map(tuple),
    "s": st.lists(st.builds(AllocationStep, *(INTEGERS[code] for code in "BBHII")), max_size=9).map(tuple),
    "o": st.lists(
        st.builds(
            ListedOrder,
            *(INTEGERS[code] for code in "BBBBII"),
            st.text(PRINTABLE, max_size=36),
            *(INTEGERS[code] for code in "IIIIHQ"),
        ),
        max_size=4,
    ).map(tuple),
    "u": st.lists(st.builds(Quote, *(INTEGERS["I"] for _ in range(5))), max_size=4).map(tuple),
    "l": st.lists(st.builds(LeadMaker, INTEGERS["I"], INTEGERS["H"]), max_size=17).map(tuple),
}


def values(value_type: type) -> st.SearchStrategy[Any]:
    """Give any value of a command or event type that its layout can hold."""
    layout = LAYOUTS[value_type]
    fields = {name: _field(layout, name, code) for name, code in layout.fields}
    if layout.is_event:
        fields |= {
            "sequence": INTEGERS["Q"], "command_sequence": INTEGERS["Q"], "time_ns": INTEGERS["Q"],
            "epoch": INTEGERS["I"], "partition": INTEGERS["B"], "last_of_command": st.booleans(),
            "symbol_id": INTEGERS["I"],
        }  # fmt: skip
    return st.builds(value_type, **fields)


def _field(layout: Layout, name: str, code: str) -> st.SearchStrategy[Any]:
    if name in layout.enums:
        return st.sampled_from(list(layout.enums[name]))
    return (INTEGERS | TEXTS)[code]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_every_command_survives_its_bytes(data: st.DataObject) -> None:
    command = data.draw(st.sampled_from(COMMANDS).flatmap(values))
    sequence = data.draw(INTEGERS["Q"])
    record = encode_command(command, sequence)
    assert decode_sequenced(record) == (sequence, command)
    assert decode_unchecked(record) == command
    assert encode_command(decode_command(record), sequence) == record


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_every_event_survives_its_bytes(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(EVENTS).flatmap(values))
    record = encode_event(event)
    assert decode_event(record) == event
    assert encode_event(decode_event(record)) == record


@given(st.lists(st.sampled_from(EVENTS).flatmap(values), max_size=5))
@settings(max_examples=50, deadline=None)
def test_a_run_of_records_is_split_where_they_were_joined(events: list[e.Event]) -> None:
    records = [encode_event(event) for event in events]
    run = b"".join(records)
    assert [run[at : at + length] for at, length in split(run)] == records
    assert decode_events(run) == events


def test_every_command_and_event_has_a_layout_with_its_fields() -> None:
    named = {
        value for module in (c, e, ce, v) for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, c.Command | e.Event)
    } - {c.Command, e.Event, c.TradeFacts}  # fmt: skip
    assert named == set(LAYOUTS)
    for value_type, layout in LAYOUTS.items():
        shared = set(get_type_hints(e.Event)) if layout.is_event else set()
        assert set(get_type_hints(value_type)) - shared == {name for name, _ in layout.fields}


def test_every_enum_field_is_stored_as_one() -> None:
    for value_type, layout in LAYOUTS.items():
        hints = get_type_hints(value_type)
        enums = {name for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, IntEnum)}
        assert {name for name, code in layout.fields if code in "eE"} == enums, value_type


def test_numbers_of_types_stay_what_they_are() -> None:
    assert {layout.number: layout.value_type.__name__ for layout in LAYOUTS.values()} == {
        1: "StartEngine", 2: "Tick", 3: "StartBusinessDay", 10: "AddSymbol", 11: "SetSymbolState",
        12: "SetReferencePrice", 13: "ConfigureSymbol", 60: "ConfigureRule", 61: "ConfirmConfiguration",
        113: "SymbolConfigured", 160: "RuleConfigured", 161: "ConfigurationChanged",
        20: "CreateParticipant", 21: "CreateAccount", 22: "CreateKey", 23: "RevokeKey",
        30: "Deposit", 31: "Withdraw", 40: "EnterOrder", 41: "CancelOrder", 42: "AmendOrder", 43: "ReplaceOrder",
        44: "CancelOrders", 50: "BustTrade", 51: "CorrectTrade", 101: "EngineStarted", 103: "BusinessDayStarted",
        110: "SymbolAdded", 111: "SymbolStateChanged", 112: "ReferencePriceSet", 120: "ParticipantCreated",
        121: "AccountCreated", 122: "KeyCreated", 123: "KeyRevoked", 130: "Deposited", 131: "Withdrawn",
        140: "OrderAccepted", 141: "OrderCancelled", 142: "OrderAmended", 143: "OrderReplaced", 144: "OrdersCancelled",
        145: "OrderRejected", 146: "OrderDuplicated", 147: "CommandRejected", 150: "TradeExecuted",
        151: "TradeBusted", 152: "TradeCorrected", 62: "EnterSpecialOrder", 63: "SetMarketProtection",
        163: "SpecialTermsAccepted", 164: "OrderRepriced", 165: "OrderRefreshed", 166: "MarketProtectionSet",
        167: "OrderTriggered",
        85: "SetPhase", 86: "SchedulePhase", 87: "ClearSchedule", 88: "SetAuctionTerms", 89: "HaltTrading",
        90: "ResumeTrading", 185: "PhaseChanged", 186: "PhaseScheduled", 187: "ScheduleCleared",
        188: "AuctionTermsSet", 189: "AuctionIndicated", 190: "AuctionExecuted", 191: "AuctionExtended",
        70: "CancelOrdersWithin", 71: "SetCancelTimer", 72: "BlockTrading", 73: "UnblockTrading",
        74: "SetRiskLimit", 170: "TradingBlocked", 171: "TradingUnblocked", 172: "CancelTimerSet",
        173: "CancelTimerExpired", 174: "RiskLimitSet", 175: "RiskAlerted",
        64: "SetSelfTradePrevention", 65: "SetAllocation", 162: "AllocationSet",
        168: "SelfTradePreventionSet", 169: "MatchPrevented",
        91: "SetPriceBands", 92: "SetPriceCorridor", 93: "SetMarketBreaker", 94: "ReportIndexLevel",
        192: "PriceBandsSet", 193: "PriceCorridorSet", 194: "PriceBandsMoved", 195: "LimitStateChanged",
        196: "AuctionCollarSet", 197: "CorridorLeft", 198: "MarketBreakerSet", 199: "IndexLevelReported",
        200: "MarketBreakerTripped",
        14: "SplitSymbol", 15: "RenameSymbol", 16: "PayDividend", 220: "SymbolSplit", 221: "SymbolRenamed",
        222: "DividendPaid", 223: "HoldingAdjusted", 224: "SpecialTermsAdjusted",
        17: "SetShortSaleTerms", 225: "ShortSaleTermsSet", 226: "ShortSaleRestricted",
        75: "EnterOrderList", 76: "ReserveOrderId", 205: "OrderListAccepted", 206: "OrderListTriggered",
        207: "OrderListEnded", 77: "EnterPeggedOrder", 208: "PegAccepted",
        78: "MassQuote", 79: "CancelQuotes", 80: "SetQuoteProtection", 81: "ResetQuoteProtection",
        209: "QuoteAccepted", 210: "QuoteRejected", 211: "QuotesCancelled", 212: "QuoteProtectionSet",
        213: "QuoteProtectionReached", 214: "QuoteProtectionReset",
    }  # fmt: skip
    assert number_of(c.EnterOrder) == 40


def test_an_order_lies_in_bytes_as_documented() -> None:
    order = c.EnterOrder(
        account_id=1, symbol_id=2, side=Side.BUY, order_type=2, time_in_force=3, flags=1, price=0x01020304,
        quantity=0x0A0B0C0D, client_order_id="me",
    )  # fmt: skip
    assert encode_command(order, sequence=5, partition=6).hex(" ", -4) == (
        "48000000 28010006 05000000 00000000 01000000 02000000 01020301 04030201 0d0c0b0a 6d650000"
        + " 00000000" * 8
    )


TICK = encode_command(c.Tick(), 1)
CANCEL = encode_command(c.CancelOrder(order_id=1, participant_id=1), 1)
NAMED = encode_command(c.CreateParticipant(name="ann"), 1)
ACCOUNT = encode_event(
    e.AccountCreated(
        sequence=1, command_sequence=1, time_ns=1, epoch=1, account_id=1, participant_id=1, name="ann"
    )
)


def changed(record: bytes, at: int, new: bytes) -> bytes:
    return record[:at] + new + record[at + len(new) :]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (TICK[:15], "header at offset 0: 15 bytes are left"),
        (b"", "header at offset 0: 0 bytes are left"),
        (changed(TICK, 4, b"\xff"), "type at offset 4: 255 is unknown to this version"),
        (
            changed(TICK, 5, b"\x02"),
            "version at offset 5: 2, this version reads 1; the sender is newer: upgrade",
        ),
        (changed(TICK, 0, b"\x11"), "length at offset 0: 17, type 2 has 16"),
        (TICK + b"x", None),
        (changed(CANCEL, 0, b"\x1b"), "length at offset 0: 27, type 41 has 28"),
        (CANCEL[:-1], "length at offset 0: 28, type 41 has 28"),
        (changed(NAMED, 0, b"\x11"), "length at offset 0: 17, type 20 has 18"),
        (
            changed(NAMED, 16, b"\x04"),
            "name in the CreateParticipant at offset 0: tail at offset 18: 4 bytes wanted",
        ),
        (changed(NAMED, 16, b"\x02"), "tail at offset 20: 1 bytes too many in CreateParticipant"),
        (changed(NAMED, 18, b"\xff"), "name in the CreateParticipant at offset 0: .*utf-8"),
        (ACCOUNT, "type at offset 4: 121 is an event, not a command"),
    ],
)
def test_what_is_no_command_is_refused_with_field_and_offset(record: bytes, message: str | None) -> None:
    if message is None:
        assert decode_command(record) == c.Tick()
        return
    for decode in (decode_command, decode_unchecked):
        with pytest.raises(ProtocolError, match=message):
            decode(record)


def test_a_command_is_no_event() -> None:
    with pytest.raises(ProtocolError, match="type at offset 4: 2 is a command, not an event"):
        decode_event(TICK)


def test_a_number_that_means_nothing_is_refused_unless_it_is_to_be_judged() -> None:
    record = encode_command(c.BustTrade(**dict.fromkeys(_FACTS, 1), ruling_id=1, reason=BustReason.CONSENT))
    record = record[:-1] + b"\x07"
    with pytest.raises(
        ProtocolError, match="reason in the BustTrade at offset 0: 7 is not a valid BustReason"
    ):
        decode_command(record)
    judged = decode_unchecked(record)
    assert isinstance(judged, c.BustTrade)
    assert judged.reason == 7


_FACTS = (
    "match_id", "symbol_id", "price", "quantity", "buy_account_id", "sell_account_id", "buy_order_id", "sell_order_id",
    "executed_ns",
)  # fmt: skip


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (TICK + b"\x10\0", "length at offset 16: 2 bytes are left, a record has at least 16"),
        (TICK + TICK[:15], "length at offset 16: 16, with 15 bytes left"),
        (changed(TICK, 0, b"\x0f"), "length at offset 0: 15, with 16 bytes left"),
        (b"\0\0\0\0", "length at offset 0: 0, with 4 bytes left"),
        ((RECORD_BYTES_MAX + 1).to_bytes(4, "little") + bytes(RECORD_BYTES_MAX), "length at offset 0: 4097"),
    ],
)
def test_a_run_that_is_not_whole_is_refused(run: bytes, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        list(split(run))
    with pytest.raises(ProtocolError):
        decode_commands(run)


def test_offsets_of_later_records_are_told() -> None:
    with pytest.raises(ProtocolError, match="type at offset 20: 255"):
        decode_commands(TICK + changed(TICK, 4, b"\xff"))


def test_headers_have_their_documented_size() -> None:
    assert (COMMAND_HEADER.size, EVENT_HEADER.size) == (16, 40)


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_record_or_refused(noise: bytes) -> None:
    for decode in (decode_command, decode_unchecked, decode_event, decode_events, decode_commands):
        with suppress(ProtocolError):
            decode(noise)
