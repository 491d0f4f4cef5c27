"""Replay: the same commands through a venue again, with proof that the same events come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from exchange.infra.errors import InfraError
from exchange.infra.journal_format import Kind
from exchange.infra.journal_segments import Batch
from exchange.infra.snapshot import Snapshot
from exchange.matching.batch import AppliedBatch
from exchange.matching.snapshot import digest_of


class ReplayableVenue(Protocol):
    """What sequencer, recovery and follower need of a venue; see `matching/venue.py`."""

    @property
    def partition(self) -> int:
        """Return the partition whose symbols it has."""
        ...

    @property
    def epoch(self) -> int:
        """Return the epoch of the last start."""
        ...

    @property
    def time_ns(self) -> int:
        """Return the time of the last command."""
        ...

    @property
    def command_sequence(self) -> int:
        """Return the sequence of the last command applied."""
        ...

    @property
    def event_sequence(self) -> int:
        """Return the sequence of the last event emitted."""
        ...

    @property
    def running_hash(self) -> int:
        """Return the hash chained over all events."""
        ...

    @property
    def live_orders(self) -> int:
        """Return how many orders rest in all books."""
        ...

    @property
    def next_deadline(self) -> int:
        """Return when a Tick is due, 0 for never."""
        ...

    def apply(self, commands: bytes, time_ns: int) -> bytes:
        """Carry commands out; return their events."""
        ...

    def apply_batch(self, submissions: Sequence[bytes], time_ns: int) -> AppliedBatch:
        """Number the commands of several submissions and carry them out."""
        ...

    def snapshot(self) -> bytes:
        """Return the whole state, canonically."""
        ...

    def digest(self) -> str:
        """Return the digest of the whole state."""
        ...


class VenueKind(msgspec.Struct, frozen=True):
    """A matcher that can be chosen. new: makes an empty venue of a partition; restore: makes one from a snapshot.

    instead: why it runs though another one was wished for, or empty.
    """

    name: str
    rules_version: int
    new: Callable[[int], ReplayableVenue]
    restore: Callable[[bytes], ReplayableVenue]
    instead: str = ""


class MatcherMissing(InfraError):
    """The native matcher is wanted and cannot be had."""


class ReplayFailed(InfraError):
    """A replay did not come out as it was: another program, a damaged file, or a bug."""


class RulesChanged(ReplayFailed):
    """The commands were matched by another version of the rules."""


def python_matcher() -> VenueKind:
    """Return the matcher in Python, which is the definition."""
    from exchange.matching.venue import RULES_VERSION, Venue

    return VenueKind("python", RULES_VERSION, Venue, Venue.restore)


def native_matcher() -> VenueKind:
    """Return the matcher in Rust. Raise `MatcherMissing` where it is not installed or of another program version."""
    from exchange.matching.venue import RULES_VERSION

    try:
        from exchange.matching.native import NATIVE_RULES_VERSION, NativeVenue
    except ModuleNotFoundError as error:
        raise MatcherMissing(
            "the native matcher is not installed: install Rust and run `make setup` again"
        ) from error
    except ImportError as error:
        raise MatcherMissing(str(error)) from error
    if NATIVE_RULES_VERSION != RULES_VERSION:
        raise MatcherMissing(
            f"the native matcher has rules version {NATIVE_RULES_VERSION}, this program {RULES_VERSION}: run"
            " `make setup` again"
        )
    return VenueKind("native", RULES_VERSION, NativeVenue, NativeVenue.restore)


def choose_matcher(setting: Literal["auto", "python", "native"] = "auto") -> VenueKind:
    """Return the matcher that a setting names; `auto` is the native one where it can be had.

    Raise `MatcherMissing` where the native one is demanded and cannot be had.
    """
    if setting == "python":
        return python_matcher()
    try:
        return native_matcher()
    except MatcherMissing as missing:
        if setting == "native":
            raise
        return msgspec.structs.replace(python_matcher(), instead=str(missing))


def replay_batch(venue: ReplayableVenue, batch: Batch, rules_version: int) -> bytes:
    """Carry out the commands of a journal batch, having compared the venue with what stood there then.

    Return the events. Raise `ReplayFailed` where sequence, hash or rules differ.
    """
    header, where = batch.header, f"{batch.path} at offset {batch.offset}"
    seen = (venue.command_sequence + 1, venue.event_sequence, venue.running_hash)
    written = (header.first_sequence, header.event_sequence, header.running_hash)
    if seen != written:
        raise ReplayFailed(
            f"the replay differs from history before command {header.first_sequence} ({where}): next command, event"
            f" sequence and running hash are {_shown(seen)}, written were {_shown(written)}. Nothing was changed; check"
            " that this is the program version that wrote the journal, look at it with `exchange journal check`, then"
            " restore a backup with `exchange restore`"
        )
    if header.kind != Kind.COMMANDS:
        return b""
    if header.rules_version != rules_version:
        raise RulesChanged(
            f"commands from {header.first_sequence} on ({where}) were matched by rules version {header.rules_version},"
            f" this program has {rules_version}. Start the version that wrote them and stop it cleanly, which writes a"
            " snapshot; then this one starts from there"
        )
    return venue.apply(batch.payload, header.time_ns)


def snapshot_of(venue: ReplayableVenue, rules_version: int) -> Snapshot:
    """Return the state of a venue as a snapshot."""
    return Snapshot(
        venue.partition,
        rules_version,
        venue.epoch,
        venue.command_sequence,
        venue.event_sequence,
        venue.running_hash,
        venue.time_ns,
        venue.digest(),
        venue.snapshot(),
    )


def venue_from(snapshot: Snapshot, kind: VenueKind) -> ReplayableVenue:
    """Return the venue a snapshot holds. Raise `ReplayFailed` where its digest is another one.

    Of a snapshot of older rules, which the venue brings up to date, the digest is that of its bytes.
    """
    venue = kind.restore(snapshot.state)
    is_older = snapshot.rules_version < kind.rules_version
    digest = digest_of(snapshot.state) if is_older else venue.digest()
    if digest != snapshot.digest or venue.command_sequence != snapshot.command_sequence:
        raise ReplayFailed(
            f"the snapshot after command {snapshot.command_sequence} gives a state with digest {digest},"
            f" written was {snapshot.digest}"
        )
    return venue


def _shown(state: tuple[int, int, int]) -> str:
    return f"{state[0]}, {state[1]}, {state[2]:016x}"
