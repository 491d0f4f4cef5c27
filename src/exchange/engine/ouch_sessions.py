"""The OUCH sessions of an engine: their state and streams, made by its events, and made again after a crash.

A checkpoint in the engine's folder holds the state after some event and how long each stream was then. A start reads
it and goes on with the events after it, so that a client that comes back finds every message with its old sequence.
Where the checkpoint is not there, or events after it are gone, the streams begin anew under another session name,
which a client that asks for the old one is told by a refused login.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from exchange.infra import disk
from exchange.infra.event_log import EventLog, EventsGone
from exchange.infra.message_streams import GATHER_BYTES, MessageStreams, StreamExtent
from exchange.matching.venue import Venue
from exchange.wire.envelope import EventBatch
from exchange.wire.ouch_choice import translator_kind
from exchange.wire.ouch_outbound import Run
from exchange.wire.ouch_reference import is_reference, number_of, session_of
from exchange.wire.ouch_session import OuchOrder, Session, State, terms_of
from exchange.wire.ouch_translator import OuchTranslator

CHECKPOINT_FILE = "checkpoint"
CHECKPOINT_EVENTS = 1_000_000
"""A checkpoint is written after so many events, and at a clean stop; a start sees at most so many again."""
_VERSION = 1
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NS_PER_S = 1_000_000_000

log = structlog.get_logger(component="ouch")


class Checkpoint(msgspec.Struct):
    """What a start begins with. suffix: the last two characters of session names; state: of the translator."""

    version: int
    suffix: str
    state: bytes
    streams: dict[int, StreamExtent]
    past_name: str = ""
    past: dict[int, StreamExtent] = {}
    """The streams of the business date before."""


class OuchSessions:
    """State and streams of all sessions. `start` it before the sequencer, `take` every durable batch, `stop` it."""

    def __init__(self, folder: Path, event_log: EventLog, venue: Venue) -> None:
        self.translator: OuchTranslator
        self.streams: MessageStreams
        self.past: MessageStreams | None = None
        """The streams of the business date before, for clients that have not read them to the end."""
        self._folder = folder
        self._event_log = event_log
        self._venue = venue
        self._suffix = "00"
        self._checkpointed = 0
        self._checkpointing: asyncio.Task[None] | None = None

    def start(self, now_ns: int) -> None:
        """Bring the sessions to where the event log is; for a thread. Raise `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        disk.remove_unfinished(self._folder)
        if not self._go_on():
            self._begin_anew(now_ns)
        self._remove_other_folders()

    @property
    def name(self) -> str:
        """Return the name of the present SoupBinTCP session: the business date and two characters."""
        return f"{self.translator.state.business_date:08}{self._suffix}"

    def take(self, batch: EventBatch) -> Iterator[Run]:
        """Take a durable batch in, and give what each session is sent because of it, each run once it is stored.

        Go through all of it. Raise `OSError`.
        """
        yield from self._encode(batch.events)
        due = self.translator.state.event_sequence - self._checkpointed >= CHECKPOINT_EVENTS
        if due and (self._checkpointing is None or self._checkpointing.done()):
            self._checkpointing = asyncio.create_task(self._write_checkpoint())

    async def stop(self) -> None:
        """Write a checkpoint and close the files."""
        if self._checkpointing is not None:
            await self._checkpointing
        await self._write_checkpoint()
        self.streams.close()
        if self.past is not None:
            self.past.close()

    # --- parts ------------------------------------------------------------------------------------

    def _encode(self, events: bytes) -> Iterator[Run]:
        for run in self.translator.encode(events):
            if run.session:
                self.streams.append(run.session, run.packets, run.message_count)
            else:
                self._begin_day()
            yield run

    def _begin_day(self) -> None:
        """Keep the streams of the date that ended, begin new ones, and remove those before."""
        if self.past is not None:
            self.past.remove()
        self.past, self.streams = self.streams, self._open_streams(self.name)

    def _open_streams(self, name: str, extents: dict[int, StreamExtent] | None = None) -> MessageStreams:
        return MessageStreams(self._folder / name, extents, gather_bytes=GATHER_BYTES)

    def _go_on(self) -> bool:
        """Read the checkpoint and take in the events after it; tell whether that could be done."""
        try:
            data = (self._folder / CHECKPOINT_FILE).read_bytes()
            checkpoint = msgspec.msgpack.decode(data, type=Checkpoint)
            self.translator = translator_kind().restore(checkpoint.state)
        except FileNotFoundError:
            return False
        except (msgspec.DecodeError, OSError) as error:
            log.warning("ouch_checkpoint_unreadable", error=str(error), done="streams begin anew")
            return False
        state = self.translator.state
        if checkpoint.version != _VERSION or state.event_sequence > self._event_log.last_sequence:
            log.warning("ouch_checkpoint_unfit", sequence=state.event_sequence, done="streams begin anew")
            return False
        self._suffix = checkpoint.suffix
        self.streams = self._open_streams(self.name, checkpoint.streams)
        if checkpoint.past_name:
            self.past = self._open_streams(checkpoint.past_name, checkpoint.past)
        self._checkpointed = state.event_sequence
        try:
            while (batch := self._event_log.read(state.event_sequence)).count:
                deque(self._encode(batch.events), maxlen=0)
        except EventsGone as error:
            log.warning("ouch_events_gone", error=str(error), done="streams begin anew")
            return False
        self.translator.follow_ups()
        return True

    def _begin_anew(self, now_ns: int) -> None:
        """Make the state from the venue as it stands; what was sent before is not known any more."""
        second = now_ns // _NS_PER_S % len(_LETTERS) ** 2
        self._suffix = _LETTERS[second // len(_LETTERS)] + _LETTERS[second % len(_LETTERS)]
        self.translator = translator_kind()(state_of(self._venue, self._event_log.last_sequence))
        self.streams = self._open_streams(self.name)
        self.past = None
        self._save(self._checkpoint())

    def _remove_other_folders(self) -> None:
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder not in (self.streams.folder, self.past and self.past.folder):
                MessageStreams(folder).remove()

    def _checkpoint(self) -> bytes:
        checkpoint = Checkpoint(
            _VERSION,
            self._suffix,
            self.translator.snapshot(),
            self.streams.extents(),
            self.past.folder.name if self.past else "",
            self.past.extents() if self.past else {},
        )
        return msgspec.msgpack.encode(checkpoint)

    async def _write_checkpoint(self) -> None:
        try:
            checkpoint, sequence = self._checkpoint(), self.translator.state.event_sequence
            await asyncio.to_thread(self._save, checkpoint)
            self._checkpointed = sequence
        except OSError as error:
            log.error("ouch_checkpoint_failed", error=str(error), meaning="the next start takes longer")

    def _save(self, checkpoint: bytes) -> None:
        for streams in filter(None, (self.past, self.streams)):
            streams.sync()
        disk.write_whole(self._folder / CHECKPOINT_FILE, checkpoint)


def state_of(venue: Venue, event_sequence: int) -> State:
    """Return what the venue tells of sessions: who they are, and their live orders. No message was ever sent."""
    directory = venue.directory
    state = State(event_sequence=event_sequence, business_date=venue.business_date)
    for symbol in directory.symbols.values():
        state.symbols[symbol.symbol_id] = symbol.symbol.encode("ascii").ljust(8)
    for key in directory.keys.values():
        terms = terms_of(key.label, key.key_id)
        if terms is not None:
            state.sessions[key.key_id] = Session(
                key.key_id, terms.user, terms.account_id, key.participant_id, terms.cancel_on_disconnect
            )
    for symbol_id in state.symbols:
        for side in venue.orders(symbol_id):
            for order in side:
                reference = order.client_order_id.encode("ascii")
                if not is_reference(reference):
                    continue
                session = state.sessions.get(session_of(reference))
                if session is None or session.account_id != order.account_id:
                    continue
                number = number_of(reference)
                session.last_number = max(session.last_number, number)
                state.orders[order.order_id] = OuchOrder(
                    order.order_id, session.session, number, reference, symbol_id, order.order_type, order.price,
                    order.quantity, order.leaves, bool(order.flags & 1),
                )  # fmt: skip
    return state
