"""One connection to nsqd: answers find their askers, and every way to go ends it once, with the reason."""

from __future__ import annotations

import asyncio

import pytest

from exchange.infra import nsq_connection
from exchange.infra.nsq_connection import NsqConnection, NsqRefused, NsqTimes, NsqUnavailable
from exchange.wire import nsq
from tests.infra.event_streams import until
from tests.infra.fake_nsqd import fake_nsqd, frame, message_frame, polite
from tests.infra.nsq_daemons import free_ports

TIMES = NsqTimes(connect_s=2, answer_s=2, heartbeat_s=2)


def except_for(name: bytes, answer: bytes | None) -> nsq.Frame | object:
    """Answer one command in another way than politely."""
    return lambda line, body: answer if line.startswith(name) else polite(line, body)


async def test_commands_are_answered_in_their_order() -> None:
    async with fake_nsqd() as fake:
        connection = await NsqConnection.open(fake.address, TIMES)
        answers = await asyncio.gather(*(connection.ask(nsq.publish("t", b"1")) for _ in range(20)))
        assert answers == [nsq.OK] * 20
        await connection.close()
        await connection.close()
        with pytest.raises(NsqUnavailable, match="closed"):
            await connection.ask(nsq.publish("t", b"1"))


async def test_heartbeats_are_answered_and_messages_handed_over() -> None:
    taken: list[nsq.Message] = []
    async with fake_nsqd() as fake:
        connection = await NsqConnection.open(fake.address, TIMES, lambda _, message: taken.append(message))
        fake.send(frame(0, nsq.HEARTBEAT) + message_frame(b"one") + message_frame(b"two", attempts=4))
        await until(lambda: b"NOP" in fake.commands)
        assert [(message.body, message.attempts) for message in taken] == [(b"one", 1), (b"two", 4)]
        await connection.close()


async def test_an_nsqd_that_is_not_there_is_told_with_its_address() -> None:
    (port,) = free_ports(1)
    with pytest.raises(NsqUnavailable, match=f"127.0.0.1:{port} cannot be reached"):
        await NsqConnection.open(f"127.0.0.1:{port}", TIMES)


async def test_an_nsqd_that_resets_fails_who_waits_and_freezes_nobody() -> None:
    async with fake_nsqd(except_for(b"PUB", None)) as fake:  # type: ignore[arg-type]
        connection = await NsqConnection.open(fake.address, TIMES)
        asking = asyncio.create_task(connection.ask(nsq.publish("t", b"1")))
        await until(lambda: b"PUB t" in fake.commands)
        await fake.stop()
        with pytest.raises(NsqUnavailable, match=r"broke|closed the connection"):
            await asyncio.wait_for(asking, 5)
        assert connection.ended.is_set()
        await connection.close()
        await fake.start()


async def test_an_answer_that_does_not_come_ends_the_connection() -> None:
    async with fake_nsqd(except_for(b"PUB", None)) as fake:  # type: ignore[arg-type]
        connection = await NsqConnection.open(fake.address, NsqTimes(answer_s=0.05))
        with pytest.raises(NsqUnavailable, match=r"did not answer within 0.05 s"):
            await connection.ask(nsq.publish("t", b"1"))
        assert connection.ended.is_set()
        await connection.close()


async def test_a_half_open_connection_is_noticed_by_its_silence() -> None:
    async with fake_nsqd() as fake:
        connection = await NsqConnection.open(fake.address, NsqTimes(heartbeat_s=0.02))
        await asyncio.wait_for(connection.ended.wait(), 5)
        assert "was silent for 0.04 s" in connection.problem
        await connection.close()


async def test_a_refused_command_is_told_and_one_late_message_ends_nothing() -> None:
    refusal = frame(1, b"E_BAD_TOPIC PUB topic name is not valid")
    async with fake_nsqd(except_for(b"PUB", refusal)) as fake:  # type: ignore[arg-type]
        connection = await NsqConnection.open(fake.address, TIMES)
        fake.send(frame(1, b"E_FIN_FAILED FIN 0123 failed ID not in flight"))
        await until(lambda: connection.late == 1)
        assert not connection.ended.is_set()
        with pytest.raises(NsqRefused, match="E_BAD_TOPIC PUB topic name"):
            await connection.ask(nsq.publish("t", b"1"))
        await connection.close()


async def test_nonsense_ends_the_connection_with_its_place() -> None:
    async with fake_nsqd() as fake:
        connection = await NsqConnection.open(fake.address, TIMES)
        fake.send(b"HTTP/1.1 400 Bad Request\r\n")
        await asyncio.wait_for(connection.ended.wait(), 5)
        assert "frame length at offset 0" in connection.problem
        await connection.close()


async def test_an_nsqd_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsq_connection, "UNSENT_BYTES_MAX", 10)
    async with fake_nsqd() as fake:
        connection = await NsqConnection.open(fake.address, TIMES)
        connection.tell(nsq.publish("t", bytes(30 << 20)))
        assert "takes nothing" in connection.problem
        await connection.close()
