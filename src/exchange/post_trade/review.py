"""The review of a trade that one side calls clearly erroneous: who may do what, until when, and what comes of it.

    filed ──┬─ the other side agrees ──► filed, agreed
            ├─ the applicant withdraws ──► withdrawn
            ├─ an officer denies ────────► denied ──┬─ appealed in time ──► appealed ── another officer ──► closed
            └─ an officer grants ────────► granted ─┘
                 └─ agreed by both: closed at once         denied, granted: closed when the time to appeal is over

1. A party asks within 30 minutes of the execution, or 60 where the price is an outlier: 3 × the guideline away or more.
2. A granted remedy waits until nobody can appeal any more, for a bust is final. What both sides agreed to is not
   made to wait.
3. On appeal another officer decides than the one who ruled, and that is final.
4. A remedy above a notional needs two officers who say the same.
5. Whatever happens is a step with its time, who and why; a step is never changed.

IEX Rule 11.270(b)(1) has the time limits, FINRA 11892(a)(1) that of the official; all of them are configurable.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import msgspec

from exchange.domain.participant import person_of
from exchange.domain.trade import BustReason
from exchange.domain.units import MatchId, Money, Price, Quantity, TimeNs, format_price, format_time
from exchange.post_trade.rule_kinds import PriceBand, format_percent
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState, TransitionRefused

NS_PER_MINUTE = 60_000_000_000
OUTLIER_TIMES = 3
"""From so many times the guideline on a trade is an outlier, and may be asked about for longer."""
EVENT_NS = 5 * NS_PER_MINUTE
"""Erroneous trades of several securities within this time are one event."""
EVENT_GUIDELINES = ((20, 3_000), (5, 1_000))
"""(securities, basis points): the guideline of an event with at least so many securities. Nasdaq 11890."""


class ReviewState(StrEnum):
    """Where a review stands."""

    FILED = "filed"
    GRANTED = "granted"
    DENIED = "denied"
    APPEALED = "appealed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({ReviewState.FILED, ReviewState.GRANTED, ReviewState.DENIED, ReviewState.APPEALED})


class ReviewRefused(TransitionRefused):
    """This cannot be done to a review now; the message is a sentence for people."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long each step may take, in minutes, and from which notional on two officers must agree; 0 for never."""

    file_min: int = 30
    outlier_min: int = 60
    rule_min: int = 30
    appeal_min: int = 30
    decide_min: int = 1_440
    two_person_notional: Money = Money(0)

    def needs_two(self, notional: int) -> bool:
        """Tell whether a ruling on so much money is two persons' to make."""
        return 0 < self.two_person_notional <= notional


class Remedy(msgspec.Struct, frozen=True):
    """What is to become of the trade. kind: `none`, `bust` or `correct`; price, quantity: 0 for what stays."""

    kind: str = "none"
    price: Price = Price(0)
    quantity: Quantity = Quantity(0)


NO_REMEDY = Remedy()


class Actor(msgspec.Struct, frozen=True):
    """Who acts. key_id: of the key, which tells people apart; participant_id: 0 for the office."""

    key_id: int
    who: str
    participant_id: int = 0


_OFFICER = re.compile(r"[a-z_]+ (.+) \(key \d+\)")


def same_person(key_id: int, who: str, other: Actor) -> bool:
    """Tell whether two officers are one: by the same key, or by keys of which one person had either made.

    who: as it was recorded, such as `operator kim (of operator) (key 7)`.
    """
    return key_id == other.key_id or _person(who) == _person(other.who)


def _person(who: str) -> str:
    found = _OFFICER.fullmatch(who)
    return person_of(found[1] if found else who)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """How far a trade is off, measured when the review was filed.

    measured, guideline: distance from the reference price, in 1/10,000; securities: in the event, with this one.
    """

    measured: int
    guideline: int
    securities: int
    sentence: str

    @property
    def is_eligible(self) -> bool:
        """Tell whether the price equals or exceeds the guideline; without a reference price a person must say."""
        return self.measured >= self.guideline

    @property
    def is_outlier(self) -> bool:
        """Tell whether it is so far off that it may be asked about for longer."""
        return self.measured >= self.guideline * OUTLIER_TIMES


class ReviewStep(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a review."""

    time_ns: TimeNs
    what: str
    state: ReviewState
    who: str
    key_id: int
    why: str


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A review of one trade.

    applicant, counterparty: participants; wanted: what the applicant asks for; remedy, code: as ruled; due_ns: when the
    present state is to end; ruled_by, proposed_by: keys, 0 for none; proposed: what waits for a second officer.
    """

    review_id: int
    match_id: MatchId
    applicant: int
    counterparty: int
    filed_ns: TimeNs
    basis: str
    wanted: Remedy
    finding: Finding
    state: ReviewState = ReviewState.FILED
    agreed: bool = False
    remedy: Remedy = NO_REMEDY
    code: int = 0
    due_ns: TimeNs = TimeNs(0)
    ruled_by: int = 0
    proposed_by: int = 0
    proposed: Remedy = NO_REMEDY
    proposed_code: int = 0
    steps: tuple[ReviewStep, ...] = ()

    @property
    def is_to_be_carried_out(self) -> bool:
        """Tell whether the engine is now to be asked for the remedy."""
        return self.state == ReviewState.CLOSED and self.remedy.kind != "none"


def measure(trade: Trade, band: PriceBand, symbol: str, securities: int) -> Finding:
    """Measure how far a trade is off its reference price. securities: in the event, with this one."""
    reference = trade.reference_price
    distance = abs(trade.price - reference)
    if reference <= 0:
        return Finding(
            measured=0,
            guideline=0,
            securities=securities,
            sentence="There is no reference price to measure from.",
        )
    bps = band.guideline_bps(trade, symbol)
    of_event = next((each for count, each in EVENT_GUIDELINES if securities >= count), 0)
    used = of_event or bps
    guideline = -(-reference * used // 10_000)
    which = f"an event of {securities} securities" if of_event else "its tier"
    away = format_price(Price(distance)) if distance else "0"
    sentence = (
        f"The price {format_price(trade.price)} is {away} from the reference price {format_price(reference)}; "
        f"the guideline of {which} is {format_percent(used)}, {format_price(Price(guideline))}."
    )
    return Finding(measured=distance, guideline=guideline, securities=securities, sentence=sentence)


def file_review(
    trade: Trade,
    review_id: int,
    parties: tuple[int, int],
    finding: Finding,
    wanted: Remedy,
    basis: str,
    actor: Actor,
    now_ns: int,
    limits: Limits,
) -> Review:
    """Take a request for review in. parties: participants of buyer and seller. Raise `ReviewRefused`."""
    if not actor.participant_id or actor.participant_id not in parties:
        raise ReviewRefused("Only a side of the trade can ask for its review.")
    if trade.state in (TradeState.BUSTED, TradeState.BUST_PENDING):
        raise ReviewRefused(f"The trade is {trade.state.value.replace('_', ' ')} already.")
    if wanted.kind == "none":
        raise ReviewRefused("Say what you ask for: a bust, or a correction.")
    check_remedy(trade, wanted)
    minutes = limits.outlier_min if finding.is_outlier else limits.file_min
    latest_ns = trade.executed_ns + minutes * NS_PER_MINUTE
    if now_ns > latest_ns:
        raise ReviewRefused(
            f"A review had to be asked for within {minutes} minutes of the execution, until {format_time(latest_ns)}."
        )
    others = [each for each in parties if each != actor.participant_id]
    review = Review(
        review_id=review_id,
        match_id=trade.match_id,
        applicant=actor.participant_id,
        counterparty=others[0] if others else actor.participant_id,
        filed_ns=TimeNs(now_ns),
        basis=basis,
        wanted=wanted,
        finding=finding,
    )
    return _step(review, "filed", ReviewState.FILED, actor, basis, now_ns, limits.rule_min)


def withdraw(review: Review, actor: Actor, why: str, now_ns: int) -> Review:
    """Take a request back, before it is ruled on. Raise `ReviewRefused`."""
    _must_be(review, "withdrawn", ReviewState.FILED)
    if actor.participant_id != review.applicant:
        raise ReviewRefused("Only who asked for the review can take it back.")
    return _step(review, "withdrawn", ReviewState.WITHDRAWN, actor, why, now_ns, 0)


def agree(review: Review, actor: Actor, why: str, now_ns: int) -> Review:
    """Let the other side agree to what the applicant asks for. Raise `ReviewRefused`."""
    _must_be(review, "agreed to", ReviewState.FILED)
    if review.agreed:
        raise ReviewRefused("The other side has agreed already.")
    if actor.participant_id != review.counterparty or review.counterparty == review.applicant:
        raise ReviewRefused("Only the other side of the trade can agree.")
    agreed = _step(review, "agreed", ReviewState.FILED, actor, why, now_ns, None)
    return msgspec.structs.replace(agreed, agreed=True)


def rule(
    review: Review,
    trade: Trade,
    remedy: Remedy,
    code: BustReason,
    actor: Actor,
    why: str,
    now_ns: int,
    limits: Limits,
) -> Review:
    """Rule on a review, or decide its appeal; `none` denies it. Raise `ReviewRefused`.

    Where two officers are needed the first one's ruling only waits for another who says the same.
    """
    _must_be(review, "ruled on", ReviewState.FILED, ReviewState.APPEALED)
    is_appeal = review.state == ReviewState.APPEALED
    if is_appeal and _was(review, review.ruled_by, actor):
        raise ReviewRefused("An appeal is decided by another officer than the one who ruled.")
    check_remedy(trade, remedy)
    is_consent = review.agreed and remedy == review.wanted
    if code == BustReason.CONSENT and not is_consent:
        raise ReviewRefused("Both sides have not agreed to this remedy; give another code than C.")
    if (
        remedy.kind != "none"
        and limits.needs_two(trade.notional)
        and not _seconds(review, remedy, code, actor)
    ):
        waiting = _step(review, f"{remedy.kind} proposed", review.state, actor, why, now_ns, None)
        return msgspec.structs.replace(
            waiting, proposed_by=actor.key_id, proposed=remedy, proposed_code=int(code)
        )
    is_final = is_appeal or is_consent
    ruled = ReviewState.DENIED if remedy.kind == "none" else ReviewState.GRANTED
    what = f"appeal {ruled.value}" if is_appeal else ruled.value
    state = ReviewState.CLOSED if is_final else ruled
    done = _step(review, what, state, actor, why, now_ns, 0 if is_final else limits.appeal_min)
    return msgspec.structs.replace(
        done, remedy=remedy, code=0 if remedy.kind == "none" else int(code), ruled_by=actor.key_id, proposed_by=0,
        proposed=NO_REMEDY, proposed_code=0,
    )  # fmt: skip


def appeal(review: Review, actor: Actor, why: str, now_ns: int, limits: Limits) -> Review:
    """Appeal against a ruling, by either side and in time; meanwhile nothing is carried out. Raise `ReviewRefused`."""
    _must_be(review, "appealed", ReviewState.GRANTED, ReviewState.DENIED)
    if actor.participant_id not in (review.applicant, review.counterparty):
        raise ReviewRefused("Only a side of the trade can appeal.")
    if now_ns >= review.due_ns:
        raise ReviewRefused(f"The time to appeal was over at {format_time(review.due_ns)}.")
    return _step(review, "appealed", ReviewState.APPEALED, actor, why, now_ns, limits.decide_min)


def close(review: Review, now_ns: int) -> Review:
    """Close a review whose time to appeal is over. Raise `ReviewRefused`."""
    _must_be(review, "closed", ReviewState.GRANTED, ReviewState.DENIED)
    if now_ns < review.due_ns:
        raise ReviewRefused(f"It can be appealed until {format_time(review.due_ns)}.")
    clock = Actor(0, "clearing")
    return _step(review, "closed", ReviewState.CLOSED, clock, "the time to appeal is over", now_ns, 0)


def noted(review: Review, what: str, why: str, now_ns: int) -> Review:
    """Add a step that changes nothing, such as what became of the remedy."""
    return _step(review, what, review.state, Actor(0, "clearing"), why, now_ns, None)


def is_overdue(review: Review, now_ns: int) -> bool:
    """Tell whether an officer should have acted by now."""
    return review.state in (ReviewState.FILED, ReviewState.APPEALED) and now_ns > review.due_ns


def check_remedy(trade: Trade, remedy: Remedy) -> None:
    """Refuse a correction that corrects nothing or gives more shares. Raise `ReviewRefused`."""
    if remedy.kind != "correct":
        return
    price, quantity = remedy.price or trade.price, remedy.quantity or trade.quantity
    if quantity > trade.quantity or (price, quantity) == (trade.price, trade.quantity):
        raise ReviewRefused(
            f"A correction changes the price, lowers the quantity of {trade.quantity}, or both; got price "
            f"{format_price(price)}, quantity {quantity}."
        )


def _seconds(review: Review, remedy: Remedy, code: BustReason, actor: Actor) -> bool:
    is_another = review.proposed_by != 0 and not _was(review, review.proposed_by, actor)
    return is_another and (review.proposed, review.proposed_code) == (remedy, code)


def _was(review: Review, key_id: int, actor: Actor) -> bool:
    """Tell whether the officer who acted by a key was this one."""
    who = next((step.who for step in reversed(review.steps) if step.key_id == key_id), "")
    return same_person(key_id, who, actor)


def _must_be(review: Review, what: str, *states: ReviewState) -> None:
    if review.state not in states:
        raise ReviewRefused(f"The review cannot be {what}: it is {review.state.value}.")


def _step(
    review: Review, what: str, state: ReviewState, actor: Actor, why: str, now_ns: int, due_min: int | None
) -> Review:
    """Add a step. due_min: minutes until the new state is to end, 0 for never, None to leave it."""
    step = ReviewStep(
        time_ns=TimeNs(now_ns), what=what, state=state, who=actor.who, key_id=actor.key_id, why=why
    )
    changes: dict[str, Any] = {"state": state, "steps": (*review.steps, step)}
    if due_min is not None:
        changes["due_ns"] = TimeNs(now_ns + due_min * NS_PER_MINUTE if due_min else 0)
    return msgspec.structs.replace(review, **changes)
