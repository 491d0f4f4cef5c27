"""The sequencer: nothing lost, nothing doubled, nothing told before it is durable, whatever happens around it."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from exchange.domain.commands import Command, StartBusinessDay
from exchange.domain.events import BusinessDayStarted, CommandRejected, EngineStarted, ParticipantCreated
from exchange.engine.replay import VenueKind, python_matcher
from exchange.engine.sequencer import TURN_COMMANDS_MAX, EngineBusy, EngineHalted, Limits
from exchange.engine.time_keeper import SECOND_NS
from exchange.infra.clock import ManualClock
from exchange.infra.journal import SegmentFile
from exchange.infra.journal_format import Kind
from exchange.infra.journal_segments import JournalReader
from exchange.matching.venue import Venue
from exchange.wire.envelope import EventBatch
from exchange.wire.records import ProtocolError, decode_commands, decode_events, encode_command
from tests.engine.stored_engine import NO_SEAL, SMALL, StoredEngine, at_once, cancel, participant, until

NOON_NS = 1_795_000_000 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


class Gate:
    """A disk that can be held, or broken, at its next sync."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.broken = False

    def file(self, path: Path) -> SegmentFile:
        gate = self

        class GatedFile(SegmentFile):
            def sync(self) -> None:
                gate.reached.set()
                assert gate.open.wait(10)
                if gate.broken:
                    raise OSError(5, "Input/output error")
                super().sync()

        return GatedFile(path)

    async def hold(self) -> None:
        self.reached.clear()
        self.open.clear()

    async def has_arrived(self) -> None:
        await asyncio.to_thread(self.reached.wait, 10)


async def started_with(gate: Gate, folder: Path, limits: Limits = NO_SEAL) -> StoredEngine:
    engine = await StoredEngine.start(
        folder, limits=limits, storage=msgspec.structs.replace(SMALL, open_file=gate.file)
    )
    # Let the thread prepare its next segment, so that the next sync is that of a batch.
    await until((engine.folder.journal / "next.segment").exists)
    return engine


def journalled(engine: StoredEngine) -> list[tuple[int, Command]]:
    batches = JournalReader(engine.folder.journal, 0).batches()
    return [pair for batch in batches for pair in decode_commands(batch.payload)]


async def test_an_answer_has_the_events_of_exactly_its_commands(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    names = [f"participant {number}" for number in range(40)]
    answers = await asyncio.gather(*(engine.submit(participant(name), participant(name)) for name in names))
    for name, events in zip(names, answers, strict=True):
        created, rejected = events
        assert isinstance(created, ParticipantCreated)
        assert isinstance(rejected, CommandRejected)
        assert created.name == name
        assert rejected.command_sequence == created.command_sequence + 1
    await engine.stop()


async def test_sequences_have_no_gap_and_the_journal_has_every_command_once(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    await at_once(engine, 300)
    await engine.stop()
    assert [sequence for sequence, _ in journalled(engine)] == list(range(1, 302))


async def test_nothing_is_answered_before_it_is_on_disk(tmp_path: Path) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path)
    heard: list[EventBatch] = []
    engine.sequencer.subscribe(heard.append)
    durable = engine.sequencer.durable_sequence
    await gate.hold()
    waiting = asyncio.create_task(engine.submit(cancel()))
    await gate.has_arrived()
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert heard == []
    assert engine.sequencer.durable_sequence == durable
    assert engine.recovered.event_log.last_sequence == durable
    assert engine.recovered.venue.command_sequence == durable + 1
    gate.open.set()
    await waiting
    assert engine.sequencer.durable_sequence == engine.recovered.event_log.last_sequence == durable + 1
    assert [(batch.first_sequence, batch.count) for batch in heard] == [(durable + 1, 1)]
    await engine.stop()


async def test_what_is_received_while_a_batch_is_on_its_way_is_in_the_next_one_never_lost(
    tmp_path: Path,
) -> None:
    """A batch must not be closed over commands that were received and not yet matched: more than one turn takes."""
    gate = Gate()
    engine = await started_with(gate, tmp_path)
    await gate.hold()
    first = asyncio.create_task(engine.submit(cancel()))
    await gate.has_arrived()
    count = TURN_COMMANDS_MAX * 2 + 100
    rest = [asyncio.create_task(engine.submit(cancel())) for _ in range(count)]
    await asyncio.sleep(0)
    gate.open.set()
    answers = await asyncio.gather(first, *rest)
    sequences = [events[0].command_sequence for events in answers]
    assert sequences == list(range(2, count + 3))
    await engine.stop()
    assert [sequence for sequence, _ in journalled(engine)] == list(range(1, count + 3))


async def test_the_next_batch_is_matched_while_one_is_on_its_way_and_follows_as_one(tmp_path: Path) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path)
    await gate.hold()
    first = asyncio.create_task(engine.submit(cancel()))
    await gate.has_arrived()
    rest = [asyncio.create_task(engine.submit(cancel())) for _ in range(50)]
    await asyncio.sleep(0.01)
    assert engine.recovered.venue.command_sequence == 52
    gate.open.set()
    await asyncio.gather(first, *rest)
    assert engine.sequencer.stats.batches == 3
    assert engine.sequencer.stats.batch_commands_max == 50
    await engine.stop()


async def test_readers_rest_while_a_batch_is_on_its_way_and_go_on_once_it_is_told_or_the_engine_halts(
    tmp_path: Path,
) -> None:
    class Reader:
        told: ClassVar[list[tuple[str, int]]] = []

        def rest(self) -> None:
            self.told.append(("rest", engine.sequencer.durable_sequence))

        def go_on(self) -> None:
            self.told.append(("go on", engine.sequencer.durable_sequence))

    gate = Gate()
    engine = await started_with(gate, tmp_path)
    engine.sequencer.pace(Reader())
    durable = engine.sequencer.durable_sequence
    await engine.submit(cancel())
    assert Reader.told == [("rest", durable), ("go on", durable + 1)]
    await gate.hold()
    last = asyncio.create_task(engine.submit(cancel()))
    await gate.has_arrived()
    engine.sequencer.halt("a test halts it")
    assert Reader.told[2:] == [("rest", durable + 1), ("go on", durable + 1)]
    gate.open.set()
    with pytest.raises(EngineHalted):
        await last
    assert not await engine.sequencer.stop()
    engine.recovered.close()


async def test_a_batch_ends_at_its_maximum_and_the_rest_goes_with_the_next(tmp_path: Path) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path, msgspec.structs.replace(NO_SEAL, batch_commands_max=30))
    await gate.hold()
    first = asyncio.create_task(engine.submit(cancel()))
    await gate.has_arrived()
    rest = [asyncio.create_task(engine.submit(cancel(), cancel())) for _ in range(50)]
    await asyncio.sleep(0.01)
    gate.open.set()
    await asyncio.gather(first, *rest)
    await engine.stop()
    counts = [batch.header.count for batch in JournalReader(engine.folder.journal, 0).batches()]
    assert counts == [1, 1, 30, 30, 30, 10, 0]


async def test_a_batch_never_outgrows_a_segment(tmp_path: Path) -> None:
    storage = msgspec.structs.replace(SMALL, segment_bytes=16 * 1024)
    engine = await StoredEngine.start(tmp_path, storage=storage)
    await asyncio.gather(*(engine.submit(*[cancel()] * 100) for _ in range(60)))
    await engine.stop()
    assert len(journalled(engine)) == 6001
    with pytest.raises(ProtocolError, match="submission: 28000 bytes"):
        await engine.submit(*[cancel()] * 1000)


@pytest.mark.parametrize(("commands", "count"), [(b"", 0), (b"junk", 1), (encode_command(cancel())[:-1], 1)])
async def test_malformed_framing_is_refused_before_anything_is_numbered(
    tmp_path: Path, commands: bytes, count: int
) -> None:
    engine = await StoredEngine.start(tmp_path)
    good = encode_command(cancel())
    results = await asyncio.gather(
        engine.sequencer.submit(good, 1),
        engine.sequencer.submit(commands, count),
        engine.sequencer.submit(good, 1),
        return_exceptions=True,
    )
    assert isinstance(results[1], ProtocolError)
    answered = [decode_events(result)[0].command_sequence for result in results if isinstance(result, bytes)]
    assert answered == [2, 3]
    await engine.stop()


async def test_unknown_commands_are_numbered_and_rejected_by_the_venue(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    unknown = bytearray(encode_command(cancel()))
    unknown[4] = 99
    (event,) = decode_events(await engine.sequencer.submit(bytes(unknown), 1))
    assert isinstance(event, CommandRejected)
    await engine.stop()


async def test_too_many_waiting_commands_are_refused_as_busy_and_nothing_of_them_is_taken(
    tmp_path: Path,
) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path, msgspec.structs.replace(NO_SEAL, pending_commands_max=10))
    await gate.hold()
    waiting = [asyncio.create_task(engine.submit(cancel())) for _ in range(8)]
    await asyncio.sleep(0.01)
    with pytest.raises(EngineBusy, match="8 commands wait, at most 10 may"):
        await engine.submit(cancel(), cancel(), cancel())
    waiting.append(asyncio.create_task(engine.submit(cancel(), cancel())))
    gate.open.set()
    await asyncio.gather(*waiting)
    await engine.submit(cancel())
    assert engine.sequencer.stats.pending_commands == 0
    await engine.stop()
    assert len(journalled(engine)) == 1 + 8 + 2 + 1


async def test_a_client_that_goes_away_neither_loses_nor_doubles_anything(tmp_path: Path) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path)
    await gate.hold()
    tasks = [asyncio.create_task(engine.submit(cancel(number))) for number in range(1, 31)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    await gate.has_arrived()
    for task in tasks[1::3]:
        task.cancel()
    gate.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for number, result in enumerate(results):
        assert isinstance(result, asyncio.CancelledError if number % 3 < 2 else list)
    await engine.stop()
    assert [command for _, command in journalled(engine)][1:] == [cancel(number) for number in range(1, 31)]


async def test_a_barrier_waits_for_what_was_matched_before_it(tmp_path: Path) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path)
    await engine.sequencer.barrier()
    await gate.hold()
    waiting = asyncio.create_task(engine.submit(cancel()))
    await gate.has_arrived()
    in_flight = asyncio.create_task(engine.sequencer.read(lambda venue: venue.command_sequence))
    more = asyncio.create_task(engine.submit(cancel()))
    await asyncio.sleep(0.01)
    in_open = asyncio.create_task(engine.sequencer.read(lambda venue: venue.command_sequence))
    await asyncio.sleep(0.01)
    assert not in_flight.done()
    assert not in_open.done()
    gate.open.set()
    assert [await in_flight, await in_open] == [2, 3]
    assert waiting.done()
    assert more.done()
    await engine.stop()


async def test_a_failed_write_stops_the_engine_and_answers_nobody(tmp_path: Path) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path)
    heard: list[EventBatch] = []
    engine.sequencer.subscribe(heard.append)
    await gate.hold()
    in_flight = asyncio.create_task(engine.submit(cancel()))
    await gate.has_arrived()
    others = [asyncio.create_task(engine.submit(cancel())) for _ in range(5)]
    barrier = asyncio.create_task(engine.sequencer.barrier())
    await asyncio.sleep(0.01)
    gate.broken = True
    gate.open.set()
    results = await asyncio.gather(in_flight, *others, barrier, return_exceptions=True)
    assert [type(result) for result in results] == [EngineHalted] * 7
    assert "Input/output error" in str(results[0])
    assert heard == []
    gate.broken = False
    with pytest.raises(EngineHalted, match="Input/output error"):
        await engine.submit(cancel())
    with pytest.raises(EngineHalted, match="Input/output error"):
        await engine.sequencer.barrier()
    assert "Input/output error" in engine.sequencer.stats.halted
    assert not await engine.sequencer.stop()
    engine.recovered.close()


async def test_after_a_failed_write_the_next_start_is_whole(tmp_path: Path) -> None:
    gate = Gate()
    engine = await started_with(gate, tmp_path)
    await engine.fill(5)
    gate.broken = True
    with pytest.raises(EngineHalted):
        await engine.submit(cancel())
    await engine.crash()
    again = await StoredEngine.start(tmp_path)
    assert again.recovered.venue.command_sequence in (7, 8)
    await again.stop()


async def test_an_event_log_that_cannot_be_written_halts_the_engine_and_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await StoredEngine.start(tmp_path)
    written = engine.recovered.event_log.last_sequence

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine.recovered.event_log, "append", full)
    results = await asyncio.wait_for(
        asyncio.gather(*(engine.submit(cancel()) for _ in range(3)), return_exceptions=True), 10
    )
    assert [type(result) for result in results] == [EngineHalted] * 3
    assert "the event log cannot be written: No space left on device" in engine.sequencer.halted
    monkeypatch.undo()
    await engine.crash()
    again = await StoredEngine.start(tmp_path)
    assert again.recovered.event_log.last_sequence > written, "what was stored is told after the next start"
    await again.stop()


async def test_a_bug_in_the_venue_halts_the_engine_with_its_name(tmp_path: Path) -> None:
    class Faulty(Venue):
        def apply(self, commands: bytes, time_ns: int) -> bytes:
            if b"poison" in commands:
                raise ZeroDivisionError("a bug")
            return super().apply(commands, time_ns)

    real = python_matcher()
    kind = VenueKind("faulty", real.rules_version, Faulty, real.restore)
    engine = await StoredEngine.start(tmp_path, kind=kind)
    loop = asyncio.get_running_loop()
    told: list[object] = []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    results = await asyncio.gather(
        engine.submit(cancel()), engine.submit(participant("poison")), return_exceptions=True
    )
    assert [type(result) for result in results] == [EngineHalted] * 2
    assert "ZeroDivisionError" in engine.sequencer.halted
    assert len(told) == 1, "the traceback is not swallowed"
    await engine.crash()
    again = await StoredEngine.start(tmp_path)
    assert [type(event) for event in await again.submit(participant("poison"))] == [ParticipantCreated]
    await again.stop()


async def test_a_clock_that_jumps_halts_the_engine_with_the_reason(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    engine = await StoredEngine.start(tmp_path, clock, limits=replace_limits(clock_jump_limit_s=2.5))
    clock.jump(-2 * SECOND_NS)
    await engine.submit(cancel())
    clock.jump(60 * SECOND_NS)
    with pytest.raises(EngineHalted, match=r"clock of this machine is 60\.000 s ahead"):
        await engine.submit(cancel())
    assert "clock_jump_limit_s" in engine.sequencer.stats.halted
    await engine.crash()


async def test_a_jump_of_the_clock_is_seen_while_nothing_comes(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    engine = await StoredEngine.start(
        tmp_path, clock, limits=replace_limits(clock_jump_limit_s=1, watch_s=0.002)
    )
    clock.jump(5 * SECOND_NS)
    await until(lambda: engine.sequencer.halted)
    await engine.crash()


async def test_time_never_goes_back_in_the_journal(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    engine = await StoredEngine.start(tmp_path, clock)
    for jump_ns in (100, -50, 10, -1_000, 2_000):
        clock.jump(jump_ns)
        await engine.submit(cancel())
    await engine.stop()
    times = [batch.header.time_ns for batch in JournalReader(tmp_path / "journal", 0).batches()]
    assert times == sorted(times)


async def test_a_deadline_comes_before_the_commands_of_its_batch(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    engine = await StoredEngine.start(tmp_path, clock, limits=replace_limits(watch_s=60))
    await engine.submit(StartBusinessDay(date=20261119, ends_ns=NOON_NS + DAY_NS))
    clock.advance(DAY_NS)
    (event,) = await engine.submit(cancel())
    await engine.stop()
    assert event.command_sequence == 4
    assert [type(command).__name__ for _, command in journalled(engine)] == [
        "StartEngine",
        "StartBusinessDay",
        "Tick",
        "CancelOrder",
    ]
    assert engine.recovered.venue.next_deadline == NOON_NS + 2 * DAY_NS


async def test_a_deadline_comes_while_nothing_else_does(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    engine = await StoredEngine.start(tmp_path, clock, limits=replace_limits(watch_s=0.002))
    await engine.submit(StartBusinessDay(date=20261119, ends_ns=NOON_NS + DAY_NS))
    heard: asyncio.Queue[EventBatch] = asyncio.Queue()
    engine.sequencer.subscribe(heard.put_nowait)
    clock.advance(DAY_NS)
    async with asyncio.timeout(30):
        batch = await heard.get()
    assert [type(event) for event in decode_events(batch.events)] == [BusinessDayStarted]
    await engine.stop()


async def test_the_days_of_a_long_stop_are_caught_up_right_behind_the_new_epoch(tmp_path: Path) -> None:
    clock = ManualClock(NOON_NS)
    engine = await StoredEngine.start(tmp_path, clock)
    await engine.submit(StartBusinessDay(date=20261119, ends_ns=NOON_NS + DAY_NS))
    await engine.stop()
    clock.advance(250 * DAY_NS)
    again = await StoredEngine.start(tmp_path, clock)
    await until(lambda: again.recovered.venue.next_deadline > clock.now_ns())
    await again.stop()
    names = [type(command).__name__ for _, command in journalled(again)]
    assert names == ["StartEngine", "StartBusinessDay", "StartEngine", "Tick"]


async def test_a_stop_answers_everybody_and_then_takes_nothing(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    tasks = [asyncio.create_task(engine.submit(cancel())) for _ in range(3000)]
    await asyncio.sleep(0)
    await engine.stop()
    answers = await asyncio.gather(*tasks)
    assert [events[0].command_sequence for events in answers] == list(range(2, 3002))
    with pytest.raises(EngineHalted, match="stopped"):
        await engine.submit(cancel())
    kinds = [batch.header.kind for batch in JournalReader(tmp_path / "journal", 0).batches()]
    assert kinds[-1] == Kind.CLOSE
    assert engine.history[0] == len(journalled(engine)) == 3001


async def test_an_idle_engine_seals_its_last_batch(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, limits=Limits(seal_after_s=0.001))
    await engine.submit(cancel())

    def kinds() -> list[int]:
        return [batch.header.kind for batch in JournalReader(tmp_path / "journal", 0).batches()]

    await until(lambda: kinds()[-1] == Kind.SEAL)
    await engine.crash()
    assert kinds().count(Kind.COMMANDS) == 2
    assert engine.sequencer.stats.journal.seals == kinds().count(Kind.SEAL)


async def test_the_first_event_of_a_start_names_its_epoch(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        engine = await StoredEngine.start(tmp_path)
        first = decode_events(engine.recovered.event_log.read(engine.history[1] - 1).events)[0]
        assert isinstance(first, EngineStarted)
        assert first.epoch == engine.sequencer.stats.epoch == epoch
        await (engine.stop() if epoch == 2 else engine.crash())


async def test_stats_count_what_was_stored(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    await at_once(engine, 20)
    stats = engine.sequencer.stats
    assert (stats.commands, stats.events, stats.durable_sequence, stats.durable_event_sequence) == (
        21,
        21,
        21,
        21,
    )
    assert stats.batches == stats.journal.batches >= 2
    assert 0 < stats.write_p50_ns <= stats.write_p99_ns <= stats.write_max_ns
    assert stats.journal.durability == "fsync"
    await engine.stop()


def replace_limits(**changes: float) -> Limits:
    return msgspec.structs.replace(NO_SEAL, **changes)


async def test_a_brake_refuses_commands_as_busy_until_it_is_let_go(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    reasons = ["a listener is behind"]
    engine.sequencer.obey(lambda: reasons[0])
    await engine.submit(cancel())
    assert engine.sequencer.room == 0
    assert engine.sequencer.stats.braked == "a listener is behind"
    with pytest.raises(EngineBusy, match="a listener is behind; try again in a moment"):
        await engine.submit(cancel())
    reasons[0] = ""
    assert engine.sequencer.room == engine.sequencer.limits.pending_commands_max
    await engine.submit(cancel())
    await engine.stop()


async def test_commands_offered_are_heard_of_by_the_stream_and_by_their_first_sequence(
    tmp_path: Path,
) -> None:
    engine = await StoredEngine.start(tmp_path)
    batches: list[EventBatch] = []
    matched: list[int] = []
    engine.sequencer.subscribe(batches.append)
    run = encode_command(cancel()) * 3
    engine.sequencer.offer(run, 3, matched.append)
    engine.sequencer.offer(run, 3, matched.append)
    await until(lambda: sum(batch.count for batch in batches) == 6)
    assert matched == [2, 5]
    assert engine.sequencer.stats.pending_commands == 0
    with pytest.raises(ProtocolError):
        engine.sequencer.offer(run, 2, matched.append)
    await engine.stop()
    with pytest.raises(EngineHalted):
        engine.sequencer.offer(run, 3, matched.append)
