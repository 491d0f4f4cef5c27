"""Pages by number, and cursors that are not ours."""

from __future__ import annotations

import pytest

from exchange.infra.http_routes import ApiError
from exchange.reporter.cursor import cursor_of, page_of


def numbers(limit: int, cursor: str = "") -> tuple[list[int], str | None]:
    return page_of([2, 3, 5, 7], lambda item: item, cursor, limit)


def test_pages_follow_each_other_to_the_end() -> None:
    assert numbers(2) == ([2, 3], "3")
    assert numbers(2, "3") == ([5, 7], None)
    assert numbers(9) == ([2, 3, 5, 7], None)
    assert numbers(9, "7") == ([], None)
    assert numbers(9, "9" * 20) == ([], None)
    assert page_of([], lambda item: item, "", 5) == ([], None)


@pytest.mark.parametrize("text", ["x", "-1", "1.0", "٣", "1" * 21])
def test_a_cursor_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="cursor"):
        cursor_of(text)
