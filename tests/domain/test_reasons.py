"""The table of reasons is whole, and its numbers stay what they are."""

from __future__ import annotations

from exchange.domain.reasons import REASONS, Reason, sentence

NUMBERS = {
    "NONE": 0, "UNKNOWN_COMMAND": 1, "SIDE_INVALID": 2, "ORDER_TYPE_INVALID": 3, "TIME_IN_FORCE_INVALID": 4,
    "UNKNOWN_ACCOUNT": 5, "UNKNOWN_SYMBOL": 6, "CLIENT_ORDER_ID_REUSED": 7, "CLIENT_ORDER_ID_TABLE_FULL": 8,
    "SYMBOL_SUSPENDED": 9, "QUANTITY_NOT_POSITIVE": 10, "QUANTITY_NOT_IN_LOTS": 11, "PRICE_MISSING": 12,
    "PRICE_NOT_ALLOWED": 13, "PRICE_TOO_HIGH": 14, "PRICE_NOT_ON_TICK": 15, "NOTIONAL_OVERFLOW": 16,
    "TIME_IN_FORCE_NOT_ALLOWED": 17, "POST_ONLY_NOT_ALLOWED": 18, "POST_ONLY_WOULD_TRADE": 19, "UNKNOWN_ORDER": 20,
    "NOTHING_TO_AMEND": 21, "AMEND_BELOW_FILLED": 22, "UNKNOWN_PARTICIPANT": 23, "UNKNOWN_KEY": 24,
    "NAME_TAKEN": 25, "NAME_INVALID": 26, "ROLE_INVALID": 27, "KEY_TAKEN": 28, "SYMBOL_TAKEN": 29,
    "TICK_TABLE_INVALID": 30, "ROUND_LOT_INVALID": 31, "REFERENCE_PRICE_INVALID": 32, "SYMBOL_STATE_INVALID": 33,
    "AMOUNT_NOT_POSITIVE": 34, "INSUFFICIENT_BALANCE": 35, "UNKNOWN_TRADE": 36, "TRADE_ALREADY_BUSTED": 37,
    "CORRECTION_INVALID": 38, "BUSINESS_DATE_NOT_LATER": 39, "DIRECTORY_FULL": 40, "COMMAND_MALFORMED": 41,
    "CLIENT_ORDER_ID_INVALID": 42, "SYMBOL_INVALID": 43, "EXPIRY_INVALID": 54, "MINIMUM_QUANTITY_INVALID": 55,
    "DISPLAY_NOT_ALLOWED": 56, "DISPLAY_QUANTITY_INVALID": 57, "PROTECTION_INVALID": 58, "STOP_PRICE_NOT_ALLOWED": 59,
    "STOP_PRICE_MISSING": 60, "STOP_PRICE_INVALID": 61, "STOP_ALREADY_REACHED": 62, "TRAIL_INVALID": 63,
    "SELF_TRADE_MODE_INVALID": 65, "MARKET_BLOCKED": 80, "PARTICIPANT_BLOCKED": 81, "ACCOUNT_BLOCKED": 82,
    "SYMBOL_BLOCKED": 83, "SYMBOL_BARRED": 84, "MAX_QUANTITY": 85, "MAX_NOTIONAL": 86, "PRICE_COLLAR": 87,
    "DUPLICATE_ORDERS": 88, "MESSAGE_RATE": 89, "POSITION_LIMIT": 90, "BUYING_POWER": 91, "SHORT_SALE": 92,
    "GROSS_LIMIT": 93, "LOSS_LIMIT": 94, "SCOPE_INVALID": 95, "ALREADY_BLOCKED": 96, "NOT_BLOCKED": 97,
    "ANOTHER_ROLE_NEEDED": 98, "TIMER_INVALID": 99, "RISK_LIMIT_INVALID": 100,
    "CONFIGURATION_SUPERSEDED": 70,
    "SYMBOL_HALTED": 120, "PHASE_TAKES_NO_ORDERS": 121, "PHASE_TAKES_NO_CANCELS": 122, "ORDER_NOT_IN_PHASE": 123,
    "AUCTION_OVER": 124, "PHASE_INVALID": 125, "PHASE_TIME_INVALID": 126, "AUCTION_TERMS_INVALID": 127,
    "NOT_HALTED": 128,
    "ORDER_LIST_INVALID": 190, "LIST_ORDER_INVALID": 191, "LIST_SIDES_INVALID": 192, "LIST_QUANTITIES_DIFFER": 193,
    "ORDER_IDS_MISSING": 194, "PEG_INVALID": 195, "PEG_NOT_CHANGED": 196,
    "QUOTES_NOT_RESET": 197, "QUOTE_INVALID": 198, "QUOTE_CROSSED": 199, "QUOTE_PROTECTION_INVALID": 200,
    "QUOTE_NOT_CHANGED": 201,
    "ALLOCATION_TOO_LONG": 71, "ALLOCATION_STEP_INVALID": 72, "LEAD_MAKERS_INVALID": 73,
}  # fmt: skip
"""A number is never reused and never given to another reason: add here, change nothing."""


def test_every_number_is_still_that_of_its_reason() -> None:
    assert {reason.name: reason.value for reason in Reason} == NUMBERS


def test_no_two_reasons_share_a_number() -> None:
    assert len(set(NUMBERS.values())) == len(NUMBERS) == len(Reason)


def test_the_texts_stand_in_the_order_of_precedence() -> None:
    assert list(REASONS) == list(Reason)


def test_every_reason_has_a_whole_sentence() -> None:
    for reason in Reason:
        text = sentence(reason.value)
        assert text[0].isupper(), reason
        assert text.endswith("."), reason
        assert len(text) <= 120, reason


def test_a_limit_is_never_told_without_what_was_measured() -> None:
    for reason, text in REASONS.items():
        assert text.measured or not text.limit, reason


def test_only_what_can_change_by_itself_is_worth_a_retry() -> None:
    assert [reason.name for reason, text in REASONS.items() if text.retry] == [
        "CLIENT_ORDER_ID_TABLE_FULL", "MARKET_BLOCKED", "PARTICIPANT_BLOCKED", "ACCOUNT_BLOCKED", "SYMBOL_BLOCKED",
        "SYMBOL_SUSPENDED", "SYMBOL_HALTED", "PHASE_TAKES_NO_ORDERS", "PHASE_TAKES_NO_CANCELS", "ORDER_NOT_IN_PHASE",
        "AUCTION_OVER", "STOP_ALREADY_REACHED", "POST_ONLY_WOULD_TRADE", "PRICE_COLLAR", "DUPLICATE_ORDERS",
        "MESSAGE_RATE", "POSITION_LIMIT", "BUYING_POWER", "SHORT_SALE", "GROSS_LIMIT", "LOSS_LIMIT",
    ]  # fmt: skip
