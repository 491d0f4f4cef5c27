"""A reporter that has nothing, or that the engine can no longer bring up to date, takes the state of a peer.

Rules:
- An empty store asks the peers in their order; where none helps and the engine keeps every event, the stream does.
- A store that the engine has no events for any more asks them again and again, a few rounds, with a growing pause.
- A peer of another engine, partition or program, or one that is ahead of the engine, is refused and said why.
- A state goes in whole or not at all.
"""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Engine

from exchange.infra.errors import EventsGone, InfraError, SourceUnavailable
from exchange.infra.event_source import EventSource
from exchange.infra.feed_window import epoch_of, record_of
from exchange.infra.store import Position
from exchange.reporter.state_api import PATH
from exchange.reporter.state_copy import check_fits, take_state
from exchange.reporter.state_stream import StateHeader, StateReader, StateRefused

ROUNDS_MAX = 5
BACK_OFF_FIRST_S = 0.5
BACK_OFF_LAST_S = 5.0
ANSWER_S = 30.0
"""How long a peer may send nothing."""
SAID_EVERY_S = 5.0

log = structlog.get_logger(component="reporter")


async def take_from_peers(
    store: Engine,
    partition: int,
    position: Position,
    peers: Sequence[str],
    source: EventSource,
    key: Callable[[], str],
) -> str:
    """Take the state of the first peer that has a fitting one, where that is needed; return its address, or nothing.

    position: where the store stands. key: finds that of role component, or raises `InfraError`.
    """
    pause_s = BACK_OFF_FIRST_S
    for number in range(1, ROUNDS_MAX + 1):
        lost = await _is_lost(source, position)
        if lost is False and position.sequence:
            return ""
        for peer in peers if lost is not None else ():
            try:
                await _take(store, partition, peer, source, key)
            except InfraError as error:
                log.warning("state_not_taken", peer=peer, reason=str(error), round=number)
            else:
                return peer
        if lost is False:
            return ""
        if number < ROUNDS_MAX:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, BACK_OFF_LAST_S)
    return ""


async def _is_lost(source: EventSource, position: Position) -> bool | None:
    """Tell whether the engine no longer keeps the events after a position; None where it cannot be asked."""
    try:
        await source.fetch(position.sequence)
    except EventsGone:
        return True
    except SourceUnavailable as error:
        log.warning("state_waits_for_engine", reason=str(error))
        return None
    return False


async def _take(
    store: Engine, partition: int, peer: str, source: EventSource, key: Callable[[], str]
) -> None:
    transfer = _Transfer(peer)
    try:
        header = await asyncio.to_thread(lambda: transfer.begin(key()))
        check_fits(header, partition)
        await check_engine_agrees(source, header)
        log.info("state_begins", peer=peer, position=header.sequence, rows=sum(header.rows.values()))
        await asyncio.to_thread(transfer.into, store, partition)
    finally:
        transfer.close()
    log.info("state_taken", peer=peer, position=header.sequence, rows=sum(header.rows.values()))


async def check_engine_agrees(source: EventSource, header: StateHeader) -> None:
    """Raise `StateRefused` where a state is not one of this engine's events, or the engine cannot go on from it."""
    sequence = header.sequence
    try:
        batch = await source.fetch(sequence - 1)
    except EventsGone as gone:
        if gone.first_kept > sequence + 1:
            raise StateRefused(
                f"it stands at event {sequence}, the engine keeps events from {gone.first_kept} on, none between"
            ) from gone
    else:
        if batch.last_sequence < sequence:
            raise StateRefused(f"it is ahead: it holds event {sequence}, the engine {batch.last_sequence}")
        if batch.first_sequence <= sequence and epoch_of(batch, sequence) != header.epoch:
            raise StateRefused(
                f"its event {sequence} is of epoch {header.epoch}, the engine's of {epoch_of(batch, sequence)}"
            )
    if header.held is None:
        return
    kept, record = header.held
    try:
        batch = await source.fetch(kept - 1)
    except EventsGone:
        return
    if not batch.first_sequence <= kept <= batch.last_sequence or record_of(batch, kept) != record:
        raise StateRefused(f"its event {kept} is another one than the engine's: it follows another engine")


class _Transfer:
    """One answer of a peer, read in threads."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        address = urlsplit(peer)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.netloc, timeout=ANSWER_S)
        self._reader: StateReader | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._ends = threading.Event()
        self._said_s = monotonic()

    def begin(self, key: str) -> StateHeader:
        """Ask, and read the header. Raise `SourceUnavailable` or `StateRefused`."""
        try:
            self._connection.request("GET", PATH, headers={"Authorization": f"Bearer {key}"})
            self._answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise SourceUnavailable(f"{self._peer} cannot be reached: {error!r}") from error
        if self._answer.status != http.HTTPStatus.OK:
            said = self._read(300).decode(errors="replace")
            raise SourceUnavailable(f"{self._peer} answered {self._answer.status}: {said}")
        self._reader = StateReader(self._read)
        return self._reader.header

    def into(self, store: Engine, partition: int) -> None:
        """Put what comes into a store. Raise `SourceUnavailable` or `StateRefused`; nothing is changed then."""
        assert self._reader is not None, "begin was not called"
        take_state(store, partition, self._reader, self._say)

    def close(self) -> None:
        """Close the connection; who still reads from it stops at the next piece."""
        self._ends.set()
        self._connection.close()

    def _read(self, size: int) -> bytes:
        assert self._answer is not None
        if self._ends.is_set():
            raise SourceUnavailable("the reporter stops")
        try:
            return self._answer.read(size)
        except http.client.IncompleteRead as cut:
            return cut.partial
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise SourceUnavailable(f"{self._peer} broke off: {error!r}") from error

    def _say(self, rows: int, total: int) -> None:
        if monotonic() - self._said_s >= SAID_EVERY_S:
            self._said_s = monotonic()
            log.info("state_comes", peer=self._peer, rows=rows, of=total, percent=100 * rows // max(1, total))
