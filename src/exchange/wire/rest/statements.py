"""Statements of accounts as JSON: what a day brought, lots, profit and loss, fees."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from exchange.wire.rest.texts import (
    DateOrEmpty,
    Id,
    IdOrEmpty,
    MoneyText,
    PriceText,
    QuantityText,
    SharesText,
    SymbolText,
    TimeText,
)


class StatementQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose statement of which day; one's first account and the present business date where left out."""

    account: IdOrEmpty = ""
    date: DateOrEmpty = ""
    format: Literal["json", "csv", "html"] = "json"


class LotView(Struct, kw_only=True, gc=False):
    """Shares that one trade opened; below zero they are short."""

    match_id: Id
    qty: SharesText
    price: PriceText
    opened_at: TimeText


class StatementLine(Struct, kw_only=True):
    """One symbol. opening, closing: shares from trading; realised: on the day; unrealised: of all open lots.

    Both by FIFO and by average cost. split: what splits of the day added to the shares, or took. mark: the last price
    of the day or before, else the reference price.
    """

    symbol: SymbolText
    opening: SharesText
    bought: QuantityText
    sold: QuantityText
    split: SharesText
    closing: SharesText
    bought_notional: MoneyText
    sold_notional: MoneyText
    average_price: PriceText | None
    mark: PriceText | None
    realised_fifo: MoneyText
    realised_average: MoneyText
    unrealised_fifo: MoneyText
    unrealised_average: MoneyText
    fees: MoneyText
    lots: list[LotView]


class StatementFill(Struct, kw_only=True, gc=False):
    """A fill of the day. fees: below zero for a rebate."""

    match_id: Id
    at: TimeText
    symbol: SymbolText
    side: str
    liquidity: Literal["maker", "taker"]
    qty: QuantityText
    price: PriceText
    notional: MoneyText
    fees: MoneyText


class StatementView(Struct, kw_only=True):
    """The statement of one account for one trading day. fills_count: of all fills, where not all are listed."""

    account: Id
    business_date: str
    currency: str
    made_at: TimeText
    seq: int
    lines: list[StatementLine]
    fees: dict[str, str]
    fills: list[StatementFill]
    fills_count: int
