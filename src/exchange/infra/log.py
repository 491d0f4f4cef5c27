"""The log: one line per event, as text for a terminal or as JSON for machines.

Every line says which component it is of, also where three run in one process; at which event of the stream that stood
(`sequence`); which part of it speaks, where that is another word; and for which request, where it is for one.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "text", "json"]
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being served; what it sets going inherits it."""
_COMPONENT: ContextVar[str] = ContextVar("component", default="")
_SEQUENCES: dict[str, Callable[[], int]] = {}
"""Component → the event it stands at."""
_FIRST = ("ts", "level", "event", "component", "sequence", "part", "request_id")
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def configure_log(level: str = "info", log_format: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """Set up this process's log. auto: text on a terminal, else JSON; stream: by default standard error."""
    out = stream or sys.stderr
    as_text = log_format == "text" or (log_format == "auto" and out.isatty())
    number = LEVELS[level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _place,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            *(_text(out) if as_text else _json()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_Forwarder()], force=True)


def set_log_level(level: str) -> None:
    """Log from this level on from now on; nothing else changes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]))
    logging.getLogger().setLevel(max(LEVELS[level], logging.WARNING))


@contextmanager
def speaking_for(component: str) -> Iterator[None]:
    """Let lines that are logged inside, and by all that is set going inside, be of a component."""
    before = _COMPONENT.set(component)
    try:
        yield
    finally:
        _COMPONENT.reset(before)


def tell_sequence(component: str, sequence: Callable[[], int] | None) -> None:
    """Have the lines of a component say at which event it stands; None: no longer."""
    if sequence is None:
        _SEQUENCES.pop(component, None)
    else:
        _SEQUENCES[component] = sequence


def _place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Say of which component a line is, where it stands, and for which request the line is."""
    component, part = _COMPONENT.get(), event.get("component")
    if component:
        event["component"] = component
        if part and part != component:
            event["part"] = part
    sequence = _SEQUENCES.get(event.get("component", ""))
    if sequence is not None and "sequence" not in event:
        event["sequence"] = sequence()
    if (request_id := REQUEST_ID.get()) and "request_id" not in event:
        event["request_id"] = request_id
    return event


def _text(out: TextIO) -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key="ts")]


def _json() -> list[Processor]:
    return [structlog.processors.format_exc_info, _ordered, structlog.processors.JSONRenderer(_encode)]


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    first = {key: event.pop(key) for key in _FIRST if key in event}
    return {**first, **event}


def _encode(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


class _Forwarder(logging.Handler):
    """What libraries log through the standard library becomes a line of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(component=record.name)
        log.log(record.levelno, "library_message", message=record.getMessage(), exc_info=record.exc_info)
