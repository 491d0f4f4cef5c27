"""Corporate actions as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from exchange.domain.corporate_action import SPLIT_SHARES_MAX
from exchange.wire.rest.texts import PriceText, SymbolText

SplitShares = Annotated[int, Meta(ge=1, le=SPLIT_SHARES_MAX)]
Note = Annotated[str, Meta(max_length=64)]


class SplitRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """So many new shares for so many old ones. cash_price: of a new share, where a fraction of one is paid out."""

    new_shares: SplitShares
    old_shares: SplitShares
    cash_price: PriceText | None = None
    note: Note = ""


class RenameRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Another ticker, and another name where one is given."""

    symbol: SymbolText
    name: Note = ""


class DividendRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Money per share."""

    amount: PriceText
    note: Note = ""
