"""The steps of a scenario that concern order lists."""

from __future__ import annotations

import re

from exchange.domain import commands as c
from exchange.domain.order import PegKind, Side, TimeInForce
from exchange.domain.order_list import Contingency, ListedOrder
from exchange.domain.quote import Quote
from exchange.domain.units import format_price
from tests.matching.desk import Desk
from tests.scenarios.asked import UNPRICED, asked_of, price_of, step, type_of
from tests.scenarios.words import Names

CONTINGENCIES = {
    "pair": Contingency.ONE_CANCELS_OTHER,
    "entry": Contingency.ONE_TRIGGERS_OTHER,
    "bracket": Contingency.BRACKET,
}
QUOTED = re.compile(
    r"(?P<symbol>\w+)(?: (?P<bid_qty>\d+) @ (?P<bid_price>\S+) as (?P<bid_name>\w+))?"
    r"(?: / (?P<ask_qty>\d+) @ (?P<ask_price>\S+) as (?P<ask_name>\w+))?"
)
LISTED = re.compile(
    r"(?P<side>buy|sell) (?P<quantity>\d+) @ (?P<price>\S+)(?P<asks>(?: \S+)*?)(?: id (?P<id>\S+))? as (?P<name>\w+)"
)


class LinkedSteps:
    """Steps of a `Stage`."""

    desk: Desk
    names: Names

    @step(r"(?P<kind>pair|entry|bracket) by (?P<account>\w+)(?: in (?P<symbol>\w+))?: (?P<orders>.+)")
    def enter_list(self, kind: str, account: str, symbol: str, orders: str) -> c.Command:
        found = [LISTED.fullmatch(text.strip()) for text in orders.split(";")]
        for place, order in enumerate(found):
            assert order, f"no order of a list: {orders.split(';')[place]!r}"
            self.names.next_order(
                order["name"], self.desk.venue, self.names.owner(account), len(found) - place
            )
        self.reserve_ids(len(found) - 1)
        return c.EnterOrderList(
            account_id=self.names.account(account), symbol_id=self.names.symbol(symbol or "XYZ"),
            contingency=CONTINGENCIES[kind], orders=tuple(listed(order) for order in found if order),
        )  # fmt: skip

    def reserve_ids(self, count: int) -> None:
        """Keep ids for the orders of the next command."""
        self.desk.send(*[c.ReserveOrderId()] * count)

    @step(r"reserve (?P<count>\d+) ids?")
    def reserve(self, count: str) -> list[str]:
        """Keep ids for the orders of the next step."""
        self.reserve_ids(int(count))
        return []

    @step(
        r"peg (?P<side>buy|sell) (?P<quantity>\d+) (?P<kind>\w+)(?: offset (?P<offset>\S+))?(?: limit (?P<limit>\S+))?"
        r" by (?P<account>\w+)(?: in (?P<symbol>\w+))?(?: id (?P<id>\S+))? as (?P<name>\w+)"
    )
    def enter_peg(
        self, side: str, quantity: str, kind: str, account: str, name: str, **more: str
    ) -> c.Command:
        self.names.next_order(name, self.desk.venue, self.names.owner(account))
        return c.EnterPeggedOrder(
            account_id=self.names.account(account), symbol_id=self.names.symbol(more["symbol"] or "XYZ"),
            side=Side[side.upper()], time_in_force=TimeInForce.DAY, kind=PegKind[kind.upper()],
            offset=price_of(more["offset"] or "0"), limit=price_of(more["limit"] or "0"), quantity=int(quantity),
            client_order_id=more["id"] or "",
        )  # fmt: skip

    @step(r"pegs")
    def pegs(self) -> list[str]:
        """Show the pegged orders, each with its price now."""
        shown = []
        for order_id in self.desk.venue.pegs():
            order = self.desk.venue.order(order_id)
            assert order, "a pegged order is live"
            shown.append(
                f"{self.names.of_order(order_id)} {format_price(order.price) if order.price else 'aside'}"
            )
        return shown or ["none"]

    @step(r"quote (?P<number>\d+) by (?P<account>\w+): (?P<quotes>.+)")
    def quote(self, number: str, account: str, quotes: str) -> c.Command:
        rows: list[Quote] = []
        texts = [QUOTED.fullmatch(text.strip()) for text in quotes.split(";")]
        for place, text in enumerate(texts):
            assert text, f"no quote: {quotes.split(';')[place]!r}"
            sides = [
                (text[f"{side}_price"], text[f"{side}_qty"], text[f"{side}_name"]) for side in ("bid", "ask")
            ]
            for at, (_, _, name) in enumerate(sides):
                if name:
                    ahead = 2 * len(texts) - 2 * place - at
                    self.names.next_order(name, self.desk.venue, self.names.owner(account), ahead)
            numbers = [
                number for price, qty, _ in sides for number in (price_of(price or "0"), int(qty or 0))
            ]
            rows.append(Quote(self.names.symbol(text["symbol"]), *numbers))
        self.reserve_ids(2 * len(rows) - 1)
        return c.MassQuote(account_id=self.names.account(account), quote_id=int(number), quotes=tuple(rows))

    @step(r"withdraw quotes of (?P<account>\w+)(?: in (?P<symbol>\w+))?(?: by (?P<by>\w+))?")
    def withdraw_quotes(self, account: str, symbol: str, by: str) -> c.Command:
        return c.CancelQuotes(
            participant_id=self.names.participant(by or account), account_id=self.names.account(account),
            symbol_id=self.names.symbol(symbol) if symbol else 0,
        )  # fmt: skip

    @step(
        r"protect quotes of (?P<account>\w+)(?: in (?P<symbol>\w+))?(?: quantity (?P<quantity>\d+))?"
        r"(?: executions (?P<executions>\d+))?(?: percent (?P<percent>\d+) bps)?(?: delta (?P<delta>\d+))?"
        r" within (?P<window>\d+) ms"
    )
    def protect(self, account: str, symbol: str, window: str, **limits: str) -> c.Command:
        return c.SetQuoteProtection(
            account_id=self.names.account(account), symbol_id=self.names.symbol(symbol) if symbol else 0,
            quantity=int(limits["quantity"] or 0), executions=int(limits["executions"] or 0),
            percent_bps=int(limits["percent"] or 0), delta=int(limits["delta"] or 0), window_ms=int(window),
        )  # fmt: skip

    @step(r"reset quotes of (?P<account>\w+)(?: in (?P<symbol>\w+))?")
    def reset_quotes(self, account: str, symbol: str) -> c.Command:
        return c.ResetQuoteProtection(
            account_id=self.names.account(account), symbol_id=self.names.symbol(symbol) if symbol else 0
        )

    @step(r"lists")
    def lists(self) -> list[str]:
        """Show the order lists: those of a pair, or the entry, what it filled and what waits for it."""
        shown = []
        for order_list in self.desk.venue.order_lists():
            ids = [order_list.first, order_list.second, *(order.order_id for order in order_list.waiting)]
            filled = f" filled {order_list.filled}" if order_list.filled else ""
            shown.append(" ".join(self.names.of_order(each) for each in ids if each) + filled)
        return shown or ["none"]


def listed(order: re.Match[str]) -> ListedOrder:
    """Make an order of a list from its text."""
    asked, terms = asked_of(order["asks"].split())
    price = order["price"]
    return ListedOrder(
        side=Side[order["side"].upper()], order_type=type_of(price, terms), quantity=int(order["quantity"]),
        price=0 if price in UNPRICED else price_of(price), client_order_id=order["id"] or "", **asked, **terms,
    )  # fmt: skip
