"""The webhooks of a running reporter: each with its task; they are added, stopped, started and removed here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from exchange.infra.clock import Clock, SystemClock
from exchange.infra.config import WebhooksConfig
from exchange.reporter.webhook_messages import WebhookMessages
from exchange.reporter.webhook_sender import WebhookSender, pause_s
from exchange.reporter.webhook_store import Dead, Webhook, WebhookStore

CONNECTIONS_MAX = 64
"""To all receivers together; more deliveries wait."""


@dataclass(slots=True)
class _Running:
    sender: WebhookSender
    task: asyncio.Task[None]


class Webhooks:
    """All webhooks of one partition. After `start` each delivers by itself.

    pause_s: how long to wait after so many failures of one delivery.
    """

    def __init__(
        self,
        store: WebhookStore,
        messages: WebhookMessages,
        config: WebhooksConfig,
        clock: Clock | None = None,
        pause_s: Callable[[int], float] = pause_s,
    ) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self._store = store
        self._messages = messages
        self._pause_s = pause_s
        self._running: dict[int, _Running] = {}
        self._adding = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Begin to deliver where it ended. Raise `StoreUnavailable`."""
        connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        dead = await asyncio.to_thread(self._store.count_dead)
        for webhook in await asyncio.to_thread(self._store.all):
            self._run(webhook, dead.get(webhook.webhook_id, 0))

    async def stop(self) -> None:
        """End all deliveries; one in hand comes again, with the same id."""
        tasks = [each.task for each in self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def published(self, accounts: frozenset[int]) -> None:
        """Say that events were published. accounts: those that a trade, cancel, bust or correction concerned."""
        for each in self._running.values():
            if self._messages.may_concern(each.sender.webhook, accounts):
                each.sender.wake()
            else:
                each.sender.pass_over(self._messages.sequence)

    def senders(self) -> list[WebhookSender]:
        """Return the senders, oldest webhook first."""
        return [each.sender for each in self._running.values()]

    def find(self, webhook_id: int) -> WebhookSender | None:
        """Return the sender of a webhook."""
        found = self._running.get(webhook_id)
        return found.sender if found is not None else None

    async def add(self, webhook: Webhook) -> WebhookSender | None:
        """Store and start a webhook; None where its participant has too many. Raise `StoreUnavailable`."""
        async with self._adding:
            own = [each for each in self.senders() if each.webhook.participant_id == webhook.participant_id]
            if len(own) >= self.config.per_participant_max:
                return None
            await asyncio.to_thread(self._store.add, webhook)
            return self._run(webhook, 0)

    async def remove(self, webhook_id: int) -> None:
        """Stop and forget a webhook and its dead letters. Raise `StoreUnavailable`."""
        await asyncio.to_thread(self._store.remove, webhook_id)
        found = self._running.pop(webhook_id, None)
        if found is not None:
            found.task.cancel()
            await asyncio.gather(found.task, return_exceptions=True)

    async def dead(self, webhook_id: int, limit: int) -> list[Dead]:
        """Return a webhook's dead letters, oldest first. Raise `StoreUnavailable`."""
        return await asyncio.to_thread(self._store.dead, webhook_id, limit)

    def _run(self, webhook: Webhook, dead: int) -> WebhookSender:
        assert self._session is not None, "start comes first"
        sender = WebhookSender(
            webhook,
            self.config,
            self._messages,
            self._store,
            self._session,
            self.clock,
            dead=dead,
            pause_s=self._pause_s,
        )
        task = asyncio.create_task(sender.run(), name=f"webhook {webhook.webhook_id}")
        self._running[webhook.webhook_id] = _Running(sender, task)
        return sender
