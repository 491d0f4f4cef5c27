"""From what a client sends to command records: one session's side of the translation, without a socket.

`Port.decode` takes what was received and gives whole commands. It stops before a message that names an order whose
fate is not known yet (sent, but not answered), and where more commands wait for an answer than the limits allow: then
it is called again with the rest once answers have come. What cannot be is refused here, but as a command all the
same, so that the refusal too has its place in the stream.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.units import PRICE_MAX
from exchange.wire import ouch_messages as m
from exchange.wire import ouch_reference as ref
from exchange.wire.ouch import INBOUND, MARKET_PRICE, appendage_of, decode_appendage, layout_of
from exchange.wire.ouch_codes import (
    CAPACITIES,
    CONTINUOUS,
    CROSSES,
    DISPLAYED,
    HIDDEN_DISPLAY,
    POST_ONLY_DISPLAYS,
    REFUSED_TAGS,
    SHORT_SIDES,
    SIDES,
    TAG_BYTES,
    TIMES_IN_FORCE,
    RejectReason,
    Tag,
)
from exchange.wire.ouch_reference import NoteKind
from exchange.wire.ouch_session import OuchOrder, Session
from exchange.wire.records import LAYOUTS, VERSION, ProtocolError
from exchange.wire.soupbintcp import LENGTH_BYTES, UNSEQUENCED, Packet, check_length

PACKET_LENGTH_MAX = 2_048
"""Longest packet taken from a client: the longest message is an Enter with an appendage of 1,024 bytes."""
COMMAND_BYTES_MAX = 128 * 1024
"""What one call gives at most, and the message that reaches it."""
CANCELS_MAX = 2_048
"""Orders that a mass cancel takes out per call."""
NO_ORDER_TYPE = 0
"""Stands in the entry of an order that was refused before it could be one; its time in force is OUCH's reason."""
_UINT32_MAX = 2**32 - 1
_BLANK_FIRM = b"    "
_BLANK_SYMBOL = b" " * 8
_ENTER = LAYOUTS[c.EnterOrder]
_ENTER_SPECIAL = LAYOUTS[c.EnterSpecialOrder]
_CANCEL = LAYOUTS[c.CancelOrder]
_AMEND = LAYOUTS[c.AmendOrder]
_REPLACE = LAYOUTS[c.ReplaceOrder]
_OUCH = {layout.value_type: layout for layout in INBOUND.values()}
_READ_ENTER = _OUCH[m.EnterOrder].struct.unpack_from
_READ_REPLACE = _OUCH[m.ReplaceOrder].struct.unpack_from
_READ_CANCEL = _OUCH[m.CancelOrder].fixed.unpack_from
_READ_MODIFY = _OUCH[m.ModifyOrder].fixed.unpack_from
_READ_MASS_CANCEL = _OUCH[m.MassCancel].fixed.unpack_from
_READ_ENTRY = _OUCH[m.DisableOrderEntry].fixed.unpack_from


class Decoded(NamedTuple):
    """What was understood of the bytes received.

    consumed: bytes that are done with; commands: records, `command_count` of them; packets: all that were no message;
    blocked: whether answers must come before the rest can be understood; messages: how many there were.
    """

    consumed: int
    commands: bytes
    command_count: int
    packets: list[Packet]
    blocked: bool
    messages: int


class Options(NamedTuple):
    """What the appendage of an order says."""

    refused: int = 0
    firm: bytes = _BLANK_FIRM
    min_quantity: int = 0
    max_floor: int = 0
    post_only: bool = False
    expire_time: int = 0


NO_OPTIONS = Options()
DAY_S = 86_400
SECOND_NS = 1_000_000_000
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Port:
    """One session: its live orders by user reference number, and the numbers that wait for their answer.

    business_date: of the market, YYYYMMDD, 0 before the first; who keeps the state of all sessions sets it.
    """

    def __init__(self, session: Session, symbol_ids: dict[bytes, int], business_date: int = 0) -> None:
        self.session = session
        self.business_date = business_date
        self.live: dict[int, OuchOrder] = {}
        self.waiting: set[int] = set()
        self.last_number = session.last_number
        self.is_disabled = session.is_disabled
        self._symbol_ids = symbol_ids
        self._out: list[bytes] = []
        self._size = 0
        self._take = {
            ord("O"): self._enter,
            ord("U"): self._replace,
            ord("X"): self._cancel,
            ord("M"): self._modify,
            ord("C"): self._mass_cancel,
            ord("D"): self._disable,
            ord("E"): self._enable,
            ord("Q"): self._query,
        }

    def decode(self, data: bytes | bytearray, waiting_max: int = _UINT32_MAX) -> Decoded:
        """Understand what was received, up to a message that must wait. waiting_max: orders not answered.

        Raise `ProtocolError` where it begins with what is no SoupBinTCP, or no OUCH 5.0; the session cannot go on
        then. What is whole before that is understood first.
        """
        out, packets = self._out, list[Packet]()
        out.clear()
        self._size = 0
        at, end, messages, blocked = 0, len(data), 0, False
        try:
            while at + LENGTH_BYTES <= end and self._size < COMMAND_BYTES_MAX:
                following = (
                    at + LENGTH_BYTES + check_length(data[at] << 8 | data[at + 1], at, PACKET_LENGTH_MAX)
                )
                if following > end:
                    break
                kind, payload = bytes(data[at + 2 : at + 3]), bytes(data[at + 3 : following])
                if kind == UNSEQUENCED:
                    if len(self.waiting) >= waiting_max or not self._message(payload):
                        blocked = True
                        break
                    messages += 1
                else:
                    packets.append(Packet(kind, payload))
                at = following
        except ProtocolError:
            if not at:
                raise
        return Decoded(at, b"".join(out), len(out), packets, blocked, messages)

    def cancel_some(self) -> tuple[bytes, int]:
        """Return commands that cancel live orders, at most `CANCELS_MAX`, and how many."""
        self._out.clear()
        self._cancel_live(0)
        return b"".join(self._out), len(self._out)

    def _message(self, payload: bytes) -> bool:
        """Take one message; tell whether it is done with."""
        take = self._take.get(payload[0] if payload else 0)
        if take is None:
            layout_of(INBOUND, payload)
            raise ProtocolError("type at offset 0: not one that is taken here")
        return take(payload)

    # --- orders -----------------------------------------------------------------------------------

    def _enter(self, payload: bytes) -> bool:
        if len(payload) == _OUCH[m.EnterOrder].struct.size and payload[-2:] == b"\0\0":
            options = NO_OPTIONS
        else:
            options = _options_of(appendage_of(_OUCH[m.EnterOrder], payload))
        (
            _, number, side_code, quantity, symbol, price, tif_code, display, capacity, sweep, cross, cl_ord_id, _,
        ) = _READ_ENTER(payload)  # fmt: skip
        if number <= self.last_number:
            return True
        side, time_in_force = SIDES.get(side_code, 0), TIMES_IN_FORCE.get(tif_code)
        refused = self._refused_at_all(side, time_in_force, display, capacity, sweep, cross, cl_ord_id)
        refused = refused or options.refused
        expires_ns = self._expiry_of(time_in_force, options.expire_time)
        if (time_in_force is TimeInForce.GTD) != (options.expire_time != 0) or expires_ns < 0:
            refused, expires_ns = refused or RejectReason.OTHER, 0
        if cross in CROSSES and time_in_force is not TimeInForce.DAY:
            refused = refused or RejectReason.INVALID_CROSS_ORDER
        time_in_force = CROSSES.get(cross, time_in_force)
        order_type, flags = OrderType.LIMIT, 0
        if price == MARKET_PRICE:
            order_type, price = OrderType.MARKET, 0
            if time_in_force is TimeInForce.DAY:
                refused = refused or RejectReason.INVALID_CROSS_ORDER
        elif price > PRICE_MAX:
            refused, price = refused or RejectReason.INVALID_PRICE, min(price, _UINT32_MAX)
        minimum = options.min_quantity
        if minimum == quantity and minimum and time_in_force is TimeInForce.IOC:
            time_in_force, minimum = TimeInForce.FOK, 0
        if options.post_only or display in POST_ONLY_DISPLAYS:
            flags = OrderFlag.POST_ONLY
        flags |= SHORT_SIDES.get(side_code, 0)
        if minimum and time_in_force is TimeInForce.DAY:
            display = HIDDEN_DISPLAY
        if display == HIDDEN_DISPLAY:
            flags |= OrderFlag.HIDDEN
        if refused:
            self._refuse(number, refused, cl_ord_id, quantity, self._symbol_ids.get(symbol, 0))
            return True
        self._use(number)
        session = self.session
        is_special = minimum or options.max_floor or expires_ns
        layout = _ENTER_SPECIAL if is_special else _ENTER
        self._emit(
            layout.struct.pack(
                layout.struct.size, layout.number, VERSION, 0, 0, 0, session.account_id,
                self._symbol_ids.get(symbol, 0), side, order_type, time_in_force, flags, price, quantity,
                ref.write_reference(
                    session.session, number, side_code, display, capacity, options.firm, cl_ord_id
                ),
                *((minimum, options.max_floor, 0, 0, 0, expires_ns) if is_special else ()),
            )
        )  # fmt: skip
        return True

    def _expiry_of(self, time_in_force: int | None, expire_time: int) -> int:
        """Return until when an order is good: so many seconds after the business date's midnight, -1 for never."""
        if time_in_force is not TimeInForce.GTD:
            return 0
        if not self.business_date or not 0 < expire_time < DAY_S:
            return -1
        return (days_of(self.business_date) * DAY_S + expire_time) * SECOND_NS

    def _refused_at_all(
        self,
        side: int,
        time_in_force: int | None,
        display: bytes,
        capacity: bytes,
        sweep: bytes,
        cross: bytes,
        cl_ord_id: bytes,
    ) -> int:
        """Return why an order is refused whatever the market says, 0 if it is not; the first that applies."""
        if self.is_disabled:
            return RejectReason.FIRM_NOT_AUTHORISED
        if not side:
            return RejectReason.INVALID_SIDE
        if cross != CONTINUOUS and cross not in CROSSES:
            return RejectReason.INVALID_CROSS_ORDER
        if display not in DISPLAYED and display not in POST_ONLY_DISPLAYS and display != HIDDEN_DISPLAY:
            return RejectReason.INVALID_DISPLAY
        if sweep != b"N":
            return RejectReason.ISO_NOT_ALLOWED
        if time_in_force is None or capacity not in CAPACITIES or not _is_printable(cl_ord_id.rstrip(b" ")):
            return RejectReason.OTHER
        return 0

    def _replace(self, payload: bytes) -> bool:
        options = _options_of(appendage_of(_OUCH[m.ReplaceOrder], payload))
        _, original, number, quantity, price, tif_code, display, sweep, cl_ord_id, _ = _READ_REPLACE(payload)
        if number <= self.last_number:
            return True
        if original in self.waiting:
            return False
        order = self.live.get(original)
        if order is None:
            return True
        old = order.reference
        is_post_only = options.post_only or display in POST_ONLY_DISPLAYS
        refused = self._refused_at_all(
            Side.BUY, TIMES_IN_FORCE.get(tif_code), display, b"A", sweep, b"N", cl_ord_id
        )
        refused = refused or options.refused
        is_otherwise = is_post_only != order.is_post_only or options.min_quantity or options.max_floor
        is_otherwise = is_otherwise or (display == HIDDEN_DISPLAY) != (old[15:16] == HIDDEN_DISPLAY)
        if not refused and (tif_code != b"0" or is_otherwise):
            refused = RejectReason.REPLACE_NOT_ALLOWED
        if not refused and price > PRICE_MAX:
            refused = RejectReason.INVALID_PRICE
        if refused:
            self._refuse(number, refused, cl_ord_id, quantity, order.symbol_id)
            return True
        self._use(number)
        session = self.session
        firm = ref.firm_of(old) if options.firm == _BLANK_FIRM else options.firm
        reference = ref.write_reference(
            session.session, number, old[14:15], display, old[16:17], firm, cl_ord_id
        )
        self._emit(ref.note(session.session, NoteKind.REPLACE, number))
        self._emit(
            _REPLACE.struct.pack(
                _REPLACE.struct.size, _REPLACE.number, VERSION, 0, 0, 0, order.order_id, session.participant_id,
                price, quantity, reference,
            )
        )  # fmt: skip
        return True

    def _cancel(self, payload: bytes) -> bool:
        if len(payload) != 9:
            appendage_of(_OUCH[m.CancelOrder], payload)
        _, number, quantity = _READ_CANCEL(payload)
        if number in self.waiting:
            return False
        order = self.live.get(number)
        if order is None or order.is_cancelling:
            return True
        if quantity <= order.quantity - order.leaves:
            self._cancel_whole(order)
        elif quantity < order.quantity:
            self._amend(NoteKind.REDUCE, order, quantity)
        return True

    def _modify(self, payload: bytes) -> bool:
        appendage_of(_OUCH[m.ModifyOrder], payload)
        _, number, side, quantity = _READ_MODIFY(payload)
        if number in self.waiting:
            return False
        order = self.live.get(number)
        if order is None or side != order.reference[14:15] or quantity >= order.quantity:
            return True
        if quantity <= order.quantity - order.leaves:
            return True
        self._amend(NoteKind.MODIFY, order, quantity)
        return True

    def _mass_cancel(self, payload: bytes) -> bool:
        appendage_of(_OUCH[m.MassCancel], payload)
        _, number, firm, symbol = _READ_MASS_CANCEL(payload)
        if number <= self.last_number:
            return True
        if self.waiting:
            return False
        symbol_id = 0 if symbol == _BLANK_SYMBOL else self._symbol_ids.get(symbol, -1)
        if symbol_id < 0:
            self._refuse(number, RejectReason.INVALID_SYMBOL, b"", 0, 0)
            return True
        if self._cancel_live(symbol_id):
            return False
        session = self.session.session
        self._emit(ref.firm_note(session, firm))
        self._emit(ref.note(session, NoteKind.SYMBOL, symbol_id))
        self._say(NoteKind.MASS_CANCELLED, number)
        return True

    # --- the session itself -----------------------------------------------------------------------

    def _disable(self, payload: bytes) -> bool:
        return self._switch(payload, NoteKind.DISABLED)

    def _enable(self, payload: bytes) -> bool:
        return self._switch(payload, NoteKind.ENABLED)

    def _switch(self, payload: bytes, kind: NoteKind) -> bool:
        appendage_of(_OUCH[m.DisableOrderEntry], payload)
        _, number, firm = _READ_ENTRY(payload)
        if number > self.last_number:
            self.is_disabled = kind is NoteKind.DISABLED
            self._emit(ref.firm_note(self.session.session, firm))
            self._say(kind, number)
        return True

    def _query(self, payload: bytes) -> bool:
        appendage_of(_OUCH[m.AccountQuery], payload)
        self._emit(ref.note(self.session.session, NoteKind.QUERY, min(self.last_number + 1, _UINT32_MAX)))
        return True

    # --- parts ------------------------------------------------------------------------------------

    def _emit(self, record: bytes) -> None:
        self._out.append(record)
        self._size += len(record)

    def _use(self, number: int) -> None:
        self.last_number = number
        self.waiting.add(number)

    def _say(self, kind: NoteKind, number: int) -> None:
        self._use(number)
        self._emit(ref.note(self.session.session, kind, number))

    def _refuse(self, number: int, reason: int, cl_ord_id: bytes, quantity: int, symbol_id: int) -> None:
        """Send an entry that the venue refuses, so that the refusal stands in the stream."""
        self._use(number)
        text = cl_ord_id.rstrip(b" ")
        reference = ref.write_reference(
            self.session.session, number, b"B", b"Y", b"A", _BLANK_FIRM, text if _is_printable(text) else b""
        )
        self._emit(
            _ENTER.struct.pack(
                _ENTER.struct.size, _ENTER.number, VERSION, 0, 0, 0, self.session.account_id, symbol_id,
                Side.BUY, NO_ORDER_TYPE, reason, 0, 0, quantity, reference,
            )
        )  # fmt: skip

    def _cancel_whole(self, order: OuchOrder) -> None:
        order.is_cancelling = True
        self._emit(
            _CANCEL.struct.pack(
                _CANCEL.struct.size, _CANCEL.number, VERSION, 0, 0, 0, order.order_id,
                self.session.participant_id,
            )
        )  # fmt: skip

    def _amend(self, kind: NoteKind, order: OuchOrder, quantity: int) -> None:
        self._emit(ref.note(self.session.session, kind, order.number))
        self._emit(
            _AMEND.struct.pack(
                _AMEND.struct.size, _AMEND.number, VERSION, 0, 0, 0, order.order_id, self.session.participant_id,
                order.price, quantity,
            )
        )  # fmt: skip

    def _cancel_live(self, symbol_id: int) -> bool:
        """Cancel live orders, all or of a symbol; tell whether some are left or under way."""
        left = [order for order in self.live.values() if symbol_id in (0, order.symbol_id)]
        for order in left[:CANCELS_MAX]:
            if not order.is_cancelling:
                self._cancel_whole(order)
        return bool(left)


def _options_of(appendage: bytes) -> Options:
    """Return what an order's appendage says; what it says wrongly is a reason to refuse."""
    if not appendage:
        return NO_OPTIONS
    try:
        pairs = decode_appendage(appendage)
    except ProtocolError:
        return Options(RejectReason.OTHER)
    refused, firm, min_quantity, max_floor, post_only, expire_time = 0, _BLANK_FIRM, 0, 0, False, 0
    for tag, value in pairs:
        if TAG_BYTES.get(tag) != len(value):  # type: ignore[call-overload]
            refused = refused or RejectReason.OTHER
        elif tag == Tag.FIRM:
            firm = value
            if not _is_printable(value.rstrip(b" ")) or ref.MARK in value:
                refused, firm = refused or RejectReason.FIRM_NOT_AUTHORISED, _BLANK_FIRM
        elif tag == Tag.MIN_QUANTITY:
            min_quantity = int.from_bytes(value)
        elif tag == Tag.MAX_FLOOR:
            max_floor = int.from_bytes(value)
        elif tag == Tag.EXPIRE_TIME:
            expire_time = int.from_bytes(value)
        elif tag == Tag.POST_ONLY:
            post_only = value == b"P"
            refused = refused or (0 if value in (b"P", b"N", b" ") else RejectReason.OTHER)
        elif tag in REFUSED_TAGS:
            allowed, reason = REFUSED_TAGS[tag]
            refused = refused or (0 if value in allowed else reason)
        else:
            refused = refused or RejectReason.OTHER
    return Options(refused, firm, min_quantity, max_floor, post_only, expire_time)


def days_of(number: int) -> int:
    """Return the days from the Unix epoch to a date YYYYMMDD."""
    return date(number // 10_000, number // 100 % 100, number % 100).toordinal() - EPOCH_ORDINAL


def _is_printable(text: bytes) -> bool:
    """Tell whether a text can stand in a client order id: printable ASCII without a blank."""
    return all(0x21 <= character <= 0x7E for character in text)
