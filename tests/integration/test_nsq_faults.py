"""What nsqd does to messages, done to a whole exchange under load: reporter and clearing end equal to the engine.

`make nsq-faults` runs this alone and writes the table of docs/reliability.md. NSQ_ROUNDS: how often each fault is made.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from exchange.domain.events import SymbolStateChanged
from exchange.domain.symbol import SymbolState
from exchange.infra.bus import DEAD_TOPIC, events_topic
from exchange.infra.nsq_bus import NsqBus, NsqSettings
from exchange.infra.nsq_connection import NsqTimes
from exchange.wire.bus_messages import DeadLetter, decode_message
from exchange.wire.envelope import HEADER, EventBatch, encode_batch
from exchange.wire.records import VERSION_OFFSET, encode_event
from tests.infra.nsq_daemons import binary
from tests.integration.exchange_process import EXCHANGE, wait_for
from tests.integration.nsq_stand import NAMES, NsqStand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
SEED = 20261123
ROUNDS = int(os.environ.get("NSQ_ROUNDS", "2"))
TAKEN_LEAST = 10
TAKEN_WITHIN_S = 60
REPORT = os.environ.get("NSQ_REPORT", "")


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NsqStand]:
    binary("nsqd"), binary("nsqlookupd")
    with NsqStand(tmp_path_factory.mktemp("nsq")) as made:
        yield made


class Fault:
    """Makes a fault some times, and notes what it did and how long it took to heal."""

    def __init__(self, stand: NsqStand, name: str) -> None:
        self.stand = stand
        self.name = name
        self.heals: list[float] = []
        self.totals = {"fetched": 0, "duplicates": 0}
        self.restarted: set[str] = set()
        self.times = 0

    def before(self) -> None:
        self.seen = self.stand.feeds()
        self.begun_at = self.stand.engine_sequence()

    def over(self, since: float = 0) -> None:
        """Note how long it takes, with the load going on, until the consumers hold what the engine holds now."""
        begun, wanted = since or time.monotonic(), self.stand.engine_sequence()
        wait_for(
            lambda: all(int(self.stand.stats(name)["seq"]) >= wanted for name in NAMES[1:]),
            "healed consumers",
        )
        self.heals.append(time.monotonic() - begun)

    def healed(self) -> None:
        """Wait until all are equal, and count what the feeds had to repair."""
        self.times += 1
        self.stand.wait_until_equal()
        for name, feed in self.stand.feeds().items():
            before = self.seen.get(name, {}) if name not in self.restarted else {}
            for key in self.totals:
                self.totals[key] += feed.get(key, 0) - before.get(key, 0)

    def report(self) -> None:
        row = [
            self.name, self.times, 0, self.totals["fetched"], self.totals["duplicates"],
            f"{max(self.heals):.2f}",
        ]  # fmt: skip
        line = "| " + " | ".join(map(str, row)) + " |"
        print(line)
        if REPORT:
            with Path(REPORT).open("a") as file:
                file.write(line + "\n")


def test_components_find_each_other_and_the_second_nsqd(stand: NsqStand) -> None:
    for name in NAMES:

        def all_ready(name: str = name) -> bool:
            items = stand.client(name).get("/api/v1/components")["items"]
            return {item["component"]: item["state"] for item in items} == dict.fromkeys(NAMES, "ready")

        wait_for(all_ready, f"all three ready as {name} hears it")
    consumers = wait_for(lambda: consumers_of(stand, 1), "consumers of the second nsqd, found by nsqlookupd")
    assert consumers >= {"reporter", "clearing"}


def consumers_of(stand: NsqStand, number: int) -> set[str]:
    topics = json.loads(stand.nsqd[number].get(f"/stats?format=json&topic={events_topic(0)}"))["topics"]
    return {
        channel["channel_name"] for topic in topics for channel in topic["channels"] if channel["clients"]
    }


def test_a_ruling_is_announced_and_everybody_hears_of_it(stand: NsqStand) -> None:
    order = {"symbol": "XYZ", "qty": "100", "price": "14.00", "type": "limit", "time_in_force": "gtc"}
    for name, side in (("alice", "sell"), ("bob", "buy")):
        status, answer = stand.client("engine", name).call("POST", "/api/v1/order", {**order, "side": side})
        assert status == 201, answer
    stand.wait_until_equal()

    def heard(name: str) -> bool:
        found = stand.client(name).get("/api/v1/components")["happenings"]
        return any(each["match_id"] and "bust" in each["what"] for each in found)

    for name in NAMES:
        wait_for(lambda name=name: heard(name), f"the ruling at {name}")


def test_status_and_tail_show_what_happens_to_people_and_machines(stand: NsqStand) -> None:
    config = ["--config", str(stand.config_of("clearing"))]
    status = subprocess.run(
        [*EXCHANGE, "status", "--json", *config], capture_output=True, text=True, check=True
    )
    found = json.loads(status.stdout)
    assert {row["component"]: row["state"] for row in found["components"]} == dict.fromkeys(NAMES, "ready")
    assert found["happenings"]
    with stand.load():
        tail = subprocess.run(
            [*EXCHANGE, "nsq", "tail", events_topic(0), "--count", "2", *config],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
    assert f"{events_topic(0)}  epoch 1  events " in tail.stdout
    assert "order_accepted" in tail.stdout


def test_nsqd_killed_under_load_loses_nothing_for_good(stand: NsqStand) -> None:
    fault = Fault(stand, "nsqd kill -9 under load, back after 0.5 s (default flags)")
    for number in range(ROUNDS):
        fault.before()
        with stand.load():
            stand.nsqd[number % 2].kill()
            time.sleep(0.5)
            stand.nsqd[number % 2].start()
            fault.over()
        fault.healed()
    fault.report()


def test_both_nsqd_away_for_a_while_and_the_market_goes_on(stand: NsqStand) -> None:
    fault = Fault(stand, "every nsqd down for 3 s under load, and back")
    fault.before()
    with stand.load() as load:
        for daemon in stand.nsqd:
            daemon.kill()
        acknowledged = load.acknowledged
        begun = stand.engine_sequence()
        wait_for(
            lambda: all(int(stand.stats(name)["seq"]) > begun for name in NAMES[1:]),
            "events without a bus",
            10,
        )
        time.sleep(2)
        assert load.acknowledged > acknowledged
        for daemon in stand.nsqd:
            daemon.start()
        fault.over()
    fault.healed()
    fault.report()
    wait_for(lambda: consumers_of(stand, 0) >= {"reporter", "clearing"}, "consumers on nsqd again")


def test_messages_that_are_requeued_and_time_out_change_nothing(stand: NsqStand) -> None:
    fault = Fault(stand, "messages taken away, requeued late or left to time out (1 s)")
    for _ in range(ROUNDS):
        fault.before()
        with stand.load():
            asyncio.run(take_away(stand, seconds=1.5))
            fault.over()
        fault.healed()
    time.sleep(1.5)
    stand.wait_until_equal()
    fault.report()


async def take_away(stand: NsqStand, seconds: float) -> None:
    """Be a second consumer of both channels that finishes nothing: half comes again later, half times out.

    It takes for that long, and on a slow machine until it has taken some.
    """
    chance = random.Random(SEED)
    bus = NsqBus(
        NsqSettings(nsqd=tuple(daemon.address for daemon in stand.nsqd), times=NsqTimes(message_s=1.0))
    )

    async def steal(channel: str) -> None:
        subscription = await bus.subscribe(events_topic(0), channel)
        while True:
            delivery = await subscription.receive()
            if chance.randrange(2):
                await delivery.requeue(chance.uniform(0, 0.5))

    thieves = [asyncio.create_task(steal(channel)) for channel in ("reporter", "clearing")]
    await asyncio.sleep(seconds)
    async with asyncio.timeout(TAKEN_WITHIN_S):
        while bus.stats.received <= TAKEN_LEAST and not any(thief.done() for thief in thieves):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for thief in thieves:
        thief.cancel()
    ends = await asyncio.gather(*thieves, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
    await bus.close()


@pytest.mark.parametrize("victim", ["clearing", "reporter"])
def test_a_consumer_killed_at_any_moment_goes_on_where_it_was(stand: NsqStand, victim: str) -> None:
    fault = Fault(stand, f"{victim} kill -9 under load, messages unfinished")
    fault.restarted.add(victim)
    chance = random.Random(SEED)
    for _ in range(ROUNDS):
        fault.before()
        with stand.load():
            time.sleep(chance.uniform(0.1, 0.4))
            stand.end(victim, signal.SIGKILL)
            begun = time.monotonic()
            stand.start(victim)
            fault.over(begun)
        fault.healed()
    fault.report()


def test_an_engine_that_starts_again_under_a_new_epoch_is_followed(stand: NsqStand) -> None:
    fault = Fault(stand, "engine kill -9 under load, back with a new epoch")
    for _ in range(ROUNDS):
        fault.before()
        with stand.load():
            time.sleep(0.2)
            stand.end("engine", signal.SIGKILL)
            begun = time.monotonic()
            stand.start("engine")
            fault.over(begun)
        fault.healed()
    fault.report()
    assert {feed["epoch"] for feed in stand.feeds().values()} == {1 + ROUNDS}


def test_messages_delivered_again_later_and_out_of_order_are_dropped(stand: NsqStand) -> None:
    fault = Fault(stand, "every message of a while sent again, out of order")
    fault.before()
    asyncio.run(replay(stand))
    fault.over()
    fault.healed()
    fault.report()
    assert fault.totals["duplicates"] > 0


async def replay(stand: NsqStand) -> None:
    """Listen for a while under load, then publish what was heard again, shuffled."""
    bus = NsqBus(NsqSettings(nsqd=tuple(daemon.address for daemon in stand.nsqd)))
    subscription = await bus.subscribe(events_topic(0), "replay#ephemeral")
    heard: list[bytes] = []

    def trade() -> None:
        with stand.load():
            time.sleep(0.5)

    trading = asyncio.create_task(asyncio.to_thread(trade))
    while not trading.done():
        delivery = await subscription.receive()
        heard.append(delivery.body)
        await delivery.finish()
        if len(heard) >= 20:
            break
    await trading
    random.Random(SEED).shuffle(heard)
    for message in heard:
        await bus.publish(events_topic(0), message)
    await bus.close()


READERS = {"reporter", "clearing", "surveillance"}
"""Channels of the topic of events: each lays aside what it cannot read."""


def test_a_damaged_message_is_laid_aside_with_its_reason(stand: NsqStand) -> None:
    fault = Fault(stand, "damaged messages on the topic")
    fault.before()
    letters = asyncio.run(poison(stand, [b"nonsense", whole_batch(stand)[:-1], b"XEVB" + bytes(40)]))
    assert {letter.channel for letter in letters} == READERS
    with stand.load():
        fault.over()
    fault.healed()
    fault.report()


def whole_batch(stand: NsqStand) -> bytes:
    """Return a message such as the engine publishes, whose events come right behind the latest ones."""
    after = stand.engine_sequence()
    event = SymbolStateChanged(
        sequence=after + 1, command_sequence=after + 1, time_ns=time.time_ns(), epoch=1, symbol_id=1,
        state=SymbolState.SUSPENDED, reason="a lie",
    )  # fmt: skip
    return encode_batch(EventBatch(0, 1, after + 1, 1, encode_event(event)))


def of_other_version(message: bytes, where: str, version: int) -> bytes:
    """Return a message as a component of another version would send it, its checksum right."""
    changed = bytearray(message)
    if where == "envelope":
        changed[4:6] = version.to_bytes(2, "little")
    else:
        changed[HEADER.size + VERSION_OFFSET] = version
        changed[28:32] = crc32(changed[HEADER.size :]).to_bytes(4, "little")
    return bytes(changed)


def test_a_component_of_another_version_is_refused_by_both_versions_names(stand: NsqStand) -> None:
    fault = Fault(stand, "messages of an older and of a newer component on the topic")
    fault.before()
    whole = whole_batch(stand)
    places = [("envelope", 2), ("envelope", 0), ("record", 2), ("record", 0)]
    letters = asyncio.run(poison(stand, [of_other_version(whole, *place) for place in places]))
    newer, older = "newer: upgrade the reader", "older: upgrade the sender"
    assert {letter.reason for letter in letters} == {
        f"envelope: version at offset 4: 2, this version reads 1; the sender is {newer}",
        f"envelope: version at offset 4: 0, this version reads 1; the sender is {older}",
        f"first event record: version at offset 5: 2, this version reads 1; the sender is {newer}",
        f"first event record: version at offset 5: 0, this version reads 1; the sender is {older}",
    }
    assert {letter.channel for letter in letters} == READERS
    with stand.load():
        fault.over()
    fault.healed()
    fault.report()


async def poison(stand: NsqStand, messages: list[bytes]) -> list[DeadLetter]:
    """Publish messages that nobody can read; return the dead letters."""
    bus = NsqBus(NsqSettings(nsqd=tuple(daemon.address for daemon in stand.nsqd)))
    dead = await bus.subscribe(DEAD_TOPIC, "test")
    for message in messages:
        await bus.publish(events_topic(0), message)
    letters = []
    async with asyncio.timeout(60):
        while len(letters) < len(READERS) * len(messages):
            delivery = await dead.receive()
            letters.append(decode_message(delivery.body, DeadLetter))
            await delivery.finish()
    await bus.close()
    return letters


def test_clearing_that_starts_late_makes_the_same_books(stand: NsqStand) -> None:
    fault = Fault(stand, "clearing started late, with an empty store")
    fault.restarted.add("clearing")
    stand.wait_until_equal()
    ledger_hash = stand.check_equal()
    fault.before()
    assert stand.end("clearing") == 0
    stand.forget_clearing()
    begun = time.monotonic()
    stand.start("clearing")
    fault.healed()
    fault.heals.append(time.monotonic() - begun)
    assert stand.check_equal() == ledger_hash
    fault.report()


def test_a_stop_is_announced_and_a_kill_is_noticed(stand: NsqStand) -> None:
    def state_of(component: str, heard_by: str) -> Any:
        items = stand.client(heard_by).get("/api/v1/components")["items"]
        return [item["state"] for item in items if item["component"] == component][-1]

    assert stand.end("clearing") == 0
    wait_for(lambda: state_of("clearing", "engine") == "stopped", "clearing's farewell")
    stand.end("reporter", signal.SIGKILL)
    wait_for(lambda: state_of("reporter", "engine") == "lost", "the reporter's silence")
    for name in ("clearing", "reporter"):
        stand.start(name)
    stand.wait_until_equal()
