"""What all events share."""

from __future__ import annotations

import msgspec

from exchange.domain.units import CommandSequence, EventSequence, SymbolId, TimeNs


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What all events share. symbol_id: 0 where the event concerns no symbol."""

    sequence: EventSequence
    command_sequence: CommandSequence
    time_ns: TimeNs
    epoch: int
    partition: int = 0
    last_of_command: bool = True
    symbol_id: SymbolId = SymbolId(0)
