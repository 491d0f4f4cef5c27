"""Every event, cancel and refusal has a sentence, and every rule cited stands in the rulebook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from exchange.domain import events as e
from exchange.domain.order import CancelReason, RepriceReason, Side
from exchange.domain.reasons import REASONS, Reason
from exchange.domain.trade import BustReason
from exchange.engine.explain import words

ROOT = Path(__file__).parents[3]
RULEBOOK = ROOT / "docs" / "rulebook.md"
HEADER = {"sequence": 1, "command_sequence": 1, "time_ns": 0, "epoch": 1, "symbol_id": 1}


def filled(kind: type[e.Event], /, **given: Any) -> e.Event:
    """Make an event of a kind with something in each field; enums get what `given` says, or 1."""
    values: dict[str, Any] = {
        field.name: "text" if field.type == "str" else () if "tuple" in str(field.type) else 1
        for field in structs.fields(kind)
    }
    values |= {"side": Side.BUY, "taker_side": Side.BUY} if "side" in values or "taker_side" in values else {}
    return kind(
        **{name: value for name, value in (values | HEADER | given).items() if name in kind.__struct_fields__}
    )


def titles() -> dict[str, str]:
    """Return the paragraphs of the rulebook: title by number."""
    return dict(re.findall(r"^\*\*(\d+\.\d+) ([^*]+)\.\*\*", RULEBOOK.read_text(), re.MULTILINE))


@pytest.mark.parametrize("kind", words.EVENTS, ids=lambda kind: kind.__name__)
def test_every_sentence_of_the_table_finds_its_fields(kind: type[e.Event]) -> None:
    given: dict[str, Any] = {
        e.OrderRejected: {"reason": Reason.MAX_QUANTITY},
        e.OrderCancelled: {"reason": CancelReason.REQUESTED},
        e.TradeBusted: {"reason": BustReason.ERRONEOUS},
        e.TradeCorrected: {"reason": BustReason.CONSENT},
        e.PhaseChanged: {"reason": "news {pending}"},
    }.get(kind, {})
    line = words.line_of(filled(kind, **given))
    assert line.text.endswith(".")
    assert "{" not in line.text.replace("{pending}", "")
    assert line.rule in titles()


@pytest.mark.parametrize("reason", CancelReason)
def test_every_cancel_has_a_sentence(reason: CancelReason) -> None:
    line = words.line_of(filled(e.OrderCancelled, reason=reason, quantity=7))
    assert line.text.endswith("7 shares were left.")


@pytest.mark.parametrize("reason", RepriceReason)
def test_every_new_price_has_a_sentence(reason: RepriceReason) -> None:
    assert "0.0001" in words.line_of(filled(e.OrderRepriced, reason=reason)).text


@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_is_a_whole_sentence(reason: Reason) -> None:
    line = words.line_of(filled(e.OrderRejected, reason=reason, measured=7, limit=5))
    assert line.text[0].isupper()
    assert line.text.endswith(".")
    assert words.advice_on(reason).endswith((".", ""))


def test_an_event_without_a_line_is_told_by_its_description_and_figures() -> None:
    class OrderPegged(e.Event, frozen=True, kw_only=True):
        """A pegged order moved with its reference. price: where it stands."""

        order_id: int
        account_id: int
        price: int
        note: str

    event = OrderPegged(**HEADER, order_id=5, account_id=77, price=100_000, note="secret")  # type: ignore[arg-type]
    line = words.line_of(event)
    assert line.text == "A pegged order moved with its reference: price 10.00."
    assert words.title_of([event]) == "Order pegged"


def test_every_rule_that_is_cited_stands_in_the_rulebook_under_its_title() -> None:
    assert titles().items() >= words.RULES.items()
    tables = [*words.EVENTS.values(), *words.CANCELS.values(), *words.REPRICES.values()]
    cited = {telling.rule for telling in tables} | set(words.REFUSALS.values())
    source = "".join(path.read_text() for path in (ROOT / "src/exchange/engine/explain").glob("*.py"))
    cited |= set(re.findall(r'"(\d\.\d{1,2})"', source))
    assert cited <= titles().keys()


def test_every_rule_is_linked_to_its_section() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-")
        for line in RULEBOOK.read_text().splitlines()
        if line.startswith("## ")
    }
    for rule in words.rules_cited(list(words.RULES)):
        assert rule.link.removeprefix("docs/rulebook.md#") in headings
