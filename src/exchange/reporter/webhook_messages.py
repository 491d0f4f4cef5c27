"""What is sent to a webhook: a channel's messages after an event, in order, as JSON."""

from __future__ import annotations

import asyncio

import msgspec

from exchange.reporter.announcements import WHOLE_EXCHANGE
from exchange.reporter.drop_copy_api import DropCopyApi
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.queries import Queries
from exchange.reporter.stream_resume import told_messages
from exchange.reporter.webhook_store import Webhook

DROP_COPY = "drop_copy"
_encode = msgspec.json.Encoder().encode


class Page(msgspec.Struct):
    """Messages as (sequence, JSON), oldest first; last: the event up to which they are complete."""

    messages: list[tuple[int, bytes]]
    last: int


class WebhookMessages:
    """Reads messages from the store, so that none is missed however long a receiver was away."""

    def __init__(self, market: LiveMarket, queries: Queries, drop_copies: DropCopyApi) -> None:
        self._market = market
        self._queries = queries
        self._drop_copies = drop_copies

    @property
    def sequence(self) -> int:
        """Return the sequence of the last event that was published."""
        return self._market.sequence

    def may_concern(self, webhook: Webhook, accounts: frozenset[int]) -> bool:
        """Tell whether events that concerned these accounts may have something for a webhook."""
        if webhook.channel != DROP_COPY:
            return True
        own = self._market.directory.accounts_of(webhook.participant_id)
        return any(account.account_id in accounts for account in own)

    async def read(self, webhook: Webhook, limit: int) -> Page:
        """Return what comes after a webhook's position. Raise `StoreUnavailable`."""
        after, upto = webhook.sent_sequence, self._market.sequence
        if after >= upto:
            return Page([], after)
        if webhook.channel == DROP_COPY:
            accounts = self._market.directory.accounts_of(webhook.participant_id)
            numbers = [account.account_id for account in accounts]
            items, last = await self._drop_copies.read(numbers, after, upto, limit)
            return Page([(item.seq, _encode(item)) for item in items], last)
        wanted = webhook.symbol_ids
        if wanted and webhook.channel == "status":
            wanted = (WHOLE_EXCHANGE, *wanted)
        directory = self._market.directory
        found = await asyncio.to_thread(
            told_messages, self._queries, directory, webhook.channel, wanted, after, upto, limit
        )
        return Page(found, found[-1][0] if len(found) == limit else upto)
