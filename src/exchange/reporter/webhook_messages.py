"""What is sent to a webhook: a channel's messages after an event, in order, as JSON."""

from __future__ import annotations

import asyncio

import msgspec

from exchange.reporter.announcements import WHOLE_EXCHANGE
from exchange.reporter.drop_copy_api import DropCopyApi
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.queries import Queries
from exchange.reporter.stream_groups import trade_message
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
        found = await asyncio.to_thread(self._public, webhook, upto, limit)
        return Page(found, found[-1][0] if len(found) == limit else upto)

    def _public(self, webhook: Webhook, upto: int, limit: int) -> list[tuple[int, bytes]]:
        """Read messages of the channels trades and status; runs in a thread."""
        wanted, after, channel = webhook.symbol_ids, webhook.sent_sequence, webhook.channel
        if wanted and channel == "status":
            wanted = (WHOLE_EXCHANGE, *wanted)
        told = self._queries.announcements_of(channel, wanted, after, upto, limit)
        found: list[tuple[int, int, bytes | None]] = list(told)
        executed = {}
        if channel == "trades":
            executed = {each.sequence: each for each in self._queries.trades_of(wanted, after, upto, limit)}
            found += [(trade.sequence, trade.symbol_id, None) for trade in executed.values()]
        links: dict[int, int] = {}
        messages = []
        for sequence, symbol_id, message in sorted(found, key=lambda each: each[0])[:limit]:
            if message is None:
                if symbol_id not in links:
                    links[symbol_id] = self._queries.link_before(channel, symbol_id, sequence)
                name = self._market.directory.symbols[symbol_id].symbol
                message = _encode(trade_message(executed[sequence], links[symbol_id], name))
            links[symbol_id] = sequence
            messages.append((sequence, message))
        return messages
