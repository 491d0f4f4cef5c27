"""A reader of ITCH as a subscriber would write it: books, states and a tape out of messages alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from exchange.wire import itch


class ReadOrder(msgspec.Struct):
    """An order of the reader's book."""

    ref: int
    stock: str
    side: str
    shares: int
    price: int


class ItchReader:
    """Applies the messages of one date.

    crosses: (stock, kind, shares, price); auctions: indications and collars, as they came.
    orders: those that rest, by reference, oldest first; tape: (shares, price) by match number; earlier: match numbers
    of dates before that stand.
    """

    def __init__(self, earlier: Iterable[int] = ()) -> None:
        self.earlier = set(earlier)
        self.orders: dict[int, ReadOrder] = {}
        self.stocks: dict[int, str] = {}
        self.states: dict[str, str] = {}
        self.system = ""
        self.tape: dict[int, tuple[int, int]] = {}
        self.refs_seen: set[int] = set()
        self.crosses: list[tuple[str, str, int, int]] = []
        self.auctions: dict[str, list[dict[str, Any]]] = {"I": [], "J": [], "V": [], "W": []}

    def read(self, messages: Iterable[bytes]) -> None:
        """Take messages in; assert what the specification promises."""
        for each in messages:
            message = itch.decode(each)
            values = message.values
            match message.letter:
                case "S":
                    self.system += values["event"]
                case "R":
                    self.stocks[message.stock_locate] = values["stock"]
                case "H":
                    self.states[values["stock"]] = values["state"]
                case "A":
                    assert self.stocks[message.stock_locate] == values["stock"]
                    self._add(
                        ReadOrder(
                            values["ref"], values["stock"], values["side"], values["shares"], values["price"]
                        )
                    )
                case "E":
                    order = self.orders[values["ref"]]
                    assert values["match"] not in self.tape, "match numbers are never used twice"
                    self.tape[values["match"]] = values["shares"], order.price
                    self._reduce(order, values["shares"])
                case "X":
                    self._reduce(self.orders[values["ref"]], values["shares"])
                    assert values["ref"] in self.orders, "a cancel of all is a delete"
                case "D":
                    del self.orders[values["ref"]]
                case "U":
                    old = self.orders.pop(values["ref"])
                    self._add(
                        ReadOrder(values["new_ref"], old.stock, old.side, values["shares"], values["price"])
                    )
                case "P":
                    assert values["ref"] == 0
                    assert values["side"] == "B"
                    self.tape[values["match"]] = values["shares"], values["price"]
                case "C":
                    assert values["printable"] == "N", "the cross trade has the volume"
                    self.earlier.add(values["match"])
                    self._reduce(self.orders[values["ref"]], values["shares"])
                case "Q":
                    self.crosses.append(
                        (values["stock"], values["cross_type"], values["shares"], values["price"])
                    )
                case "Y":
                    pass
                case "I" | "J" | "V" | "W":
                    self.auctions[message.letter].append(values)
                case "B" if self.crosses:
                    self.tape.pop(values["match"], None) or self.earlier.discard(values["match"])
                case "B":
                    self.tape.pop(values["match"], None) or self.earlier.remove(values["match"])
                case _:
                    raise AssertionError(message)

    def queue(self, stock: str, side: str) -> list[tuple[int, int, int]]:
        """Return (reference, price, shares) of one side, best first, oldest first within a price."""
        found = [order for order in self.orders.values() if (order.stock, order.side) == (stock, side)]
        found.sort(key=lambda order: -order.price if side == "B" else order.price)
        return [(order.ref, order.price, order.shares) for order in found]

    def _add(self, order: ReadOrder) -> None:
        assert order.shares > 0
        assert order.ref not in self.refs_seen, "a reference is never used twice in a day"
        self.refs_seen.add(order.ref)
        self.orders[order.ref] = order

    def _reduce(self, order: ReadOrder, shares: int) -> None:
        assert 0 < shares <= order.shares
        order.shares -= shares
        if not order.shares:
            del self.orders[order.ref]
