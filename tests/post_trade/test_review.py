"""Reviews of trades as tables that a trader can read: who does what at which minute, and what comes of it."""

from __future__ import annotations

import msgspec
import pytest

from exchange.domain.trade import BustReason
from exchange.domain.units import Money, Price, Quantity, parse_price
from exchange.post_trade.review import (
    NS_PER_MINUTE,
    OPEN,
    Actor,
    Limits,
    Remedy,
    Review,
    ReviewRefused,
    agree,
    appeal,
    close,
    file_review,
    is_overdue,
    measure,
    noted,
    rule,
    withdraw,
)
from exchange.post_trade.rule_kinds import Hours, PriceBand
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState
from tests.post_trade.test_rules import one_trade

ALICE, BOB, CAROL = (
    Actor(10 + number, name, number) for number, name in enumerate(("alice", "bob", "carol"), 1)
)
OTTO, OLGA, ORSON = (Actor(20 + number, name) for number, name in enumerate(("otto", "olga", "orson"), 1))
PEOPLE = {actor.who: actor for actor in (ALICE, BOB, CAROL, OTTO, OLGA, ORSON)}
REMEDIES = {
    "bust": Remedy("bust"),
    "189.20": Remedy("correct", Price(1_892_000)),
    "60 shares": Remedy("correct", Price(0), Quantity(60)),
    "nothing": Remedy(),
}
BAND = PriceBand(id="CE-CORE")
TRADE = one_trade(price="195.00")
"""Alice (account 1) bought 100 AAPL of Bob (account 2) at 195.00; the reference price was 189.20."""


class Story:
    """Plays the lines of a scenario: `minute who does what`; minutes count from the execution."""

    def __init__(self, trade: Trade = TRADE, limits: Limits | None = None) -> None:
        self.trade = trade
        self.limits = limits or Limits()
        self.review: Review | None = None

    def play(self, line: str) -> str:
        minute, who, verb, *rest = line.strip().split(maxsplit=3)
        now_ns = self.trade.executed_ns + int(minute) * NS_PER_MINUTE
        actor, what = PEOPLE.get(who, ALICE), rest[0] if rest else ""
        try:
            self.review = self._act(verb, actor, what, now_ns)
        except ReviewRefused as error:
            return f"refused: {error}"
        return self.review.state.value

    def _act(self, verb: str, actor: Actor, what: str, now_ns: int) -> Review:
        if verb == "asks":
            finding = measure(self.trade, BAND, "AAPL", 1)
            return file_review(
                self.trade, 1, (1, 2), finding, REMEDIES[what], "typed wrong", actor, now_ns, self.limits
            )
        review = self.review
        assert review is not None
        match verb:
            case "withdraws":
                return withdraw(review, actor, "found", now_ns)
            case "agrees":
                return agree(review, actor, "yes", now_ns)
            case "appeals":
                return appeal(review, actor, "no", now_ns, self.limits)
            case "passes":
                return close(review, now_ns)
        remedy, _, code = what.partition(" for ")
        reason = BustReason(ord(code)) if code else BustReason.ERRONEOUS
        return rule(review, self.trade, REMEDIES[remedy], reason, actor, "so be it", now_ns, self.limits)


SCENARIOS = {
    "granted, and nobody appeals": """
        10 alice asks bust          | filed
        20 otto rules bust          | granted
        49 time passes              | refused: It can be appealed until
        50 time passes              | closed
        60 alice appeals            | refused: The review cannot be appealed: it is closed.
        60 otto rules bust          | refused: The review cannot be ruled on: it is closed.
    """,
    "denied, and nobody appeals": """
        10 alice asks bust          | filed
        20 otto rules nothing       | denied
        50 time passes              | closed
    """,
    "a grant is appealed by the other side, and another officer decides": """
        10 alice asks bust          | filed
        20 otto rules bust          | granted
        49 bob appeals              | appealed
        50 time passes              | refused: The review cannot be closed: it is appealed.
        60 otto rules nothing       | refused: An appeal is decided by another officer than the one who ruled.
        60 olga rules nothing       | closed
    """,
    "a denial is appealed by who asked, and granted": """
        10 alice asks bust          | filed
        20 otto rules nothing       | denied
        30 carol appeals            | refused: Only a side of the trade can appeal.
        30 alice appeals            | appealed
        40 olga rules bust          | closed
    """,
    "an appeal comes too late": """
        10 alice asks bust          | filed
        20 otto rules nothing       | denied
        50 alice appeals            | refused: The time to appeal was over
    """,
    "both sides agree, so nothing waits": """
        10 alice asks 189.20        | filed
        11 alice agrees             | refused: Only the other side of the trade can agree.
        11 carol agrees             | refused: Only the other side of the trade can agree.
        12 bob agrees               | filed
        13 bob agrees               | refused: The other side has agreed already.
        14 otto rules 189.20 for C  | closed
    """,
    "a part of the trade is busted by consent": """
        10 bob asks 60 shares       | filed
        12 alice agrees             | filed
        14 otto rules 60 shares for C | closed
    """,
    "an officer rules otherwise than was agreed, so it can be appealed": """
        10 alice asks 189.20        | filed
        12 bob agrees               | filed
        14 otto rules bust for C    | refused: Both sides have not agreed to this remedy; give another code than C.
        14 otto rules bust          | granted
    """,
    "consent needs that somebody consented": """
        10 alice asks bust          | filed
        14 otto rules bust for C    | refused: Both sides have not agreed to this remedy
    """,
    "taken back": """
        10 alice asks bust          | filed
        11 bob withdraws            | refused: Only who asked for the review can take it back.
        11 alice withdraws          | withdrawn
        12 otto rules bust          | refused: The review cannot be ruled on: it is withdrawn.
        12 bob agrees               | refused: The review cannot be agreed to: it is withdrawn.
    """,
    "asked in the last minute": """
        30 alice asks bust          | filed
    """,
    "asked too late": """
        31 alice asks bust          | refused: A review had to be asked for within 30 minutes of the execution, until
    """,
    "asked by nobody of the trade": """
        10 carol asks bust          | refused: Only a side of the trade can ask for its review.
        10 otto asks bust           | refused: Only a side of the trade can ask for its review.
    """,
    "asked for nothing": """
        10 alice asks nothing       | refused: Say what you ask for: a bust, or a correction.
    """,
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_review_goes_as_the_table_says(name: str) -> None:
    play(Story(), SCENARIOS[name])


def play(story: Story, scenario: str) -> None:
    for line in filter(None, map(str.strip, scenario.splitlines())):
        act, _, expected = line.partition("|")
        assert story.play(act).startswith(expected.strip()), line


def test_an_outlier_may_be_asked_about_for_an_hour() -> None:
    outlier = one_trade(price="206.23")
    assert measure(outlier, BAND, "AAPL", 1).is_outlier
    play(Story(outlier), "60 alice asks bust | filed")
    play(Story(outlier), "61 alice asks bust | refused: A review had to be asked for within 60 minutes")


TWO_OFFICERS = """
    10 alice asks bust      | filed
    20 otto rules bust      | filed
    21 otto rules bust      | filed
    22 olga rules 189.20    | filed
    23 otto rules bust      | filed
    24 olga rules bust      | granted
    30 bob appeals          | appealed
    31 otto rules bust      | appealed
    32 olga rules bust      | refused: An appeal is decided by another officer than the one who ruled.
    33 orson rules bust     | closed
"""


def test_above_a_notional_two_officers_must_say_the_same() -> None:
    play(Story(limits=Limits(two_person_notional=Money(TRADE.notional))), TWO_OFFICERS)


def test_a_denial_needs_one_officer_and_so_does_less_money() -> None:
    play(
        Story(limits=Limits(two_person_notional=Money(1))),
        "10 alice asks bust|filed\n20 otto rules nothing|denied",
    )
    play(Story(limits=Limits(two_person_notional=Money(TRADE.notional + 1))),
         "10 alice asks bust|filed\n20 otto rules bust|granted")  # fmt: skip


@pytest.mark.parametrize("state", [TradeState.BUSTED, TradeState.BUST_PENDING])
def test_a_trade_that_is_broken_cannot_be_reviewed(state: TradeState) -> None:
    trade = msgspec.structs.replace(TRADE, state=state)
    play(Story(trade), "10 alice asks bust | refused: The trade is bust")


def test_a_correction_must_correct_something_and_gives_no_more_shares() -> None:
    for remedy in (
        Remedy("correct"),
        Remedy("correct", TRADE.price),
        Remedy("correct", Price(0), Quantity(101)),
    ):
        with pytest.raises(ReviewRefused, match="A correction changes the price, lowers the quantity of 100"):
            file_review(
                TRADE,
                1,
                (1, 2),
                measure(TRADE, BAND, "AAPL", 1),
                remedy,
                "x",
                ALICE,
                TRADE.executed_ns,
                Limits(),
            )


def test_every_step_stays_with_its_time_who_and_why() -> None:
    story = Story()
    play(story, SCENARIOS["granted, and nobody appeals"].partition("60 alice")[0])
    assert story.review
    review = noted(story.review, "ordered", "the engine is asked", TRADE.executed_ns)
    assert [(step.what, step.who, step.why) for step in review.steps] == [
        ("filed", "alice", "typed wrong"),
        ("granted", "otto", "so be it"),
        ("closed", "clearing", "the time to appeal is over"),
        ("ordered", "clearing", "the engine is asked"),
    ]
    assert review.is_to_be_carried_out
    assert review.state not in OPEN


def test_an_officer_who_does_nothing_is_overdue() -> None:
    story = Story()
    play(story, "10 alice asks bust | filed")
    assert story.review
    assert not is_overdue(story.review, TRADE.executed_ns + 40 * NS_PER_MINUTE)
    assert is_overdue(story.review, TRADE.executed_ns + 40 * NS_PER_MINUTE + 1)


# price     reference   hours    securities   off by  guideline  eligible outlier
MEASURES = [
    ("194.87", "189.20", "core", 1, "5.67", "5.676", False, False),
    ("194.876", "189.20", "core", 1, "5.676", "5.676", True, False),
    ("183.524", "189.20", "core", 1, "5.676", "5.676", True, False),
    ("206.228", "189.20", "core", 1, "17.028", "5.676", True, True),
    ("27.50", "25.00", "core", 1, "2.50", "2.50", True, False),
    ("52.50", "50.00", "core", 1, "2.50", "2.50", True, False),
    ("52.50", "50.01", "core", 1, "2.49", "1.5003", True, False),
    ("194.876", "189.20", "outside", 1, "5.676", "11.352", False, False),
    ("194.876", "189.20", "core", 4, "5.676", "5.676", True, False),
    ("194.876", "189.20", "core", 5, "5.676", "18.92", False, False),
    ("208.12", "189.20", "core", 19, "18.92", "18.92", True, False),
    ("208.12", "189.20", "core", 20, "18.92", "56.76", False, False),
]


@pytest.mark.parametrize(
    ("price", "reference", "hours", "securities", "off", "guideline", "eligible", "outlier"), MEASURES
)
def test_a_trade_is_measured_by_tier_hour_and_event(
    price: str,
    reference: str,
    hours: str,
    securities: int,
    off: str,
    guideline: str,
    eligible: bool,
    outlier: bool,
) -> None:
    trade = one_trade(price=price, reference=reference)
    minute = trade.executed_ns // NS_PER_MINUTE % 1_440
    begins = minute if hours == "core" else (minute + 1) % 1_440
    band = PriceBand(id="CE", core_hours=Hours(begins, (begins + 1) % 1_440))
    found = measure(trade, band, "AAPL", securities)
    assert (found.measured, found.guideline) == (parse_price(off), parse_price(guideline))
    assert (found.is_eligible, found.is_outlier) == (eligible, outlier)


def test_a_leveraged_symbol_has_a_wider_guideline() -> None:
    band = PriceBand(id="CE", leverage={"AAPL": 3})
    assert measure(TRADE, band, "AAPL", 1).guideline == 3 * measure(TRADE, BAND, "AAPL", 1).guideline


def test_without_a_reference_price_a_person_must_say() -> None:
    found = measure(one_trade(reference="0"), BAND, "AAPL", 1)
    assert (found.is_eligible, found.sentence) == (True, "There is no reference price to measure from.")
