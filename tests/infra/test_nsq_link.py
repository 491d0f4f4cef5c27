"""A link: it comes back by itself whenever nsqd does, and says once why it is away."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from exchange.infra import nsq_link
from exchange.infra.nsq_connection import NsqConnection, NsqTimes, NsqUnavailable
from exchange.infra.nsq_link import NsqLink
from exchange.wire import nsq
from tests.infra.event_streams import until
from tests.infra.fake_nsqd import fake_nsqd
from tests.infra.nsq_daemons import free_ports

TIMES = NsqTimes(connect_s=2, answer_s=2)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsq_link, "BACK_OFF_FIRST_S", 0.005)
    monkeypatch.setattr(nsq_link, "BACK_OFF_LAST_S", 0.02)


async def greet(connection: NsqConnection) -> None:
    await connection.ask(nsq.subscribe("t", "c"))


async def test_a_link_comes_back_and_introduces_itself_again() -> None:
    changes: list[bool] = []
    async with fake_nsqd() as fake:
        link = NsqLink(
            fake.address, TIMES, opened=greet, changed=lambda: changes.append(link.connection is not None)
        )
        await link.tried.wait()
        assert link.connection is not None
        await fake.stop()
        await until(lambda: link.connection is None)
        assert link.problem
        await fake.start()
        await until(lambda: link.connection is not None)
        assert (link.problem, link.openings) == ("", 2)
        assert fake.commands.count(b"SUB t c") == 2
        assert changes[0] is True
        assert changes[-1] is True
        assert False in changes
        await link.close()


async def test_an_nsqd_that_is_away_is_tried_again_and_told_of_once() -> None:
    (port,) = free_ports(1)
    with capture_logs() as logs:
        link = NsqLink(f"127.0.0.1:{port}", TIMES, opened=greet)
        await asyncio.sleep(0.1)
        await link.close()
    assert "cannot be reached" in link.problem
    assert [entry["event"] for entry in logs] == ["nsqd_away"]


async def test_a_connection_that_cannot_be_introduced_does_not_count() -> None:
    async def refuse(_: NsqConnection) -> None:
        raise NsqUnavailable("not this one")

    async with fake_nsqd() as fake:
        link = NsqLink(fake.address, TIMES, opened=refuse)
        await link.tried.wait()
        assert (link.connection, link.problem) == (None, "not this one")
        await link.close()
