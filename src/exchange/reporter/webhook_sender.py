"""Delivers to webhooks: each in order and at least once, signed, again where it fails, at last to the dead letters.

One task per webhook. It reads from the store, so nothing waits in memory and a receiver that is away holds nobody up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog

from exchange.infra.clock import Clock
from exchange.infra.config import WebhooksConfig
from exchange.infra.errors import StoreUnavailable
from exchange.infra.webhook_signature import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature
from exchange.reporter.webhook_messages import WebhookMessages
from exchange.reporter.webhook_store import Dead, Webhook, WebhookStore
from exchange.wire.rest.webhooks import Delivery

log = structlog.get_logger(component="reporter")

AGENT = "stock-exchange-webhooks/1"
PAUSE_S_MAX = 60.0
GONE = 410
REDELIVERED_AT_ONCE = 100
ANSWER_BYTES_SHOWN = 200
_NS_PER_S = 1_000_000_000
_encode = msgspec.json.Encoder().encode


def pause_s(failures: int) -> float:
    """Return the pause after so many failed tries of one delivery: 1, 2, 4 … 60 seconds."""
    return float(min(2.0 ** min(failures - 1, 30), PAUSE_S_MAX))


def why_not_allowed(url: str, hosts: Collection[str]) -> str:
    """Return why nothing is posted to a URL; empty where it is allowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"{url!r} is not a URL: {error}"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return f"a URL such as https://example.com/hook is needed, got {url[:80]!r}"
    if parts.username is not None or parts.fragment or any(character.isspace() for character in url):
        return "the URL of a webhook has no user, no fragment and no blank; the receiver checks the signature instead"
    if "*" not in hosts and parts.hostname not in hosts:
        listed = ", ".join(hosts) or "none"
        return f"{parts.hostname} is not among the hosts of [reporter.webhooks] ({listed}); ask the operator to add it"
    return ""


class Posted(msgspec.Struct):
    """What became of one post. problem: empty where it was taken."""

    problem: str = ""
    is_gone: bool = False


class WebhookSender:
    """Delivers to one webhook. failures: tries of the delivery in hand that failed; dead: its dead letters.

    pause_s: how long to wait after so many failures.
    """

    def __init__(
        self,
        webhook: Webhook,
        config: WebhooksConfig,
        messages: WebhookMessages,
        store: WebhookStore,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        dead: int = 0,
        pause_s: Callable[[int], float] = pause_s,
    ) -> None:
        self.webhook = webhook
        self.failures = 0
        self.dead = dead
        self._config = config
        self._messages = messages
        self._store = store
        self._session = session
        self._clock = clock
        self._pause_s = pause_s
        self._woken = asyncio.Event()
        self._is_idle = False
        self._changing = asyncio.Lock()

    def wake(self) -> None:
        """Say that something new was published, or that the webhook was started again."""
        self._woken.set()

    def pass_over(self, sequence: int) -> None:
        """Say that what was published up to an event has nothing for it; one that is at work looks for itself."""
        if self._is_idle and not self._woken.is_set():
            if self.webhook.is_active:
                self.webhook.sent_sequence = sequence
        else:
            self.wake()

    async def run(self) -> None:
        """Deliver until it is cancelled."""
        while True:
            self._woken.clear()
            try:
                is_done = not self.webhook.is_active or not await self._deliver_next()
            except StoreUnavailable as error:
                log.warning("webhook_waits", webhook=self.webhook.webhook_id, error=str(error))
                await asyncio.sleep(PAUSE_S_MAX / 60)
                continue
            if is_done:
                self._is_idle = True
                await self._woken.wait()
                self._is_idle = False

    async def set_active(self, is_active: bool) -> None:
        """Start or stop it. Raise `StoreUnavailable`."""
        async with self._changing:
            self.webhook.is_active = is_active
            if is_active:
                self.webhook.problem, self.failures = "", 0
            await asyncio.to_thread(self._store.update, self.webhook)
        self.wake()

    async def redeliver(self) -> tuple[int, str]:
        """Post the dead letters again, oldest first, until one is not taken; return how many were, and why not more."""
        taken = 0
        async with self._changing:
            letters = await asyncio.to_thread(self._store.dead, self.webhook.webhook_id, REDELIVERED_AT_ONCE)
            for letter in letters:
                posted = await self._post(delivery_id(self.webhook, letter.last_sequence), letter.body)
                if posted.problem:
                    return taken, posted.problem
                await asyncio.to_thread(self._store.bury, letter)
                self.dead -= 1
                taken += 1
        return taken, ""

    async def _deliver_next(self) -> bool:
        """Deliver what comes next; tell whether there may be more."""
        webhook = self.webhook
        page = await self._messages.read(webhook, self._config.messages_max)
        if not page.messages:
            webhook.sent_sequence = page.last
            return False
        first, last = page.messages[0][0], page.messages[-1][0]
        raw = [msgspec.Raw(message) for _, message in page.messages]
        body = _encode(
            Delivery(
                webhook=str(webhook.webhook_id),
                channel=webhook.channel,  # type: ignore[arg-type]
                first_seq=first,
                last_seq=last,
                messages=raw,
            )
        )
        dead = await self._deliver(delivery_id(webhook, last), first, last, body)
        async with self._changing:
            if not webhook.is_active and dead is None and self.failures:
                return False
            await self._done(page.last, dead)
        return self.webhook.is_active

    async def _done(self, sequence: int, dead: Dead | None) -> None:
        """Store that a delivery was taken, or that nobody took it; in memory only when it is stored."""
        webhook, count = self.webhook, self.dead + (dead is not None)
        done = msgspec.structs.replace(
            webhook, sent_sequence=sequence, delivered=webhook.delivered + (dead is None)
        )
        if count >= self._config.dead_letters_max:
            done.is_active = False
            done.problem = f"stopped with {count} dead letters, the last: {webhook.problem}"
        await asyncio.to_thread(self._store.update, done, dead)
        self.webhook, self.dead, self.failures = done, count, 0

    async def _deliver(self, name: str, first: int, last: int, body: bytes) -> Dead | None:
        """Post until it is taken, the webhook is stopped, or the tries are used up: then return a dead letter."""
        webhook = self.webhook
        while True:
            posted = await self._post(name, body)
            webhook.problem = posted.problem
            if not posted.problem:
                self.failures = 0
                return None
            self.failures += 1
            log.info(
                "webhook_failed", webhook=webhook.webhook_id, tries=self.failures, problem=posted.problem
            )
            if posted.is_gone:
                await self._stop()
                return None
            if self.failures >= self._config.tries_max:
                now_ns = self._clock.now_ns()
                return Dead(webhook.webhook_id, last, first, self.failures, posted.problem, now_ns, body)
            await asyncio.sleep(self._pause_s(self.failures))
            if not webhook.is_active:
                return None

    async def _stop(self) -> None:
        async with self._changing:
            self.webhook.is_active = False
            await asyncio.to_thread(self._store.update, self.webhook)

    async def _post(self, name: str, body: bytes) -> Posted:
        webhook = self.webhook
        if problem := why_not_allowed(webhook.url, self._config.hosts):
            return Posted(problem)
        time_s = self._clock.now_ns() // _NS_PER_S
        headers = {
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            ID_HEADER: name,
            TIME_HEADER: str(time_s),
            SIGNATURE_HEADER: signature(webhook.secret, name, time_s, body),
        }
        limit = aiohttp.ClientTimeout(total=self._config.timeout_s)
        try:
            async with self._session.post(
                webhook.url, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as answer:
                if 200 <= answer.status < 300:
                    return Posted()
                said = (await answer.content.read(ANSWER_BYTES_SHOWN)).decode(errors="replace").strip()
                return Posted(f"answered {answer.status} {said}".strip(), answer.status == GONE)
        except TimeoutError:
            return Posted(f"did not answer within {self._config.timeout_s} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Posted(f"cannot be reached: {error}")


def delivery_id(webhook: Webhook, last_sequence: int) -> str:
    """Return the id of a delivery, the same whenever it is sent again."""
    return f"{webhook.webhook_id}.{webhook.created_ns}.{last_sequence}"
