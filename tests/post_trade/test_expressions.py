"""The language of `expr` rules: what it says of a trade, and what it refuses before any trade comes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.order import Side
from exchange.post_trade.expressions import FUNCTIONS, NAMES, compiled
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context
from tests.post_trade.test_rules import one_trade

CONTEXT = Context(symbol="AAPL", buyer=1, seller=None, recent=RecentTrades())
TRADE = one_trade(price="195.00")

# what is asked of 100 AAPL at 195.00, reference 189.20, account 1 buys of account 2, whose owner is unknown
SAYS = [
    ("quantity == 100", True),
    ("quantity > 100 or quantity < 100", False),
    ("price == decimal('195.00')", True),
    ("distance == decimal('5.80') and price > reference_price", True),
    ("notional == price * quantity", True),
    ("distance * 10000 // reference_price >= 300", True),
    ("distance * 10000 // reference_price >= 307", False),
    ("symbol in ('AAPL', 'MSFT') and session not in ['auction']", True),
    ("symbol == 'XYZ'", False),
    ("taker_side == 'buy' and state == 'active'", True),
    ("buyer == 1 and seller == 0", True),
    ("not (buy_account == sell_account)", True),
    ("max(quantity, 1, 200) - min(quantity, 7) == 193", True),
    ("abs(-quantity) % 7 == 2", True),
    ("(quantity if symbol == 'AAPL' else 0) > 50", True),
    ("10 <= quantity <= 100", True),
    ("True", True),
]


@pytest.mark.parametrize(("text", "answer"), SAYS)
def test_an_expression_says_of_a_trade_what_it_means(text: str, answer: bool) -> None:
    assert compiled(text).holds(TRADE, CONTEXT) is answer


REFUSED = [
    ("", "it is empty; write what is to be true"),
    ("quantity", "the whole is a number; it must be true or false"),
    ("quantity >", "at character .*invalid syntax; allowed are and, or, not"),
    ("adv > 10", "at character 1: there is no 'adv'; a trade has price, quantity, notional"),
    ("quantity > 'a'", "at character 12: \"'a'\" is a text, and a number must stand here"),
    ("symbol > 'A'", "only numbers are more or less; here stands a text"),
    ("'%999999999d' % quantity == symbol", "is a text, and a number must stand here"),
    ("symbol * 1000 == symbol", "'symbol' is a text, and a number must stand here"),
    ("quantity ** 9 > 1", "'quantity \\*\\* 9' is not of this language"),
    ("quantity << 9 > 1", "is not of this language"),
    ("quantity / 2 > 1", "is not of this language"),
    ("quantity > 1.5", "'1.5' is neither a whole number nor a text; write prices as decimal"),
    ("quantity > 99999999999999999999", "a number is at most 9223372036854775807"),
    ("quantity + True > 1", "'True' is true or false, and a number must stand here"),
    ("quantity and True", "'quantity' is a number, and true or false must stand here"),
    ("trade.price > 1", "'trade.price' is not of this language"),
    ("symbol.upper() == 'A'", "the functions are abs, min, max, decimal"),
    ("symbol[0] == 'A'", "is not of this language"),
    ("[x for x in (1, 2)] == 1", "is not of this language"),
    ("(lambda: True)()", "the functions are abs, min, max, decimal"),
    ("f'{price}' == symbol", "is not of this language"),
    ("__import__('os') == 1", "the functions are"),
    ("quantity is 1", "is not of this language"),
    ("(x := 1) > 0", "is not of this language"),
    ("abs(1, 2) > 0", "abs takes one number, got 2"),
    ("max(1) > 0", "max takes two numbers or more, got 1"),
    ("max(1, 2, key=abs) > 0", "the functions are"),
    ("max(*(1, 2), 3) > 0", "is not of this language"),
    ("decimal('x') > 0", "at character 1: .*plain decimal"),
    ("decimal(25) > 0", "decimal takes one text"),
    ("quantity in (1, 'a')", "is a text, and a number must stand here"),
    ("quantity in (1, price)", "after 'in' stands a list of constants"),
    ("quantity in 5", "after 'in' stands a list of constants"),
    ("quantity > 1 and " * 30 + "True", "it has .* characters, at most 500"),
    ("-" * 25 + "quantity > 1", "the expression is more than 20 deep"),
    ("-" * 480 + "1 > 0", "more than 20 deep|cannot be read"),
    ("quantity ** (" + "-" * 450 + "1) > 0", "'?.*'? is not of this language|what stands here"),
    ("(" * 240 + "1" + ")" * 240, "at character .*nested"),
    ("quantity > 1\0", "cannot be read|null"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_not_of_the_language_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compiled(text)


def test_a_hit_can_be_explained_by_the_values_and_by_both_sides_of_the_first_comparison() -> None:
    expression = compiled("symbol == 'AAPL' and quantity * 2 >= 150")
    assert expression.names == ("symbol", "quantity")
    assert expression.values(TRADE, CONTEXT) == ("AAPL", 100)
    assert expression.sides is not None
    assert expression.sides(TRADE, CONTEXT) == (200, 150)
    assert compiled("symbol == 'AAPL'").sides is None


def test_only_a_division_by_zero_can_go_wrong() -> None:
    trade = msgspec.structs.replace(TRADE, reference_price=0)
    with pytest.raises(ZeroDivisionError):
        compiled("distance // reference_price > 1").holds(trade, CONTEXT)


_numbers = st.deferred(
    lambda: (
        st.sampled_from([n for n in NAMES if n not in ("symbol", "session", "taker_side", "state")])
        | st.integers(0, 10**6).map(str)
        | st.tuples(_numbers, st.sampled_from(["+", "-", "*", "//", "%"]), _numbers).map(
            lambda p: f"({' '.join(p)})"
        )
    )
)
_truths = st.deferred(
    lambda: (
        st.tuples(_numbers, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), _numbers).map(" ".join)
        | st.tuples(_truths, st.sampled_from(["and", "or"]), _truths).map(lambda p: f"({' '.join(p)})")
    )
)


@settings(max_examples=200, deadline=None)
@given(text=_truths, side=st.sampled_from(list(Side)))
def test_an_expression_that_was_taken_is_true_or_false_for_every_trade(text: str, side: Side) -> None:
    try:
        expression = compiled(text)
    except ValueError:
        return
    try:
        answer = expression.holds(msgspec.structs.replace(TRADE, taker_side=side), CONTEXT)
    except ZeroDivisionError:
        return
    assert answer is True or answer is False


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60) | st.lists(st.sampled_from([*NAMES, *FUNCTIONS, "(", ")", "and", ">", "1", ",", "'a'",
       ".", "[", "]", "if", "else", "lambda", ":", "in", "not", "-"]), max_size=15).map(" ".join))  # fmt: skip
def test_nonsense_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        expression = compiled(text)
    except ValueError:
        return
    assert expression.holds(TRADE, CONTEXT) in (True, False)
