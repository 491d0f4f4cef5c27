"""Tests of exchange.wire.rest.rejects: refusals in words, with both figures and what would do."""

from __future__ import annotations

import pytest

from exchange.domain.reasons import REASONS, Reason
from exchange.wire.rest.rejects import reject_message

WORDS = [
    (Reason.PRICE_NOT_ON_TICK, 1_892_055, 100,
     "price 189.2055 is not a multiple of the tick size 0.01; nearest 189.20 or 189.21"),
    (Reason.PRICE_NOT_ON_TICK, 50, 100, "price 0.005 is not a multiple of the tick size 0.01; nearest 0.01"),
    (Reason.REFERENCE_PRICE_INVALID, 1_892_055, 100,
     "reference price 189.2055 is not a multiple of the tick size 0.01; nearest 189.20 or 189.21"),
    (Reason.QUANTITY_NOT_IN_LOTS, 150, 100, "quantity 150 is not a multiple of the round lot 100; nearest 100 or 200"),
    (Reason.QUANTITY_NOT_IN_LOTS, 50, 100, "quantity 50 is not a multiple of the round lot 100; nearest 100"),
    (Reason.INSUFFICIENT_BALANCE, 10, 5, "amount 10 is more than the account's balance 5"),
    (Reason.PRICE_TOO_HIGH, 4_294_967_295, 1_999_999_900,
     "The price is above the highest price there is: price 429496.7295, highest price 199999.99."),
    (Reason.POST_ONLY_WOULD_TRADE, 1_892_000, 1_891_900,
     "The post-only order would trade at once: price 189.20, best opposite price 189.19."),
    (Reason.AMEND_BELOW_FILLED, 30, 40,
     "The new quantity is not above what is already filled; cancel the order instead: new quantity 30, "
     "filled quantity 40."),
    (Reason.QUANTITY_NOT_POSITIVE, 0, 0, "The quantity must be at least 1."),
    (Reason.TIME_IN_FORCE_NOT_ALLOWED, 1, 0,
     "The order type does not take this time in force: market orders take day, ioc or fok, stop orders day, gtc "
     "or gtd: time in force gtc."),
    (Reason.BUSINESS_DATE_NOT_LATER, 20261123, 20261124,
     REASONS[Reason.BUSINESS_DATE_NOT_LATER].sentence[:-1] + ": date 2026-11-23, present date 2026-11-24."),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "measured", "limit", "words"), WORDS)
def test_a_refusal_says_what_was_measured_and_what_is_allowed(
    reason: Reason, measured: int, limit: int, words: str
) -> None:
    assert reject_message(reason, measured, limit) == words


def test_money_is_shown_as_money() -> None:
    message = reject_message(Reason.INSUFFICIENT_BALANCE, 12_345, 10_000, in_money=True)
    assert message == "amount 1.2345 is more than the account's balance 1.00"
    message = reject_message(Reason.AMOUNT_NOT_POSITIVE, -50_000, 10_000_000, in_money=True)
    assert message.endswith(": amount -5.00, maximum 1000.00.")


def test_a_reused_client_order_id_names_the_first_order() -> None:
    assert "another order, 39" in reject_message(Reason.CLIENT_ORDER_ID_REUSED, 39, 0)


def test_every_reason_has_words_for_any_figures() -> None:
    for reason in REASONS:
        for measured, limit in ((0, 0), (1, 1), (20261123, 20261124), (-5, 3)):
            assert reject_message(reason, measured, limit)
