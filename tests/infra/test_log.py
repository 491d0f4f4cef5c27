"""The log's lines."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from exchange.infra.log import (
    REQUEST_ID,
    LogFormat,
    configure_log,
    set_log_level,
    speaking_for,
    tell_sequence,
)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def logged(level: str = "info", log_format: LogFormat = "json") -> io.StringIO:
    out = io.StringIO()
    configure_log(level, log_format, out)
    return out


def test_a_json_line_begins_with_time_level_event_and_component() -> None:
    out = logged()
    structlog.get_logger(component="engine").info("order_rejected", order_id=7, reason=b"x")
    line = json.loads(out.getvalue())
    assert list(line)[:4] == ["ts", "level", "event", "component"]
    assert line["order_id"] == 7
    assert line["ts"].endswith("Z")


def test_a_line_below_the_level_is_not_written() -> None:
    out = logged("warning")
    log = structlog.get_logger()
    log.info("quiet_event")
    log.warning("loud_event")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["loud_event"]


def test_the_level_can_be_changed_for_loggers_that_are_there() -> None:
    out = logged("warning")
    log = structlog.get_logger()
    for level in ("info", "error"):
        set_log_level(level)
        log.info("some_event", level_now=level)
    (line,) = out.getvalue().splitlines()
    assert (json.loads(line)["level_now"], json.loads(line)["level"]) == ("info", "info")


def test_without_a_terminal_auto_means_json() -> None:
    out = logged(log_format="auto")
    structlog.get_logger().info("some_event")
    assert json.loads(out.getvalue())["event"] == "some_event"


def test_text_is_for_people() -> None:
    out = logged(log_format="text")
    structlog.get_logger(component="engine").info("some_event", order_id=7)
    assert "some_event" in out.getvalue()
    assert "order_id=7" in out.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(out.getvalue())


def test_an_exception_is_written_whole_on_one_line() -> None:
    out = logged()
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError:
        structlog.get_logger().exception("request_failed")
    (line,) = out.getvalue().splitlines()
    assert "ZeroDivisionError: by zero" in json.loads(line)["exception"]


def test_what_libraries_log_becomes_a_line_of_ours() -> None:
    out = logged()
    logging.getLogger("aiohttp.server").warning("odd %s", "thing")
    line = json.loads(out.getvalue())
    assert (line["event"], line["component"], line["message"]) == (
        "library_message",
        "aiohttp.server",
        "odd thing",
    )


def test_a_line_says_which_component_which_part_and_at_which_event() -> None:
    out = logged()
    log = structlog.get_logger(component="feed")
    tell_sequence("reporter", lambda: 42)
    with speaking_for("reporter"):
        log.info("feed_recovered")
        log.info("batch_stored", sequence=7)
        structlog.get_logger(component="reporter").info("reporter_started")
    tell_sequence("reporter", None)
    log.info("feed_recovered")
    first, own, plain, outside = map(json.loads, out.getvalue().splitlines())
    assert list(first)[:6] == ["ts", "level", "event", "component", "sequence", "part"]
    assert (first["component"], first["part"], first["sequence"]) == ("reporter", "feed", 42)
    assert own["sequence"] == 7
    assert "part" not in plain
    assert (outside["component"], "sequence" in outside) == ("feed", False)


async def test_what_a_component_sets_going_speaks_for_it() -> None:
    out = logged()

    async def work() -> None:
        await asyncio.sleep(0)
        structlog.get_logger(component="nsq").info("nsqd_away")

    tasks = []
    for component in ("engine", "clearing"):
        with speaking_for(component):
            tasks.append(asyncio.create_task(work()))
    await asyncio.gather(*tasks)
    structlog.get_logger(component="launch").info("exchange_started")
    assert [json.loads(line)["component"] for line in out.getvalue().splitlines()] == [
        "engine", "clearing", "launch",
    ]  # fmt: skip


def test_a_line_of_a_request_has_its_id() -> None:
    out = logged()
    token = REQUEST_ID.set("r-1")
    structlog.get_logger(component="http").warning("store_unavailable")
    structlog.get_logger(component="http").warning("other", request_id="r-2")
    REQUEST_ID.reset(token)
    structlog.get_logger(component="http").warning("later")
    lines = [json.loads(line).get("request_id") for line in out.getvalue().splitlines()]
    assert lines == ["r-1", "r-2", None]
