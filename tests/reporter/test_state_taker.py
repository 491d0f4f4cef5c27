"""A reporter without events takes them from a peer and then answers what the peer answers; a wrong peer is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from exchange.infra.component_key import KEY_VARIABLE
from exchange.reporter import state_taker
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import WITHIN_S, Stand
from tests.reporter.test_app import answers, until
from tests.reporter.test_state_api import AUTHORIZED, COMPONENT, with_component


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, COMPONENT)
    monkeypatch.setattr(state_taker, "BACK_OFF_FIRST_S", 0.001)


@asynccontextmanager
async def peer_of(folder: Path, seed: int = 8) -> AsyncIterator[Stand]:
    """A reporter that has seen a market."""
    async with Stand(folder / "peer", VenueFlow(seed)) as peer:
        await peer.publish(peer.flow.open())
        await with_component(peer)
        await peer.publish(*peer.flow.random_batches(12))
        yield peer


def replica_of(peer: Stand, folder: Path, *peers: str) -> Stand:
    """Another reporter of the same engine."""
    replica = Stand(folder, peer.flow, peers=list(peers or (peer.app.url,)))
    replica.source = replica.app._source = peer.source
    return replica


async def copies(stand: Stand) -> list[Any]:
    """Return all drop copies of the members."""
    found = []
    for participant in (1, 2):
        query = {"participant": str(participant), "limit": "1000"}
        async with stand.http.get("/api/v1/drop-copy", params=query, headers=AUTHORIZED) as answer:
            found.append(msgspec.json.decode(await answer.read()))
    return found


async def replayed(stand: Stand) -> list[dict[str, Any]]:
    """Return the trades of a symbol from the first event on, as its stream tells them."""
    client = await stand.listen()
    await client.ask(op="subscribe", id="s", channel="trades", symbols=["AAPL"], from_seq=1)
    heard = await client.everything()
    await client.socket.close()
    return heard


async def test_after_it_everything_is_as_at_the_peer_though_the_engine_lost_it(tmp_path: Path) -> None:
    async with peer_of(tmp_path) as peer:
        peer.source.gone = peer.source.last_sequence
        async with replica_of(peer, tmp_path / "replica") as replica:
            assert await answers(replica) == await answers(peer)
            assert await copies(replica) == await copies(peer)
            more = peer.flow.random_batches(8)
            await peer.publish(*more)
            await replica.publish()
            assert await answers(replica) == await answers(peer)
            assert await copies(replica) == await copies(peer)
            assert any(message["type"] == "trade" for message in await replayed(peer))
            seen = [
                [message for message in await replayed(each) if message["type"] == "trade"]
                for each in (replica, peer)
            ]
            assert seen[0] == seen[1]


async def test_a_peer_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    async with peer_of(tmp_path) as peer:
        peer.source.gone = peer.source.last_sequence
        async with replica_of(peer, tmp_path / "replica", "http://127.0.0.1:1", peer.app.url) as replica:
            assert await answers(replica) == await answers(peer)


async def _said_by(peer: Stand, replica: Stand) -> str:
    """Start a replica that the engine can bring up by itself; return why it did not take the peer's state."""
    with structlog.testing.capture_logs() as logs:
        async with replica:
            await replica.publish()
            assert replica.app.market.sequence == replica.source.last_sequence
    assert not [line for line in logs if line["event"] == "state_taken"]
    return next(line["reason"] for line in logs if line["event"] == "state_not_taken")


async def test_a_peer_of_another_engine_is_refused(tmp_path: Path) -> None:
    other = VenueFlow(9)
    async with peer_of(tmp_path) as peer, Stand(tmp_path / "other", other) as engine:
        replica = Stand(tmp_path / "replica", other, peers=[peer.app.url])
        await engine.publish(other.open(), *other.random_batches(60))
        replica.source = replica.app._source = engine.source
        said = await _said_by(peer, replica)
        assert "another one than the engine's" in said, said


async def test_a_peer_that_is_ahead_of_the_engine_is_refused(tmp_path: Path) -> None:
    async with peer_of(tmp_path) as peer:
        replica = Stand(tmp_path / "replica", peer.flow, peers=[peer.app.url])
        replica.source.batches = peer.source.batches[:-1]
        replica.app._source = replica.source
        assert "it is ahead" in await _said_by(peer, replica)


async def test_without_any_peer_that_helps_it_says_that_events_are_gone(tmp_path: Path) -> None:
    async with peer_of(tmp_path) as peer:
        peer.source.gone = peer.source.last_sequence
        async with (
            replica_of(peer, tmp_path / "replica", "http://127.0.0.1:1") as replica,
            asyncio.timeout(WITHIN_S),
        ):
            await until(replica, "EventsGone")


async def test_a_store_that_the_engine_can_go_on_from_is_left_alone(tmp_path: Path) -> None:
    async with peer_of(tmp_path) as peer:
        async with replica_of(peer, tmp_path / "replica") as replica:
            await replica.publish()
        replica.config = msgspec.structs.replace(replica.config)
        with structlog.testing.capture_logs() as logs:
            await replica.restart()
            await replica.__aexit__(None, None, None)
    assert not [line for line in logs if line["event"].startswith("state_")]
