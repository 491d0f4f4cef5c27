"""From what REST takes to command records: pure; a value that no record can carry is refused here, by field.

What a record can carry goes to the venue as it is, which is the one judge of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NoReturn

from exchange.domain import commands as c
from exchange.domain.directory import Directory
from exchange.domain.order import CLIENT_ORDER_ID_PATTERN, TRAIL_BPS_MAX, OrderFlag
from exchange.domain.participant import Role, is_valid_name
from exchange.domain.reasons import REASONS, Reason
from exchange.domain.symbol import Symbol
from exchange.domain.units import (
    PRICE_MAX,
    QUANTITY_MAX,
    AccountId,
    OrderId,
    ParticipantId,
    Price,
    Quantity,
    SymbolId,
    UnitError,
    format_time,
    parse_money,
    parse_price,
    parse_time,
)
from exchange.engine.refusals import invalid_field, not_found, refusal
from exchange.infra.auth import Principal
from exchange.wire.ouch_reference import MARK, read_note
from exchange.wire.records import LAYOUTS, VERSION, encode_command
from exchange.wire.rest.order_lists import NewListedOrder
from exchange.wire.rest.orders import NewOrder
from exchange.wire.rest.texts import ORDER_TYPES, PEGS, SIDES, TIMES_IN_FORCE

PRICES_REMEMBERED = 4_096
ID_MAX = 2**64 - 1
TIME_NS_MAX = 2**63 - 1
_NO_TERMS = (None,) * 6
SESSION_MARK = MARK.decode()
DIGITS_MAX = 18
_ENTER = LAYOUTS[c.EnterOrder]
_ENTER_BYTES = _ENTER.struct.size
_SPECIAL = LAYOUTS[c.EnterSpecialOrder]
_WHOLE = re.compile(r"-?\d{1,18}\Z", re.ASCII)

_EVERY_ACCOUNT = frozenset((Role.RISK, Role.CLEARING, Role.OPERATOR, Role.AUDITOR, Role.COMPONENT))
_EVERY_ORDER = frozenset((Role.RISK, Role.OPERATOR))


class OrderEntry:
    """Turns orders of REST into command records, by a directory of symbols and accounts."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._sole_accounts: dict[int, int] = {}
        self._accounts_seen = 0

    def enter(self, order: NewOrder, principal: Principal) -> bytes:
        """Return the `EnterOrder` record of an order. Raise `ApiError` where no record can carry it."""
        account_id = self.account_for(order.account, principal)
        symbol_id = self.directory.symbol_ids.get(order.symbol)
        if symbol_id is None:
            raise unknown_symbol(order.symbol, self.directory.present_name(order.symbol))
        side = SIDES.get(order.side)
        if side is None:
            raise not_a_choice(Reason.SIDE_INVALID, order.side, SIDES)
        order_type = ORDER_TYPES.get(order.type)
        if order_type is None:
            raise not_a_choice(Reason.ORDER_TYPE_INVALID, order.type, ORDER_TYPES)
        time_in_force = TIMES_IN_FORCE.get(order.time_in_force)
        if time_in_force is None:
            raise not_a_choice(Reason.TIME_IN_FORCE_INVALID, order.time_in_force, TIMES_IN_FORCE)
        if order.peg is not None or order.peg_offset is not None:
            return pegged(order, account_id, symbol_id)
        values = (
            account_id, symbol_id, side, order_type, time_in_force, flags_of(order), price_of(order.price),
            quantity_of(order.qty), client_order_id_of(order.client_order_id),
        )  # fmt: skip
        if not has_terms(order):
            return _ENTER.struct.pack(_ENTER_BYTES, _ENTER.number, VERSION, 0, 0, 0, *values)
        layout = _SPECIAL.struct
        return layout.pack(layout.size, _SPECIAL.number, VERSION, 0, 0, 0, *values, *terms_of(order))

    def account_for(self, text: str, principal: Principal) -> int:
        """Return the account a key may trade for: the one named, or its participant's only one."""
        if not text:
            return self._sole_account(principal)
        account = self.directory.accounts.get(AccountId(id_of(text, "account")))
        if account is None or account.participant_id != principal.participant_id:
            raise refusal(Reason.UNKNOWN_ACCOUNT, f"there is no account {text} of this key's participant")
        return account.account_id

    def accounts_seen_by(self, text: str, principal: Principal) -> list[int] | None:
        """Return the accounts a key may read, None for all: its participant's, or only the one named."""
        everyone = principal.role in _EVERY_ACCOUNT
        if not text:
            if everyone:
                return None
            return [account.account_id for account in self.directory.accounts_of(principal.participant_id)]
        account = self.directory.accounts.get(AccountId(id_of(text, "account")))
        if account is None or not (everyone or account.participant_id == principal.participant_id):
            raise refusal(Reason.UNKNOWN_ACCOUNT, f"there is no account {text} that this key may see")
        return [account.account_id]

    def may_see(self, account_id: int, principal: Principal | None) -> bool:
        """Tell whether a key may see what belongs to an account."""
        if principal is None:
            return False
        account = self.directory.accounts.get(AccountId(account_id))
        owner = account is not None and account.participant_id == principal.participant_id
        return owner or principal.role in _EVERY_ACCOUNT

    def sees_all(self, principal: Principal) -> bool:
        """Tell whether a key may see what belongs to any account."""
        return principal.role in _EVERY_ACCOUNT

    def symbol_id(self, symbol: str) -> int:
        """Return the id of a symbol, 0 for an empty text. Raise `ApiError` where it is not listed."""
        if not symbol:
            return 0
        symbol_id = self.directory.symbol_ids.get(symbol)
        if symbol_id is None:
            raise unknown_symbol(symbol, self.directory.present_name(symbol))
        return symbol_id

    def _sole_account(self, principal: Principal) -> int:
        if len(self.directory.accounts) != self._accounts_seen:
            self._accounts_seen = len(self.directory.accounts)
            self._sole_accounts.clear()
        account_id = self._sole_accounts.get(principal.participant_id)
        if account_id is None:
            accounts = (
                self.directory.accounts_of(principal.participant_id) if principal.participant_id else []
            )
            if len(accounts) != 1:
                names = ", ".join(str(account.account_id) for account in accounts[:20]) or "none"
                raise refusal(
                    Reason.UNKNOWN_ACCOUNT, f"say for which account; this key's participant has {names}"
                )
            account_id = self._sole_accounts[principal.participant_id] = accounts[0].account_id
        return account_id


def flags_of(order: NewOrder | NewListedOrder) -> int:
    """Return an order's flags. Raise `ApiError` where they do not go together."""
    if order.reprice and not order.post_only:
        text = "reprice says what a post-only order does; it needs post_only: true"
        raise refusal(Reason.POST_ONLY_NOT_ALLOWED, text, field="reprice")
    flags = OrderFlag.POST_ONLY if order.post_only else 0
    if order.reprice:
        flags |= OrderFlag.REPRICE
    if order.all_or_none:
        flags |= OrderFlag.ALL_OR_NONE
    if order.hidden:
        flags |= OrderFlag.HIDDEN
    if order.do_not_reduce:
        flags |= OrderFlag.DO_NOT_REDUCE
    if order.short:
        flags |= OrderFlag.SHORT
    if order.short_exempt:
        flags |= OrderFlag.SHORT_EXEMPT
    if order.located:
        flags |= OrderFlag.LOCATED
    return flags


def pegged(order: NewOrder, account_id: int, symbol_id: int) -> bytes:
    """Return the `EnterPeggedOrder` record of an order. Raise `ApiError` where no record can carry it."""
    kind = PEGS.get(order.peg or "")
    if kind is None:
        text = f"peg must be one of {', '.join(PEGS)}, got {shown(order.peg)}"
        raise refusal(Reason.PEG_INVALID, text, field="peg")
    if order.type != "limit" or flags_of(order) or has_terms(order):
        text = "a pegged order is of type limit, and asks for nothing but its peg, an offset and a limit"
        raise refusal(Reason.PEG_INVALID, text, field="peg")
    try:
        offset = parse_money(order.peg_offset or "0")
    except UnitError as error:
        raise invalid_field("peg_offset", error) from error
    if abs(offset) > PRICE_MAX:
        raise invalid_field(
            "peg_offset", f"peg_offset must be less than the highest price, got {order.peg_offset}"
        )
    client_order_id_of(order.client_order_id)
    return encode_command(c.EnterPeggedOrder(
        account_id=AccountId(account_id), symbol_id=SymbolId(symbol_id), side=SIDES[order.side],
        time_in_force=TIMES_IN_FORCE[order.time_in_force], kind=kind, offset=offset, limit=price_of(order.price),
        quantity=quantity_of(order.qty), client_order_id=order.client_order_id,
    ))  # fmt: skip


def has_terms(order: NewOrder) -> bool:
    """Tell whether an order has special terms."""
    asked = (
        order.min_qty,
        order.display_qty,
        order.expires_at,
        order.stop_price,
        order.trail_amount,
        order.trail_bps,
    )
    return asked != _NO_TERMS


def terms_of(order: NewOrder | NewListedOrder) -> tuple[int, ...]:
    """Return an order's special terms in the order of `SpecialTerms`. Raise `ApiError` where no record has them."""
    minimum, display = (
        0 if value is None else quantity_of(value, field)
        for value, field in ((order.min_qty, "min_qty"), (order.display_qty, "display_qty"))
    )
    expires_ns = 0 if order.expires_at is None else time_of(order.expires_at, "expires_at")
    stop_price, trail_amount = (
        price_of(order.stop_price, "stop_price"),
        price_of(order.trail_amount, "trail_amount"),
    )
    trail_bps = 0 if order.trail_bps is None else order.trail_bps
    if not 0 <= trail_bps <= TRAIL_BPS_MAX:
        raise refusal(Reason.TRAIL_INVALID, measured=trail_bps, field="trail_bps")
    return minimum, display, stop_price, trail_amount, trail_bps, expires_ns


def time_of(text: str, field: str) -> int:
    """Return an RFC 3339 text as nanoseconds. Raise `ApiError` where it is none."""
    try:
        time_ns = parse_time(text)
    except UnitError as error:
        raise invalid_field(field, error) from error
    if not 0 <= time_ns <= TIME_NS_MAX:
        raise invalid_field(
            field, f"{field} must be from 1970 to {format_time(TIME_NS_MAX)}, got {shown(text)}"
        )
    return time_ns


def authority(principal: Principal) -> int:
    """Return on whose authority an order is cancelled: a participant's, or the exchange's own, 0."""
    return 0 if principal.role in _EVERY_ORDER else principal.participant_id


def cancel(order_id: int, participant_id: int) -> bytes:
    """Return the `CancelOrder` record. Raise `ApiError` for an id that no order can have."""
    if read_note(order_id) is not None:
        raise refusal(Reason.UNKNOWN_ORDER, f"there is no order {order_id} of this key's participant")
    command = c.CancelOrder(order_id=OrderId(order_id), participant_id=ParticipantId(participant_id))
    return encode_command(command)


def cancel_all(
    participant_id: int, account_id: int, symbol_id: int, side: str, prices: tuple[int, int] = (0, 0)
) -> bytes:
    """Return the record of a mass cancel. 0 and empty text mean any. prices: lowest and highest."""
    if prices == (0, 0):
        return encode_command(
            c.CancelOrders(
                participant_id=ParticipantId(participant_id), account_id=AccountId(account_id),
                symbol_id=SymbolId(symbol_id), side=SIDES.get(side, 0),
            )
        )  # fmt: skip
    lowest, highest = map(Price, prices)
    return encode_command(
        c.CancelOrdersWithin(
            participant_id=ParticipantId(participant_id), account_id=AccountId(account_id),
            symbol_id=SymbolId(symbol_id), side=SIDES.get(side, 0), lowest_price=lowest, highest_price=highest,
        )
    )  # fmt: skip


def amend(order_id: int, participant_id: int, quantity: Quantity, price: Price) -> bytes:
    """Return the `AmendOrder` record."""
    command = c.AmendOrder(
        order_id=OrderId(order_id),
        participant_id=ParticipantId(participant_id),
        quantity=quantity,
        price=price,
    )
    return encode_command(command)


def replace(
    order_id: int,
    participant_id: int,
    quantity: Quantity,
    price: Price,
    client_order_id: str,
) -> bytes:
    """Return the `ReplaceOrder` record. Raise `ApiError` where no record can carry the client order id."""
    client_order_id_of(client_order_id)
    command = c.ReplaceOrder(
        order_id=OrderId(order_id),
        participant_id=ParticipantId(participant_id),
        quantity=quantity,
        price=price,
        client_order_id=client_order_id,
    )
    return encode_command(command)


def quantity_of(value: str | int, field: str = "qty") -> Quantity:
    """Return a quantity, 0 included: the venue refuses that one. Raise `ApiError` where it fits no record."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= DIGITS_MAX):
            return _not_a_quantity(value, field)
        value = int(value)
    if not 0 <= value <= QUANTITY_MAX:
        return _not_a_quantity(value, field)
    return Quantity(value)


def price_of(value: str | int | None, field: str = "price") -> Price:
    """Return a price, 0 for none. Raise `ApiError` where it is no price."""
    if value is None:
        return Price(0)
    try:
        return _parsed_price(value if isinstance(value, str) else str(value))
    except UnitError as error:
        raise invalid_field(field, error) from error


def client_order_id_of(text: str) -> bytes:
    """Return a client order id as its record has it. Raise `ApiError` where it is none."""
    if text and not CLIENT_ORDER_ID_PATTERN.match(text):
        raise invalid_field(
            "client_order_id",
            f"client_order_id must be 1 to 36 printable ASCII characters without a blank, got {shown(text)}",
        )
    if text.startswith(SESSION_MARK):
        raise invalid_field(
            "client_order_id",
            f"client_order_id must not begin with {SESSION_MARK}, the mark of binary sessions, got {shown(text)}",
        )
    return text.encode("ascii")


def id_of(text: str, field: str) -> int:
    """Return the id that a text holds. Raise `ApiError` where it is none."""
    if text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= ID_MAX:
        return int(text)
    raise invalid_field(field, f"{field} must be an id such as 1042, got {shown(text)}")


def name_of(text: str, field: str = "name") -> str:
    """Return a name. Raise `ApiError` where it is none, and so might not fit a record."""
    if not is_valid_name(text):
        raise refusal(Reason.NAME_INVALID, field=field)
    return text


def reason_of(text: str) -> str:
    """Return why somebody does something, which may be left out. Raise `ApiError` as `name_of` does."""
    return name_of(text, "reason") if text else ""


def listed_symbol(directory: Directory, name: str) -> Symbol:
    """Return the symbol that a path names. Raise `ApiError` 404."""
    symbol = directory.symbol_named(name)
    if symbol is None:
        present = directory.present_name(name)
        hint = f"it is called {present} now" if present else "GET /api/v1/symbols lists them"
        raise not_found(f"symbol {shown(name)}; {hint}")
    return symbol


def unknown_symbol(symbol: str, present: str = "") -> Exception:
    """Make the error of a symbol that is not listed. present: what it is called now, where this was its name."""
    if present:
        text = f"{shown(symbol)} is the former name of {present}; use that"
        return refusal(Reason.SYMBOL_RENAMED, text, field="symbol")
    return refusal(
        Reason.UNKNOWN_SYMBOL, f"there is no symbol {shown(symbol)}; GET /api/v1/symbols lists them"
    )


def not_a_choice(reason: Reason, value: str, choices: Mapping[str, object]) -> Exception:
    """Make the error of a text that is none of the allowed ones."""
    field = REASONS[reason].field
    return refusal(reason, f"{field} must be one of {', '.join(choices)}, got {shown(value)}", field=field)


def shown(value: object) -> str:
    """Show a value in a message, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _not_a_quantity(value: str | int, field: str) -> NoReturn:
    text = str(value)
    if not _WHOLE.match(text):
        raise invalid_field(
            field, f"{field} must be a whole number of shares such as 100, got {shown(value)}"
        )
    if int(text) < 0:
        raise refusal(Reason.QUANTITY_NOT_POSITIVE, f"quantity must be at least 1, got {text}", field=field)
    text = f"quantity must be at most {QUANTITY_MAX}, got {text}"
    raise refusal(Reason.NOTIONAL_OVERFLOW, text, field=field)


_parsed_price = lru_cache(PRICES_REMEMBERED)(parse_price)
