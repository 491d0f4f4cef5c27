"""Pages of what is listed by number: a cursor is the number of the last item of the page before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from exchange.infra.http_routes import ApiError
from exchange.wire.rest.errors import ErrorCode

CURSOR_DIGITS_MAX = 20
CURSOR_MAX = 10**18
"""A larger one means the same: it lies behind everything."""

T = TypeVar("T")


def cursor_of(text: str) -> int:
    """Return the number of a cursor, 0 for none. Raise `ApiError` where the text is not one of ours."""
    if text and not (text.isascii() and text.isdigit() and len(text) <= CURSOR_DIGITS_MAX):
        message = f"cursor must be `next` of the page before, got {text[:40]!r}"
        raise ApiError.of(ErrorCode.INVALID_PARAMETER, message, "cursor")
    return min(int(text or 0), CURSOR_MAX)


def page_of(
    items: Sequence[T], number: Callable[[T], int], cursor: str, limit: int
) -> tuple[list[T], str | None]:
    """Return the page behind a cursor, and the cursor of the next one, None behind the last. items: by number."""
    after = cursor_of(cursor)
    page = [item for item in items if number(item) > after][:limit]
    is_last = not page or number(page[-1]) == number(items[-1])
    return page, None if is_last else str(number(page[-1]))
