"""The translator of OUCH in Rust behind the interface of `OuchTranslator`: the same bytes from the same bytes.

Importing this raises `ImportError` where the wheel `exchange-native` is not installed. The definition says what a
broken message is; only what was found where comes from the native one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, cast

import msgspec

from exchange.domain.reasons import Reason
from exchange.wire import native
from exchange.wire.ouch import INBOUND, appendage_of, layout_of
from exchange.wire.ouch_codes import CANCEL_REASONS, REJECT_REASONS
from exchange.wire.ouch_inbound import PACKET_LENGTH_MAX, Decoded
from exchange.wire.ouch_outbound import Run
from exchange.wire.ouch_session import Session, State
from exchange.wire.ouch_translator import OuchTranslator
from exchange.wire.records import ProtocolError
from exchange.wire.soupbintcp import Packet, check_length

_REASONS_END = 256


class NativeOuchTranslator(OuchTranslator):
    """The sessions of one engine; what each method means says `OuchTranslator`."""

    def __init__(self, state: State | None = None) -> None:
        self._core = native.OuchTranslator(
            bytes(REJECT_REASONS.get(reason, 0) for reason in range(_REASONS_END)),
            bytes(CANCEL_REASONS.get(reason, b"\0")[0] for reason in range(_REASONS_END)),
            int(Reason.UNKNOWN_ORDER),
            int(Reason.AMEND_BELOW_FILLED),
            _rows_of(state or State()),
        )
        self.state = cast(State, NativeState(self._core))

    def decode(self, session: int, data: bytes | bytearray, waiting_max: int) -> Decoded:
        """Turn what a session's client sent into command records."""
        try:
            consumed, commands, count, packets, blocked, messages = self._core.decode(
                session, bytes(data), waiting_max
            )
        except ValueError as error:
            _complain(error)
        return Decoded(consumed, commands, count, [Packet(*one) for one in packets], blocked, messages)

    def encode(self, events: bytes) -> list[Run]:
        """Turn durable event records into what each session is sent."""
        return [Run(*row) for row in self._core.encode(events)]

    def cancel_some(self, session: int) -> tuple[bytes, int]:
        """Return commands that cancel live orders of a session, and how many."""
        return self._core.cancel_some(session)

    def follow_ups(self) -> list[bytes]:
        """Return the commands that the events encoded since the last call ask for."""
        return self._core.follow_ups()

    def session(self, session: int) -> Session | None:
        """Return what is known of a session, read only."""
        row = self._core.session(session)
        return Session(*row) if row else None

    def live_orders(self, session: int) -> int:
        """Return how many live orders a session has."""
        return self._core.live_orders(session)

    def waiting(self, session: int) -> int:
        """Return how many user reference numbers of a session wait for their answer."""
        return self._core.waiting(session)

    def snapshot(self) -> bytes:
        """Return the whole state."""
        return self._core.snapshot()


class NativeState:
    """What is asked of the state while it lives in the compiled module."""

    def __init__(self, core: native.OuchTranslator) -> None:
        self._core = core
        self.sessions = _Sessions(core)

    @property
    def event_sequence(self) -> int:
        """Return the sequence of the last event taken in."""
        return self._core.event_sequence

    @property
    def business_date(self) -> int:
        """Return the business date of the streams."""
        return self._core.business_date


class _Sessions(Mapping[int, Session]):
    """The sessions by number, as they stand when they are asked for."""

    def __init__(self, core: native.OuchTranslator) -> None:
        self._core = core

    def __getitem__(self, number: int) -> Session:
        row = self._core.session(number)
        if row is None:
            raise KeyError(number)
        return Session(*row)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self._core.session(number) is not None

    def __iter__(self) -> Iterator[int]:
        return iter(self._core.sessions())

    def __len__(self) -> int:
        return len(self._core.sessions())


def _complain(error: ValueError) -> NoReturn:
    """Raise the `ProtocolError` that the definition raises for what the native one found broken."""
    if len(error.args) == 2:
        offset, length = error.args
        check_length(length, offset, PACKET_LENGTH_MAX)
    (message,) = error.args
    # The definition reads an Enable as the Disable that it looks like.
    layout = INBOUND["D"] if message[:1] == b"E" else layout_of(INBOUND, message)
    appendage_of(layout, message)
    raise ProtocolError("type at offset 0: not one that is taken here")


def _rows_of(state: State) -> Any:
    return (
        state.event_sequence,
        state.business_date,
        [msgspec.structs.astuple(session) for session in state.sessions.values()],
        [msgspec.structs.astuple(order) for order in state.orders.values()],
        [(match_id, [msgspec.structs.astuple(t) for t in sides]) for match_id, sides in state.trades.items()],
        list(state.symbols.items()),
        (tuple(state.announced), state.firm, state.symbol_id),
    )
