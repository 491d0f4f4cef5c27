"""Snapshots: everything comes back, and what is no snapshot is refused with a reason."""

from __future__ import annotations

import base64
import zlib

import pytest

from exchange.domain import commands as c
from exchange.domain.allocation import Allocation, LeadMaker, parse_step
from exchange.domain.order import OrderFlag, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.trade import BustReason
from exchange.matching import guard_snapshot, risk_snapshot, snapshot
from exchange.matching.snapshot import ENVELOPE, SnapshotError
from exchange.matching.venue import RULES_VERSION, Venue
from tests.matching.desk import ANN, BOB, START_NS, XYZ, Desk, order

VERSION_1 = (
    "c-o5ybM<3nU}Pv`W&neY|2MV)xj?W$aQ&|ZuO#>&;tc#yIx*sUNZ}j(IA%>#pt8rE;+I}YfW+B>I0%UI7#SJx0g!A&WE7aapp6mC"
    "XJlnyVu+}$s;Y#k5Kw1eNCDD@KwLq<M3^3ChQz!)Vl^;<H6-OH5vze2jFS^fOo5C_BAo<x7O|R`kex=XCT3*kF(O$F!aPt#ps)rh"
    ";zDyCBNHQ74iwsMNb#P?Kp5~Kxf)~^6B7gDlnzD)Rv?=d$t)s_V&Fyc4Ad+JkXdX%HXDg%!TbjEs|GgD65~M@s6G&IwY>Bn8Nkex"
    "!xDucaNw9OhB!$5qyMM?CJz7$4ppl"
)
"""What rules version 1 wrote: two sides, a trade, a client order id and a deposit; zlib, base 85."""
FACTS = {
    "symbol_id": XYZ, "price": 100_000, "quantity": 10, "buy_account_id": ANN, "sell_account_id": BOB,
    "buy_order_id": 11, "sell_order_id": 12, "executed_ns": START_NS, "ruling_id": 1, "reason": BustReason.CONSENT,
}  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    """Return a desk whose venue has something in every section."""
    desk = Desk()
    desk.send(
        c.CreateKey(participant_id=ANN, role=Role.TRADER, sha256=bytes(32), label="desk"),
        order(Side.BUY, 100, 100_000, client_order_id="a", time_in_force=TimeInForce.GTC),
        *[order(Side.SELL, 10, 100_000, BOB)] * 3,
        order(Side.SELL, 5, 100_500, BOB, flags=OrderFlag.POST_ONLY, client_order_id="é".encode().hex()),
        order(Side.SELL, 6, 100_500, BOB),
        order(Side.BUY, 7, 99_900),
        c.AmendOrder(order_id=15, participant_id=BOB, quantity=9, price=100_500),
        c.ReplaceOrder(order_id=17, participant_id=ANN, quantity=8, price=99_800, client_order_id="r"),
        c.Deposit(account_id=ANN, symbol_id=0, amount=1_000_000),
        c.BustTrade(match_id=13, **FACTS),
        c.CorrectTrade(match_id=15, **FACTS, new_price=99_900, new_quantity=9),
    )
    assert desk.venue.trade_state(13) is not None
    assert desk.venue.trade_state(15) is not None
    return desk


def test_a_restored_venue_is_the_same_in_every_respect(desk: Desk) -> None:
    data = desk.venue.snapshot()
    restored = Venue.restore(data)
    assert restored.snapshot() == data
    assert restored.digest() == desk.venue.digest()
    assert restored.orders(XYZ) == desk.venue.orders(XYZ)
    assert vars(restored.directory) == vars(desk.venue.directory)
    for name in (
        "partition", "epoch", "time_ns", "business_date", "command_sequence", "event_sequence", "running_hash",
        "next_deadline", "live_orders",
    ):  # fmt: skip
        assert getattr(restored, name) == getattr(desk.venue, name), name
    assert restored.reference_price(XYZ) == desk.venue.reference_price(XYZ)
    assert [restored.trade_state(match) for match in (13, 15, 17)] == [
        desk.venue.trade_state(match) for match in (13, 15, 17)
    ]
    assert [restored.balance(ANN, what) for what in (0, XYZ)] == [
        desk.venue.balance(ANN, what) for what in (0, XYZ)
    ]


def test_the_id_of_a_revoked_key_is_not_used_again_after_a_restart(desk: Desk) -> None:
    desk.send(c.RevokeKey(key_id=1))
    key = c.CreateKey(participant_id=BOB, role=Role.TRADER, sha256=bytes(32), label="desk")
    desk.venue = Venue.restore(desk.venue.snapshot())
    assert desk.only(key).key_id == 2


def test_a_snapshot_of_the_version_before_is_brought_up_to_date() -> None:
    old = zlib.decompress(base64.b85decode(VERSION_1))
    assert ENVELOPE.unpack_from(old)[1:3] == (1, 1)
    venue = Venue.restore(old)
    bids, asks = venue.orders(XYZ)
    assert [(order.order_id, order.leaves, order.reserve) for order in bids] == [(10, 70, 0)]
    assert [order.order_id for order in asks] == [12, 13]
    assert (venue.reference_price(XYZ), venue.balance(ANN, XYZ), venue.command_sequence) == (100_000, 30, 14)
    assert Venue.restore(venue.snapshot()).digest() == venue.digest()
    with pytest.raises(SnapshotError, match="version 1, this engine reads 5"):
        Venue.restore(old[:-1])


def test_a_snapshot_without_risk_is_brought_up_to_date(desk: Desk) -> None:
    data = desk.venue.snapshot()
    newer = risk_snapshot.SECTIONS + snapshot.PHASE_SECTIONS + guard_snapshot.SECTIONS
    content = data[ENVELOPE.size : -newer * snapshot.COUNT.size]
    old = ENVELOPE.pack(b"XVEN", 2, RULES_VERSION - 1, len(content), zlib.crc32(content)) + content
    assert Venue.restore(old).digest() == desk.venue.digest()


def test_a_snapshot_without_price_guards_is_brought_up_to_date(desk: Desk) -> None:
    data = desk.venue.snapshot()
    content = data[ENVELOPE.size : -guard_snapshot.SECTIONS * snapshot.COUNT.size]
    old = ENVELOPE.pack(b"XVEN", 4, RULES_VERSION - 1, len(content), zlib.crc32(content)) + content
    assert Venue.restore(old).digest() == desk.venue.digest()


def test_a_new_venue_can_be_saved_and_restored() -> None:
    assert Venue.restore(Venue(partition=3).snapshot()).partition == 3


def test_holdings_of_nothing_leave_no_trace() -> None:
    moved, still = Desk(), Desk()
    moved.send(
        c.Deposit(account_id=ANN, symbol_id=0, amount=5), c.Withdraw(account_id=ANN, symbol_id=0, amount=5)
    )
    still.send(
        c.Deposit(account_id=BOB, symbol_id=0, amount=5), c.Withdraw(account_id=BOB, symbol_id=0, amount=5)
    )
    sections = [desk.venue.snapshot()[ENVELOPE.size + snapshot.NUMBERS.size :] for desk in (moved, still)]
    assert sections[0] == sections[1]


def test_every_cut_is_refused(desk: Desk) -> None:
    data = desk.venue.snapshot()
    for length in range(len(data)):
        with pytest.raises(SnapshotError):
            Venue.restore(data[:length])


def test_every_flipped_bit_is_refused(desk: Desk) -> None:
    data = desk.venue.snapshot()
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(SnapshotError):
            Venue.restore(bytes(damaged))


@pytest.mark.parametrize(
    ("at", "new", "message"),
    [
        (0, b"XEVB", "starts with b'XEVB', a venue's snapshot starts with b'XVEN'"),
        (4, b"\x0a\x00", "version 10, this engine reads 5"),
        (6, b"\x0a\x00", "rules version 10, this engine has 9"),
        (8, b"\x01", "it says"),
        (16, b"\x00\x00\x00\x00", "damaged; take an older one"),
    ],
)
def test_the_message_says_what_is_wrong(desk: Desk, at: int, new: bytes, message: str) -> None:
    data = desk.venue.snapshot()
    with pytest.raises(SnapshotError, match=message):
        Venue.restore(data[:at] + new + data[at + len(new) :])
    with pytest.raises(SnapshotError, match="snapshot: 3 bytes, the shortest has"):
        Venue.restore(data[:3])


def test_the_envelope_describes_what_follows(desk: Desk) -> None:
    data = desk.venue.snapshot()
    content = data[ENVELOPE.size :]
    assert ENVELOPE.unpack_from(data) == (b"XVEN", 5, RULES_VERSION, len(content), zlib.crc32(content))


def test_a_symbol_is_saved_as_it_is_now(desk: Desk) -> None:
    desk.send(c.SetReferencePrice(symbol_id=XYZ, reference_price=200_000))
    restored = Venue.restore(desk.venue.snapshot())
    assert restored.directory.symbols[XYZ].reference_price == 200_000
    assert restored.reference_price(XYZ) == 200_000


def test_an_allocation_and_its_top_orders_come_back() -> None:
    desk = Desk()
    steps = (parse_step("top"), parse_step("lead"), parse_step("pro_rata,min=2"))
    desk.send(
        c.SetAllocation(symbol_id=XYZ, steps=steps, lead_makers=(LeadMaker(ANN, 100),)),
        order(Side.SELL, 10, 100_000, ANN), order(Side.SELL, 30, 100_000, BOB),
        order(Side.BUY, 10, 99_000, ANN),
    )  # fmt: skip
    restored = Desk.__new__(Desk)
    restored.venue, restored.time_ns = Venue.restore(desk.venue.snapshot()), desk.time_ns
    assert restored.venue.digest() == desk.venue.digest()
    taken = order(Side.BUY, 16, 100_000, BOB)
    assert restored.send(taken) == desk.send(taken)
    assert restored.venue.directory.symbols[XYZ].allocation == Allocation(steps, (LeadMaker(ANN, 100),))


def test_a_top_order_that_is_gone_is_in_no_snapshot() -> None:
    desk = Desk()
    desk.send(c.SetAllocation(symbol_id=XYZ, steps=(parse_step("top"),)), order(Side.SELL, 10, 100_000, ANN))
    cancelled = c.CancelOrder(order_id=desk.venue.command_sequence, participant_id=ANN)
    with_top = len(desk.venue.snapshot())
    desk.send(cancelled)
    order_bytes, top_bytes = snapshot.ORDER.size, snapshot.TOPS.size
    assert len(desk.venue.snapshot()) == with_top - order_bytes - top_bytes
