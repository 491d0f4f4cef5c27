"""The description of the WebSockets is that of the types, whole, and what is sent fits it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from exchange.domain.order import Side
from exchange.reporter.asyncapi import describe, text
from tests.reporter.reporter_stand import Stand

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def references(value: Any) -> list[str]:
    """Return every reference in a description."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for each in value.values() for found in references(each)]
    return [found for each in value for found in references(each)] if isinstance(value, list) else []


def test_the_file_in_the_docs_is_that_of_the_types() -> None:
    assert FILE.read_bytes() == text(), "run: python -m exchange.reporter.asyncapi > docs/asyncapi.json"


def test_every_reference_leads_somewhere() -> None:
    description = describe()
    found = references(description)
    assert len(found) > 40
    for reference in found:
        place: Any = description
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


async def test_what_the_stream_sends_fits_its_description(tmp_path: Path) -> None:
    description = describe()
    names = [
        reference["$ref"].rpartition("/")[2]
        for reference in description["operations"]["streamSend"]["messages"]
    ]
    anything = {
        "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names],
        "components": description["components"],
    }
    validator = jsonschema.Draft202012Validator(anything)
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        heard = await stand.listen()
        for channel in ("trades", "book", "queue", "ticker", "candles", "status"):
            await heard.ask(op="subscribe", channel=channel, symbols=["AAPL"])
        await heard.ask(op="subscribe", channel="weather")
        await stand.publish(stand.flow.limit(Side.BUY, 900_000), stand.flow.trade(1_000_000))
        await stand.publish(stand.flow.bust(next(iter(stand.flow.trades))))
        messages = await heard.everything()
        kinds = {(each.get("channel"), each["type"]) for each in messages}
        assert kinds >= {(None, "welcome"), (None, "error"), ("book", "delta"), ("trades", "bust")}
        for message in messages:
            validator.validate(message)
        assert await stand.get("/asyncapi.json") == msgspec.json.decode(text())
