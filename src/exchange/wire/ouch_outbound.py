"""From event records to what sessions are sent: the other side of the translation, without a socket.

`Outbound.encode` takes durable events, whole commands, in order; it keeps the state of the sessions and gives each
session's messages as SoupBinTCP `S` packets. It depends on nothing but the events before, so a session's stream can
be made again from them, byte for byte.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.order import CancelReason, OrderFlag, OrderType, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.units import OrderId, ParticipantId, public_id
from exchange.wire import ouch_messages as m
from exchange.wire import ouch_reference as ref
from exchange.wire.ouch import LAYOUTS as OUCH_LAYOUTS
from exchange.wire.ouch import MARKET_PRICE, SYMBOL_CHARACTERS
from exchange.wire.ouch_codes import (
    ADDED,
    ADDED_HIDDEN,
    CANCEL_REASONS,
    CONTINUOUS,
    CROSS_CODES,
    HIDDEN_DISPLAY,
    POST_ONLY_DISPLAYS,
    REJECT_REASONS,
    REMOVED,
    TIME_IN_FORCE_CODES,
    RejectReason,
    Tag,
)
from exchange.wire.ouch_inbound import NO_ORDER_TYPE, SECOND_NS, Port
from exchange.wire.ouch_reference import Note, NoteKind
from exchange.wire.ouch_session import (
    TRADES_REMEMBERED,
    Announced,
    OuchOrder,
    OuchTrade,
    Session,
    State,
    terms_of,
)
from exchange.wire.records import (
    LAYOUTS,
    LENGTH,
    SEQUENCE,
    SEQUENCE_OFFSET,
    decode_event,
    encode_command,
    number_of,
)
from exchange.wire.soupbintcp import SEQUENCED, packet

DAY_NS = 86_400_000_000_000
TYPE_OFFSET = 4
PREVENTED = CANCEL_REASONS[CancelReason.SELF_TRADE]
_ACCEPTED = LAYOUTS[e.OrderAccepted].struct
_REJECTED = LAYOUTS[e.OrderRejected].struct
_CANCELLED = LAYOUTS[e.OrderCancelled].struct
_AMENDED = LAYOUTS[e.OrderAmended].struct
_REPLACED = LAYOUTS[e.OrderReplaced].struct
_EXECUTED = LAYOUTS[e.TradeExecuted].struct
_TERMS = LAYOUTS[e.SpecialTermsAccepted].struct
_REFRESHED = LAYOUTS[e.OrderRefreshed].struct
_PREVENTED = LAYOUTS[e.MatchPrevented].struct
_REFUSED = LAYOUTS[e.CommandRejected].struct
_TERMS_NUMBER = number_of(e.SpecialTermsAccepted)
_CANCEL_NUMBER = number_of(c.CancelOrder)
_AMEND_NUMBER = number_of(c.AmendOrder)
_REPLACE_NUMBER = number_of(c.ReplaceOrder)
_PACK = {value_type: layout.struct.pack for value_type, layout in OUCH_LAYOUTS.items()}
_OPTION_U32 = struct.Struct(">BBI")
_OPTION_U64 = struct.Struct(">BBQ")


class Run(NamedTuple):
    """Messages of one session: whole `S` packets, `message_count` of them. session: 0 where a new business date begins,
    which is `message_count`; all streams begin anew there.
    """

    session: int
    packets: bytes
    message_count: int


class Prevented(NamedTuple):
    """Two orders of one group did not trade; the cancels and reductions that follow within the command say so."""

    command: int = 0
    resting_id: int = 0
    price: int = 0
    quantity: int = 0


class Outbound:
    """Keeps the state of all sessions of an engine. ports: by session; the numbers they wait for are crossed off."""

    def __init__(self, state: State, ports: dict[int, Port], symbol_ids: dict[bytes, int]) -> None:
        self.state = state
        self.ports = ports
        self.symbol_ids = symbol_ids
        self.follow_ups: list[bytes] = []
        """Commands that answers ask for, such as the cancel of an order that cannot be made that small."""
        self._runs: list[Run] = []
        self._packets: dict[int, list[bytes]] = {}
        self._time = 0
        self._prevented = Prevented()
        self._take: dict[int, Callable[[bytes, int], None]] = {
            number_of(e.OrderAccepted): self._accepted,
            number_of(e.OrderRejected): self._rejected,
            number_of(e.OrderCancelled): self._cancelled,
            number_of(e.OrderAmended): self._amended,
            number_of(e.OrderReplaced): self._replaced,
            number_of(e.TradeExecuted): self._executed,
            number_of(e.OrderRefreshed): self._refreshed,
            number_of(e.MatchPrevented): self._match_prevented,
            number_of(e.CommandRejected): self._refused,
            number_of(e.TradeBusted): self._busted,
            number_of(e.TradeCorrected): self._corrected,
            number_of(e.SymbolAdded): self._symbol_added,
            number_of(ce.SymbolRenamed): self._symbol_renamed,
            number_of(e.KeyCreated): self._key_created,
            number_of(e.KeyRevoked): self._key_revoked,
            number_of(e.BusinessDayStarted): self._day_started,
        }

    def encode(self, events: bytes) -> list[Run]:
        """Take events in; return what each session is sent because of them. Events seen before are skipped."""
        self._runs = []
        at, end, take = 0, len(events), self._take
        while at < end:
            (length,) = LENGTH.unpack_from(events, at)
            handler = take.get(events[at + TYPE_OFFSET])
            (sequence,) = SEQUENCE.unpack_from(events, at + SEQUENCE_OFFSET)
            if sequence > self.state.event_sequence:
                if handler is not None:
                    handler(events, at)
                self.state.event_sequence = sequence
            at += length
        self._flush()
        return self._runs

    # --- orders -----------------------------------------------------------------------------------

    def _accepted(self, events: bytes, at: int) -> None:
        (
            *_, time_ns, _, symbol_id, order_id, account_id, _, order_type, time_in_force, flags, price, quantity,
            client_order_id,
        ) = _ACCEPTED.unpack_from(events, at)  # fmt: skip
        if client_order_id[0] != 0x7E:
            return
        session = self._session_of(client_order_id, account_id)
        if session is None:
            return
        number = ref.number_of(client_order_id)
        order = OuchOrder(
            order_id, session.session, number, client_order_id.rstrip(b"\0"), symbol_id, order_type, price,
            quantity, quantity, bool(flags & OrderFlag.POST_ONLY),
        )  # fmt: skip
        self._begin(session, order)
        self._time = time_ns % DAY_NS
        self._say(session, _PACK[m.Accepted](
            b"A", self._time, number, client_order_id[14:15], quantity, self.state.symbols[symbol_id],
            price or MARKET_PRICE, TIME_IN_FORCE_CODES[TimeInForce(time_in_force)], client_order_id[15:16],
            order_id, client_order_id[16:17], b"N", CROSS_CODES.get(time_in_force, CONTINUOUS), b"L",
            ref.cl_ord_id_of(client_order_id), len(appendage := _echo(order, time_in_force, *_terms_after(events, at))),
        ) + appendage)  # fmt: skip

    def _rejected(self, events: bytes, at: int) -> None:
        (
            *_, time_ns, _, _, _, account_id, _, order_type, time_in_force, _, _, _, client_order_id, reason, _, _,
        ) = _REJECTED.unpack_from(events, at)  # fmt: skip
        if client_order_id[0] != 0x7E:
            return
        session = self._session_of(client_order_id, account_id)
        if session is not None:
            code = (
                time_in_force
                if order_type == NO_ORDER_TYPE
                else REJECT_REASONS.get(reason, RejectReason.OTHER)
            )
            self._time = time_ns % DAY_NS
            number = ref.number_of(client_order_id)
            self._used(session, number)
            self._reject(session, number, code, ref.cl_ord_id_of(client_order_id))

    def _cancelled(self, events: bytes, at: int) -> None:
        *_, command, time_ns, _, _, order_id, _, _, reason, _, quantity = _CANCELLED.unpack_from(events, at)
        order = self.state.orders.get(order_id)
        if order is None:
            return
        self._end(order)
        code = CANCEL_REASONS.get(reason, b"Z")
        if code == PREVENTED:
            self._say_prevented(order, command, time_ns % DAY_NS, quantity)
            return
        self._say(
            self.state.sessions[order.session],
            _PACK[m.Canceled](b"C", time_ns % DAY_NS, order.number, quantity, code),
        )

    def _amended(self, events: bytes, at: int) -> None:
        (
            _, _, _, _, _, _, command, time_ns, _, _, order_id, _, _, kept, _, price, quantity, leaves,
        ) = _AMENDED.unpack_from(events, at)  # fmt: skip
        order = self.state.orders.get(order_id)
        if order is None:
            return
        session = self.state.sessions[order.session]
        decrement = order.quantity - quantity
        order.price, order.quantity, order.leaves = price, quantity, leaves
        time = time_ns % DAY_NS
        kind, number, _ = self._announced(command)
        if kind == NoteKind.MODIFY and number == order.number:
            self._say(session, _PACK[m.Modified](b"M", time, order.number, order.reference[14:15], quantity))
        elif self._prevented.command == command:
            self._say_prevented(order, command, time, decrement)
        elif kept and decrement > 0:
            self._say(session, _PACK[m.Canceled](b"C", time, order.number, decrement, b"U"))
        else:
            self._restate(order, time, b"P", leaves, price)

    def _refreshed(self, events: bytes, at: int) -> None:
        *_, time_ns, _, _, order_id, _, _, price, displayed, _ = _REFRESHED.unpack_from(events, at)
        order = self.state.orders.get(order_id)
        if order is not None:
            self._restate(order, time_ns % DAY_NS, b"R", displayed, price)

    def _restate(self, order: OuchOrder, time: int, reason: bytes, shown: int, price: int) -> None:
        options = _OPTION_U32.pack(5, Tag.DISPLAY_QUANTITY, shown)
        options += _OPTION_U64.pack(9, Tag.DISPLAY_PRICE, price)
        self._say(
            self.state.sessions[order.session],
            _PACK[m.Restated](b"R", time, order.number, reason, len(options)) + options,
        )

    def _match_prevented(self, events: bytes, at: int) -> None:
        (
            _, _, _, _, _, _, command, _, _, _, maker_id, _, _, _, price, quantity, _, _,
        ) = _PREVENTED.unpack_from(events, at)  # fmt: skip
        self._prevented = Prevented(command, maker_id, price, quantity)

    def _say_prevented(self, order: OuchOrder, command: int, time: int, decrement: int) -> None:
        """Say what a prevented match took from an order."""
        prevented = self._prevented
        assert prevented.command == command, "what is cancelled for self-trade was prevented before"
        liquidity = REMOVED if order.order_id != prevented.resting_id else _added(order)
        self._say(
            self.state.sessions[order.session],
            _PACK[m.AiqCanceled](
                b"D", time, order.number, decrement, PREVENTED, prevented.quantity, prevented.price, liquidity
            ),
        )

    def _replaced(self, events: bytes, at: int) -> None:
        (
            *_, time_ns, _, symbol_id, order_id, new_order_id, account_id, _, order_type, time_in_force, flags,
            cancelled_quantity, price, quantity, client_order_id,
        ) = _REPLACED.unpack_from(events, at)  # fmt: skip
        old = self.state.orders.get(order_id)
        if old is None:
            return
        session = self.state.sessions[old.session]
        self._end(old)
        self._time = time_ns % DAY_NS
        if client_order_id[0] != 0x7E or self._session_of(client_order_id, account_id) is not session:
            self._say(session, _PACK[m.Canceled](b"C", self._time, old.number, cancelled_quantity, b"U"))
            return
        number = ref.number_of(client_order_id)
        order = OuchOrder(
            new_order_id, session.session, number, client_order_id.rstrip(b"\0"), symbol_id, order_type, price,
            quantity, quantity, bool(flags & OrderFlag.POST_ONLY),
        )  # fmt: skip
        self._begin(session, order)
        self._say(session, _PACK[m.Replaced](
            b"U", self._time, old.number, number, client_order_id[14:15], quantity,
            self.state.symbols[symbol_id], price or MARKET_PRICE, TIME_IN_FORCE_CODES[TimeInForce(time_in_force)],
            client_order_id[15:16], new_order_id, client_order_id[16:17], b"N",
            CROSS_CODES.get(time_in_force, CONTINUOUS), b"L",
            ref.cl_ord_id_of(client_order_id), len(appendage := _echo(order, time_in_force)),
        ) + appendage)  # fmt: skip

    # --- trades -----------------------------------------------------------------------------------

    def _executed(self, events: bytes, at: int) -> None:
        (
            _, _, _, _, partition, sequence, _, time_ns, _, _, maker_id, taker_id, _, _, price, quantity, _,
            maker_leaves, taker_leaves, _, _,
        ) = _EXECUTED.unpack_from(events, at)  # fmt: skip
        maker, taker = self.state.orders.get(maker_id), self.state.orders.get(taker_id)
        if maker is None and taker is None:
            return
        match_id, sides = public_id(partition, sequence), []
        self._time = time_ns % DAY_NS
        for order, leaves, is_maker in ((maker, maker_leaves, True), (taker, taker_leaves, False)):
            if order is None:
                continue
            liquidity = _added(order) if is_maker else REMOVED
            session = self.state.sessions[order.session]
            self._say(
                session,
                _PACK[m.Executed](b"E", self._time, order.number, quantity, price, liquidity, match_id, 0),
            )
            sides.append(
                OuchTrade(
                    order.session, order.order_id, order.number, is_maker,
                    ref.cl_ord_id_of(order.reference),
                )
            )  # fmt: skip
            order.leaves = leaves
            if not leaves:
                self._end(order)
        trades = self.state.trades
        trades[match_id] = sides
        if len(trades) > TRADES_REMEMBERED:
            del trades[next(iter(trades))]

    def _busted(self, events: bytes, at: int) -> None:
        bust = decode_event(events, at)
        assert isinstance(bust, e.TradeBusted)
        for side in self.state.trades.pop(bust.match_id, ()):
            session = self.state.sessions.get(side.session)
            if session is not None:
                self._say(
                    session,
                    _PACK[m.BrokenTrade](
                        b"B",
                        bust.time_ns % DAY_NS,
                        side.number,
                        bust.match_id,
                        bytes((bust.reason,)),
                        side.cl_ord_id,
                    ),
                )

    def _corrected(self, events: bytes, at: int) -> None:
        fix = decode_event(events, at)
        assert isinstance(fix, e.TradeCorrected)
        for side in self.state.trades.get(fix.match_id, ()):
            session = self.state.sessions.get(side.session)
            if session is not None:
                self._say(
                    session,
                    _PACK[m.TradeCorrection](
                        b"F", fix.time_ns % DAY_NS, side.number, fix.new_quantity, fix.new_price,
                        ADDED if side.added else REMOVED, fix.match_id, bytes((fix.reason,)), side.cl_ord_id,
                    ),
                )  # fmt: skip

    # --- refusals and notes -----------------------------------------------------------------------

    def _refused(self, events: bytes, at: int) -> None:
        (
            _, _, _, _, _, _, command, time_ns, _, _, command_type, reason, subject, _, _,
        ) = _REFUSED.unpack_from(events, at)  # fmt: skip
        if command_type == _CANCEL_NUMBER:
            note = ref.read_note(subject)
            session = self.state.sessions.get(note.session) if note else None
            if note and session:
                self._time = time_ns % DAY_NS
                self._noted(session, note, command)
        elif command_type in (_REPLACE_NUMBER, _AMEND_NUMBER):
            self._time = time_ns % DAY_NS
            self._change_refused(command, reason, subject)

    def _change_refused(self, command: int, reason: int, order_id: int) -> None:
        """Answer a refused Replace; make up for a refused reduction. One of an order that is gone has no answer."""
        kind, number, session = self._announced(command)
        if session is None:
            return
        if kind == NoteKind.REPLACE:
            self._used(session, number)
            if reason != Reason.UNKNOWN_ORDER:
                code = REJECT_REASONS.get(reason, RejectReason.OTHER)
                self._reject(session, number, code, b" " * 14)
        elif kind == NoteKind.REDUCE and reason == Reason.AMEND_BELOW_FILLED:
            self.follow_ups.append(
                encode_command(
                    c.CancelOrder(
                        order_id=OrderId(order_id), participant_id=ParticipantId(session.participant_id)
                    )
                )
            )

    def _noted(self, session: Session, note: Note, command: int) -> None:
        value = note.value
        match note.kind:
            case NoteKind.REPLACE | NoteKind.MODIFY | NoteKind.REDUCE:
                self.state.announced = Announced(command + 1, session.session, note.kind, value)
            case NoteKind.FIRM:
                self.state.firm = value
            case NoteKind.SYMBOL:
                self.state.symbol_id = value
            case NoteKind.MASS_CANCELLED:
                self._used(session, value)
                symbol = self.state.symbols.get(self.state.symbol_id, b" " * SYMBOL_CHARACTERS)
                self._say(
                    session,
                    _PACK[m.MassCancelResponse](
                        b"X", self._time, value, self.state.firm.to_bytes(4), symbol, 0
                    ),
                )
            case NoteKind.DISABLED | NoteKind.ENABLED:
                self._used(session, value)
                session.is_disabled = note.kind == NoteKind.DISABLED
                kind = b"G" if session.is_disabled else b"K"
                self._say(
                    session,
                    _PACK[m.DisableOrderEntryResponse](
                        kind, self._time, value, self.state.firm.to_bytes(4), 0
                    ),
                )
            case NoteKind.QUERY:
                self._say(session, _PACK[m.AccountQueryResponse](b"Q", self._time, value))

    def _announced(self, command: int) -> tuple[int, int, Session | None]:
        """Return what the note before a command said of it: kind, number and session."""
        said = self.state.announced
        if said.command != command:
            return 0, 0, None
        return said.kind, said.number, self.state.sessions.get(said.session)

    def _reject(self, session: Session, number: int, reason: int, cl_ord_id: bytes) -> None:
        self._say(session, _PACK[m.Rejected](b"J", self._time, number, reason, cl_ord_id))

    # --- the exchange -----------------------------------------------------------------------------

    def _symbol_added(self, events: bytes, at: int) -> None:
        event = decode_event(events, at)
        assert isinstance(event, e.SymbolAdded)
        symbol = event.symbol.encode("ascii").ljust(SYMBOL_CHARACTERS)
        self.state.symbols[event.symbol_id] = symbol
        self.symbol_ids[symbol] = event.symbol_id

    def _symbol_renamed(self, events: bytes, at: int) -> None:
        event = decode_event(events, at)
        assert isinstance(event, ce.SymbolRenamed)
        symbol = event.symbol.encode("ascii").ljust(SYMBOL_CHARACTERS)
        self.symbol_ids.pop(self.state.symbols[event.symbol_id], None)
        self.state.symbols[event.symbol_id] = symbol
        self.symbol_ids[symbol] = event.symbol_id

    def _key_created(self, events: bytes, at: int) -> None:
        event = decode_event(events, at)
        assert isinstance(event, e.KeyCreated)
        terms = terms_of(event.label, event.key_id)
        if terms is not None:
            session = Session(
                event.key_id, terms.user, terms.account_id, event.participant_id, terms.cancel_on_disconnect
            )
            self.state.sessions[event.key_id] = session
            self.ports[event.key_id] = Port(session, self.symbol_ids, self.state.business_date)
            self._say(session, _PACK[m.SystemEvent](b"S", event.time_ns % DAY_NS, b"S"))

    def _key_revoked(self, events: bytes, at: int) -> None:
        event = decode_event(events, at)
        assert isinstance(event, e.KeyRevoked)
        if self.state.sessions.pop(event.key_id, None) is not None:
            for order in self.ports.pop(event.key_id).live.values():
                del self.state.orders[order.order_id]

    def _day_started(self, events: bytes, at: int) -> None:
        """End the streams of the old date, and begin those of the new one."""
        event = decode_event(events, at)
        assert isinstance(event, e.BusinessDayStarted)
        time = event.time_ns % DAY_NS
        if self.state.business_date:
            for session in self.state.sessions.values():
                self._say(session, _PACK[m.SystemEvent](b"S", time, b"E"))
        self._flush()
        self.state.business_date = event.date
        for port in self.ports.values():
            port.business_date = event.date
        self.state.trades.clear()
        self._runs.append(Run(0, b"", event.date))
        for number, session in self.state.sessions.items():
            session.sequence = session.last_number = 0
            self.ports[number].last_number = 0
            self._say(session, _PACK[m.SystemEvent](b"S", time, b"S"))

    # --- parts ------------------------------------------------------------------------------------

    def _session_of(self, client_order_id: bytes, account_id: int) -> Session | None:
        text = client_order_id.rstrip(b"\0")
        if not ref.is_reference(text):
            return None
        session = self.state.sessions.get(ref.session_of(text))
        return session if session is not None and session.account_id == account_id else None

    def _begin(self, session: Session, order: OuchOrder) -> None:
        self._used(session, order.number)
        self.state.orders[order.order_id] = order
        self.ports[session.session].live[order.number] = order

    def _end(self, order: OuchOrder) -> None:
        del self.state.orders[order.order_id]
        self.ports[order.session].live.pop(order.number, None)

    def _used(self, session: Session, number: int) -> None:
        session.last_number = max(session.last_number, number)
        port = self.ports[session.session]
        port.last_number = max(port.last_number, number)
        port.waiting.discard(number)

    def _say(self, session: Session, message: bytes) -> None:
        session.sequence += 1
        self._packets.setdefault(session.session, []).append(packet(SEQUENCED, message))

    def _flush(self) -> None:
        for session, packets in self._packets.items():
            self._runs.append(Run(session, b"".join(packets), len(packets)))
        self._packets.clear()


def _added(order: OuchOrder) -> bytes:
    """Return the liquidity of what a resting order adds."""
    return ADDED_HIDDEN if order.reference[15:16] == HIDDEN_DISPLAY else ADDED


def _terms_after(events: bytes, at: int) -> tuple[int, int, int]:
    """Return minimum, display quantity and expiry of the order that the event accepts, 0 where it did not ask."""
    at += LENGTH.unpack_from(events, at)[0]
    if at >= len(events) or events[at + TYPE_OFFSET] != _TERMS_NUMBER:
        return 0, 0, 0
    *_, minimum, display, _, _, _, expires_ns = _TERMS.unpack_from(events, at)
    return minimum, display, expires_ns


def _echo(
    order: OuchOrder, time_in_force: int, minimum: int = 0, max_floor: int = 0, expires_ns: int = 0
) -> bytes:
    """Return the appendage of an Accepted or Replaced: firm, minimum, max floor, post-only, expiry, where said."""
    reference = order.reference
    options = b""
    if reference[17:21] != b"~~~~":
        options += bytes((5, Tag.FIRM)) + ref.firm_of(reference)
    if time_in_force == TimeInForce.FOK:
        minimum = order.quantity
    if minimum:
        options += _OPTION_U32.pack(5, Tag.MIN_QUANTITY, minimum)
    if max_floor:
        options += _OPTION_U32.pack(5, Tag.MAX_FLOOR, max_floor)
    if (
        order.is_post_only
        and reference[15:16] not in POST_ONLY_DISPLAYS
        and order.order_type != OrderType.MARKET
    ):
        options += bytes((2, Tag.POST_ONLY)) + b"P"
    if expires_ns:
        options += _OPTION_U32.pack(5, Tag.EXPIRE_TIME, expires_ns % DAY_NS // SECOND_NS)
    return options
