"""A refusal in words: the reason's sentence with what was measured, the limit, and what would do."""

from __future__ import annotations

from collections.abc import Callable

from exchange.domain.reasons import REASONS, Reason
from exchange.domain.units import format_date, format_money, format_price, format_time
from exchange.wire.rest.texts import TIMES_IN_FORCE

_TIME_IN_FORCE_TEXT = {int(number): text for text, number in TIMES_IN_FORCE.items()}
_PRICED = (
    Reason.PRICE_NOT_ALLOWED,
    Reason.PRICE_TOO_HIGH,
    Reason.POST_ONLY_WOULD_TRADE,
    Reason.STOP_PRICE_NOT_ALLOWED,
    Reason.STOP_ALREADY_REACHED,
)


def reject_message(reason: int, measured: int, limit: int, *, in_money: bool = False) -> str:
    """Say why something was refused, with both figures. in_money: the figures of a balance are money."""
    reason = Reason(reason)
    if (
        reason in (Reason.PRICE_NOT_ON_TICK, Reason.REFERENCE_PRICE_INVALID, Reason.STOP_PRICE_INVALID)
        and limit > 0
    ):
        return _tick_message(reason, measured, limit)
    if reason == Reason.QUANTITY_NOT_IN_LOTS and limit > 0:
        below = measured - measured % limit
        nearest = f"{below} or {below + limit}" if below else str(limit)
        return f"quantity {measured} is not a multiple of the round lot {limit}; nearest {nearest}"
    if reason == Reason.INSUFFICIENT_BALANCE:
        write: Callable[[int], str] = format_money if in_money else str
        return f"amount {write(measured)} is more than the account's balance {write(limit)}"
    if reason == Reason.CLIENT_ORDER_ID_REUSED:
        return (
            f"this client order id was used before with another order, {measured}; "
            "send the same order again or use a new client order id"
        )
    if reason == Reason.BUSINESS_DATE_NOT_LATER:
        return _with(reason, format_date(measured), format_date(limit))
    if reason == Reason.EXPIRY_INVALID:
        return _with(reason, format_time(measured) if measured else "none", format_time(limit))
    if reason == Reason.TIME_IN_FORCE_NOT_ALLOWED:
        return _with(reason, _TIME_IN_FORCE_TEXT.get(measured, str(measured)), "")
    if reason == Reason.AMOUNT_NOT_POSITIVE and in_money:
        return _with(reason, format_money(measured), format_money(limit))
    shown: Callable[[int], str] = format_price if reason in _PRICED else str
    return _with(reason, shown(measured) if measured else "", shown(limit) if limit else "")


def _tick_message(reason: Reason, price: int, tick: int) -> str:
    what = REASONS[reason].field.replace("_", " ")
    below = price - price % tick
    if below == price:
        return _with(reason, format_price(price), "")
    nearest = [format_price(near) for near in (below, below + tick) if near > 0]
    return (
        f"{what} {format_price(price)} is not a multiple of the tick size {format_price(tick)}; "
        f"nearest {' or '.join(nearest)}"
    )


def _with(reason: Reason, measured: str, limit: str) -> str:
    text = REASONS[reason]
    seen = f"{text.measured} {measured}" if text.measured and measured else ""
    allowed = f"{text.limit} {limit}" if text.limit and limit else ""
    figures = ", ".join(part for part in (seen, allowed) if part)
    return f"{text.sentence[:-1]}: {figures}." if figures else text.sentence
