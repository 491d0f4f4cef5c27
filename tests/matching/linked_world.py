"""Random order lists for a small market: mostly sane, some of the wrong kind, side or quantity."""

from __future__ import annotations

import random

from exchange.domain import commands as c
from exchange.domain.order import OrderType, PegKind, Side, TimeInForce
from exchange.domain.order_list import Contingency, ListedOrder
from exchange.domain.quote import Quote
from tests.matching.small_world import ACCOUNTS, PRICES, QUANTITIES, SECOND_NS, SYMBOLS

RESTING = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD)
ENTRY_TIMES = (*RESTING, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.AT_THE_CLOSE)
SANE = 0.9


def enter_list(drawn: random.Random, now_ns: int) -> c.EnterOrderList:
    """Enter a pair, an entry with what waits for it, or a bracket."""
    contingency = drawn.choice((*Contingency, *Contingency, *Contingency, 7))
    side = drawn.choice((Side.BUY, Side.SELL))
    other = Side.SELL if side is Side.BUY else Side.BUY
    quantity = drawn.choice(QUANTITIES)
    mark = f"{drawn.randrange(40)}-" if drawn.random() < 0.2 else ""
    orders: list[ListedOrder] = []
    if contingency == Contingency.ONE_CANCELS_OTHER:
        orders += pair(drawn, side, quantity, mark, now_ns)
    elif contingency == Contingency.ONE_TRIGGERS_OTHER:
        waiting = pair(drawn, drawn.choice((side, other)), quantity, mark, now_ns)
        orders += [entry(drawn, side, quantity, mark, now_ns), drawn.choice(waiting)]
    else:
        exits = pair(drawn, other if drawn.random() < SANE else side, quantity, mark, now_ns)
        orders += [entry(drawn, side, quantity, mark, now_ns), *exits]
    if drawn.random() > SANE:
        drawn.shuffle(orders)
        orders = orders[: drawn.randrange(4)]
    return c.EnterOrderList(
        account_id=drawn.choice(ACCOUNTS), symbol_id=drawn.choice(SYMBOLS), contingency=contingency,
        orders=tuple(orders),
    )  # fmt: skip


def entry(drawn: random.Random, side: Side, quantity: int, mark: str, now_ns: int) -> ListedOrder:
    """Draw the order that comes in first."""
    order_type = drawn.choice(
        (*(OrderType.LIMIT,) * 6, OrderType.MARKET, OrderType.STOP, OrderType.MARKET_TO_LIMIT)
    )
    time_in_force = drawn.choice(ENTRY_TIMES)
    return ListedOrder(
        side=side, order_type=order_type, time_in_force=time_in_force,
        flags=drawn.choice((0, 0, 0, 0, 1, 3, 4, 8)), price=drawn.choice(PRICES) * (order_type == OrderType.LIMIT),
        quantity=quantity, client_order_id=mark and f"{mark}e",
        minimum_quantity=drawn.choice((0, 0, 0, 0, 2)),
        stop_price=drawn.choice((100_100, 99_900)) * (order_type == OrderType.STOP),
        expires_ns=(now_ns + drawn.choice((1, 60)) * SECOND_NS) * (time_in_force is TimeInForce.GTD),
    )  # fmt: skip


def pair(drawn: random.Random, side: Side, quantity: int, mark: str, now_ns: int) -> list[ListedOrder]:
    """Draw a limit order and a stop order, mostly on the right sides of the market."""
    sign = 1 if side is Side.SELL else -1
    if drawn.random() > SANE:
        sign, quantity = -sign, drawn.choice(QUANTITIES)
    times = [drawn.choice(RESTING) for _ in range(2)]
    ends = [(now_ns + drawn.choice((1, 60, 90_000)) * SECOND_NS) * (t is TimeInForce.GTD) for t in times]
    limit = 100_000 + sign * drawn.choice((-100, 0, 100, 200, 300))
    stop = 100_000 - sign * drawn.choice((-50, 100, 200, 300))
    trails = drawn.random() < 0.1
    flags = drawn.choice((0, 0, 0, 0, 0, 0, 8, 1, 4))
    stop_type = drawn.choice((OrderType.STOP, OrderType.STOP_LIMIT))
    ids = [mark and f"{mark}{end}" for end in "ls"]
    stop_limit = (stop - sign * 100) * (stop_type is OrderType.STOP_LIMIT)
    return [
        ListedOrder(
            side=side, order_type=OrderType.LIMIT, time_in_force=times[0], flags=flags, price=limit,
            quantity=quantity, client_order_id=ids[0], display_quantity=drawn.choice((0, 0, 0, 2)),
            expires_ns=ends[0],
        ),
        ListedOrder(
            side=side, order_type=stop_type, time_in_force=times[1], flags=0, price=stop_limit, quantity=quantity,
            client_order_id=ids[1], stop_price=0 if trails else stop,
            trail_amount=drawn.choice((50, 100)) * trails, expires_ns=ends[1],
        ),
    ]  # fmt: skip


def enter_peg(drawn: random.Random) -> c.EnterPeggedOrder:
    """Enter a pegged order, now and then one that cannot be."""
    kind = drawn.choice((*PegKind, *PegKind, *PegKind, 3))
    offset = (
        0
        if kind is PegKind.MIDPOINT and drawn.random() < SANE
        else drawn.choice((0, 100, -100, 50, 300, -(2**31)))
    )
    return c.EnterPeggedOrder(
        account_id=drawn.choice(ACCOUNTS), symbol_id=drawn.choice(SYMBOLS), kind=kind, offset=offset,
        side=drawn.choice((Side.BUY, Side.SELL)), quantity=drawn.choice(QUANTITIES),
        time_in_force=drawn.choice((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC)),
        limit=drawn.choice((0, 0, 0, 100_000, 100_100, 99_900, 100_050)),
        client_order_id=f"peg{drawn.randrange(40)}" if drawn.random() < 0.1 else "",
    )  # fmt: skip


def quotes_command(drawn: random.Random) -> list[c.Command]:
    """Quote in a few symbols behind the ids reserved for it; or withdraw, protect or reset quotes."""
    account = drawn.choice(ACCOUNTS)
    symbol = drawn.choice((0, *SYMBOLS))
    match drawn.random():
        case x if x < 0.65:
            return mass_quote(drawn, account)
        case x if x < 0.75:
            return [
                c.CancelQuotes(
                    participant_id=drawn.choice((0, 0, 1, 2)), account_id=account, symbol_id=symbol
                )
            ]
        case x if x < 0.85:
            return [c.SetQuoteProtection(
                account_id=account, symbol_id=symbol, quantity=drawn.choice((0, 0, 4, 10, 20)),
                executions=drawn.choice((0, 0, 2, 3)), percent_bps=drawn.choice((0, 5_000)),
                delta=drawn.choice((0, 6)), window_ms=drawn.choice((1, 1_000, 60_000, 0, 3_600_001)),
            )]  # fmt: skip
    return [c.ResetQuoteProtection(account_id=account, symbol_id=symbol)]


def mass_quote(drawn: random.Random, account: int) -> list[c.Command]:
    """Quote in up to three symbols, now and then crossed, one-sided, or with too few ids."""
    quotes = []
    for symbol in drawn.sample((1, 2, 9, 1), drawn.choice((1, 1, 1, 2, 3))):
        middle = 100_000 + drawn.choice((-100, 0, 0, 100))
        bid, ask = middle - drawn.choice((100, 200, 50, -100)), middle + drawn.choice((0, 100, 200))
        quantities = [drawn.choice((2, 4, 10, 20, 0, 3)) for _ in "ba"]
        quotes.append(Quote(symbol, bid, quantities[0], ask, quantities[1]))
    reserved = 2 * len(quotes) - 1 if drawn.random() < SANE else drawn.randrange(3)
    ids: list[c.Command] = [c.ReserveOrderId()] * reserved
    return [*ids, c.MassQuote(account_id=account, quote_id=drawn.randrange(100), quotes=tuple(quotes))]
