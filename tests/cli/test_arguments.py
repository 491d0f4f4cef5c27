"""The ways people write a price mean the same."""

from __future__ import annotations

import pytest

from exchange.cli.arguments import spell_out_price, wants_json

PLAIN = ["order", "buy", "AAPL", "100", "--at", "189.20"]


@pytest.mark.parametrize(
    "typed",
    [
        "order buy AAPL 100 @ 189.20",
        "order buy AAPL 100@189.20",
        "order buy AAPL 100@ 189.20",
        "order buy AAPL 100 @189.20",
        "order buy AAPL 100 --at 189.20",
    ],
)
def test_every_way_to_write_a_price_is_the_same(typed: str) -> None:
    assert spell_out_price(typed.split()) == PLAIN


@pytest.mark.parametrize(
    "typed",
    [
        "order buy AAPL 100",
        "order list --symbol A@B",
        "order buy AAPL 100 --client-order-id a@1",
        "order buy AAPL 100 --client-order-id 7@1",
        "order cancel 7@1",
        "book AAPL @ 5",
        "order",
        "",
    ],
)
def test_other_words_stay_as_they_are(typed: str) -> None:
    assert spell_out_price(typed.split()) == typed.split()


def test_options_after_the_price_stay_options() -> None:
    words = ["order", "sell", "AAPL", "100", "@", "189.20", "--tif", "ioc", "--json"]
    assert spell_out_price(words) == [
        "order",
        "sell",
        "AAPL",
        "100",
        "--at",
        "189.20",
        "--tif",
        "ioc",
        "--json",
    ]


def test_a_price_alone_amends_the_price_alone() -> None:
    assert spell_out_price(["order", "amend", "72", "@", "189.15"]) == [
        "order",
        "amend",
        "72",
        "--at",
        "189.15",
    ]


def test_what_is_no_price_is_left_to_the_exchange_to_refuse() -> None:
    assert spell_out_price(["order", "buy", "AAPL", "100", "@", "lots"])[-1] == "lots"


def test_json_is_wanted_wherever_it_stands() -> None:
    assert wants_json(["order", "--json", "list"])
    assert not wants_json(["order", "list"])
