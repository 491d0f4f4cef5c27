"""The bus over NSQ beyond what every bus promises: bounds, several nsqd, nsqd away, and messages that come again.

What every bus promises is in `test_bus.py`, against a real nsqd too.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exchange.infra import nsq_bus, nsq_link
from exchange.infra.bus import NsqdFigures
from exchange.infra.errors import InfraError
from exchange.infra.nsq_bus import NsqBus, NsqSettings
from exchange.infra.nsq_connection import NsqRefused, NsqTimes, NsqUnavailable
from tests.infra.event_streams import until
from tests.infra.fake_nsqd import fake_nsqd, message_frame, polite
from tests.infra.nsq_daemons import Daemon, free_ports

TIMES = NsqTimes(connect_s=2, answer_s=2)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsq_link, "BACK_OFF_FIRST_S", 0.005)
    monkeypatch.setattr(nsq_link, "BACK_OFF_LAST_S", 0.05)


def bus_on(*addresses: str, **settings: object) -> NsqBus:
    return NsqBus(NsqSettings(nsqd=addresses, times=TIMES, **settings))  # type: ignore[arg-type]


async def test_publishing_takes_turns_and_passes_by_an_nsqd_that_is_away() -> None:
    async with fake_nsqd() as one, fake_nsqd() as two:
        bus = bus_on(one.address, two.address)
        for _ in range(4):
            await bus.publish("t", b"x")
        assert [fake.commands.count(b"PUB t") for fake in (one, two)] == [2, 2]
        await two.stop()
        for _ in range(4):
            await bus.publish("t", b"x")
        assert one.commands.count(b"PUB t") >= 6
        await one.stop()
        await until(lambda: all(link.connection is None for link in bus._links))
        with pytest.raises(NsqUnavailable, match="publish to t: "):
            await bus.publish("t", b"x")
        assert (bus.stats.published, bus.stats.publish_failures) == (8, 1)
        await bus.close()
        await one.start()
        await two.start()


async def test_channels_that_shall_be_there_are_made_before_anything_is_published() -> None:
    async with fake_nsqd() as fake:
        bus = bus_on(fake.address, prepared=(("t", "reporter"), ("t", "clearing")))
        await bus.publish("t", b"x")
        wanted = [b"SUB t reporter", b"SUB t clearing", b"PUB t"]
        assert [line for line in fake.commands if line in wanted] == wanted
        await bus.close()


async def test_publishing_is_bounded_in_number_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsq_bus, "PUBLISHES_MAX", 1)
    async with fake_nsqd(lambda line, body: None if line.startswith(b"PUB") else polite(line, body)) as fake:
        bus = bus_on(fake.address, message_bytes_max=10)
        with pytest.raises(NsqRefused, match="11 bytes, at most 10"):
            await bus.publish("t", bytes(11))
        waiting = asyncio.create_task(bus.publish("t", b"x"))
        await until(lambda: b"PUB t" in fake.commands)
        with pytest.raises(NsqUnavailable, match="1 messages are under way"):
            await bus.publish("t", b"y")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await bus.close()


async def test_what_may_be_in_flight_is_shared_among_the_nsqd() -> None:
    async with fake_nsqd() as one, fake_nsqd() as two:
        bus = bus_on(one.address, two.address, in_flight=10)
        await bus.subscribe("t", "c")
        await until(lambda: one.commands[-1:] == [b"RDY 5"] and two.commands[-1:] == [b"RDY 5"])
        await two.stop()
        await until(lambda: one.commands[-1:] == [b"RDY 10"])
        await bus.close()
        await two.start()


async def test_a_consumer_never_keeps_more_than_twice_what_may_be_in_flight() -> None:
    async with fake_nsqd() as fake:
        bus = bus_on(fake.address, in_flight=2)
        subscription = await bus.subscribe("t", "c")
        for number in range(7):
            fake.send(message_frame(bytes([number]), message_id=bytes([65 + number]) * 16))
        await until(lambda: bus.stats.received == 7)
        assert [(await subscription.receive()).body[0] for _ in range(4)] == [3, 4, 5, 6]
        assert bus.stats.overflowed == 3
        await bus.close()


async def test_without_any_nsqd_a_consumer_is_told_and_hears_again_when_one_is_back() -> None:
    async with fake_nsqd() as fake:
        bus = bus_on(fake.address)
        subscription = await bus.subscribe("t", "c")
        waiting = asyncio.ensure_future(subscription.receive())
        await fake.stop()
        with pytest.raises(NsqUnavailable, match="receive from t/c: .*" + fake.address):
            await asyncio.wait_for(waiting, 5)
        await fake.start()
        await until(lambda: subscription.connected() == [fake.address])
        fake.send(message_frame(b"again", attempts=2))
        assert (await asyncio.wait_for(subscription.receive(), 5)).body == b"again"
        assert bus.stats.repeated == 1
        assert bus.figures().nsqd == {fake.address: NsqdFigures(connections=1, reconnects=1)}
        await bus.close()


async def test_an_nsqlookupd_that_is_away_leaves_the_configured_nsqd() -> None:
    async with fake_nsqd() as fake:
        away = f"http://127.0.0.1:{free_ports(1)[0]}"
        bus = NsqBus(NsqSettings(nsqd=(fake.address,), lookupd=(away,), lookup_s=0.01, times=TIMES))
        subscription = await bus.subscribe("t", "c")
        assert subscription.connected() == [fake.address]
        await bus.close()
        alone = NsqBus(NsqSettings(lookupd=(away,), times=TIMES))
        with pytest.raises(NsqUnavailable, match=r"nsqlookupd at .* cannot be asked"):
            await (await alone.subscribe("t", "c")).receive()
        await alone.close()


async def test_a_name_that_nsqd_would_refuse_is_refused_here() -> None:
    bus = bus_on()
    with pytest.raises(InfraError, match="'a b' is no name for a topic or channel"):
        await bus.subscribe("a b", "c")
    with pytest.raises(NsqUnavailable, match="no nsqd is configured"):
        await bus.publish("t", b"x")
    await bus.close()


@pytest.mark.integration
async def test_a_message_whose_consumer_died_before_it_finished_it_comes_again(tmp_path: Path) -> None:
    with Daemon("nsqd", tmp_path / "nsqd") as nsqd:
        bus = NsqBus(NsqSettings(nsqd=(nsqd.address,), times=NsqTimes(message_s=1.0)))
        dying = await bus.subscribe("t", "c")
        await bus.publish("t", b"x")
        first = await asyncio.wait_for(dying.receive(), 5)
        for link in dying._links.values():
            link._keeping.cancel()
        next_one = await bus.subscribe("t", "c")
        second = await asyncio.wait_for(next_one.receive(), 10)
        assert (first.body, first.attempts, second.body, second.attempts) == (b"x", 1, b"x", 2)
        await second.finish()
        await bus.close()


@pytest.mark.integration
async def test_two_nsqd_found_by_nsqlookupd_are_both_heard(tmp_path: Path) -> None:
    with Daemon("nsqlookupd", tmp_path / "lookupd") as lookupd:
        flag = f"--lookupd-tcp-address={lookupd.address}"
        one, two = (Daemon("nsqd", tmp_path / name, flag) for name in ("one", "two"))
        with one, two:
            publishing = bus_on(one.address, two.address)
            listening = NsqBus(NsqSettings(lookupd=(lookupd.url,), lookup_s=0.1, times=TIMES))
            for _ in range(2):
                await publishing.publish("t", b"first")
            subscription = await listening.subscribe("t", "c")
            await until(lambda: len(subscription.connected()) == 2)
            for _ in range(2):
                await publishing.publish("t", b"second")
            bodies = sorted([(await asyncio.wait_for(subscription.receive(), 5)).body for _ in range(4)])
            assert bodies == [b"first", b"first", b"second", b"second"]
            await listening.close()
            await publishing.close()
