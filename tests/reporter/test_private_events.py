"""What events say on the private stream: all of one's own, nothing of the other side."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.risk import LimitKind, RiskScope
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


def test_limits_and_blocks_are_told_to_whom_they_are_about() -> None:
    flow = VenueFlow(7)
    events = flow.open()
    member = next(
        event.participant_id for event in decode_events(events) if isinstance(event, e.AccountCreated)
    )
    most = (LimitKind.MAX_QUANTITY, 1_000_000)
    of_account = flow.do(limit(RiskScope.ACCOUNT, 1, *most), limit(RiskScope.ACCOUNT, 2, *most))
    of_member = flow.do(limit(RiskScope.PARTICIPANT, member, *most))
    of_market = flow.do(c.BlockTrading(scope=RiskScope.MARKET, subject_id=0, key_id=9, role=4))
    said = [
        one for one in told(events + of_account + of_member + of_market, 1) if one.type == "risk_limit_set"
    ]
    assert [(one.account, one.data["scope"], one.data["subject_id"]) for one in said] == [
        ("1", "account", "1"),
        ("", "participant", str(member)),
    ]
    blocked = flow.do(
        c.BlockTrading(scope=RiskScope.ACCOUNT, subject_id=1, key_id=9, role=4, note="asked for")
    )
    (one,) = [
        one
        for one in told(events + of_account + of_member + of_market + blocked, 1)
        if one.type == "trading_blocked"
    ]
    assert one.data["note"] == "asked for"
    assert not {"key_id", "role"} & one.data.keys()


def limit(scope: RiskScope, subject_id: int, kind: LimitKind, value: int) -> c.SetRiskLimit:
    return c.SetRiskLimit(
        scope=scope, subject_id=subject_id, kind=kind, symbol_id=0, is_set=True, value=value, span=0
    )
