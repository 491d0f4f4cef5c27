"""The watcher: takes event records in, follows the market, tells the detectors, and gives the alerts that they raise.

Rules: each event is taken in once, in order; what is given depends on the events alone, not on how they are cut into
batches. `dump` and `load` carry everything it remembers, so that it can go on after a restart as if it had not stopped.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from exchange.surveillance.alert import Alert, Finding
from exchange.surveillance.circular_trading import CircularTradingDetector
from exchange.surveillance.detector import Detector
from exchange.surveillance.erroneous_trades import ErroneousTradeDetector
from exchange.surveillance.event_intake import EventIntake
from exchange.surveillance.front_running import FrontRunningDetector
from exchange.surveillance.layering import LayeringDetector
from exchange.surveillance.market import Market
from exchange.surveillance.marking_auction import MarkingAuctionDetector
from exchange.surveillance.marking_close import MarkingCloseDetector
from exchange.surveillance.momentum_ignition import MomentumIgnitionDetector
from exchange.surveillance.order_to_trade import OrderToTradeDetector
from exchange.surveillance.quote_stuffing import QuoteStuffingDetector
from exchange.surveillance.settings import Settings
from exchange.surveillance.spoofing import SpoofingDetector
from exchange.surveillance.wash_trades import WashTradeDetector

DETECTORS: dict[str, type[Detector]] = {
    "spoofing": SpoofingDetector,
    "layering": LayeringDetector,
    "wash_trades": WashTradeDetector,
    "circular_trading": CircularTradingDetector,
    "marking_close": MarkingCloseDetector,
    "marking_auction": MarkingAuctionDetector,
    "momentum_ignition": MomentumIgnitionDetector,
    "quote_stuffing": QuoteStuffingDetector,
    "order_to_trade": OrderToTradeDetector,
    "front_running": FrontRunningDetector,
    "erroneous_trades": ErroneousTradeDetector,
}
"""Every detector by the name of its settings."""
STATE_VERSION = 2


class WatcherState(msgspec.Struct):
    """What is stored of a watcher.

    detectors: the state of each by its code; suppressed: how many alerts were beyond the most of their day.
    """

    version: int
    settings_hash: str
    market: Market
    detectors: dict[str, msgspec.Raw]
    raised_today: dict[str, int]
    suppressed: int


class StateRefused(ValueError):
    """A stored state is of another version or of other settings; begin anew."""


class Watcher:
    """All detectors over one partition's events."""

    def __init__(self, settings: Settings = Settings(), partition: int = 0) -> None:  # noqa: B008
        self.settings = settings
        self.settings_hash = settings_hash(settings)
        self.suppressed = 0
        self._raised_today: dict[str, int] = {}
        self._alerts: list[Alert] = []
        self._begin(Market(partition=partition))

    @property
    def sequence(self) -> int:
        """Return the last event that changed anything."""
        return self.market.sequence

    def take(self, records: bytes, after: int = 0) -> list[Alert]:
        """Take a run of whole commands' event records in, leaving out events up to `after`; return the alerts.

        Raise `ProtocolError` where a record cannot be read.
        """
        self._intake.take(records, after)
        alerts, self._alerts = self._alerts, []
        return alerts

    def dump(self) -> bytes:
        """Write all that it remembers."""
        state = WatcherState(
            STATE_VERSION, self.settings_hash, self.market,
            {each.CODE: msgspec.Raw(msgspec.msgpack.encode(each.state)) for each in self.detectors},
            self._raised_today, self.suppressed,
        )  # fmt: skip
        return msgspec.msgpack.encode(state)

    def load(self, dumped: bytes) -> None:
        """Go on where a dump was taken. Raise `StateRefused`."""
        try:
            state = msgspec.msgpack.decode(dumped, type=WatcherState)
            if (state.version, state.settings_hash) != (STATE_VERSION, self.settings_hash):
                raise StateRefused(
                    f"the stored state is of version {state.version} and settings {state.settings_hash}, "
                    f"this is version {STATE_VERSION} with settings {self.settings_hash}"
                )
            self._begin(state.market)
            for detector in self.detectors:
                detector.state = msgspec.msgpack.decode(state.detectors[detector.CODE], type=detector.State)
        except (msgspec.MsgspecError, KeyError) as error:
            raise StateRefused(f"the stored state cannot be read: {error}") from error
        self._raised_today, self.suppressed = state.raised_today, state.suppressed

    def _begin(self, market: Market) -> None:
        self.market = market
        self.detectors = [
            kind(getattr(self.settings, name), market, self._report)
            for name, kind in DETECTORS.items()
            if getattr(self.settings, name).enabled
        ]
        self._intake = EventIntake(market, self.detectors, self._end_day)

    def _end_day(self) -> None:
        self._raised_today = {}

    def _report(self, detector: Detector, finding: Finding) -> None:
        """Make an alert of a finding; beyond the day's most about the same it is only counted."""
        market = self.market
        participants = tuple(
            sorted({market.participants.get(account, 0) for account in finding.accounts} - {0})
        )
        about = (
            f"{detector.CODE}/{finding.symbol_id}/{participants or finding.accounts}/{finding.level.value}"
        )
        raised = self._raised_today.get(about, 0)
        if raised >= self.settings.alerts_per_day_max:
            self.suppressed += 1
            return
        self._raised_today[about] = raised + 1
        self._alerts.append(
            Alert(
                detector=detector.CODE, version=detector.VERSION, settings_hash=self.settings_hash,
                level=finding.level, partition=market.partition, symbol_id=finding.symbol_id,
                participants=participants, accounts=finding.accounts, business_date=market.business_date,
                begins_ns=finding.begins_ns, ends_ns=market.now_ns, raised_sequence=market.sequence,
                raised_ns=market.now_ns, score=finding.score, summary=finding.summary, measures=finding.measures,
                evidence=finding.evidence,
            )
        )  # fmt: skip


def settings_hash(settings: Settings) -> str:
    """Return a short hash of thresholds, which stands in each alert."""
    return blake2b(msgspec.json.encode(settings), digest_size=8).hexdigest()
