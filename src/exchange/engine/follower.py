"""The follower: replays the durable journal in a process of its own, proves it, and writes the snapshots.

The engine never waits for it and does not need it. It compares the running hash before every batch with what the
engine wrote there; a difference ends it with `MISMATCH`, said loudly in its report file, which the engine shows. It
ends when its standard input is closed, which happens when the engine dies.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from pathlib import Path

import msgspec

from exchange.engine.engine_folder import EngineFolder
from exchange.engine.replay import (
    ReplayableVenue,
    ReplayFailed,
    VenueKind,
    choose_matcher,
    replay_batch,
    snapshot_of,
    venue_from,
)
from exchange.infra import disk
from exchange.infra.errors import InfraError
from exchange.infra.journal_format import Kind
from exchange.infra.journal_segments import Batch, JournalDamaged, list_segments
from exchange.infra.journal_tail import JournalTail
from exchange.infra.retention import retire, whole_snapshots
from exchange.infra.snapshot import read_snapshot, write_snapshot

POLL_S = 0.1
REPORT_S = 2.0
STUCK_S = 5.0
"""Without progress for so long the rest of the segment is searched for damage."""
FAILED, MISMATCH = 1, 3
"""Exit codes: something the follower could not do; or history that does not repeat itself, which nothing repairs."""


class FollowerReport(msgspec.Struct, frozen=True):
    """What the follower says of itself. state: following, stopped, failed or mismatch; message: what is wrong."""

    state: str
    process_id: int
    command_sequence: int
    snapshot_sequence: int
    running_hash: str
    message: str = ""


class Follower:
    """A second venue, some milliseconds behind. snapshot_every: commands between snapshots, 0 for none."""

    def __init__(
        self,
        folder: Path,
        partition: int,
        kind: VenueKind,
        *,
        snapshot_every: int,
        snapshots_kept: int,
        archive: Path | None,
    ) -> None:
        """Begin at the newest whole snapshot, else at the beginning. Raise `InfraError` where neither is there."""
        self.folder = EngineFolder(folder)
        self.kind = kind
        self.partition = partition
        self.snapshot_every = snapshot_every
        self.snapshots_kept = snapshots_kept
        self.archive = archive
        self.problem = ""
        self.venue = self._first_venue()
        self.snapshot_sequence = self.venue.command_sequence
        self._tail = JournalTail(self.folder.journal, partition, self.venue.command_sequence)

    def step(self) -> int:
        """Replay what has become durable; return the number of batches. Raise `ReplayFailed` or `JournalDamaged`."""
        batches = self._tail.read()
        self._replay(batches)
        return len(batches)

    def finish(self) -> None:
        """Replay the last batch too, of a journal that nobody is writing."""
        self._replay(self._tail.read_held())

    def _replay(self, batches: list[Batch]) -> None:
        for batch in batches:
            replay_batch(self.venue, batch, self.kind.rules_version)
            done = self.venue.command_sequence - self.snapshot_sequence
            if self.snapshot_every and batch.header.kind == Kind.COMMANDS and done >= self.snapshot_every:
                self.take_snapshot()

    def take_snapshot(self) -> Path:
        """Write a snapshot of what was replayed, and remove what is then no longer needed."""
        path = write_snapshot(self.folder.snapshots, snapshot_of(self.venue, self.kind.rules_version))
        self.snapshot_sequence = self.venue.command_sequence
        try:
            retire(self.folder.path, snapshots_kept=self.snapshots_kept, archive=self.archive, wait=True)
            self.problem = ""
        except InfraError as error:
            self.problem = str(error)
        return path

    def check_damage(self) -> None:
        """Raise `JournalDamaged` where there is no going on."""
        self._tail.check_damage()

    def report(self, state: str, message: str = "") -> FollowerReport:
        """Return how far it is."""
        venue = self.venue
        return FollowerReport(
            state,
            os.getpid(),
            venue.command_sequence,
            self.snapshot_sequence,
            f"{venue.running_hash:016x}",
            message or self.problem,
        )

    def close(self) -> None:
        """Close the journal."""
        self._tail.close()

    def _first_venue(self) -> ReplayableVenue:
        for _, path in whole_snapshots(self.folder.snapshots):
            snapshot = read_snapshot(path)
            if snapshot.partition == self.partition:
                return venue_from(snapshot, self.kind)
        return self.kind.new(self.partition)


def read_report(folder: Path) -> FollowerReport | None:
    """Return what the last follower of an engine folder said, if it said anything."""
    try:
        return msgspec.json.decode(EngineFolder(folder).follower_report.read_bytes(), type=FollowerReport)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_report(folder: Path, report: FollowerReport) -> None:
    """Leave a report for the engine and for people, where there is room; it need not survive a power loss."""
    path = EngineFolder(folder).follower_report
    unfinished = path.with_name(path.name + disk.UNFINISHED)
    try:
        unfinished.write_bytes(msgspec.json.encode(report))
        os.replace(unfinished, path)
    except OSError as error:
        sys.stderr.write(f"follower: {path} cannot be written: {error.strerror}\n")


def follow(follower: Follower, parent: int) -> None:
    """Replay until the file descriptor of the parent is closed."""
    folder = follower.folder.path
    reported = progressed = time.monotonic()
    write_report(folder, follower.report("following"))
    while True:
        done = follower.step()
        now = time.monotonic()
        if done:
            progressed = now
        elif now - progressed > STUCK_S:
            follower.check_damage()
            progressed = now
        if now - reported > REPORT_S:
            write_report(folder, follower.report("following"))
            reported = now
        readable, _, _ = select.select([parent], [], [], 0 if done else POLL_S)
        if readable and not os.read(parent, 4096):
            write_report(folder, follower.report("stopped"))
            return


def run(options: argparse.Namespace) -> int:
    """Follow until told to stop; return the exit code."""
    os.nice(10)
    follower = None
    try:
        wait_for_journal(options.folder, sys.stdin.fileno())
        follower = Follower(
            options.folder,
            options.partition,
            choose_matcher(options.matcher),
            snapshot_every=options.snapshot_every,
            snapshots_kept=options.snapshots_kept,
            archive=options.archive,
        )
        follow(follower, sys.stdin.fileno())
    except (ReplayFailed, JournalDamaged) as error:
        return _give_up(options.folder, follower, "mismatch", str(error), MISMATCH)
    except (InfraError, OSError) as error:
        return _give_up(options.folder, follower, "failed", str(error), FAILED)
    return 0


def wait_for_journal(folder: Path, parent: int) -> None:
    """Wait until the engine has made its first segment, or is gone."""
    while not list_segments(EngineFolder(folder).journal):
        readable, _, _ = select.select([parent], [], [], POLL_S)
        if readable and not os.read(parent, 4096):
            raise InfraError(f"{folder}: the engine was gone before it made a journal")


def _give_up(folder: Path, follower: Follower | None, state: str, message: str, code: int) -> int:
    report = (
        follower.report(state, message) if follower else FollowerReport(state, os.getpid(), 0, 0, "", message)
    )
    write_report(folder, report)
    sys.stderr.write(f"follower: {message}\n")
    return code


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line that `FollowerProcess` gives."""
    parser = argparse.ArgumentParser(prog="python -m exchange.engine.follower", description=__doc__)
    parser.add_argument("folder", type=Path, help="DATA/engine")
    parser.add_argument("--partition", type=int, default=0)
    parser.add_argument("--snapshot-every", type=int, default=1_000_000)
    parser.add_argument("--snapshots-kept", type=int, default=3)
    parser.add_argument("--matcher", choices=("auto", "python", "native"), default="auto")
    parser.add_argument("--archive", type=Path, default=None)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    # A signal to the whole group (Ctrl-C, systemd) is for the engine; the follower ends when its input does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(run(parse_options(sys.argv[1:])))
