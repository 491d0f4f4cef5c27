"""An alert: what a detector saw, by which events, and how far beyond which threshold."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from hashlib import blake2b

import msgspec

from exchange.domain.units import Price, format_price

EVIDENCE_MAX = 200
"""Events that one alert names; of more, the first and the last ones."""
SCORE_MAX = 100
HASH_BYTES = 16
ID_DIGITS = 18


class Level(Enum):
    """How much an alert asks for."""

    NOTE = "note"
    """Seen once: worth knowing, not yet a case."""
    ALERT = "alert"


class Measure(msgspec.Struct, frozen=True):
    """One thing that was measured: what, what was seen, and from when on it counts, with their units."""

    what: str
    seen: str
    limit: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. evidence: event sequences, rising; begins_ns, ends_ns: from the first to the last of them."""

    detector: str
    version: int
    settings_hash: str
    level: Level
    partition: int
    symbol_id: int
    participants: tuple[int, ...]
    accounts: tuple[int, ...]
    business_date: int
    begins_ns: int
    ends_ns: int
    raised_sequence: int
    raised_ns: int
    score: int
    summary: str
    measures: tuple[Measure, ...]
    evidence: tuple[int, ...]

    @property
    def alert_id(self) -> str:
        """Return its id, 18 digits of a hash of what it is about, so that the same events give the same alert once."""
        about = (
            self.detector, self.version, self.level.value, self.partition, self.symbol_id, self.participants,
            self.accounts, self.evidence,
        )  # fmt: skip
        digest = blake2b(msgspec.json.encode(about), digest_size=HASH_BYTES).digest()
        return f"{int.from_bytes(digest, 'big') % 10**ID_DIGITS:0{ID_DIGITS}}"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector reports; who raises it adds where and when. score: 0 to 100."""

    level: Level = Level.ALERT
    symbol_id: int
    accounts: tuple[int, ...]
    begins_ns: int
    score: int
    summary: str
    measures: tuple[Measure, ...]
    evidence: tuple[int, ...]


def evidence_of(sequences: Iterable[int]) -> tuple[int, ...]:
    """Return event sequences in order, each once, and not too many."""
    found = sorted({sequence for sequence in sequences if sequence})
    if len(found) > EVIDENCE_MAX:
        half = EVIDENCE_MAX // 2
        found = found[:half] + found[-half:]
    return tuple(found)


def score_of(start: int, step: int, excess: int) -> int:
    """Return a score that begins at `start` and grows by `step` for each multiple beyond the threshold."""
    return max(0, min(SCORE_MAX, start + step * excess))


def hash_of(alerts: Iterable[Alert]) -> str:
    """Return one hash over alerts in their order, to compare two runs by."""
    running = blake2b(digest_size=HASH_BYTES)
    for alert in alerts:
        running.update(msgspec.json.encode(alert))
    return running.hexdigest()


def price_text(price: int) -> str:
    """Write a price."""
    return format_price(Price(price))


def hash_of_all(alerts: Iterable[Alert]) -> str:
    """Return one hash over alerts in whatever order they come: by the event that raised them, then by id."""
    return hash_of(sorted(alerts, key=lambda alert: (alert.raised_sequence, alert.alert_id)))
