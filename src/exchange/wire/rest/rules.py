"""Dry runs of clearing's rules as JSON: what is proposed, and what it would have said."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from exchange.domain.configuration import RULES_MAX
from exchange.wire.rest.clearing import RuleHit
from exchange.wire.rest.configuration import RULE_SCHEMA
from exchange.wire.rest.texts import Id, PriceText, QuantityText, SymbolText, TimeText, whole

DRY_RUN_TRADES_MAX = 20_000
"""Trades that one dry run looks at."""

SHADOW_TRADES_MAX = 1_000_000
"""Trades that one shadow run looks at."""

RuleTable = Annotated[
    dict[str, Any],
    Meta(description="A rule as a [[clearing.rule]] of the configuration has it.",
         examples=[{"id": "BIG", "kind": "max_quantity", "limit": 1000}], extra_json_schema=RULE_SCHEMA),
]  # fmt: skip
RuleTables = Annotated[
    list[RuleTable],
    Meta(description=f"The whole set, at most {RULES_MAX}.", extra_json_schema={"maxItems": RULES_MAX}),
]
TradesWanted = Annotated[int, whole(1, DRY_RUN_TRADES_MAX)]


class DryRunOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Rules to be tried on the last trades. trades: how many of the last ones."""

    rules: RuleTables
    trades: TradesWanted = 1_000


class ShadowOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Rules to look at the trades to come. trades: after how many it is done."""

    rules: RuleTables
    trades: Annotated[int, whole(1, SHADOW_TRADES_MAX)] = 10_000


class DryRunDifference(Struct, kw_only=True):
    """A trade of which the proposed rules say something else. hits: of the proposed rules."""

    match_id: Id
    symbol: SymbolText
    price: PriceText
    qty: QuantityText
    executed_at: TimeText
    present: str
    proposed: str
    hits: list[RuleHit]


class RuleCount(Struct, kw_only=True):
    """How many trades a proposed rule hit, and on how many it failed."""

    id: str
    hits: int
    failures: int


class DryRunView(Struct, kw_only=True):
    """What the proposed rules would have said of the last trades, beside the present ones. Nothing was changed.

    differences: the first of them, oldest first; differences_count: of all.
    """

    trades: int
    rules_version: str
    present: dict[str, int]
    proposed: dict[str, int]
    rules: list[RuleCount]
    differences: list[DryRunDifference]
    differences_count: int


class ShadowView(DryRunView, kw_only=True):
    """How a shadow run goes. trades_wanted: after how many trades it is done."""

    trades_wanted: int
    done: bool
