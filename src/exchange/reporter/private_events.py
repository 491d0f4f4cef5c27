"""Which events a participant hears of on its private stream, and in which words; nothing of others is in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec.structs import fields

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.risk import RiskScope
from exchange.reporter.drop_copies import copies_of, is_copied
from exchange.wire.fields import RECORD_START, field_struct, kind_of
from exchange.wire.records import LAYOUTS, decode_event, sequence_of
from exchange.wire.rest.drop_copy import DropCopy
from exchange.wire.rest.events import event_view
from exchange.wire.rest.market import time_text
from exchange.wire.rest.private_stream import PrivateEvent

_ACCOUNT = "account_id"


def _account_fields(event_type: type[e.Event]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(event_type) if field.name.endswith(_ACCOUNT))


_NAMES = {
    kind_of(each): _account_fields(each)
    for each in LAYOUTS
    if issubclass(each, e.Event) and _account_fields(each)
}
"""Kind of event → its fields that are accounts, such as `account_id`, or `maker_account_id` and `taker_account_id`."""
_READERS = {
    kind_of(each): field_struct(each, *_account_fields(each))
    for each in LAYOUTS
    if issubclass(each, e.Event) and kind_of(each) in _NAMES
}

_OF_SUBJECTS = {
    kind_of(each): field_struct(each, "scope", "subject_id")
    for each in (e.RiskLimitSet, e.RiskAlerted, e.TradingBlocked, e.TradingUnblocked)
}
"""What the limits and the kill switch say of an account, or of the participant as a whole."""


def private_messages(
    events: bytes, accounts: Collection[int], directory: Directory, after: int, upto: int
) -> Iterator[DropCopy | PrivateEvent]:
    """Give what events say to the owner of accounts, in their order: those after a sequence, up to another."""
    members = {
        directory.accounts[account].participant_id for account in accounts if account in directory.accounts
    }
    offset, end = 0, len(events)
    while offset < end:
        length, kind, _ = RECORD_START.unpack_from(events, offset)
        reader, of_subject = _READERS.get(kind), _OF_SUBJECTS.get(kind)
        if (reader or of_subject) and after < sequence_of(events, offset) <= upto:
            record = events[offset : offset + length]
            if reader is not None:
                found = reader.unpack_from(events, offset)
                own = dict.fromkeys(account for account in found if account in accounts)
                for account_id in own:
                    yield from _said(record, kind, account_id, own, directory)
            if of_subject is not None:
                scope, subject = of_subject.unpack_from(events, offset)
                if subject in {RiskScope.ACCOUNT: accounts, RiskScope.PARTICIPANT: members}.get(scope, ()):
                    yield _said_of_subject(
                        record, str(subject) if scope == RiskScope.ACCOUNT else "", directory
                    )
        offset += length


def _said_of_subject(record: bytes, account: str, directory: Directory) -> PrivateEvent:
    """Write an event of the limits or the kill switch; of the participant as a whole without an account."""
    event = decode_event(record)
    view = event_view(event)
    data = {name: value for name, value in view.data.items() if name not in ("symbol_id", "key_id", "role")}
    return _private(event, view.type, account, data, directory)


def _said(
    record: bytes, kind: int, account_id: int, own: Collection[int], directory: Directory
) -> Iterator[DropCopy | PrivateEvent]:
    """Write one event for one account of the participant."""
    if is_copied(kind):
        yield from copies_of(record, account_id, directory)
        return
    event = decode_event(record)
    hidden = tuple(
        name.removesuffix(_ACCOUNT)
        for name in _NAMES[kind]
        if name != _ACCOUNT and getattr(event, name) not in own
    )
    view = event_view(event)
    data = {
        name: value
        for name, value in view.data.items()
        if not (hidden and name.startswith(hidden)) and name != "symbol_id" and not name.endswith(_ACCOUNT)
    }
    yield _private(event, view.type, str(account_id), data, directory)


def _private(
    event: e.Event, kind: str, account: str, data: dict[str, Any], directory: Directory
) -> PrivateEvent:
    symbol = directory.symbols.get(event.symbol_id)
    return PrivateEvent(
        type=kind,
        seq=event.sequence,
        at=time_text(event.time_ns),
        account=account,
        symbol=symbol.symbol if symbol else "",
        data=data,
    )
