"""The refusal that any part of a service may raise; it becomes the one error form on its way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.wire.rest.errors import ERRORS, ErrorCode, can_retry, reason_name


class ApiError(Exception):
    """A refusal in the one error form. code: a `Reason` below 1000, an `ErrorCode` from there on.

    reason and retry come from the code's table unless given; extra becomes the `detail` of the error.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        field: str = "",
        reason: str = "",
        retry: bool | None = None,
        headers: Mapping[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = int(code)
        self.message = message
        self.field = field
        self.reason = reason or reason_name(code)
        self.retry = can_retry(code) if retry is None else retry
        self.headers = headers
        self.extra = extra

    @classmethod
    def of(
        cls,
        code: ErrorCode,
        message: str = "",
        field: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> ApiError:
        """Make a transport error; status and sentence (unless a message is given) come from the table."""
        text = ERRORS[code]
        return cls(text.status, code, message or text.sentence, field, headers=headers, extra=extra)
