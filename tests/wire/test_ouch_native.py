"""The native translator of OUCH gives what the definition gives, byte for byte: commands, messages, state."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain.order import SelfTradeMode
from exchange.domain.participant import Role
from exchange.matching.venue import Venue
from exchange.wire import ouch_messages as m
from exchange.wire.ouch import encode
from exchange.wire.ouch_translator import OuchTranslator
from exchange.wire.records import ProtocolError, decode_event, encode_command, number_of, split
from exchange.wire.soupbintcp import CLIENT_HEARTBEAT, DEBUG, UNSEQUENCED, packet

native = pytest.importorskip(
    "exchange.wire.ouch_native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
NOON_NS = 1_795_435_200_000_000_000
SEEDS = range(1, 7)
ROUNDS = 250
OPENING = [
    c.StartEngine(epoch=1),
    c.StartBusinessDay(date=20261123),
    c.AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=1_000_000),
    c.AddSymbol(symbol="XYZ", name="Xyz", reference_price=100_000, round_lot=10),
    c.CreateParticipant(name="alice"),
    c.CreateParticipant(name="bob"),
    c.CreateAccount(participant_id=1, name="main"),
    c.CreateAccount(participant_id=2, name="main"),
    c.CreateKey(participant_id=1, role=Role.TRADER, sha256=bytes([1] * 32), label="ouch:ALICE1 account=1"),
    c.CreateKey(
        participant_id=2, role=Role.TRADER, sha256=bytes([2] * 32), label="ouch:B account=2 cancel_on_disconnect"
    ),
    c.CreateKey(participant_id=2, role=Role.TRADER, sha256=bytes([3] * 32), label="ouch:lower account=2"),
]  # fmt: skip


class Pair:
    """Both translators over one venue; everything is compared as it happens."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.definition, self.fast = OuchTranslator(), native.NativeOuchTranslator()
        self.time_ns = NOON_NS
        self.events = b""
        self.apply(b"".join(encode_command(command) for command in OPENING))

    def apply(self, commands: bytes) -> None:
        self.time_ns += 1_000_001
        events = self.venue.apply_batch([commands], self.time_ns).events if commands else b""
        expected, got = self.definition.encode(events), self.fast.encode(events)
        assert got == expected
        self.events += events
        follow_ups = self.definition.follow_ups()
        assert self.fast.follow_ups() == follow_ups
        if follow_ups:
            self.apply(b"".join(follow_ups))

    def decode(self, session: int, data: bytes, waiting_max: int = 1_000) -> Any:
        expected = outcome_of(self.definition, session, data, waiting_max)
        got = outcome_of(self.fast, session, data, waiting_max)
        assert got == expected
        return expected

    def check_state(self) -> None:
        assert self.fast.snapshot() == self.definition.snapshot()
        state = self.definition.state
        assert self.fast.state.event_sequence == state.event_sequence
        assert self.fast.state.business_date == state.business_date
        assert dict(self.fast.state.sessions) == state.sessions
        for session in state.sessions:
            assert self.fast.session(session) == self.definition.session(session)
            assert self.fast.live_orders(session) == self.definition.live_orders(session)
            assert self.fast.waiting(session) == self.definition.waiting(session)

    def restore(self) -> None:
        """Let each go on from the other's snapshot; what waits for its answer is in neither."""
        snapshot = self.definition.snapshot()
        self.definition = OuchTranslator.restore(self.fast.snapshot())
        self.fast = native.NativeOuchTranslator.restore(snapshot)


def outcome_of(translator: Any, session: int, data: bytes, waiting_max: int) -> object:
    try:
        return translator.decode(session, data, waiting_max)
    except ProtocolError as error:
        return str(error)


class Client:
    """Draws messages: mostly sensible ones, of a session that knows its numbers."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.number = 0

    def next_number(self) -> int:
        self.number += 0 if self.draw.random() < 0.03 else self.draw.choice((1, 1, 1, 5))
        return self.number

    def some_number(self) -> int:
        return max(0, self.number - int(self.draw.expovariate(0.2)))

    def appendage(self) -> m.Appendage:
        draw = self.draw
        options = [
            (2, b"FIRM"), (2, b"F   "), (2, b"F~  "), (3, struct.pack(">I", draw.choice((0, 100, 200)))),
            *((5, struct.pack(">I", draw.choice((10, 20, 50, 100)))) for _ in range(3)),
            (12, draw.choice((b"P", b"N", b"X"))), (4, b"R"), (5, bytes(4)), (5, b"\0\0\0\1"), (6, b"L"),
            (7, bytes(4)), (9, bytes(8)), (9, b"\1" * 8), (10, b" "), (13, bytes(4)), (14, b"ROUT"), (15, bytes(4)),
            *((15, value) for value in (b"\0\0\xff\0", b"\0\1\xff\0")),
            (16, b"N"), (17, b"I"), (18, b" "), (8, b"?"), (99, b""), (3, b"short"),
        ]  # fmt: skip
        return tuple(draw.choices(options, k=draw.choice((0, 0, 0, 0, 0, 1, 1, 2, 3))))

    def price(self) -> int:
        return self.draw.choice(
            (*range(990_000, 1_010_000, 500), 0, 1_000_001, 0x7FFF_FFFF, 1_999_999_900, 2**40, 2**31)
        )

    def text(self) -> str:
        return self.draw.choice(("", "a", "order-1", "x" * 14, "a b", " lead"))

    def enter(self) -> m.Inbound:
        draw = self.draw
        odd = draw.random() < 0.15
        return m.EnterOrder(
            user_ref_num=self.next_number(), side=draw.choice("BSTE?" if odd else "BS"),
            quantity=draw.choice((100, 200, 300, 0, 7, 2**31)), symbol=draw.choice(("AAPL", "AAPL", "XYZ", "NONE")),
            price=self.price(), time_in_force=draw.choice("0356" if odd else "003"),
            display=draw.choice("YANPLI" if odd else "YAPN"), capacity=draw.choice("APROX" if odd else "AP"),
            intermarket_sweep=draw.choice("NY" if odd else "N"), cross_type=draw.choice("NOCHX" if odd else "NNNNNO"),
            cl_ord_id=self.text(), appendage=self.appendage(),
        )  # fmt: skip

    def message(self) -> m.Inbound:
        draw = self.draw
        kind = draw.random()
        if kind < 0.5:
            return self.enter()
        if kind < 0.68:
            return m.CancelOrder(
                user_ref_num=self.some_number(), quantity=draw.choice((0, 0, 0, 50, 100, 150, 500))
            )
        if kind < 0.84:
            return m.ReplaceOrder(
                orig_user_ref_num=self.some_number(), user_ref_num=self.next_number(),
                quantity=draw.choice((100, 300, 0)), price=self.price(), display=draw.choice("YYYPN"),
                time_in_force=draw.choice("0003"), cl_ord_id=self.text(), appendage=self.appendage(),
            )  # fmt: skip
        if kind < 0.94:
            return m.ModifyOrder(
                user_ref_num=self.some_number(), side=draw.choice("BS"), quantity=draw.choice((50, 100, 150))
            )
        if kind < 0.95:
            return m.MassCancel(user_ref_num=self.next_number(), symbol=draw.choice(("", "AAPL", "NONE")))
        if kind < 0.955:
            return m.DisableOrderEntry(user_ref_num=self.next_number(), firm="ABCD")
        if kind < 0.97:
            return m.EnableOrderEntry(user_ref_num=self.next_number())
        return m.AccountQuery()

    def bytes(self) -> bytes:
        """Some packets, now and then a control packet, hardly ever a broken one, the last one perhaps cut."""
        draw = self.draw
        packets = []
        for _ in range(draw.randint(1, 12)):
            data = encode(self.message())
            if draw.random() < 0.004:
                data = draw.choice((data[:-1], data + b"\0", b"", b"Z" + data[1:], b"\xff"))
            packets.append(packet(UNSEQUENCED, data))
            if draw.random() < 0.05:
                packets.append(draw.choice((packet(CLIENT_HEARTBEAT), packet(DEBUG, b"hello"))))
        if draw.random() < 0.002:
            packets.append(draw.choice((b"\0\0", b"\xff\xffU")))
        return b"".join(packets)


def grouped(draw: random.Random) -> bytes:
    """Let both members prevent trades with each other in one of the modes, or none."""
    mode = draw.choice(list(SelfTradeMode))
    return b"".join(
        encode_command(c.SetSelfTradePrevention(participant_id=member, group=int(bool(mode)), mode=mode))
        for member in (1, 2)
    )


def rulings_on(events: bytes, draw: random.Random) -> bytes:
    """Bust or correct some trades of a run of events."""
    out = b""
    for at, _ in split(events):
        event: Any = decode_event(events, at) if events[at + 4] == 150 else None
        if event is None or draw.random() > 0.2:
            continue
        buy = event.taker_side == 1
        facts: dict[str, Any] = {
            "match_id": event.sequence, "symbol_id": event.symbol_id, "price": event.price,
            "quantity": event.quantity, "executed_ns": event.time_ns, "ruling_id": 0, "reason": 69,
            "buy_account_id": event.taker_account_id if buy else event.maker_account_id,
            "sell_account_id": event.maker_account_id if buy else event.taker_account_id,
            "buy_order_id": event.taker_order_id if buy else event.maker_order_id,
            "sell_order_id": event.maker_order_id if buy else event.taker_order_id,
        }  # fmt: skip
        if draw.random() < 0.5:
            out += encode_command(c.BustTrade(**facts))
        else:
            out += encode_command(
                c.CorrectTrade(**facts, new_price=event.price, new_quantity=event.quantity // 2)
            )
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_random_sessions_have_the_same_commands_messages_and_state(seed: int) -> None:
    draw = random.Random(seed)
    pair = Pair()
    clients = {1: Client(draw), 2: Client(draw)}
    left = {1: b"", 2: b""}
    seen = 0
    for turn in range(ROUNDS):
        commands = b""
        for session, client in clients.items():
            data = left[session] or client.bytes()
            decoded = pair.decode(session, data, draw.choice((1_000, 1_000, 8)))
            if isinstance(decoded, str):
                left[session] = b""
                continue
            left[session] = data[decoded.consumed :]
            commands += decoded.commands
        pair.apply(commands)
        if turn % 25 == 0:
            pair.apply(grouped(draw))
        if turn % 10 == 0:
            pair.apply(rulings_on(pair.events[seen:], draw))
            seen = len(pair.events)
            pair.check_state()
        if turn % 50 == 49:
            pair.restore()
    assert number_of_messages(pair) > ROUNDS


def number_of_messages(pair: Pair) -> int:
    return sum(session.sequence for session in pair.definition.state.sessions.values())


def test_a_new_date_a_revoked_key_and_a_mass_cancel_are_told_alike() -> None:
    pair = Pair()
    enter = encode(m.EnterOrder(user_ref_num=1, side="B", quantity=100, symbol="AAPL", price=1_000_000))
    for session in (1, 2):
        pair.apply(pair.decode(session, packet(UNSEQUENCED, enter)).commands)
    assert pair.fast.cancel_some(1) == pair.definition.cancel_some(1)
    pair.check_state()
    pair.apply(pair.definition.cancel_some(2)[0])
    pair.apply(encode_command(c.StartBusinessDay(date=20261124)))
    pair.check_state()
    pair.apply(encode_command(c.RevokeKey(key_id=2)))
    pair.check_state()
    assert list(pair.fast.state.sessions) == [1]
    with pytest.raises(KeyError):
        pair.fast.decode(2, b"", 1)


def test_trades_are_remembered_alike() -> None:
    pair = Pair()
    for number in range(1, 200):
        for session, side in ((1, "B"), (2, "S")):
            message = m.EnterOrder(
                user_ref_num=number, side=side, quantity=100, symbol="AAPL", price=1_000_000
            )
            pair.apply(pair.decode(session, packet(UNSEQUENCED, encode(message))).commands)
    assert len(pair.definition.state.trades) == 199
    pair.check_state()


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_understood_or_refused_alike(data: bytes) -> None:
    Pair().decode(1, data)


@settings(deadline=None)
@given(st.sampled_from(b"OUXMCDEQ"), st.binary(max_size=80))
def test_any_message_of_a_known_type_is_understood_or_refused_alike(kind: int, body: bytes) -> None:
    pair = Pair()
    decoded = pair.decode(1, packet(UNSEQUENCED, bytes([kind]) + body))
    if not isinstance(decoded, str):
        pair.apply(decoded.commands)
        pair.check_state()


def test_events_seen_before_are_skipped() -> None:
    pair = Pair()
    events = pair.events
    assert pair.fast.encode(events) == []
    pair.check_state()
    assert number_of(c.CancelOrder) == 41
