"""An explanation of an order as JSON: a headline, sentences with their rules, and what the book was at each moment."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from exchange.wire.rest.texts import Id, PriceText, QuantityText, SymbolText, TimeText

RuleNumber = Annotated[str, Meta(description="A paragraph of the rulebook, or empty.", examples=["1.1"])]


class ExplainedLine(Struct):
    """One sentence, and the paragraph of the rulebook that it rests on."""

    text: str
    rule: RuleNumber = ""


class ExplainedRule(Struct):
    """A paragraph that is cited. link: where it stands in the documentation."""

    number: RuleNumber
    title: str
    link: str


class ExplainedTable(Struct):
    """Figures under column names. A column whose name begins with `>` is set to the right; mark: the row that counts,
    from 0, or -1 for none.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    mark: int = -1


class ExplainedLevel(Struct):
    """A price level of what was shown. own_qty: how much of it was this order's."""

    price: PriceText
    qty: QuantityText
    orders: int
    own_qty: QuantityText = "0"


class ExplainedBook(Struct):
    """The best levels of each side, best first."""

    bids: list[ExplainedLevel]
    asks: list[ExplainedLevel]


class ExplainedMoment(Struct, kw_only=True):
    """Something that happened to the order, within one command of the engine. phase: of the symbol, as it began."""

    command: int
    at: TimeText
    title: str
    phase: str
    lines: list[ExplainedLine]
    tables: list[ExplainedTable]
    before: ExplainedBook
    after: ExplainedBook


class Explanation(Struct, kw_only=True):
    """Why an order fared as it did. moments: oldest first; moments_left_out: how many in the middle are not told.

    proven: the running hash that the replay came to, which the journal confirms; seq: the last event looked at.
    """

    id: Id
    symbol: SymbolText | None
    headline: str
    lines: list[ExplainedLine]
    moments: list[ExplainedMoment]
    moments_left_out: int
    rules: list[ExplainedRule]
    seq: int
    at: TimeText
    matcher: str
    proven: str
