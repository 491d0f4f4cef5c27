"""Fees: which row holds on a day, what it charges whom, and what cannot be a fee."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain.units import MatchId, TimeNs, format_money, parse_price
from exchange.post_trade.fees import FeesError, parse_fees
from exchange.post_trade.lots import Fill

ROWS: list[dict[str, Any]] = [
    {"name": "trading", "from": "2026-01-01", "who": "taker", "per_share": "0.0030"},
    {"name": "trading", "from": "2026-01-01", "who": "maker", "per_share": "-0.0020"},
    {"name": "trading", "from": "2026-07-01", "who": "taker", "per_share": "0.0025"},
    {"name": "regulatory", "from": "2026-01-01", "who": "seller", "percent": "0.0020"},
]

# the day     what is filled              what it costs
TABLE = [
    ("20251231", "100@189.20 taker", ""),
    ("20260101", "100@189.20 taker", "trading 0.30"),
    ("20260630", "100@189.20 maker", "trading -0.20"),
    ("20260701", "100@189.20 taker", "trading 0.25"),
    ("20260701", "-100@189.20 taker", "regulatory 0.3784, trading 0.25"),
    ("20260701", "-100@189.20 maker", "trading -0.20, regulatory 0.3784"),
    ("20260701", "-1@0.01 maker", "trading -0.002, regulatory 0.00"),
    ("20260701", "-1@2.50 maker", "trading -0.002, regulatory 0.0001"),
]


def fill(day: str, words: str) -> Fill:
    what, who = words.split()
    quantity, _, price = what.partition("@")
    return Fill(MatchId(1), 1, int(quantity), parse_price(price), who == "maker", TimeNs(1), int(day))


@pytest.mark.parametrize(("day", "words", "expected"), TABLE)
def test_the_latest_row_of_a_name_charges_whom_it_names(day: str, words: str, expected: str) -> None:
    charges = parse_fees(ROWS).charges(fill(day, words))
    assert sorted(f"{name} {format_money(amount)}" for name, amount in charges) == sorted(
        filter(None, expected.split(", "))
    )


GOOD = ROWS[0]
MISTAKES: list[tuple[dict[str, Any], str]] = [
    (
        GOOD | {"nmae": 1},
        "clearing fee 1, key 'nmae': got 1; a fee has name, from, who, .*did you mean 'name'",
    ),
    (GOOD | {"name": ""}, "key 'name': got ''; allowed are 1 to 32 characters"),
    (GOOD | {"who": "both sides"}, "key 'who': got 'both sides'; allowed are maker, taker, both"),
    (GOOD | {"from": "2026-13-01"}, "key 'from': got '2026-13-01'; allowed is the first day"),
    (GOOD | {"from": 20260101}, "key 'from': got 20260101"),
    (GOOD | {"percent": "1"}, "it has just one of per_share and percent"),
    ({key: value for key, value in GOOD.items() if key != "per_share"}, "just one of per_share and percent"),
    (GOOD | {"per_share": 0.003}, "key 'per_share': got 0.003; allowed is a text"),
    (GOOD | {"per_share": "1e5"}, "key 'per_share': got '1e5'; amount must be a plain decimal"),
]


@pytest.mark.parametrize(("row", "message"), MISTAKES)
def test_a_mistake_names_row_key_what_was_seen_and_what_is_allowed(row: dict[str, Any], message: str) -> None:
    with pytest.raises(FeesError, match=message):
        parse_fees([row])


def test_one_row_twice_and_too_many_rows_are_refused() -> None:
    with pytest.raises(FeesError, match="clearing fee 2: 'trading' from this day for taker is there already"):
        parse_fees([GOOD, GOOD])
    with pytest.raises(FeesError, match="got 201 rows, at most 200"):
        parse_fees([GOOD] * 201)


def test_of_tiers_the_highest_that_the_months_volume_reached_holds() -> None:
    rows = [
        {"name": "trading", "from": "2026-01-01", "who": "taker", "per_share": "0.0030"},
        {
            "name": "trading",
            "from": "2026-01-01",
            "who": "taker",
            "per_share": "0.0020",
            "volume_from": 1_000,
        },
        {
            "name": "trading",
            "from": "2026-01-01",
            "who": "taker",
            "per_share": "-0.0010",
            "volume_from": 9_000,
        },
    ]
    schedule = parse_fees(rows)
    assert schedule.has_tiers
    taker = fill("20260201", "100@189.20 taker")
    january = fill("20260101", "100@189.20 taker")
    for volume, amount in ((0, 3000), (999, 3000), (1_000, 2000), (8_999, 2000), (9_000, -1000)):
        assert schedule.charges(january, volume) == [("trading", amount)]
    later = parse_fees(
        [*rows, {"name": "trading", "from": "2026-02-01", "who": "taker", "per_share": "0.0001"}]
    )
    assert later.charges(taker, 9_000) == [("trading", 100)]


@pytest.mark.parametrize(
    ("row", "quantity", "amount"),
    [
        ({"per_share": "0.0001"}, -1_000, 1000),
        ({"per_share": "0.0001", "cap": "0.05"}, -1_000, 500),
        ({"percent": "0.0021", "round_up": True}, -1, 100),
        ({"percent": "-0.0021", "round_up": True}, -1_000, -2100),
    ],
)
def test_a_regulatory_fee_has_a_cap_and_goes_up_to_the_cent(
    row: dict[str, Any], quantity: int, amount: int
) -> None:
    schedule = parse_fees([{"name": "regulatory", "from": "2026-01-01", "who": "seller"} | row])
    assert schedule.charges(fill("20260101", f"{quantity}@10.00 taker")) == [("regulatory", amount)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"volume_from": "1000"}, "key 'volume_from': got '1000'; allowed is a whole number of shares"),
        ({"volume_from": True}, "key 'volume_from'"),
        ({"cap": "-1"}, "key 'cap': got '-1'; allowed is an amount of at least 0"),
        ({"round_up": 1}, "key 'round_up': got 1; allowed are true and false"),
    ],
)
def test_limits_of_a_fee_that_cannot_be_are_refused(row: dict[str, Any], message: str) -> None:
    with pytest.raises(FeesError, match=message):
        parse_fees([{"name": "a", "from": "2026-01-01", "who": "both", "per_share": "0.1"} | row])
