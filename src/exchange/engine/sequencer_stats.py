"""What the sequencer says of itself: counters and how long the disk takes, as values."""

from __future__ import annotations

import msgspec

from exchange.infra.journal import JournalStats


class SequencerStats(msgspec.Struct, frozen=True):
    """One reading. pending_commands: received and not yet answered; write_…_ns: of journal batches, disk sync included.

    braked: why commands are refused for now, or empty; durable_sequence, durable_event_sequence: the last command and
    event on disk; halted: the reason, or empty.
    """

    epoch: int
    batches: int
    commands: int
    events: int
    batch_commands_max: int
    pending_commands: int
    pending_commands_max: int
    braked: str
    command_sequence: int
    durable_sequence: int
    durable_event_sequence: int
    write_p50_ns: int
    write_p99_ns: int
    write_max_ns: int
    journal: JournalStats
    halted: str
