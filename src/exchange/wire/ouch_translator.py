"""Both ways of the OUCH gateway behind one border: bytes of a client to commands, durable events to bytes of clients.

This is the definition; a native one has the same three calls and gives the same bytes. The state is made by events
alone and can be written and read, so that an engine that starts need not see all events again.
"""

from __future__ import annotations

import msgspec

from exchange.wire.ouch_inbound import Decoded, Port
from exchange.wire.ouch_outbound import Outbound, Run
from exchange.wire.ouch_session import Session, State

__all__ = ["Decoded", "OuchTranslator", "Run"]


class OuchTranslator:
    """The sessions of one engine."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self._symbol_ids = {symbol: number for number, symbol in self.state.symbols.items()}
        self._ports = {
            number: Port(session, self._symbol_ids, self.state.business_date)
            for number, session in self.state.sessions.items()
        }
        for order in self.state.orders.values():
            self._ports[order.session].live[order.number] = order
        self._outbound = Outbound(self.state, self._ports, self._symbol_ids)

    def decode(self, session: int, data: bytes | bytearray, waiting_max: int) -> Decoded:
        """Turn what a session's client sent into command records; see `ouch_inbound.Port.decode`."""
        return self._ports[session].decode(data, waiting_max)

    def encode(self, events: bytes) -> list[Run]:
        """Turn durable event records into what each session is sent; see `ouch_outbound.Outbound.encode`."""
        return self._outbound.encode(events)

    def cancel_some(self, session: int) -> tuple[bytes, int]:
        """Return commands that cancel live orders of a session, and how many; fewer than there are where many."""
        return self._ports[session].cancel_some()

    def follow_ups(self) -> list[bytes]:
        """Return the commands that the events encoded since the last call ask for."""
        commands, self._outbound.follow_ups = self._outbound.follow_ups, []
        return commands

    def session(self, session: int) -> Session | None:
        """Return what is known of a session, read only."""
        return self.state.sessions.get(session)

    def live_orders(self, session: int) -> int:
        """Return how many live orders a session has."""
        return len(self._ports[session].live)

    def waiting(self, session: int) -> int:
        """Return how many user reference numbers of a session wait for their answer."""
        return len(self._ports[session].waiting)

    def snapshot(self) -> bytes:
        """Return the whole state."""
        return msgspec.msgpack.encode(self.state)

    @classmethod
    def restore(cls, data: bytes) -> OuchTranslator:
        """Make the translator that wrote a snapshot. Raise `ValueError` where it is none."""
        state = msgspec.msgpack.decode(data, type=State)
        for order in state.orders.values():
            # Whether a cancel that was under way came to the venue, the events after this tell.
            order.is_cancelling = False
        return cls(state)
