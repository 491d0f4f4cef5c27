"""WASH-1, wash trades: the same owner bought and sold, so that nothing changed hands."""

from __future__ import annotations

import msgspec

from exchange.surveillance.alert import Finding, Measure, evidence_of, price_text, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import Fill

LARGE = 1_000
"""From so many shares on a wash trade scores higher."""


class WashState(msgspec.Struct):
    """It remembers nothing."""


class WashTradeDetector(Detector):
    """Looks at the two owners of each trade."""

    CODE = "WASH-1"
    State = WashState

    def traded(self, fill: Fill) -> None:
        """Judge a trade."""
        maker, taker = fill.maker, fill.taker
        if maker.owner != taker.owner:
            return
        accounts = tuple(sorted({maker.account_id, taker.account_id}))
        self.report(
            Finding(
                symbol_id=fill.symbol_id,
                accounts=accounts,
                begins_ns=fill.time_ns,
                score=score_of(70, 10, min(3, fill.quantity // LARGE)),
                summary=f"The same owner bought and sold {fill.quantity} at {price_text(fill.price)}: "
                "nothing changed hands.",
                measures=(
                    Measure("owners of the trade", "1", "2"),
                    Measure("accounts", str(len(accounts)), "any"),
                ),
                evidence=evidence_of((maker.entered_sequence, taker.entered_sequence, fill.sequence)),
            )
        )
