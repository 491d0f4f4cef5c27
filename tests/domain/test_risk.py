"""Every kind of limit says for whom it is and what it may be."""

from __future__ import annotations

from exchange.domain.risk import LIMIT_TERMS, LimitKind, RiskScope


def test_every_kind_of_limit_has_its_terms_in_the_order_of_the_checks() -> None:
    assert list(LIMIT_TERMS) == list(LimitKind)
    assert [kind.value for kind in LimitKind] == list(range(1, len(LimitKind) + 1))


def test_terms_leave_room_for_a_limit() -> None:
    for kind, terms in LIMIT_TERMS.items():
        assert terms.least <= terms.most, kind
        assert terms.scopes, kind
        assert RiskScope.MARKET not in terms.scopes, kind
        assert terms.symbol or not terms.needs_symbol, kind
