"""REST of the event stream: binary for machines, JSON for people, with a long poll for what is not there yet."""

from __future__ import annotations

from exchange.domain.participant import Role
from exchange.infra.errors import EventsGone
from exchange.infra.event_source import LocalEventSource
from exchange.infra.http_routes import ApiError, Call, Reply, Route
from exchange.wire.envelope import EventBatch, encode_batch
from exchange.wire.records import FLAGS_OFFSET, LAST_OF_COMMAND, decode_events, split
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.events import EVENTS_PAGE_DEFAULT, EventList, EventsQuery, event_view

BINARY = "application/octet-stream"
READS_EVENTS = frozenset((Role.COMPONENT, Role.AUDITOR, Role.OPERATOR))


class EventsApi:
    """The route of the event stream."""

    def __init__(self, source: LocalEventSource) -> None:
        self._source = source

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/events", self.events, "Read the event stream after a sequence", "events",
                READS_EVENTS, query=EventsQuery, returns=EventList, errors=(410, 503), other_media=(BINARY,),
                description="With `Accept: application/octet-stream` the answer is one envelope of event records "
                "(docs/records.md), without it JSON to read. Where nothing is there yet the request waits up to "
                "wait_s seconds, then answers none. 410: older than what is kept; detail.first_kept is the oldest.",
            )
        ]  # fmt: skip

    async def events(self, call: Call) -> EventList | Reply:
        """Answer GET /events."""
        query: EventsQuery = call.query
        try:
            batch = await self._source.fetch(query.after, query.wait_s)
        except EventsGone as gone:
            raise ApiError.of(
                ErrorCode.GONE,
                f"events before {gone.first_kept} are no longer kept; begin after {gone.first_kept - 1}",
                "after",
                extra={"first_kept": gone.first_kept},
            ) from None
        if BINARY in call.raw.headers.get("Accept", ""):
            return Reply(body=encode_batch(cut(batch, query.limit)), content_type=BINARY)
        batch = cut(batch, query.limit or EVENTS_PAGE_DEFAULT)
        items = [event_view(event) for event in decode_events(batch.events)]
        return EventList(items, str(batch.last_sequence), batch.epoch, batch.partition)


def cut(batch: EventBatch, limit: int | None) -> EventBatch:
    """Keep so many events at most, but whole commands, and at least one of them."""
    if limit is None or batch.count <= limit:
        return batch
    count = end = 0
    for number, (offset, length) in enumerate(split(batch.events), 1):
        if number > limit and count:
            break
        if batch.events[offset + FLAGS_OFFSET] & LAST_OF_COMMAND:
            count, end = number, offset + length
    return EventBatch(batch.partition, batch.epoch, batch.first_sequence, count, batch.events[:end])
