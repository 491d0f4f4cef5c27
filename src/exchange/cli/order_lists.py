"""`exchange order pair|then|bracket|lists`: orders that depend on each other."""

from __future__ import annotations

from typing import Any

from exchange.cli.options import Options
from exchange.cli.orders import DEFAULT, At, TimeInForce, app
from exchange.cli.output import print_table, show

OPPOSITE = {"buy": "sell", "sell": "buy"}
PATH = "/api/v1/order_lists"


@app.command
def pair(
    side: str, symbol: str, quantity: str, *, at: At, stop: str, stop_limit: str = "",
    tif: TimeInForce = "day", account: str = "", options: Options = DEFAULT,
) -> None:  # fmt: skip
    """Enter a limit and a stop order, one cancels the other: `exchange order pair sell AAPL 100 @ 195 --stop 185`.

    Parameters
    ----------
    side
        buy or sell, of both.
    symbol
        What to trade.
    quantity
        How many shares, filled by both together.
    at
        The limit price of the one, also written @ 195.00.
    stop
        The stop price of the other.
    stop_limit
        The limit of the stop order once it is triggered; without one it takes what the market gives.
    tif
        Time in force of both.
    account
        Needed only where the participant has several.
    """
    orders = _exits(side, at, stop, stop_limit, tif)
    _enter("oco", symbol, quantity, orders, account, options)


@app.command
def then(
    side: str, symbol: str, quantity: str, *, at: At = "", then_at: str = "", then_stop: str = "",
    tif: TimeInForce = "day", account: str = "", options: Options = DEFAULT,
) -> None:  # fmt: skip
    """Enter an order, and one to follow it: `exchange order then buy AAPL 100 @ 189 --then-at 195`.

    Parameters
    ----------
    side
        buy or sell, of the order that comes in now.
    symbol
        What to trade.
    quantity
        How many shares; what comes in then has as many as were filled.
    at
        The limit price of the entry, also written @ 189.00; without one it is a market order.
    then_at
        The limit price of what comes in then.
    then_stop
        The stop price of what comes in then.
    tif
        Time in force of what comes in then, and of an entry with a limit.
    account
        Needed only where the participant has several.
    """
    order = {"side": OPPOSITE.get(side, side), "type": _type(then_at, then_stop), "time_in_force": tif}
    order |= {name: value for name, value in (("price", then_at), ("stop_price", then_stop)) if value}
    _enter("oto", symbol, quantity, [_entry(side, at, tif), order], account, options)


@app.command
def bracket(
    side: str, symbol: str, quantity: str, *, take: str, stop: str, at: At = "", stop_limit: str = "",
    tif: TimeInForce = "day", account: str = "", options: Options = DEFAULT,
) -> None:  # fmt: skip
    """Enter an order with both exits: `exchange order bracket buy AAPL 100 @ 189.20 --take 195 --stop 185`.

    Parameters
    ----------
    side
        buy or sell, of the entry.
    symbol
        What to trade.
    quantity
        How many shares; the exits have as many as were filled.
    take
        The price at which profit is taken.
    stop
        The stop price at which loss is stopped.
    at
        The limit price of the entry, also written @ 189.20; without one it is a market order.
    stop_limit
        The limit of the stop order once it is triggered.
    tif
        Time in force of the exits, and of an entry with a limit.
    account
        Needed only where the participant has several.
    """
    exits = _exits(OPPOSITE.get(side, side), take, stop, stop_limit, tif)
    _enter("bracket", symbol, quantity, [_entry(side, at, tif), *exits], account, options)


@app.command
def lists(*, symbol: str = "", options: Options = DEFAULT) -> None:
    """List the order lists that live, oldest first: `exchange order lists`.

    Parameters
    ----------
    symbol
        Only in this symbol.
    """
    items = options.trader().get(PATH, symbol=symbol.upper())["items"]
    show(items, options.json, _print_lists)


def _entry(side: str, at: str, tif: str) -> dict[str, str]:
    if at:
        return {"side": side, "price": at, "time_in_force": tif}
    return {"side": side, "type": "market", "time_in_force": "ioc"}


def _exits(side: str, at: str, stop: str, stop_limit: str, tif: str) -> list[dict[str, str]]:
    stop_order = {"side": side, "type": _type(stop_limit, stop), "stop_price": stop, "time_in_force": tif}
    if stop_limit:
        stop_order["price"] = stop_limit
    return [{"side": side, "price": at, "time_in_force": tif}, stop_order]


def _type(at: str, stop: str) -> str:
    if not stop:
        return "limit"
    return "stop_limit" if at else "stop"


def _enter(
    contingency: str, symbol: str, quantity: str, orders: list[dict[str, str]], account: str, options: Options
) -> None:
    body: dict[str, Any] = {
        "contingency": contingency, "symbol": symbol.upper(), "qty": quantity, "orders": orders,
    }  # fmt: skip
    if account:
        body["account"] = account
    show(options.trader().post(PATH, body), options.json, _print_entered)


def _print_entered(answer: dict[str, Any]) -> None:
    if "list_id" not in answer:
        print(f"order {answer['id']} of this list was entered before: {answer['status']}")
        return
    print(f"list {answer['list_id']}: {answer['contingency']} of {answer['qty']} {answer['symbol']}")
    for order in answer["orders"]:
        print(f"  order {order['id']}: {order['side']} {_price(order)}: {order['status']}")
    for order in answer["waiting"]:
        print(f"  order {order['id']}: {order['side']} {_price(order)}: waits for {answer['list_id']}")


def _price(order: dict[str, Any]) -> str:
    limit = f"at {order['price']}" if order.get("price") else "at market"
    return f"{limit}, stop {order['stop_price']}" if order.get("stop_price") else limit


def _print_lists(found: list[dict[str, Any]]) -> None:
    rows = (
        (
            each["list_id"], each["contingency"], each["symbol"], " ".join(each["order_ids"]), each["filled_qty"],
            " ".join(order["id"] for order in each["waiting"]),
        )
        for each in found
    )  # fmt: skip
    print_table(("list", "kind", "symbol", "live orders", ">filled", "waiting"), rows, "no order lists")
