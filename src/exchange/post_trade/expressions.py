"""The language of `expr` rules: a sentence about one trade that is true or false, checked whole before it is used.

It is a small part of Python's expressions: integers, texts, true and false; `and or not`, comparisons, `in` a list of
constants, `+ - * // %`, `A if B else C`, and `abs min max decimal`. Every part has one type, which is known before the
first trade: numbers are never texts, and nothing is true or false but a comparison. So nothing can go wrong with a
trade but a division by zero, and nothing can grow: no power, no shift, no attribute, no text times a number.

`decimal('25.00')` is a price or an amount of money: an integer of 1/10,000, as all prices here are.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from exchange.domain.units import UnitError, parse_money
from exchange.post_trade.rule import Context
from exchange.post_trade.trade import Trade

CHARACTERS_MAX = 500
DEPTH_MAX = 20
NUMBER_MAX = 2**63 - 1
COMPILED_MAX = 1_000
"""Expressions that are kept compiled; with one more the one unused for longest is compiled again when it is asked."""

NUMBER, TEXT, TRUTH = "a number", "a text", "true or false"

_NAMES: dict[str, tuple[str, str]] = {
    "price": (NUMBER, "trade.price"),
    "quantity": (NUMBER, "trade.quantity"),
    "notional": (NUMBER, "(trade.price * trade.quantity)"),
    "reference_price": (NUMBER, "trade.reference_price"),
    "distance": (NUMBER, "abs(trade.price - trade.reference_price)"),
    "buy_account": (NUMBER, "trade.buy_account_id"),
    "sell_account": (NUMBER, "trade.sell_account_id"),
    "buyer": (NUMBER, "(context.buyer or 0)"),
    "seller": (NUMBER, "(context.seller or 0)"),
    "symbol": (TEXT, "context.symbol"),
    "session": (TEXT, "context.session"),
    "taker_side": (TEXT, "trade.taker_side.name.lower()"),
    "state": (TEXT, "trade.symbol_state.name.lower()"),
}
NAMES = tuple(_NAMES)
"""What an expression may ask of a trade; prices and money in 1/10,000, buyer and seller are participants, 0 unknown."""
FUNCTIONS = ("abs", "min", "max", "decimal")
_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUAL = (ast.Eq, ast.NotEq)
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)
_ALLOWED = "allowed are and, or, not, comparisons, in, + - * // %, if else, abs, min, max, decimal"


class Expression(NamedTuple):
    """A checked expression. names: those it asks for; sides: gives both numbers of its first comparison of numbers.

    Each function takes the trade and its context.
    """

    holds: Callable[[Trade, Context], bool]
    names: tuple[str, ...]
    values: Callable[[Trade, Context], tuple[Any, ...]]
    sides: Callable[[Trade, Context], tuple[int, int]] | None


@lru_cache(COMPILED_MAX)
def compiled(text: str) -> Expression:
    """Check an expression and make a function of it. Raise `ValueError` with the place, what is there, what may be."""
    tree = _parsed(text)
    kind = _type_of(tree, 1)
    if kind != TRUTH:
        raise ValueError(f"the whole is {kind}; it must be true or false, such as 'quantity > 1000'")
    names = tuple(dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))
    names = tuple(name for name in names if name in _NAMES)
    first = next(_number_comparisons(tree), None)
    sides = None
    if first is not None:
        sides = _function(ast.Tuple([first.left, first.comparators[0]], ast.Load()))
    listed = ast.Tuple([ast.Name(name, ast.Load()) for name in names], ast.Load())
    return Expression(_function(tree), names, _function(listed), sides)


def _parsed(text: str) -> ast.expr:
    if not text.strip():
        raise ValueError("it is empty; write what is to be true for a hit, such as 'quantity > 1000'")
    if len(text) > CHARACTERS_MAX:
        raise ValueError(f"it has {len(text)} characters, at most {CHARACTERS_MAX} are allowed")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"at character {error.offset or 1}: {error.msg}; {_ALLOWED}") from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise ValueError(f"it cannot be read; {_ALLOWED}, {DEPTH_MAX} deep") from error


def _type_of(node: ast.expr, depth: int) -> str:
    """Check a part and return its type. Raise `ValueError`."""
    if depth > DEPTH_MAX:
        raise _mistake(node, f"the expression is more than {DEPTH_MAX} deep")
    match node:
        case ast.Constant():
            return _type_of_constant(node)
        case ast.Name():
            if node.id not in _NAMES:
                raise _mistake(node, f"there is no {node.id!r}; a trade has {', '.join(NAMES)}")
            return _NAMES[node.id][0]
        case ast.BoolOp():
            for part in node.values:
                _must_be(part, TRUTH, depth)
            return TRUTH
        case ast.UnaryOp(op=ast.Not()):
            return _must_be(node.operand, TRUTH, depth)
        case ast.UnaryOp(op=ast.USub()):
            return _must_be(node.operand, NUMBER, depth)
        case ast.BinOp() if isinstance(node.op, _ARITHMETIC):
            _must_be(node.left, NUMBER, depth)
            return _must_be(node.right, NUMBER, depth)
        case ast.Compare():
            return _type_of_comparison(node, depth)
        case ast.IfExp():
            _must_be(node.test, TRUTH, depth)
            return _must_be(node.orelse, _type_of(node.body, depth + 1), depth)
        case ast.Call():
            return _type_of_call(node, depth)
    raise _mistake(node, f"{_shown(node)} is not of this language; {_ALLOWED}")


def _type_of_constant(node: ast.Constant) -> str:
    match node.value:
        case bool():
            return TRUTH
        case int():
            if node.value > NUMBER_MAX:
                raise _mistake(node, f"a number is at most {NUMBER_MAX}")
            return NUMBER
        case str():
            return TEXT
    raise _mistake(
        node, f"{_shown(node)} is neither a whole number nor a text; write prices as decimal('25.00')"
    )


def _type_of_comparison(node: ast.Compare, depth: int) -> str:
    left = _type_of(node.left, depth + 1)
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List) or not right.elts or len(node.ops) > 1:
                raise _mistake(right, "after 'in' stands a list of constants, such as ('AAPL', 'MSFT')")
            for each in right.elts:
                if not isinstance(each, ast.Constant):
                    raise _mistake(each, "after 'in' stands a list of constants, such as ('AAPL', 'MSFT')")
                _must_be(each, left, depth)
            return TRUTH
        if not isinstance(operator, _ORDERED + _EQUAL):
            raise _mistake(node, f"{_shown(node)} is not of this language; {_ALLOWED}")
        if isinstance(operator, _ORDERED) and left != NUMBER:
            raise _mistake(node, f"only numbers are more or less; here stands {left}")
        _must_be(right, left, depth)
    return TRUTH


def _type_of_call(node: ast.Call, depth: int) -> str:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS or node.keywords:
        raise _mistake(
            node, f"{_shown(node)} is not of this language; the functions are {', '.join(FUNCTIONS)}"
        )
    if name == "decimal":
        _decimal(node)
        return NUMBER
    wanted = "one number" if name == "abs" else "two numbers or more"
    if len(node.args) != 1 if name == "abs" else len(node.args) < 2:
        raise _mistake(node, f"{name} takes {wanted}, got {len(node.args)}")
    for part in node.args:
        _must_be(part, NUMBER, depth)
    return NUMBER


def _must_be(node: ast.expr, wanted: str, depth: int) -> str:
    found = _type_of(node, depth + 1)
    if found != wanted:
        raise _mistake(node, f"{_shown(node)} is {found}, and {wanted} must stand here")
    return found


def _decimal(node: ast.Call) -> int:
    value = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) else None
    if not isinstance(value, str):
        raise _mistake(node, "decimal takes one text, such as decimal('25.00')")
    try:
        return parse_money(value)
    except UnitError as error:
        raise _mistake(node, str(error)) from error


def _number_comparisons(tree: ast.expr) -> Iterator[ast.Compare]:
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, ops=[first, *_]) if isinstance(first, _ORDERED + _EQUAL):
                if _type_of(left, 1) == NUMBER:
                    yield node


def _mistake(node: ast.expr, what: str) -> ValueError:
    return ValueError(f"at character {getattr(node, 'col_offset', 0) + 1}: {what}")


def _shown(node: ast.expr) -> str:
    try:
        text = ast.unparse(node)
    except RecursionError:
        return "what stands here"
    return repr(text if len(text) <= 40 else text[:37] + "…")


class _InTermsOfTrade(ast.NodeTransformer):
    """Puts what a name stands for in its place; only names that were checked come here."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.parse(_NAMES[node.id][1], mode="eval").body

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        if node.func.id == "decimal":
            return ast.Constant(_decimal(node))
        arguments = [self.visit(part) for part in node.args]
        return ast.Call(ast.Name(node.func.id, ast.Load()), arguments, [])


def _function(tree: ast.expr) -> Callable[[Trade, Context], Any]:
    """Compile a checked tree to a function of trade and context, which sees nothing else but three functions."""
    body = _InTermsOfTrade().visit(ast.parse(ast.unparse(tree), mode="eval").body)
    arguments = ast.arguments([], [ast.arg("trade"), ast.arg("context")], None, [], [], None, [])
    whole = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    seen = {"__builtins__": {name: getattr(builtins, name) for name in ("abs", "min", "max")}}
    made: Callable[[Trade, Context], Any] = eval(compile(whole, "<expr>", "eval"), seen)
    return made
