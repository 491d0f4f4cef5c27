"""An auction as one of its orders saw it: why this price, how much traded, and who came before the order."""

from __future__ import annotations

from exchange.domain import events as e
from exchange.domain.order import OrderType, Side
from exchange.domain.phase import AuctionKind
from exchange.domain.trade import TradeCondition
from exchange.domain.units import format_price
from exchange.engine.explain.fills import trades_of
from exchange.engine.explain.witness import Gathered, Moment, taking_part
from exchange.matching.auction import PriceRow, find_price, price_rows
from exchange.matching.order_book import RestingOrder
from exchange.wire.rest.explain import ExplainedLine as Line
from exchange.wire.rest.explain import ExplainedTable as Table

ROWS_AROUND = 5
"""Prices that are shown above and below that of the auction."""


def tell_auction(moment: Moment, order_id: int) -> tuple[list[Line], list[Table]]:
    """Tell the end of an auction, where the command had one in the order's symbol."""
    symbol = moment.before.symbol
    executed = next(
        (event for event in moment.events
         if isinstance(event, e.AuctionExecuted) and symbol and event.symbol_id == symbol.symbol_id), None
    )  # fmt: skip
    if executed is None or moment.gathered is None:
        return [], []
    gathered = taking_part(moment.gathered, AuctionKind(executed.auction))
    rows = price_rows(gathered.buys, gathered.sells, executed.reference_price)
    found = find_price(gathered.buys, gathered.sells, executed.reference_price)
    lines, tables = [], []
    if (found.price, found.volume) == (executed.price, executed.volume):
        lines.append(_why_this_price(rows, executed))
        tables.append(_price_table(rows, executed))
    if executed.volume:
        lines.append(
            Line(f"All {executed.volume} shares trade at it, whatever the orders' own limits.", "5.4")
        )
    lines += _share(moment, gathered, executed, order_id)
    return lines, tables


def _why_this_price(rows: list[PriceRow], executed: e.AuctionExecuted) -> Line:
    price = format_price(executed.price)
    if not executed.volume:
        return Line("No buyer and no seller met at any price, so nothing traded.", "5.4")
    most = [row for row in rows if row.outcome.volume == executed.volume]
    if len(most) == 1:
        return Line(f"{price} is the price at which most is traded: {executed.volume} shares.", "5.4")
    least = min(abs(row.outcome.surplus) for row in most)
    nearest = [row for row in most if abs(row.outcome.surplus) == least]
    begin = f"{len(most)} prices trade {executed.volume} shares, the most there is"
    if len(nearest) == 1:
        return Line(f"{begin}; of them {price} leaves least over: {least} shares.", "5.4")
    surpluses = [row.outcome.surplus for row in nearest]
    if all(surplus > 0 for surplus in surpluses):
        why = "all leave buyers over, so it is the highest"
    elif all(surplus < 0 for surplus in surpluses):
        why = "all leave sellers over, so it is the lowest"
    else:
        why = f"it is the one nearest to the reference price of {format_price(executed.reference_price)}"
    return Line(f"{begin}, and {len(nearest)} of them leave {least} over: {price}, for {why}.", "5.4")


def _price_table(rows: list[PriceRow], executed: e.AuctionExecuted) -> Table:
    """Lay the prices around the auction's own out, highest first, as a book has them."""
    at = next((place for place, row in enumerate(rows) if row.price == executed.price), 0)
    shown = rows[max(at - ROWS_AROUND, 0) : at + ROWS_AROUND + 1][::-1]
    cells = [
        [format_price(row.price), str(row.bought), str(row.sold), str(row.outcome.volume), _left_over(row)]
        for row in shown
    ]
    columns = [">price", ">would buy", ">would sell", ">trades", ">left over"]
    mark = next((place for place, row in enumerate(shown) if row.price == executed.price), -1)
    return Table("Why this price", columns, cells, mark)


def _left_over(row: PriceRow) -> str:
    surplus = row.outcome.surplus
    return f"{abs(surplus)} {'buy ' if surplus > 0 else 'sell'}" if surplus else "0     "


def _share(moment: Moment, gathered: Gathered, executed: e.AuctionExecuted, order_id: int) -> list[Line]:
    """Tell how much the order got, and why not more."""
    own_side = next((side for side in gathered if any(order.order_id == order_id for order in side)), None)
    if own_side is None:
        return []
    own = next(order for order in own_side if order.order_id == order_id)
    trades = [trade for trade in trades_of(moment, order_id) if trade.state is TradeCondition.AUCTION]
    got = sum(trade.quantity for trade in trades)
    if not executed.volume:
        return []
    if not got and not _reaches(own, executed.price):
        limit, price = format_price(own.price), format_price(executed.price)
        beyond = "below" if own.side is Side.BUY else "above"
        return [
            Line(
                f"Its limit of {limit} is {beyond} the auction's price of {price}, so it could not trade.",
                "5.4",
            )
        ]
    ahead = sum(order.leaves for order in own_side[: own_side.index(own)])
    before = f"{ahead} shares came before it" if ahead else "nobody came before it"
    text = f"It traded {got} of its {own.leaves} shares: {before}, and {executed.volume} shares trade in all."
    return [Line(text, "5.5")]


def _reaches(order: RestingOrder, price: int) -> bool:
    if order.order_type is OrderType.MARKET:
        return True
    return order.price >= price if order.side is Side.BUY else order.price <= price
