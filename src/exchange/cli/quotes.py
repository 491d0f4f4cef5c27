"""`exchange quote …`: market makers' quotes and their protection."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

app = App(name="quote", help="Quote, withdraw quotes, and protect them.")
DEFAULT = Options()
PATH = "/api/v1/quotes"


@app.command(name="set")
def set_(
    symbol: str, quantity: str, bid: str, ask: str, *, ask_quantity: str = "", account: str = "",
    options: Options = DEFAULT,
) -> None:  # fmt: skip
    """Quote both sides of a symbol, in place of the quote before: `exchange quote set AAPL 100 189.10 189.30`.

    Parameters
    ----------
    symbol
        What to quote.
    quantity
        How many shares on each side.
    bid
        The price at which to buy.
    ask
        The price at which to sell.
    ask_quantity
        How many shares to sell, where that is another number.
    account
        Needed only where the participant has several.
    """
    quote = {
        "symbol": symbol.upper(), "bid_price": bid, "bid_qty": quantity, "ask_price": ask,
        "ask_qty": ask_quantity or quantity,
    }  # fmt: skip
    body: dict[str, Any] = {"quotes": [quote], **({"account": account} if account else {})}
    show(options.trader().post(PATH, body), options.json, _print_results)


@app.command
def cancel(*, symbol: str = "", account: str = "", options: Options = DEFAULT) -> None:
    """Withdraw your quotes: `exchange quote cancel`, or `exchange quote cancel --symbol AAPL`.

    Parameters
    ----------
    symbol
        Only in this symbol.
    account
        Needed only where the participant has several.
    """
    answer = options.trader().delete(PATH, symbol=symbol.upper(), account=account)
    show(answer, options.json, lambda a: print(f"withdrew {a['count']} orders"))


@app.command
def protect(
    window_ms: int, *, symbol: str = "", quantity: int = 0, executions: int = 0, percent_bps: int = 0,
    delta: int = 0, account: str = "", options: Options = DEFAULT,
) -> None:  # fmt: skip
    """Withdraw quotes when too much trades: `exchange quote protect 1000 --symbol AAPL --quantity 500`; 0 ends it.

    Parameters
    ----------
    window_ms
        How long what trades is added up, from the first trade on.
    symbol
        Of quotes in this symbol; without one of all together.
    quantity
        So many shares.
    executions
        So many trades.
    percent_bps
        So much of the quoted quantities, 10,000 for one of them whole.
    delta
        So many shares more bought than sold, or the other way.
    account
        Needed only where the participant has several.
    """
    body: dict[str, Any] = {"window_ms": window_ms, **_whose(symbol, account)}
    limits = (("qty", quantity), ("executions", executions), ("percent_bps", percent_bps), ("delta", delta))
    body |= {name: value for name, value in limits if value}
    show(options.trader().ask("PUT", PATH + "/protection", {}, body), options.json, _print_view)


@app.command
def reset(*, symbol: str = "", account: str = "", options: Options = DEFAULT) -> None:
    """Quote again after a protection was reached: `exchange quote reset --symbol AAPL`.

    Parameters
    ----------
    symbol
        The symbol that it protects; without one all together.
    account
        Needed only where the participant has several.
    """
    show(options.trader().post(PATH + "/reset", _whose(symbol, account)), options.json, _print_view)


@app.command(name="list")
def list_(*, symbol: str = "", options: Options = DEFAULT) -> None:
    """List your live quotes and protections: `exchange quote list`.

    Parameters
    ----------
    symbol
        Only in this symbol.
    """
    items = options.trader().get(PATH, symbol=symbol.upper())["items"]
    show(items, options.json, _print_views)


def _whose(symbol: str, account: str) -> dict[str, str]:
    return {name: value for name, value in (("symbol", symbol.upper()), ("account", account)) if value}


def _print_results(answer: dict[str, Any]) -> None:
    for item in answer["items"]:
        if "error" in item:
            print(f"{item['symbol']}: refused, {item['error']['message']}")
            continue
        for side in ("bid", "ask"):
            if side in item:
                order = item[side]
                print(
                    f"{item['symbol']} {side} {order['id']}: {order['qty']} at {order['price']}: {order['status']}"
                )


def _print_view(view: dict[str, Any]) -> None:
    print_facts((name.replace("_", " "), value) for name, value in view.items() if value not in ("", None))


def _print_views(views: list[dict[str, Any]]) -> None:
    columns = (
        "symbol",
        "bid",
        "ask",
        ">window ms",
        ">qty",
        ">executions",
        ">percent bps",
        ">delta",
        "reached",
    )
    rows = (
        (
            view["symbol"] or "all", view["bid_order_id"] or "", view["ask_order_id"] or "", view["window_ms"],
            f"{view['traded_qty']}/{view['qty']}", f"{view['traded_executions']}/{view['executions']}",
            f"{view['traded_percent_bps']}/{view['percent_bps']}", f"{view['traded_delta']}/{view['delta']}",
            "yes" if view["reached"] else "",
        )
        for view in views
    )  # fmt: skip
    print_table(columns, rows, "no quotes")
