"""`exchange order …`: enter, change, cancel and look up orders."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from exchange.cli.connection import Connection, in_path
from exchange.cli.failures import RefusedError, UsageError
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

app = App(name="order", help="Enter, change, cancel and look up orders.")

TimeInForce = Literal["day", "gtc", "gtd", "ioc", "fok"]
At = Annotated[str, Parameter(name="--at")]
DEFAULT = Options()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an order may ask for beyond price and quantity."""

    post_only: bool = False
    "Refuse the order rather than trade at once."
    reprice: bool = False
    "With --post-only: rest one tick behind the best opposite price instead."
    all_or_none: bool = False
    "Trade whole or wait, unseen."
    min_qty: str = ""
    "Trade at least so much at once, or wait, unseen."
    display_qty: str = ""
    "Show only so much at a time (an iceberg order)."
    hidden: bool = False
    "Rest unseen, behind all that is shown at its price."
    do_not_reduce: bool = False
    "A cash dividend does not lower its price."
    short: bool = False
    "A sale of shares that the account does not have."
    short_exempt: bool = False
    "As --short, and the price restriction does not apply to it."
    located: bool = False
    "With --short or --short-exempt: shares to borrow are located."
    expires_at: str = ""
    "With --tif gtd: until when, such as 2026-11-30T20:00:00Z."
    stop_price: str = ""
    "Wait until the last trade reaches this price (a stop order)."
    trail_amount: str = ""
    "Wait, with a stop price that follows the last trade at this distance (a trailing stop)."
    trail_bps: int = 0
    "As --trail-amount, as a share of the price in basis points."
    to_limit: bool = False
    "Without a price: take the best price only, and rest there with what is left (market-to-limit)."

    peg: Literal["primary", "market", "midpoint"] | None = None
    "Follow the best price of its own side, of the other side, or their middle, unseen; @ is its limit then."
    peg_offset: str = ""
    "With --peg: added to what it follows, such as -0.02."


NO_TERMS = Terms()


@app.command
def buy(
    symbol: str,
    quantity: str,
    *,
    at: At = "",
    tif: TimeInForce | None = None,
    terms: Terms = NO_TERMS,
    client_order_id: str = "",
    account: str = "",
    options: Options = DEFAULT,
) -> int:
    """Buy shares: `exchange order buy AAPL 100 @ 189.20`, or at market: `exchange order buy AAPL 100`.

    Parameters
    ----------
    symbol
        What to buy.
    quantity
        How many shares.
    at
        Limit price, also written @ 189.20; without one the order takes what the market gives.
    tif
        Time in force; default: day with a price, ioc at market.
    client_order_id
        Your own name for it; the same order sent again under it is not entered twice.
    account
        Needed only where the participant has several.
    """
    return _enter("buy", symbol, quantity, at, tif, terms, client_order_id, account, options)


@app.command
def sell(
    symbol: str,
    quantity: str,
    *,
    at: At = "",
    tif: TimeInForce | None = None,
    terms: Terms = NO_TERMS,
    client_order_id: str = "",
    account: str = "",
    options: Options = DEFAULT,
) -> int:
    """Sell shares: `exchange order sell AAPL 100 @ 189.30`, or at market: `exchange order sell AAPL 100`.

    Parameters
    ----------
    symbol
        What to sell.
    quantity
        How many shares.
    at
        Limit price, also written @ 189.30; without one the order takes what the market gives.
    tif
        Time in force; default: day with a price, ioc at market.
    client_order_id
        Your own name for it; the same order sent again under it is not entered twice.
    account
        Needed only where the participant has several.
    """
    return _enter("sell", symbol, quantity, at, tif, terms, client_order_id, account, options)


@app.command
def amend(order_id: str, quantity: str = "", *, at: At = "", options: Options = DEFAULT) -> None:
    """Change an order in place: `exchange order amend 72 60`, `exchange order amend 72 60 @ 189.15`.

    Less quantity at the same price keeps the place in the queue; everything else goes to its end.

    Parameters
    ----------
    order_id
        The order.
    quantity
        The new whole quantity, filled part included.
    at
        The new limit price.
    """
    change = {name: value for name, value in (("qty", quantity), ("price", at)) if value}
    if not change:
        raise UsageError(
            "nothing to change; give a quantity, a price, or both: `exchange order amend 72 60 @ 189.15`"
        )
    answer = options.trader().patch(_path(order_id), change)
    show(answer, options.json, _print_facts)


@app.command
def cancel(order_id: str = "", *, all_: Annotated[bool, Parameter(name="--all")] = False, symbol: str = "",
           side: Literal["buy", "sell"] | None = None, min_price: str = "", max_price: str = "",
           options: Options = DEFAULT) -> None:  # fmt: skip
    """Cancel an order: `exchange order cancel 72`; or many: `exchange order cancel --all --symbol AAPL`.

    Parameters
    ----------
    order_id
        The order.
    all_
        Cancel all live orders, or those of a symbol or side.
    symbol
        With --all: only in this symbol.
    side
        With --all: only this side.
    min_price
        With --all: only from this price up.
    max_price
        With --all: only up to this price.
    """
    connection = options.trader()
    if bool(order_id) == all_:
        raise UsageError("say which order to cancel, or --all: `exchange order cancel 72`")
    if all_:
        answer = connection.delete(
            "/api/v1/orders", symbol=symbol.upper(), side=side or "", min_price=min_price, max_price=max_price
        )
    else:
        answer = connection.delete(_path(order_id))
    show(answer, options.json, _print_facts)


@app.command(name="cancel-after")
def cancel_after(seconds: float, *, options: Options = DEFAULT) -> None:
    """Cancel all your orders unless this is sent again in time: `exchange order cancel-after 60`; 0 stops the timer.

    Parameters
    ----------
    seconds
        How long to wait, an hour at most.
    """
    body = {"timeout_ms": round(seconds * 1_000)}
    show(options.trader().post("/api/v1/cancel-on-timeout", body), options.json, _print_facts)


@app.command(name="show")
def show_(order: str, *, by_client_order_id: bool = False, options: Options = DEFAULT) -> None:
    """Show one order and where it stands: `exchange order show 72`.

    Parameters
    ----------
    order
        The order's id, or your own name for it with --by-client-order-id.
    by_client_order_id
        The order is named by its client order id.
    """
    connection = options.trader()
    if by_client_order_id:
        answer = connection.get("/api/v1/orders:by_client_order_id", client_order_id=order)
    else:
        answer = connection.get(_path(order))
    show(answer, options.json, _print_facts)


@app.command(name="list")
def list_(
    *,
    status: Literal["open", "closed", "all"] = "open",
    symbol: str = "",
    limit: int = 100,
    options: Options = DEFAULT,
) -> None:
    """List orders, newest first: `exchange order list`, `exchange order list --status all --symbol AAPL`.

    Parameters
    ----------
    status
        Which orders.
    symbol
        Only in this symbol.
    limit
        At most this many.
    """
    items = options.trader().items("/api/v1/orders", limit, status=status, symbol=symbol.upper())
    show(items, options.json, lambda orders: _print_orders(orders, status))


@app.command
def prevented(*, symbol: str = "", limit: int = 100, options: Options = DEFAULT) -> None:
    """List matches that self-trade prevention did not let happen, newest first: `exchange order prevented`.

    Parameters
    ----------
    symbol
        Only in this symbol.
    limit
        At most this many.
    """
    items = options.trader().items("/api/v1/prevented_matches", limit, symbol=symbol.upper())
    show(items, options.json, _print_prevented)


def _enter(
    side: str, symbol: str, quantity: str, at: str, tif: str | None, terms: Terms,
    client_order_id: str, account: str, options: Options,
) -> int:  # fmt: skip
    order: dict[str, Any] = {
        "symbol": symbol.upper(),
        "side": side,
        "qty": quantity,
        "type": _type_of(at, terms),
        "time_in_force": tif or ("ioc" if _type_of(at, terms) == "market" else "day"),
    }
    optional = {"price": at, "client_order_id": client_order_id, "account": account, **asdict(terms)}
    del optional["to_limit"]
    order.update({name: value for name, value in optional.items() if value})
    answer = _send(options.trader(), order)
    show(answer, options.json, _print_entered)
    return 0


def _type_of(at: str, terms: Terms) -> str:
    if terms.stop_price or terms.trail_amount or terms.trail_bps:
        return "stop_limit" if at else "stop"
    return "limit" if at or terms.peg else "market_to_limit" if terms.to_limit else "market"


def _send(connection: Connection, order: dict[str, Any]) -> Any:
    try:
        answer = connection.post("/api/v1/order", order)
    except RefusedError as refused:
        order_id = refused.details.get("detail", {}).get("order_id")
        if not order_id:
            raise
        raise RefusedError(
            f"{refused}; `exchange explain {order_id}` tells more", **refused.details
        ) from None
    if answer.get("status") == "rejected":
        reject = answer.get("reject", {})
        raise RefusedError(reject.get("message", "the order was rejected"), **answer)
    return answer


def _path(order_id: str) -> str:
    return f"/api/v1/order/{in_path(order_id)}"


def _print_entered(order: dict[str, Any]) -> None:
    price = f"at {order['price']}" if order.get("price") else "at market"
    print(f"order {order['id']}: {order['side']} {order['qty']} {order['symbol']} {price}: {order['status']}")
    if order.get("filled_qty", "0") != "0":
        print(
            f"  filled {order['filled_qty']} at {order['avg_price']} on average, {order['leaves_qty']} left"
        )


def _print_facts(answer: dict[str, Any]) -> None:
    print_facts(
        (name.replace("_", " "), _flat(value)) for name, value in answer.items() if value not in ("", None)
    )


def _flat(value: object) -> object:
    return ", ".join(str(part) for part in value) if isinstance(value, list) else value


def _print_prevented(matches: list[dict[str, Any]]) -> None:
    columns = ("id", "symbol", "incoming", ">qty", ">price", "mode", "resting order", "incoming order", "at")
    rows = (
        (
            match["id"], match["symbol"], match["incoming_side"], match["qty"], match["price"], match["mode"],
            match.get("resting_order_id", ""), match.get("incoming_order_id", ""), match["at"],
        )
        for match in matches
    )  # fmt: skip
    print_table(columns, rows, "no prevented matches")


def _print_orders(orders: list[dict[str, Any]], status: str) -> None:
    columns = (
        "id",
        "symbol",
        "side",
        ">qty",
        ">filled",
        ">price",
        "tif",
        "status",
        "client order id",
        "entered",
    )
    rows = (
        (
            order["id"], order["symbol"], order["side"], order["qty"], order["filled_qty"],
            order["price"] or "market", order["time_in_force"], order["status"], order["client_order_id"],
            order["created_at"],
        )
        for order in orders
    )  # fmt: skip
    print_table(columns, rows, f"no {'' if status == 'all' else status + ' '}orders")
