"""What a client raises: `Refused` where the exchange said no, `Unreachable` where it is silent."""

from __future__ import annotations

from exchange.wire.rest.errors import ErrorBody


class ClientError(Exception):
    """Whatever went wrong between a program and the exchange."""


class Refused(ClientError):
    """The exchange said no. error: code, reason, message, field, and whether trying again can help."""

    def __init__(self, status: int, error: ErrorBody) -> None:
        super().__init__(f"{error.message} ({error.reason})")
        self.status = status
        self.error = error


class Unreachable(ClientError):
    """The exchange does not answer; what a request that was no GET did is unknown until it is looked up."""


class StreamClosed(ClientError):
    """The stream was closed by this program, and no message comes any more."""
