"""WASH-2, circular trading: shares that are sold on until they are back where they were, by orders made for each other.

A trade counts where the resting order had only just come in and both orders were of one size, as when two agreed on it.
"""

from __future__ import annotations

import msgspec

from exchange.domain.trade import BASIS_POINTS
from exchange.surveillance.alert import Finding, Level, Measure, score_of
from exchange.surveillance.detector import Detector, Episode, Episodes, joined
from exchange.surveillance.market import Fill, PriceChange
from exchange.surveillance.order_book import key_of, symbol_in
from exchange.surveillance.settings import MS, SECOND, CircularTrading

TRADES_KEPT_MAX = 64
"""Matched trades of one seller in one symbol that are looked back at."""


class Passed(msgspec.Struct, gc=False):
    """Shares that one owner passed to another."""

    buyer: int
    time_ns: int
    quantity: int
    price: int
    sequence: int
    accounts: tuple[int, int]


class CircularState(msgspec.Struct):
    """What the detector remembers. passed: by seller and symbol, oldest first."""

    passed: dict[int, list[Passed]] = {}
    rounds: Episodes = msgspec.field(default_factory=Episodes)


class CircularTradingDetector(Detector):
    """Looks for rings of two to four owners."""

    CODE = "WASH-2"
    State = CircularState
    settings: CircularTrading
    state: CircularState

    def traded(self, fill: Fill) -> None:
        """Judge whether a trade closes a ring."""
        maker, taker, settings = fill.maker, fill.taker, self.settings
        if (
            fill.is_auction
            or maker.owner == taker.owner
            or fill.time_ns - maker.entered_ns > settings.entered_within_ms * MS
            or abs(maker.quantity - taker.quantity) * 100 > settings.quantity_percent * maker.quantity
        ):
            return
        buyer, seller = fill.buyer, fill.seller
        accounts = (seller.account_id, buyer.account_id)
        trade = Passed(buyer.owner, fill.time_ns, fill.quantity, fill.price, fill.sequence, accounts)
        ring = self._way_back(buyer.owner, seller.owner, trade, [], fill.symbol_id)
        if ring is None:
            self._keep(seller.owner, fill.symbol_id, trade)
        else:
            self._found(fill.symbol_id, [*ring, trade])

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Forget the trades before the break, whose shares are others now."""
        passed = self.state.passed
        self.state.passed = {key: kept for key, kept in passed.items() if symbol_in(key) != symbol_id}

    def day_ended(self) -> None:
        """Begin to count anew."""
        self.state.rounds = Episodes()
        self.state.passed = {}

    def _keep(self, seller: int, symbol_id: int, trade: Passed) -> None:
        kept = self.state.passed.setdefault(key_of(seller, symbol_id), [])
        kept.append(trade)
        oldest_ns = trade.time_ns - self.settings.within_s * SECOND
        while kept[0].time_ns < oldest_ns or len(kept) > TRADES_KEPT_MAX:
            kept.pop(0)

    def _way_back(
        self, owner: int, goal: int, closing: Passed, path: list[Passed], symbol_id: int
    ) -> list[Passed] | None:
        """Return the trades by which what `owner` once sold came to `goal`, the oldest ring first."""
        oldest_ns = closing.time_ns - self.settings.within_s * SECOND
        for trade in self.state.passed.get(key_of(owner, symbol_id), ()):
            after = path[-1].time_ns if path else oldest_ns
            if trade.time_ns < after or trade in path or not self._is_alike(trade, closing):
                continue
            if trade.buyer == goal:
                return [*path, trade]
            if len(path) + 2 < self.settings.members_max:
                found = self._way_back(trade.buyer, goal, closing, [*path, trade], symbol_id)
                if found is not None:
                    return found
        return None

    def _is_alike(self, trade: Passed, closing: Passed) -> bool:
        settings = self.settings
        return (
            abs(trade.quantity - closing.quantity) * 100 <= settings.quantity_percent * closing.quantity
            and abs(trade.price - closing.price) * BASIS_POINTS <= settings.price_bps * closing.price
        )

    def _found(self, symbol_id: int, ring: list[Passed]) -> None:
        settings, state = self.settings, self.state
        for kept in state.passed.values():
            kept[:] = [trade for trade in kept if trade not in ring]
        owners = sorted({trade.buyer for trade in ring})
        accounts = tuple(sorted({account for trade in ring for account in trade.accounts}))
        evidence = tuple(trade.sequence for trade in ring)
        episode = Episode(ring[0].time_ns, accounts, evidence, len(ring))
        key = key_of(min(owners), symbol_id)
        level, rounds = state.rounds.add(key, episode, settings.rounds)
        if level is None:
            return
        accounts, evidence, begins_ns, _ = joined(rounds)
        span_s = (ring[-1].time_ns - ring[0].time_ns) // SECOND
        self.report(
            Finding(
                level=level, symbol_id=symbol_id, accounts=accounts, begins_ns=begins_ns,
                score=score_of(65 if level is Level.ALERT else 30, 5, len(ring)),
                summary=f"{ring[-1].quantity} shares went round {len(ring)} owners and back, by orders of one "
                "size that met as soon as they were there.",
                measures=(
                    Measure("owners in the ring", str(len(ring)), f"at most {settings.members_max}"),
                    Measure("once round", f"{span_s} s", f"{settings.within_s} s"),
                    Measure("rounds of the day", str(len(rounds)), str(settings.rounds)),
                ),
                evidence=evidence,
            )
        )  # fmt: skip
