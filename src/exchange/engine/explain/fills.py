"""What an order traded within one command: each trade at its price, and how a quantity was shared out."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.domain import events as e
from exchange.domain.allocation import StepKind, step_text
from exchange.domain.order import Side
from exchange.domain.trade import BASIS_POINTS, TradeCondition
from exchange.domain.units import format_money, format_price
from exchange.engine.explain.witness import Moment, Sharing, View
from exchange.wire.rest.explain import ExplainedLine as Line
from exchange.wire.rest.explain import ExplainedTable as Table

ROWS_MAX = 20
"""Rows of a table of trades or of a queue; more are summed up."""


def trades_of(moment: Moment, order_id: int) -> list[e.TradeExecuted]:
    """Return the trades of an order within a command."""
    return [
        event for event in moment.events
        if isinstance(event, e.TradeExecuted) and order_id in (event.maker_order_id, event.taker_order_id)
    ]  # fmt: skip


def is_taker(trade: e.TradeExecuted, order_id: int) -> bool:
    """Tell whether an order came in and took, rather than rested."""
    return trade.taker_order_id == order_id


def leaves_of(trade: e.TradeExecuted, order_id: int) -> int:
    """Return what an order had left after a trade."""
    return trade.taker_leaves if is_taker(trade, order_id) else trade.maker_leaves


def mean_price(trades: Sequence[e.TradeExecuted]) -> str:
    """Write the mean price of trades, rounded to the nearest 1/10,000."""
    shares = sum(trade.quantity for trade in trades)
    return format_price((sum(trade.quantity * trade.price for trade in trades) * 2 + shares) // (2 * shares))


def tell_trades(moment: Moment, order_id: int, limit: int) -> tuple[list[Line], list[Table]]:
    """Tell the trades of continuous trading. limit: the order's own, 0 for none."""
    trades = [trade for trade in trades_of(moment, order_id) if trade.state is not TradeCondition.AUCTION]
    if not trades:
        return [], []
    shares = sum(trade.quantity for trade in trades)
    if is_taker(trades[0], order_id):
        lines = _tell_taking(trades, shares, limit)
    else:
        lines = _tell_resting(moment, trades, shares)
    tables = [_trade_table(trades, order_id)]
    if sharings := _sharings_of(moment, order_id, trades):
        lines.append(
            Line("The symbol shares trades out among the orders at one price by steps, shown below.", "6.1")
        )
        tables += [_sharing_table(sharing, order_id) for sharing in sharings]
    return lines, tables


def _tell_taking(trades: Sequence[e.TradeExecuted], shares: int, limit: int) -> list[Line]:
    prices = {trade.price for trade in trades}
    at = (
        f"at {format_price(trades[0].price)}"
        if len(prices) == 1
        else f"at {len(prices)} prices, the best first"
    )
    lines = [
        Line(f"It came in and traded {shares} shares at once, {at}.", "1.1"),
        Line("Each trade is at the resting order's price, not at the incoming one's.", "1.1"),
    ]
    side = trades[0].taker_side
    saved = sum((limit - trade.price) * trade.quantity for trade in trades) * (1 if side is Side.BUY else -1)
    if limit and saved > 0:
        lines.append(
            Line(f"That is {format_money(saved)} better than at its limit of {format_price(limit)}.", "1.1")
        )
    return lines


def _tell_resting(moment: Moment, trades: Sequence[e.TradeExecuted], shares: int) -> list[Line]:
    came = "sale" if trades[0].taker_side is Side.SELL else "buy"
    price = format_price(trades[0].price)
    lines = [
        Line(
            f"A {came} came in and traded {shares} of its shares at {price}: its own price, for it rested.",
            "1.1",
        )
    ]
    place = moment.before.place
    if place and place.orders_ahead:
        ahead = (
            f"{place.quantity_ahead} shares in {orders(place.orders_ahead)} were ahead of it at that price"
        )
        has_steps = moment.before.symbol is not None and moment.before.symbol.allocation.steps
        lines.append(Line(f"{ahead}." if has_steps else f"{ahead} and traded first, or went.", "1.1"))
    elif place:
        lines.append(Line("It was first in the queue at that price.", "1.1"))
    return lines


def _trade_table(trades: Sequence[e.TradeExecuted], order_id: int) -> Table:
    rows = [
        [str(number), format_price(trade.price), str(trade.quantity), str(leaves_of(trade, order_id))]
        for number, trade in enumerate(trades[:ROWS_MAX], 1)
    ]
    if len(trades) > ROWS_MAX:
        rest = trades[ROWS_MAX:]
        more = sum(trade.quantity for trade in rest)
        rows.append([f"{len(rest)} more", mean_price(rest), str(more), str(leaves_of(rest[-1], order_id))])
    return Table("Trades", [">trade", ">price", ">shares", ">left of it"], rows)


# --- allocation --------------------------------------------------------------------------------------------------


def _sharings_of(moment: Moment, order_id: int, trades: Sequence[e.TradeExecuted]) -> list[Sharing]:
    """Return how it was shared out what the order took, or what another one took at its price."""
    if is_taker(trades[0], order_id):
        return list(moment.sharings)
    return [sharing for sharing in moment.sharings if any(o.order_id == order_id for o in sharing.orders)]


def _sharing_table(sharing: Sharing, order_id: int) -> Table:
    """Lay the arithmetic out: a row for each order in the queue, a column for each step."""
    steps = list(sharing.steps)
    if len(steps) > 1 and steps[-1][1] == steps[-2][1]:
        steps.pop()
    names = [step_text(step) if step else "oldest first" for step, _ in steps] or ["all that is there"]
    columns = [">place", "order", ">shown", *(f">{name}" for name in names), ">gets"]
    total = sum(order.quantity for order in sharing.orders)
    rows = []
    for place, order in enumerate(sharing.orders[:ROWS_MAX]):
        before = 0
        cells = []
        for _, has in steps:
            cells.append(f"+{has[place] - before}" if has[place] > before else "")
            before = has[place]
        rows.append([
            str(place + 1), "this one" if order.order_id == order_id else "top order" if order.is_top else "",
            str(order.quantity), *(cells or [f"+{sharing.given[place]}"]), str(sharing.given[place]),
        ])  # fmt: skip
    if len(sharing.orders) > ROWS_MAX:
        rest = slice(ROWS_MAX, None)
        more = [str(sum(order.quantity for order in sharing.orders[rest]))]
        cells = [""] * len(names)
        rows.append(
            ["", f"{len(sharing.orders) - ROWS_MAX} more", *more, *cells, str(sum(sharing.given[rest]))]
        )
    rows.append(["", "all", str(total), *([""] * len(names)), str(sum(sharing.given))])
    mark = next((at for at, order in enumerate(sharing.orders[:ROWS_MAX]) if order.order_id == order_id), -1)
    return Table(_sharing_title(sharing, total), columns, rows, mark)


def _sharing_title(sharing: Sharing, total: int) -> str:
    if sharing.quantity >= total:
        return f"{sharing.quantity} shares meet {total}: every order trades whole"
    by_size = any(step and step.kind == StepKind.PRO_RATA for step, _ in sharing.steps)
    how = "; by size each gets (quantity x its shares / all shares), in whole lots" if by_size else ""
    return f"{sharing.quantity} shares are shared out among {total}{how}"


# --- what else an order's price had to do with it ----------------------------------------------------------------


def tell_protection(before: View, event: e.OrderCancelled) -> list[Line]:
    """Work out the protection band that kept a market order from going on."""
    symbol = before.symbol
    if symbol is None or not symbol.protection_bps:
        return []
    reference, band = before.reference_price, before.reference_price * symbol.protection_bps // BASIS_POINTS
    edge = reference + band if event.side is Side.BUY else max(reference - band, 1)
    sign = "+" if event.side is Side.BUY else "-"
    return [
        Line(
            f"The band is {symbol.protection_bps} basis points around the reference price:"
            f" {format_price(reference)} {sign} {format_price(band)} = {format_price(edge)}. Nothing was left at"
            f" {format_price(edge)} or better.", "1.8",
        )
    ]  # fmt: skip


def tell_rest(after: View) -> list[Line]:
    """Tell where an order waits."""
    order, place = after.order, after.place
    if order is None:
        return []
    leaves, price = order.leaves, format_price(order.price)
    if order.is_waiting:
        beyond = "higher" if order.side is Side.BUY else "lower"
        stop = format_price(order.terms.stop_price)
        return [Line(f"It waits, unseen, until the last trade is at {stop} or {beyond}.", "1.10")]
    if order.is_parked:
        return [
            Line(
                f"{leaves} shares wait aside: for now there is no price to which it could be pegged.", "1.17"
            )
        ]
    if order.is_for_auction:
        return [
            Line(f"{leaves} shares wait beside the book; they trade in the auction or not at all.", "5.6")
        ]
    if place is None:
        unseen = f"{leaves} shares rest unseen at {price}, behind all that is shown there."
        return [Line(unseen, "1.6" if order.minimum else "1.9")]
    has = f"{place.quantity_ahead} shares in {orders(place.orders_ahead)} are"
    ahead = f"{has if place.orders_ahead else 'nobody is'} ahead of it there"
    better = f", {after.better} shares at better prices" if after.better else ""
    lines = [Line(f"{leaves} shares rest at {price} in place {place.place}: {ahead}{better}.", "1.1")]
    if order.reserve:
        lines.append(Line(f"{order.displayed} of them are shown; {order.reserve} wait behind.", "1.7"))
    return lines


def orders(count: int) -> str:
    """Write a number of orders."""
    return f"{count} order" if count == 1 else f"{count} orders"
