"""Puts an explanation together: what became of the order first, then why, then moment by moment what happened."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.domain import events as e
from exchange.domain.order import CancelReason, OrderType, Side
from exchange.domain.phase import Phase
from exchange.domain.units import format_price, format_time
from exchange.engine.explain import words
from exchange.engine.explain.adjusted import tell_adjusted, title_of
from exchange.engine.explain.auctions import tell_auction
from exchange.engine.explain.fills import (
    is_taker,
    leaves_of,
    mean_price,
    tell_protection,
    tell_rest,
    tell_trades,
    trades_of,
)
from exchange.engine.explain.linked import (
    Ties,
    entered_as,
    table_of,
    tell_in_list,
    tell_linked,
    tell_why_cancelled,
    ties_of,
)
from exchange.engine.explain.witness import Moment, Testimony, View, names
from exchange.matching.order_book import Level, RestingOrder
from exchange.wire.rest.explain import (
    ExplainedBook,
    ExplainedLevel,
    ExplainedLine,
    ExplainedMoment,
    Explanation,
)

LINES_MAX = 20
"""Events of one moment that are told each by a sentence."""


def explain(testimony: Testimony, matcher: str) -> Explanation:
    """Return the explanation of an order."""
    order_id, now = testimony.order_id, testimony.now
    ties = ties_of(testimony.events, order_id)
    moments = [_moment(moment, order_id, ties) for moment in testimony.moments]
    lines = _why_now(testimony, ties)
    cited = [line.rule for line in lines] + [line.rule for moment in moments for line in moment.lines]
    return Explanation(
        id=str(order_id),
        symbol=now.symbol.symbol if now.symbol else None,
        headline=_headline(testimony, ties),
        lines=lines,
        moments=moments,
        moments_left_out=testimony.left_out,
        rules=words.rules_cited(cited),
        seq=now.event_sequence,
        at=format_time(now.time_ns),
        matcher=matcher,
        proven=f"{testimony.running_hash:016x}",
    )


# --- what became of it -------------------------------------------------------------------------------------------


def _headline(testimony: Testimony, ties: Ties) -> str:
    order_id, events = testimony.order_id, testimony.events
    what = _what(events, testimony.now, ties)
    trades = [event for event in events if isinstance(event, e.TradeExecuted)]
    filled = sum(trade.quantity for trade in trades)
    at = f"{filled} at {mean_price(trades)} on average" if trades else ""
    ended = _end(events, order_id)
    if isinstance(ended, e.OrderRejected):
        return f"Refused: {what}."
    if isinstance(ended, e.OrderCancelled):
        done = f" after {at}" if trades else ", nothing traded"
        return f"Cancelled: {what}{done}; {ended.quantity} shares were left."
    if isinstance(ended, e.OrderReplaced):
        return f"Replaced by order {ended.new_order_id}: {what}{' after ' + at if trades else ''}."
    live = testimony.now.order
    if live is None and not _came_in(events, order_id):
        has_ended = any(isinstance(event, e.OrderListEnded) for event in events)
        return f"Never came in: {what}." if has_ended else f"Waiting for its entry: {what}."
    if live is None:
        return f"Filled: {what}, {at}, in {len(trades)} {'trade' if len(trades) == 1 else 'trades'}."
    if trades:
        return f"Partly filled: {what}, {at}; {live.leaves} shares wait."
    return f"Waiting: {what}, nothing traded yet."


def _came_in(events: Iterable[e.Event], order_id: int) -> bool:
    """Tell whether an order has been in the market, and does not only wait in a list."""
    return any(
        (isinstance(event, e.OrderAccepted) and event.order_id == order_id)
        or (isinstance(event, e.OrderReplaced) and event.new_order_id == order_id)
        or isinstance(event, e.TradeExecuted)
        for event in events
    )


def _what(events: Iterable[e.Event], now: View, ties: Ties) -> str:
    """Name the order: `buy 100 AAPL at 189.20`."""
    order_id = ties.order_id
    symbol = now.symbol.symbol if now.symbol else "an unknown symbol"
    for event in events:
        if isinstance(event, (e.OrderAccepted, e.OrderRejected)) or (
            isinstance(event, e.OrderReplaced) and event.new_order_id == order_id
        ):
            side = {1: "buy", 2: "sell"}.get(int(event.side), f"side {event.side}")
            at = f"at {format_price(event.price)}" if event.price > 0 else "at market"
            if ties.peg:
                at = f"pegged ({words.word(ties.peg.kind)})"
            return f"{side} {event.quantity} {symbol} {at}"
    return f"{listed} in {symbol}" if (listed := entered_as(ties)) else f"order {order_id} in {symbol}"


def _end(events: list[e.Event], order_id: int) -> e.Event | None:
    """Return the event that ended the order other than by a fill."""
    for event in reversed(events):
        if isinstance(event, (e.OrderRejected, e.OrderCancelled)):
            return event
        if isinstance(event, e.OrderReplaced) and event.order_id == order_id:
            return event
    return None


# --- why it stands as it does ------------------------------------------------------------------------------------


def _why_now(testimony: Testimony, ties: Ties) -> list[ExplainedLine]:
    ended = _end(testimony.events, testimony.order_id)
    if isinstance(ended, e.OrderRejected):
        advice = words.advice_on(ended.reason)
        return [words.refusal_line(ended), *([ExplainedLine(advice, "3.2")] if advice else [])]
    lines = [words.line_of(ended)] if ended else []
    lines += [
        words.line_of(event)
        for event in testimony.events
        if isinstance(event, (e.TradeBusted, e.TradeCorrected))
    ]
    lines += [words.line_of(ties.peg)] if ties.peg else []
    live = testimony.now.order
    if live is None and not _came_in(testimony.events, testimony.order_id):
        return lines + tell_in_list(testimony.events, ties)
    return lines + (_why_it_waits(testimony.now, live) if live else [])


def _why_it_waits(now: View, live: RestingOrder) -> list[ExplainedLine]:
    lines = tell_rest(now)
    phase = now.symbol.phase if now.symbol else Phase.CONTINUOUS
    if phase is not Phase.CONTINUOUS:
        name = now.symbol.symbol if now.symbol else ""
        rule = "5.9" if phase is Phase.HALTED else "5.1"
        where = "" if phase in (Phase.HALTED, Phase.CLOSED) else "in "
        return [
            *lines,
            ExplainedLine(f"{name} is {where}{words.word(phase)}: nothing trades until that is over.", rule),
        ]
    if live.is_waiting or live.is_parked or live.is_for_auction or live.order_type is OrderType.MARKET:
        return lines
    opposite = now.asks if live.side is Side.BUY else now.bids
    what, beyond = ("offer", "lower") if live.side is Side.BUY else ("bid", "higher")
    if not opposite:
        return [*lines, ExplainedLine(f"There is no {what} at all to trade with.", "1.1")]
    best = format_price(opposite[0].price)
    text = f"The best {what} is {best}; nobody stands at {format_price(live.price)} or {beyond}."
    return [*lines, ExplainedLine(text, "1.2")]


# --- moment by moment --------------------------------------------------------------------------------------------


def _moment(moment: Moment, order_id: int, ties: Ties) -> ExplainedMoment:
    before = moment.before
    own = [event for event in moment.events if names(event, order_id, ties.list_id)]
    auction_lines, tables = tell_auction(moment, order_id)
    trade_lines, trade_tables = tell_trades(moment, order_id, _limit_of(moment, order_id))
    lines = [line for event in own if not _is_told_later(event) for line in _tell(event, moment, ties)]
    if any(isinstance(event, e.OrderListAccepted) for event in own):
        tables = table_of(ties) + tables
    lines += [*auction_lines, *trade_lines]
    for event in own:
        if isinstance(event, e.OrderCancelled):
            lines += _tell_cancel(moment, event, order_id) + tell_why_cancelled(moment, event)
    if moment.after.order and not any(isinstance(event, (e.TradeBusted, e.TradeCorrected)) for event in own):
        lines += tell_rest(moment.after)
    symbol_id = before.symbol.symbol_id if before.symbol else 0
    context = [event for event in moment.events if _is_public(event) and event.symbol_id == symbol_id]
    return ExplainedMoment(
        command=moment.command_sequence,
        at=format_time(moment.after.time_ns),
        title=title_of(moment) or _title(own, order_id),
        phase=words.word(before.symbol.phase) if before.symbol else "",
        lines=([words.line_of(event) for event in context] + lines)[:LINES_MAX],
        tables=tables + trade_tables,
        before=_book(before, order_id),
        after=_book(moment.after, order_id),
    )


def _tell(event: e.Event, moment: Moment, ties: Ties) -> list[ExplainedLine]:
    """Return the sentences of an event: what it depends on, what adjusted it, or its own."""
    told = tell_adjusted(event, moment) or tell_linked(event, moment, ties)
    return told or [words.line_of(event)]


def _is_told_later(event: e.Event) -> bool:
    return isinstance(event, (e.TradeExecuted, e.OrderCancelled))


def _is_public(event: e.Event) -> bool:
    """Tell whether an event is about a symbol alone and worth telling to everybody."""
    fields = type(event).__struct_fields__
    is_somebodys = any(name.endswith("_id") and name != "symbol_id" for name in fields)
    return (
        event.symbol_id != 0
        and not is_somebodys
        and not isinstance(event, (e.AuctionIndicated, e.AuctionExecuted))
    )


def _title(own: list[e.Event], order_id: int) -> str:
    title = words.title_of(own)
    trades = [event for event in own if isinstance(event, e.TradeExecuted)]
    if not trades or title == "Traded":
        return title
    return f"{title}, and traded" if leaves_of(trades[-1], order_id) else f"{title}, and filled"


def _limit_of(moment: Moment, order_id: int) -> int:
    """Return the limit with which the order came in, 0 where it had none."""
    for event in moment.events:
        if (
            isinstance(event, (e.OrderAccepted, e.OrderAmended, e.OrderTriggered))
            and event.order_id == order_id
        ):
            return event.price
        if isinstance(event, e.OrderReplaced) and event.new_order_id == order_id:
            return event.price
    return 0


def _tell_cancel(moment: Moment, event: e.OrderCancelled, order_id: int) -> list[ExplainedLine]:
    lines = [words.line_of(event)]
    if event.reason is CancelReason.PROTECTION:
        lines += tell_protection(moment.before, event)
    at_once = (CancelReason.IMMEDIATE_OR_CANCEL, CancelReason.FILL_OR_KILL, CancelReason.MINIMUM_QUANTITY)
    if event.reason in at_once and event.price:
        lines.append(_what_was_there(moment.before, event))
    trades = [trade for trade in trades_of(moment, order_id) if is_taker(trade, order_id)]
    if event.reason in at_once and not event.price and not trades:
        lines.append(ExplainedLine("Nobody stood on the other side.", "1.2"))
    return lines


def _what_was_there(before: View, event: e.OrderCancelled) -> ExplainedLine:
    """Count what was shown within the limit of an order that did not find enough."""
    is_buy = event.side is Side.BUY
    levels = before.asks if is_buy else before.bids
    what, beyond = ("offered", "lower") if is_buy else ("bid for", "higher")
    reached = [
        level for level in levels if (level.price <= event.price if is_buy else level.price >= event.price)
    ]
    there = sum(level.quantity for level in reached)
    best = f" The best price was {format_price(levels[0].price)}." if levels else ""
    return ExplainedLine(
        f"At {format_price(event.price)} or {beyond}, {there} shares were {what} when it came.{best}", "1.4"
    )


def _book(view: View, order_id: int) -> ExplainedBook:
    own = view.order if view.order and view.order.is_shown and view.order.order_id == order_id else None
    return ExplainedBook(
        [_level(level, own, Side.BUY) for level in view.bids],
        [_level(level, own, Side.SELL) for level in view.asks],
    )


def _level(level: Level, own: RestingOrder | None, side: Side) -> ExplainedLevel:
    is_own = own is not None and own.side is side and own.price == level.price
    mine = str(own.displayed) if own is not None and is_own else "0"
    return ExplainedLevel(format_price(level.price), str(level.quantity), level.orders, mine)
