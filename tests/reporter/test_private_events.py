"""What events say on the private stream: all of one's own, nothing of the other side."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.reporter.private_events import _NAMES, private_messages
from exchange.wire.records import LAYOUTS, decode_events
from tests.market_data.venue_flow import VenueFlow

COMMANDS = 1_500
ACCOUNTS = (1, 2)


def told(events: bytes, account: int, after: int = 0, upto: int = 10**9) -> list[Any]:
    directory = Directory()
    for event in decode_events(events):
        directory.apply(event)
    return list(private_messages(events, {account}, directory, after, upto))


def busy() -> bytes:
    flow = VenueFlow(7)
    events = flow.open()
    while flow.venue.command_sequence < COMMANDS:
        events += flow.random_events()
    return events


def test_every_event_that_names_an_account_is_told_to_its_owner_and_to_nobody_else() -> None:
    events = busy()
    for account in ACCOUNTS:
        own = {
            event.sequence
            for event in decode_events(events)
            for name in msgspec.structs.fields(type(event))
            if name.name.endswith("account_id") and getattr(event, name.name) == account
        }
        assert {message.seq for message in told(events, account)} == own
        assert len(own) > 100
        assert {message.account for message in told(events, account)} == {str(account)}
    assert told(events, 3) == []


def test_the_span_is_kept() -> None:
    events = busy()
    whole = [message.seq for message in told(events, 1)]
    middle = whole[len(whole) // 2]
    first = [message.seq for message in told(events, 1, upto=middle)]
    second = [message.seq for message in told(events, 1, after=middle)]
    assert first + second == whole


def test_nothing_of_the_other_side_is_told() -> None:
    for account in ACCOUNTS:
        for message in told(busy(), account):
            plain = msgspec.to_builtins(message)
            data = plain.get("data", {})
            assert not [name for name in data if name.endswith("account_id")]
            if plain["type"] == "match_prevented":
                sides = {name.partition("_")[0] for name in data if name.startswith(("maker", "taker"))}
                assert len(sides) == 1


def test_each_kind_of_event_with_an_account_has_a_reader() -> None:
    with_account = {
        each
        for each in LAYOUTS
        if issubclass(each, e.Event)
        and any(field.name.endswith("account_id") for field in msgspec.structs.fields(each))
    }
    assert len(_NAMES) == len(with_account) > 15
