"""The native venue is equal to the definition: events, hash and snapshot, byte for byte, for any commands."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from benchmarks.workload import CHECK_POINTS, FOLDER, batches, fills_of, is_present, read_stream
from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.order import OrderFlag, OrderType, SelfTradeMode, Side, TimeInForce
from exchange.domain.phase import Phase
from exchange.domain.printable import UNICODE_VERSION, is_printable
from exchange.domain.units import SymbolId, parse_time
from exchange.matching.order_book import RestingOrder
from exchange.matching.snapshot import SnapshotError
from exchange.matching.venue import RULES_VERSION, Venue
from exchange.matching.venue_state import LIMITS, VenueLimits
from exchange.wire.records import encode_command, number_of
from tests.matching.desk import ANN, BOB, START_NS, XYZ, Desk, numbered_record, order
from tests.matching.naive_drive import difference, steps_of
from tests.matching.random_commands import RandomCommands
from tests.matching.small_world import ALLOCATIONS, WORLD, enter, runs_of_commands
from tests.matching.test_properties import any_records, records_of

native = pytest.importorskip(
    "exchange.matching.native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
NativeVenue = native.NativeVenue
from tests.matching.equality import SMALL_LIMITS, TICK, Comparison, first_difference  # noqa: E402 (needs the wheel)

FLOW_STEPS = 150
"""Rules of the naive drive, of which each tells a few commands."""
SEEDS = range(1, 9)
AUCTION_EVENTS = tuple(
    map(number_of, (e.PhaseChanged, e.PhaseScheduled, e.AuctionIndicated, e.AuctionExecuted))
)
LIMIT_EVENTS = tuple(map(number_of, (v.PriceBandsSet, v.PriceCorridorSet, v.IndexLevelReported)))
RISK_EVENTS = tuple(map(number_of, (e.RiskLimitSet, e.TradingBlocked, e.OrderTriggered)))
COMMANDS_PER_SEED = 26_000
"""Over all seeds more than 200,000."""


def seen_of(venue: Any) -> dict[str, Any]:
    """Return all that can be asked of a venue without naming anything."""
    return {
        name: getattr(venue, name)
        for name in (
            "partition", "epoch", "time_ns", "business_date", "command_sequence", "event_sequence", "running_hash",
            "live_orders", "next_deadline", "counters",
        )
    } | {"directory": vars(venue.directory)}  # fmt: skip


def unmarked(order: RestingOrder | None) -> RestingOrder | None:
    """Return an order without the marks, which are the matcher's own and follow from lists, pegs and quotes."""
    return order and structs.replace(order, marks=0)


def queries_of(venue: Any) -> list[Any]:
    """Return the answers to the queries of the gateway, for ids that are there and ids that are not."""
    symbols = (0, 1, 2, 3, 99, -1, 2**40)
    orders = [
        tuple([unmarked(order) for order in side] for side in find(symbol))
        for symbol in symbols
        for find in (venue.orders, venue.hidden_orders, venue.stop_orders, venue.auction_orders)
    ]
    live = [one.order_id for bids, asks in orders for one in (*bids, *asks) if one] + [0, 5, 2**63, 2**64, -1]
    return [
        orders,
        [venue.depth(symbol, levels) for symbol in symbols for levels in (0, 1, 3, 99, -1)],
        [venue.reference_price(symbol) for symbol in symbols],
        [venue.balance(account, symbol) for account in (*range(9), -1, 2**33) for symbol in symbols],
        [(unmarked(venue.order(order_id)), venue.place_in_queue(order_id)) for order_id in live],
        [
            (
                venue.schedule(),
                venue.market_phase,
                venue.order_lists(),
                venue.pegs(),
                venue.quote_desks(),
                [venue.indication(symbol) for symbol in symbols],
            )
        ],
        [venue.risk_usage(scope, subject) for scope in range(6) for subject in (*range(9), -1, 2**33)],
        [venue.cancel_timer(participant) for participant in (*range(9), -1, 2**33)],
        [venue.trade_state(match_id) for match_id in (*range(2_000), -1, 2**64)],
    ]


@pytest.mark.parametrize("limits", [LIMITS, SMALL_LIMITS], ids=["limits", "small limits"])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_commands_of_every_type_have_the_same_events_hash_and_snapshot(
    seed: int, limits: VenueLimits
) -> None:
    both = Comparison(seed, limits)
    wanted = COMMANDS_PER_SEED if limits is LIMITS else COMMANDS_PER_SEED // 8
    while len(both.told) < wanted:
        assert both.step(), f"seed {seed}:\n{both.shrunk()}"
        if len(both.told) % 11 == 0 or len(both.told) >= wanted:
            assert both.has_same_snapshot(), f"seed {seed}:\n{both.shrunk()}"
            assert seen_of(both.fast) == seen_of(both.definition)
            if limits is LIMITS:
                cross(both)
    assert queries_of(both.fast) == queries_of(both.definition)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_auctions_have_the_same_events_hash_and_snapshot(seed: int) -> None:
    both = Comparison(seed, LIMITS, auctions=True)
    while len(both.told) < COMMANDS_PER_SEED // 8:
        assert both.step(), f"seed {seed}:\n{both.shrunk()}"
        assert both.has_same_snapshot(), f"seed {seed}:\n{both.shrunk()}"
        cross(both)
    told = [kind for kind in AUCTION_EVENTS if not both.events[kind]]
    assert not told, f"seed {seed} never had events of the types {told}"
    assert queries_of(both.fast) == queries_of(both.definition)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_price_limits_have_the_same_events_hash_and_snapshot(seed: int) -> None:
    both = Comparison(seed, LIMITS, price_limits=True)
    while len(both.told) < COMMANDS_PER_SEED // 4:
        assert both.step(), f"seed {seed}:\n{both.shrunk()}"
        assert both.has_same_snapshot(), f"seed {seed}:\n{both.shrunk()}"
        cross(both)
    told = [kind for kind in LIMIT_EVENTS if not both.events[kind]]
    assert not told, f"seed {seed} never had events of the types {told}"
    assert queries_of(both.fast) == queries_of(both.definition)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_the_flows_of_the_naive_model_have_the_same_events_and_snapshots(seed: int) -> None:
    machine, said = difference(steps_of(seed, FLOW_STEPS))
    assert said == ""
    told = [(encode_command(command), START_NS) for command in WORLD]
    told += [(encode_command(sent), at) for sent, at in zip(machine.sent, machine.sent_at, strict=True)]
    assert first_difference(told, LIMITS) == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_random_orders_under_limits_have_the_same_events_hash_and_snapshot(seed: int) -> None:
    both = Comparison(seed, LIMITS, risk=True)
    while len(both.told) < COMMANDS_PER_SEED // 8:
        assert both.step(), f"seed {seed}:\n{both.shrunk()}"
        assert both.has_same_snapshot(), f"seed {seed}:\n{both.shrunk()}"
        cross(both)
    told = [kind for kind in RISK_EVENTS if not both.events[kind]]
    assert not told, f"seed {seed} never had events of the types {told}"
    assert queries_of(both.fast) == queries_of(both.definition)


DAY_PLAN = (
    ("08:00", Phase.PRE_OPEN), ("09:25", Phase.OPENING_AUCTION), ("09:28", Phase.OPENING_NO_CANCEL),
    ("09:30", Phase.CONTINUOUS), ("15:50", Phase.CLOSING_AUCTION), ("15:58", Phase.CLOSING_NO_CANCEL),
    ("16:00", Phase.POST_CLOSE), ("18:00", Phase.CLOSED),
)  # fmt: skip
"""Of the day after the first."""
HALTS: dict[int, c.Command] = {
    12 * 60: c.HaltTrading(symbol_id=SymbolId(1), reason="news"),
    12 * 60 + 20: c.ResumeTrading(symbol_id=SymbolId(1), call_ns=10**12),
}
"""By minute of the day."""


def journal_of_a_day(seed: int) -> list[tuple[list[bytes], int]]:
    """Return what a day brings: (records, time) of each batch."""
    drawn = RandomCommands(seed, auctions=True)
    midnight_ns = parse_time("2026-11-24T00:00:00Z")
    plan = [
        c.SchedulePhase(
            symbol_id=SymbolId(0), phase=phase, at_ns=parse_time(f"2026-11-24T{at}:00Z"), random_ns_max=10**9,
            seed=seed,
        )
        for at, phase in DAY_PLAN
    ]  # fmt: skip
    journal = [(drawn.opening(), START_NS), ([encode_command(each) for each in plan], START_NS)]
    for minute in range(8 * 60, 18 * 60 + 10, 4):
        eights = [drawn.random.randbytes(8) for _ in range(6)]
        own: list[c.Command] = [drawn.passive(e) if e[0] < 60 else enter(e) for e in eights]
        own += [HALTS[minute]] if minute in HALTS else []
        records = [TICK, *(encode_command(each) for each in own)]
        journal.append((records, midnight_ns + minute * 60 * 10**9))
    return journal


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_a_whole_day_with_a_halt_replays_to_the_same_hash_on_both(seed: int) -> None:
    venues, journal, phases = (Venue(), NativeVenue(), Venue()), journal_of_a_day(seed), set()
    for venue in venues:
        for records, time_ns in journal:
            first = venue.command_sequence + 1
            numbered = (numbered_record(record, first + at) for at, record in enumerate(records))
            venue.apply(b"".join(numbered), time_ns)
            phases.add(venue.directory.symbols[1].phase)
    assert len({venue.running_hash for venue in venues}) == len({venue.snapshot() for venue in venues}) == 1
    assert phases >= {
        Phase.CONTINUOUS, Phase.PRE_OPEN, Phase.HALTED, Phase.REOPENING_AUCTION, Phase.CLOSING_AUCTION,
        Phase.POST_CLOSE, Phase.CLOSED,
    }  # fmt: skip
    assert venues[0].counters.trades > 20


def cross(both: Comparison) -> None:
    """Restore each from the other's snapshot."""
    digest = both.definition.digest()
    both.cross()
    assert both.definition.digest() == both.fast.digest() == digest
    assert seen_of(both.definition) == seen_of(both.fast)


@given(runs_of_commands)
@settings(max_examples=60, deadline=None)
def test_hypothesis_finds_no_commands_that_differ(drawn: list[bytes]) -> None:
    records = [(record, START_NS) for record in records_of(drawn)]
    assert first_difference(records, LIMITS) == ""


@given(st.lists(any_records, max_size=30))
@settings(max_examples=150, deadline=None)
def test_hypothesis_finds_no_garbage_that_differs(records: list[bytes]) -> None:
    opening = [encode_command(command) for command in WORLD]
    assert first_difference([(record, START_NS) for record in opening + records], LIMITS) == ""


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_streams_have_their_fills_and_the_hash_of_the_definition(name: str) -> None:
    if not is_present(name):
        pytest.skip(f"no {FOLDER}")
    stream = read_stream(name, 10_000)
    fast, definition = NativeVenue(), Venue()
    for batch in batches(stream.before, 4_096):
        fast.apply(batch, 1)
        definition.apply(batch, 1)
    events = [fast.apply(batch, 2) for batch in batches(stream.timed, 4_096)]
    assert fills_of(events, stream.stream_ids, fast.live_orders) == CHECK_POINTS[name][10_000]
    definition.apply(b"".join(stream.timed), 2)
    assert (fast.running_hash, fast.digest()) == (definition.running_hash, definition.digest())


def test_a_large_batch_is_the_same_as_many_small_ones() -> None:
    resting = [encode_command(order(Side.BUY, 10, 100_000 - 100 * (n % 50), ANN)) for n in range(6_000)]
    in_one, one_by_one = Desk(NativeVenue()), Desk(NativeVenue())
    numbered = [numbered_record(r, in_one.venue.command_sequence + 1 + n) for n, r in enumerate(resting)]
    together = in_one.venue.apply(b"".join(numbered), START_NS)
    assert together == b"".join(one_by_one.venue.apply(record, START_NS) for record in numbered)
    assert in_one.venue.digest() == one_by_one.venue.digest()


def test_a_batch_that_cannot_be_is_an_assertion_as_in_the_definition() -> None:
    venue = NativeVenue()
    venue.apply(numbered_record(TICK, 1), 10)
    with pytest.raises(AssertionError, match="time went back from 10 to 9"):
        venue.apply(b"", 9)
    with pytest.raises(AssertionError, match="command 3 came where 2 was due"):
        venue.apply(numbered_record(TICK, 3), 10)
    with pytest.raises(AssertionError, match="record of 17 bytes with 16 left"):
        venue.apply(b"\x11" + numbered_record(TICK, 2)[1:], 10)
    with pytest.raises(AssertionError, match="partition must be 0 to 127"):
        NativeVenue(128)


def test_another_partition_has_its_own_ids() -> None:
    definition, fast = Desk(Venue(partition=5)), Desk(NativeVenue(partition=5))
    for desk in (definition, fast):
        (accepted,) = desk.enter(Side.BUY, 10, 100_000, BOB, client_order_id="a")
        assert desk.venue.order(accepted.order_id)
        assert desk.venue.order(accepted.order_id - (5 << 56)) is None
    assert fast.venue.snapshot() == definition.venue.snapshot()
    assert NativeVenue.restore(fast.venue.snapshot()).partition == 5


def test_a_damaged_snapshot_is_refused_with_the_words_of_the_definition() -> None:
    data = Desk(NativeVenue()).venue.snapshot()
    for damaged in (data[:3], data[:-1], b"YVEN" + data[4:], data[:-1] + bytes([data[-1] ^ 1])):
        with pytest.raises(SnapshotError) as of_native:
            NativeVenue.restore(damaged)
        with pytest.raises(SnapshotError) as of_definition:
            Venue.restore(damaged)
        assert str(of_native.value) == str(of_definition.value)


def test_the_wheel_has_the_rules_of_the_definition() -> None:
    assert native.NATIVE_RULES_VERSION == RULES_VERSION


def test_names_are_judged_by_the_same_characters() -> None:
    surrogates = range(0xD800, 0xE000)
    different = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if code not in surrogates and is_printable(chr(code)) != native.is_printable(chr(code))
    ]
    assert different == []
    assert native.UNICODE_VERSION == UNICODE_VERSION


@pytest.mark.parametrize("seed", SEEDS)
def test_submissions_in_one_batch_are_numbered_carried_out_and_cut_apart_alike(seed: int) -> None:
    drawn = RandomCommands(seed)
    definition, fast = Venue(5), NativeVenue(5)
    submissions = [b"".join(drawn.opening())]
    while definition.command_sequence < COMMANDS_PER_SEED // 8:
        time_ns = drawn.advance()
        expected = definition.apply_batch(submissions, time_ns)
        assert fast.apply_batch(submissions, time_ns) == expected, f"seed {seed}"
        assert fast.running_hash == definition.running_hash
        assert seen_of(fast)["directory"] == seen_of(definition)["directory"]
        drawn.note(expected.events)
        submissions = [
            b"".join(drawn.batch(drawn.random.choice((1, 1, 5, 90))))
            for _ in range(drawn.random.randint(0, 6))
        ]
    assert fast.snapshot() == definition.snapshot()


def busy_level(seed: int) -> c.Command:
    """Draw an order at one of two prices, so that many meet there; some are icebergs, hidden, or must fill."""
    drawn = random.Random(seed)
    terms: dict[str, Any] = {
        "account_id": drawn.randint(1, 4), "symbol_id": XYZ, "side": drawn.choice((Side.BUY, Side.SELL)),
        "order_type": OrderType.LIMIT, "price": drawn.choice((100_000, 100_000, 100_100)),
        "quantity": drawn.choice((1, 2, 5, 17, 40, 150)), "flags": drawn.choice((0,) * 8 + (OrderFlag.HIDDEN,)),
        "time_in_force": drawn.choice((TimeInForce.DAY,) * 8 + (TimeInForce.IOC, TimeInForce.FOK)),
    }  # fmt: skip
    if drawn.random() < 0.1 and terms["time_in_force"] is TimeInForce.DAY and not terms["flags"]:
        return c.EnterSpecialOrder(**terms | {"quantity": 90}, display_quantity=drawn.choice((1, 4, 30)))
    return c.EnterOrder(**terms)


@pytest.mark.parametrize("number", range(8))
def test_each_allocation_shares_out_as_the_definition_does(number: int) -> None:
    wanted = ALLOCATIONS[number]
    told: list[c.Command] = [
        c.SetAllocation(symbol_id=XYZ, steps=wanted.steps, lead_makers=wanted.lead_makers),
        *(busy_level(10_000 * number + n) for n in range(1_500)),
        c.SetSelfTradePrevention(participant_id=ANN, group=1, mode=SelfTradeMode.CANCEL_OLDEST),
        c.SetSelfTradePrevention(participant_id=BOB, group=2, mode=SelfTradeMode.DECREMENT),
        *(busy_level(10_000 * number + n) for n in range(1_500, 3_000)),
    ]
    definition, fast = Desk(opening=WORLD), Desk(NativeVenue(), opening=WORLD)
    for command in told:
        assert fast.send(command) == definition.send(command), command
    assert fast.venue.snapshot() == definition.venue.snapshot()
    assert definition.venue.counters.trades > 1_000
