"""The components that are known to one of them, as JSON."""

from __future__ import annotations

from msgspec import Struct


class ComponentView(Struct, kw_only=True):
    """How a component is, as it last said.

    instance: differs at every start; state: starting, ready, not_ready, draining, stopped, or lost where it fell
    silent; seq: the last event it made or took in; heard_ms_ago: 0 for the one that answers; reasons: why it is
    not ready; config_version: of the shared configuration; config_pending: keys of it that wait for a restart.
    """

    component: str
    instance: str
    partition: int
    state: str
    url: str
    version: str
    seq: str
    started_at: str
    heard_ms_ago: int
    reasons: list[str]
    config_version: int
    config_pending: list[str]


class HappeningView(Struct, kw_only=True):
    """Something that was announced: a component's new state, or a ruling of clearing on a trade."""

    time: str
    component: str
    partition: int
    what: str
    match_id: str | None


class BusView(Struct, kw_only=True):
    """The bus by which this is known. problem: why nothing can be said or heard, else empty; unreadable: messages."""

    kind: str
    problem: str
    announced: int
    failed: int
    unreadable: int


class ComponentList(Struct, kw_only=True):
    """All components this one has heard of, itself first, and what happened last, newest first."""

    items: list[ComponentView]
    happenings: list[HappeningView]
    bus: BusView
