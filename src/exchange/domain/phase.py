"""The words of a trading day: phases, the auctions between them, and why a phase changed."""

from __future__ import annotations

from enum import IntEnum

COLLAR_BPS_MAX = 10_000
"""The widest auction collar: the whole reference price."""
EXTENSIONS_MAX = 20
"""So often at most an auction waits for a price inside its collar."""
CALL_NS_MAX = 86_400_000_000_000
"""The longest an extension, a reopening auction or a random end may take: a day."""
SCHEDULE_ROWS_MAX = 10_000
"""Phase changes that may be scheduled ahead; one more is refused."""


class Phase(IntEnum):
    """What a symbol's market does at a time of the day. A symbol is in one phase at a time."""

    CONTINUOUS = 1
    """Orders trade as they come in."""
    PRE_OPEN = 2
    """Orders gather; nothing is indicated yet."""
    OPENING_AUCTION = 3
    """Orders gather for the opening auction, which is indicated."""
    OPENING_NO_CANCEL = 4
    """As before, and members cannot take orders back."""
    CLOSING_AUCTION = 5
    """Orders gather for the closing auction, which is indicated."""
    CLOSING_NO_CANCEL = 6
    """As before, and members cannot take orders back."""
    POST_CLOSE = 7
    """Orders that outlive the day are taken; nothing trades."""
    CLOSED = 8
    """Cancels and nothing else."""
    HALTED = 9
    """Halted by an operator or a breaker: cancels and nothing else."""
    REOPENING_AUCTION = 10
    """Orders gather for the auction after a halt."""
    VOLATILITY_AUCTION = 11
    """Orders gather for the auction after a price limit was reached."""


class AuctionKind(IntEnum):
    """Which auction it is, as an ASCII code."""

    OPENING = ord("O")
    CLOSING = ord("C")
    REOPENING = ord("H")
    VOLATILITY = ord("V")


class PhaseCause(IntEnum):
    """Why a phase changed."""

    OPERATOR = 1
    """An operator set it."""
    SCHEDULE = 2
    """Its scheduled time came."""
    HALT = 3
    """An operator halted trading."""
    RESUMPTION = 4
    """An operator let trading go on after a halt or a suspension."""
    TIME_OVER = 5
    """The reopening or volatility auction, or an extension, came to its end."""
    LISTING = 6
    """A new symbol begins where the market stands."""
    PRICE_LIMIT = 7
    """A price limit was reached."""
    BREAKER = 8
    """The market fell too far."""


OPENING = (Phase.PRE_OPEN, Phase.OPENING_AUCTION, Phase.OPENING_NO_CANCEL)
CLOSING = (Phase.CLOSING_AUCTION, Phase.CLOSING_NO_CANCEL)
GATHERING = (*OPENING, *CLOSING, Phase.REOPENING_AUCTION, Phase.VOLATILITY_AUCTION)
"""Phases in which orders are taken and do not trade before their auction."""
INDICATED = GATHERING[1:]
NO_CANCEL = (Phase.OPENING_NO_CANCEL, Phase.CLOSING_NO_CANCEL)
SETTABLE = (Phase.CONTINUOUS, *OPENING, *CLOSING, Phase.POST_CLOSE, Phase.CLOSED)
"""Phases that an operator or a schedule may name; the others come by halts and price limits."""


def auction_between(old: Phase, new: Phase) -> AuctionKind | None:
    """Return the auction that ends one phase and leads to another; nothing where there is none. Rulebook 5.3."""
    if new is Phase.CONTINUOUS:
        return auction_of(old) or AuctionKind.OPENING
    if new in (Phase.POST_CLOSE, Phase.CLOSED) and old in CLOSING:
        return AuctionKind.CLOSING
    return None


def auction_of(phase: Phase) -> AuctionKind | None:
    """Return the auction for which orders gather, or would after a halt; nothing where they do not."""
    if phase in OPENING:
        return AuctionKind.OPENING
    if phase in CLOSING:
        return AuctionKind.CLOSING
    if phase in (Phase.HALTED, Phase.REOPENING_AUCTION):
        return AuctionKind.REOPENING
    return AuctionKind.VOLATILITY if phase is Phase.VOLATILITY_AUCTION else None
