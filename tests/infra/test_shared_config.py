"""Documents and proposals in Redis: versions in order, one of two is told, and damage is said."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from exchange.infra.config_document import Document
from exchange.infra.errors import InfraError
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_config import (
    PROPOSALS_KEPT,
    RUNNING_FIELDS_MAX,
    VERSIONS_KEPT,
    Proposal,
    Running,
    SharedConfig,
    VersionTaken,
)
from tests.infra.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

FIRST = Document(version=1, at="now", note="why", values={"exchange.rate_per_s": 10}, who="ann")
SECOND = Document(version=2)
OPEN = Proposal(number=0, base=2, document=FIRST, expires_at="2026-11-24T00:00:00Z")


@pytest.fixture
async def link() -> AsyncIterator[RedisLink]:
    with RedisServer() as server:
        link = RedisLink(server.url, "test:0", 5.0)
        yield link
        await link.close()


@pytest.fixture
def shared(link: RedisLink) -> SharedConfig:
    return SharedConfig(link)


async def test_versions_follow_each_other_and_are_kept(shared: SharedConfig) -> None:
    assert (await shared.newest_version(), await shared.history()) == (0, [])
    assert await shared.newest() == Document()
    for document in (FIRST, SECOND):
        await shared.publish(document)
    assert await shared.history() == [SECOND, FIRST]
    assert await shared.newest() == SECOND
    assert await shared.document(1) == FIRST
    assert await shared.document(0) == Document()
    assert await shared.document(7) is None


async def test_of_two_who_apply_at_once_one_is_told(shared: SharedConfig) -> None:
    await shared.publish(FIRST)
    with pytest.raises(VersionTaken, match="somebody else applied one"):
        await shared.publish(msgspec.structs.replace(FIRST, note="other"))
    assert await shared.document(1) == FIRST


async def test_a_version_may_leap_over_those_that_redis_has_lost(shared: SharedConfig) -> None:
    leap = msgspec.structs.replace(FIRST, version=VERSIONS_KEPT + 7)
    await shared.publish(leap, after=0)
    assert await shared.newest() == leap
    assert await shared.history() == [leap]


async def test_proposals_are_numbered_kept_and_decided_once(shared: SharedConfig) -> None:
    assert await shared.proposals() == []
    first, second = await shared.propose(OPEN), await shared.propose(OPEN)
    assert (first.number, second.number) == (1, 2)
    assert await shared.proposals() == [second, first]
    approved = msgspec.structs.replace(first, state="approved", decided_by="bob")
    await shared.decide(first, approved)
    assert await shared.proposal(1) == approved
    with pytest.raises(VersionTaken, match="proposal 1 was decided by somebody else"):
        await shared.decide(first, msgspec.structs.replace(first, state="rejected"))
    assert await shared.proposal(9) is None


async def test_old_proposals_are_forgotten(shared: SharedConfig) -> None:
    for _ in range(PROPOSALS_KEPT + 2):
        await shared.propose(OPEN)
    kept = await shared.proposals()
    assert (len(kept), kept[-1].number) == (PROPOSALS_KEPT, 3)


async def test_components_say_what_they_run(shared: SharedConfig) -> None:
    running = Running(version=3, pending=("engine.port",), problem="some")
    await shared.report("engine on port 1", running)
    assert await shared.running() == {"engine on port 1": running}


async def test_the_list_of_components_is_bounded(shared: SharedConfig, link: RedisLink) -> None:
    many = [part for number in range(RUNNING_FIELDS_MAX) for part in (f"old {number}", b"{}")]
    await link.call(("HSET", link.key("config", "running"), *many))
    await shared.report("engine", Running(version=1))
    assert await shared.running() == {"engine": Running(version=1)}


@pytest.mark.parametrize(
    ("field", "body"), [("1", b"no JSON"), ("1", b'{"version": "x"}'), ("newest", b"abc")]
)
async def test_damage_in_redis_is_said(
    shared: SharedConfig, link: RedisLink, field: str, body: bytes
) -> None:
    await shared.publish(FIRST)
    await link.call(("HSET", link.key("config", "documents"), field, body))
    with pytest.raises(InfraError, match="the shared configuration in Redis is damaged"):
        await shared.newest()
