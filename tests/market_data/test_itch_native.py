"""The native stream of ITCH gives what the definition gives, byte for byte: messages, parts of days, state."""

from __future__ import annotations

import struct
from collections import Counter
from functools import cache

import msgspec
import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.symbol import TickRow
from exchange.domain.units import AccountId, ParticipantId, Price, Quantity, SymbolId
from exchange.market_data.itch_choice import stream_kind
from exchange.market_data.itch_stream import DayPart, ItchStream, Snapshot
from exchange.matching.venue import Venue
from exchange.wire.records import LAYOUTS, ProtocolError
from tests.market_data.venue_flow import VenueFlow
from tests.matching.random_commands import RandomCommands

native = pytest.importorskip(
    "exchange.market_data.itch_native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
BATCHES = 60
BATCH = 25
MODES: tuple[dict[str, bool], ...] = ({}, {"auctions": True}, {"risk": True}, {"price_limits": True})
SEEDS = range(12)
FLOWS = range(4)


class Pair:
    """Both streams; everything is compared as it happens, and each goes on from the other's snapshot."""

    def __init__(self) -> None:
        self.definition, self.fast = ItchStream(), native.NativeItchStream()
        self.letters: Counter[str] = Counter()

    def hear(self, events: bytes) -> list[DayPart]:
        expected = self.definition.apply(events)
        assert self.fast.apply(events) == expected
        assert (self.fast.sequence, self.fast.time_ns) == (self.definition.sequence, self.definition.time_ns)
        assert self.fast.date == self.definition.date
        self.letters.update(chr(message[0]) for part in expected for message in part.messages)
        return expected

    def cross(self) -> None:
        """Compare the snapshots, and let each stream go on from the other's."""
        of_definition, of_fast = self.definition.snapshot(), self.fast.snapshot()
        assert told(of_fast) == told(of_definition)
        self.definition = ItchStream.restore(of_fast)
        self.fast = native.NativeItchStream.restore(of_definition)


def told(snapshot: bytes) -> Snapshot:
    """Read a snapshot; what is blocked in the order of its numbers."""
    read = msgspec.msgpack.decode(snapshot, type=Snapshot)
    return msgspec.structs.replace(read, blocked=sorted(read.blocked))  # type: ignore[attr-defined,no-any-return]


def test_the_native_stream_is_taken_where_it_is_installed() -> None:
    assert stream_kind() is native.NativeItchStream


@cache
def of_random_commands(seed: int) -> Counter[str]:
    """Compare what a seed's commands make; return how often each message came."""
    drawn, venue, pair = RandomCommands(seed, **MODES[seed % len(MODES)]), Venue(), Pair()
    batches = [drawn.opening(), *(drawn.batch(BATCH) for _ in range(BATCHES))]
    for at, records in enumerate(batches):
        applied = venue.apply_batch([record for record in records if is_whole(record)], drawn.advance())
        drawn.note(applied.events)
        pair.hear(applied.events)
        if at % 7 == 3:
            pair.cross()
    return pair.letters


@cache
def of_busy_flow(seed: int) -> Counter[str]:
    """Compare what seeded flow makes, also where it is cut otherwise; return how often each message came."""
    flow, pair, whole = VenueFlow(seed), Pair(), native.NativeItchStream()
    batches = [flow.open(), flow.share_out(2), *flow.random_batches(40)]
    pieces = [message for batch in batches for part in pair.hear(batch) for message in part.messages]
    at_once = [message for part in whole.apply(b"".join(batches)) for message in part.messages]
    assert at_once == pieces
    pair.cross()
    return pair.letters


@pytest.mark.parametrize("seed", SEEDS)
def test_random_commands_of_every_kind_make_the_same_messages(seed: int) -> None:
    """Auctions, risk, limits, corporate actions, lists, pegs, quotes, icebergs, rulings, days: all that is drawn."""
    assert sum(of_random_commands(seed).values()) > 100, f"seed {seed}"


@pytest.mark.parametrize("seed", FLOWS)
def test_busy_flow_makes_the_same_messages_however_it_is_cut(seed: int) -> None:
    assert sum(of_busy_flow(seed).values()) > 100, f"seed {seed}"


def test_between_them_the_seeds_made_every_message_that_there_is() -> None:
    """A message that nothing makes is not compared."""
    made = set().union(*map(of_random_commands, SEEDS), *map(of_busy_flow, FLOWS))
    assert made == set("SRHYVWJAECXDUPQBI")


def is_whole(record: bytes) -> bool:
    return len(record) >= 16 and int.from_bytes(record[:4], "little") == len(record)


def configured(symbol: str, version: int, round_lot: int) -> c.ConfigureSymbol:
    return c.ConfigureSymbol(
        configuration_version=version,
        symbol=symbol,
        name="New Inc.",
        round_lot=Quantity(round_lot),
        reference_price=Price(20_000),
        state=1,
        ticks=(TickRow(Price(0), Price(1)),),
    )


def test_what_the_shared_configuration_lists_or_changes_is_in_the_directory() -> None:
    flow, pair = VenueFlow(), Pair()
    pair.hear(flow.open())
    before = pair.letters["R"]
    pair.hear(flow.do(configured("NEW", 1, 10)))
    pair.hear(flow.do(configured("NEW", 2, 20)))
    assert pair.letters["R"] == before + 2
    assert pair.definition._directory.symbols[SymbolId(3)].round_lot == 20
    pair.cross()


def test_a_stream_that_begins_in_the_middle_tells_the_same() -> None:
    flow, pair = VenueFlow(5), Pair()
    for batch in [flow.open(), *flow.random_batches(20)]:
        pair.hear(batch)
    directory, books = flow.venue.directory, pair.definition.builder.snapshot()
    definition, fast = ItchStream(), native.NativeItchStream()
    expected = definition.begin(directory, books, 20261201)
    assert fast.begin(directory, books, 20261201) == expected
    following = flow.random_batches(1)[0]
    assert fast.apply(following) == definition.apply(following)


def test_what_is_no_event_is_refused_and_every_event_is_known() -> None:
    known = {layout.number for layout in LAYOUTS.values() if layout.is_event}
    for number in range(256):
        record = (40).to_bytes(4, "little") + bytes([number, 1, 0, 0]) + bytes(32)
        answers = [answer_to(stream, record) for stream in (ItchStream(), native.NativeItchStream())]
        if number in known:
            assert "is no event" not in answers[1], number
        else:
            assert (
                answers[0] == answers[1] == f"type at offset 4: {number} is no event that this version knows"
            )


def answer_to(stream: ItchStream, record: bytes) -> str:
    try:
        stream.apply(record)
    except (ProtocolError, struct.error, KeyError, AssertionError, msgspec.ValidationError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("size", [3, 39, 61])
def test_a_record_that_is_cut_is_refused_with_its_offset(size: int) -> None:
    flow = VenueFlow()
    opened = flow.open()
    fast = native.NativeItchStream()
    with pytest.raises(ProtocolError, match=f"length at offset {len(opened)}"):
        fast.apply(opened + flow.limit(Side.BUY, 1_000_000)[:size])


def test_an_event_that_does_not_follow_is_refused() -> None:
    flow = VenueFlow()
    flow.open()
    flow.limit(Side.BUY, 1_000_000)
    everything = c.CancelOrders(participant_id=ParticipantId(0), account_id=AccountId(0))
    with pytest.raises(ProtocolError, match="event at offset 0: it does not follow"):
        native.NativeItchStream().apply(flow.do(everything))


@pytest.mark.parametrize("data", [b"", b"nonsense", msgspec.msgpack.encode([0, [], b"", {}, {}])])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        native.NativeItchStream.restore(data)


def test_references_of_orders_that_are_not_there_are_refused() -> None:
    state = Snapshot(0, [], ItchStream().builder.snapshot(), {7: 8}, {})
    with pytest.raises(ProtocolError, match="do not fit"):
        native.NativeItchStream.restore(msgspec.msgpack.encode(state))


def test_a_bust_of_a_corrected_trade_names_the_correction() -> None:
    flow, pair = VenueFlow(), Pair()
    pair.hear(flow.open())
    pair.hear(flow.trade(1_000_000))
    (match_id,) = flow.trades
    pair.hear(flow.correct(match_id, 999_000, 100))
    pair.cross()
    pair.hear(flow.bust(match_id))
    assert pair.letters["B"] == 2
