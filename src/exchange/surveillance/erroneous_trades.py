"""CE-1, erroneous trades that stand: at or beyond the guideline from their reference price, and neither broken nor
corrected by the end of the business date.
"""

from __future__ import annotations

import msgspec

from exchange.domain.trade import guideline_bps, is_outlier
from exchange.surveillance.alert import Finding, Level, Measure, evidence_of, price_text, score_of
from exchange.surveillance.detector import Detector
from exchange.surveillance.market import Fill

KEPT_MAX = 1_000
"""Such trades of a symbol and a date that are remembered; of more, the latest are left out."""


class Outlier(msgspec.Struct, gc=False):
    """A trade far from its reference price."""

    time_ns: int
    price: int
    reference_price: int
    accounts: tuple[int, int]


class ErroneousState(msgspec.Struct):
    """What the detector remembers: by symbol, then by the trade's event."""

    outliers: dict[int, dict[int, Outlier]] = {}


class ErroneousTradeDetector(Detector):
    """Lists what should have been looked at."""

    CODE = "CE-1"
    State = ErroneousState
    state: ErroneousState

    def traded(self, fill: Fill) -> None:
        """Take note of a trade far from its reference price; the price of an auction is nobody's."""
        reference = fill.reference_price
        if fill.is_auction or not reference or not is_outlier(fill.price, reference):
            return
        kept = self.state.outliers.setdefault(fill.symbol_id, {})
        if len(kept) < KEPT_MAX:
            accounts = (fill.buyer.account_id, fill.seller.account_id)
            kept[fill.sequence] = Outlier(fill.time_ns, fill.price, reference, accounts)

    def unmade(self, match_sequence: int) -> None:
        """Forget a trade that was busted or corrected."""
        for kept in self.state.outliers.values():
            kept.pop(match_sequence, None)

    def day_ended(self) -> None:
        """List what still stands."""
        for symbol_id, kept in self.state.outliers.items():
            if kept:
                self._found(symbol_id, kept)
        self.state.outliers = {}

    def _found(self, symbol_id: int, kept: dict[int, Outlier]) -> None:
        first = next(iter(kept.values()))
        accounts = tuple(sorted({account for outlier in kept.values() for account in outlier.accounts}))
        guideline = guideline_bps(first.reference_price)
        away = abs(first.price - first.reference_price) * 10_000 // first.reference_price
        trades = "1 trade stands" if len(kept) == 1 else f"{len(kept)} trades stand"
        self.report(
            Finding(
                level=Level.NOTE, symbol_id=symbol_id, accounts=accounts, begins_ns=first.time_ns,
                score=score_of(20, 10, away // guideline),
                summary=f"{trades} at or beyond the guideline from the reference price, the first at "
                f"{price_text(first.price)} against {price_text(first.reference_price)}.",
                measures=(Measure("distance of the first from its reference", f"{away} bps", f"{guideline} bps"),),
                evidence=evidence_of(kept),
            )
        )  # fmt: skip
