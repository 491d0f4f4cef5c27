"""What every detector is: a state machine that is told of orders and trades, and reports findings.

Rules: a detector reads the market and its own state only; the state is plain data, so that it can be stored and
loaded; time is that of the events. The hooks that a detector overrides are called, no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import msgspec

from exchange.surveillance.alert import Finding, Level, evidence_of
from exchange.surveillance.market import Fill, Market, PriceChange
from exchange.surveillance.order_book import LiveOrder


class Detector:
    """One pattern. report: takes a finding; state: all it remembers."""

    CODE: ClassVar[str]
    VERSION: ClassVar[int] = 1
    State: ClassVar[type[msgspec.Struct]]

    def __init__(self, settings: Any, market: Market, report: Callable[[Detector, Finding], None]) -> None:
        self.settings = settings
        self.market = market
        self.state: Any = self.State()
        self._report = report

    def report(self, finding: Finding) -> None:
        """Report a finding."""
        self._report(self, finding)

    # --- hooks --------------------------------------------------------------------------------------

    def entered(self, order: LiveOrder) -> None:
        """Take note of an order that came in; its fills follow."""

    def rested(self, order: LiveOrder) -> None:
        """Take note of an order that others see in the book now."""

    def withdrawn(self, order: LiveOrder) -> None:
        """Take note of an order that its owner takes back, whole or nearly so, or moves away; it is as it was."""

    def renewed(self, order: LiveOrder, new_order_id: int) -> None:
        """Take note of a side of a quote that gives way to one as near and of like size; it is as it was."""

    def amended(self, order: LiveOrder) -> None:
        """Take note of an order that its owner changed in place, as it is now."""

    def ended(self, order: LiveOrder, by_owner: bool) -> None:
        """Take note of an order that is over: filled, cancelled or expired."""

    def traded(self, fill: Fill) -> None:
        """Take note of a trade; its orders are as they were before it."""

    def unmade(self, match_sequence: int) -> None:
        """Take note of a trade that was busted or corrected."""

    def uncrossed(self, symbol_id: int, price: int) -> None:
        """Take note of an auction's end. price: 0 for no trade."""

    def closed(self, symbol_id: int) -> None:
        """Take note of a symbol's close: its closing phase is over, or without one its business date is."""

    def adjusted(self, symbol_id: int, change: PriceChange) -> None:
        """Take note of a split or a dividend; the symbol's orders are told of one by one afterwards."""

    def day_ended(self) -> None:
        """Take note of the end of a business date; what is kept per day goes."""

    def passed(self) -> None:
        """Take note that time has passed; called before each event."""


class Episode(msgspec.Struct, frozen=True):
    """One occurrence of a pattern that counts when it is repeated."""

    begins_ns: int
    accounts: tuple[int, ...]
    evidence: tuple[int, ...]
    excess: int


class Episodes(msgspec.Struct):
    """Occurrences of one business date, by owner and symbol, and of whom one was noted."""

    open: dict[int, list[Episode]] = {}
    noted: dict[int, bool] = {}

    def add(self, key: int, episode: Episode, wanted: int) -> tuple[Level | None, list[Episode]]:
        """Add an occurrence; return what it gives: an alert with the last `wanted` ones, a first note, or nothing."""
        found = self.open.setdefault(key, [])
        found.append(episode)
        if len(found) >= wanted:
            del self.open[key]
            return Level.ALERT, found
        if key in self.noted:
            return None, found
        self.noted[key] = True
        return Level.NOTE, [episode]


def joined(episodes: list[Episode]) -> tuple[tuple[int, ...], tuple[int, ...], int, int]:
    """Return accounts, evidence, begin and greatest excess of several episodes."""
    accounts = tuple(sorted({account for episode in episodes for account in episode.accounts}))
    evidence = evidence_of(sequence for episode in episodes for sequence in episode.evidence)
    return (
        accounts,
        evidence,
        min(episode.begins_ns for episode in episodes),
        max(episode.excess for episode in episodes),
    )


def hooks_of(detectors: Iterable[Detector], name: str) -> list[Callable[..., None]]:
    """Return this hook of the detectors that override it."""
    return [
        getattr(detector, name)
        for detector in detectors
        if getattr(type(detector), name) is not getattr(Detector, name)
    ]
