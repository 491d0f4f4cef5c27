"""The bus over NSQ: topics and channels on one nsqd or several, found by address or by nsqlookupd.

nsqd may lose, repeat and reorder, and may be away; `feed.py` repairs that. Publishing goes to one nsqd at a time, the
next one takes over; consumers listen to all. Nothing waits without a bound: publishing fails where too much is under
way or no nsqd is there, and a consumer holds no more messages than may be in flight.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from time import time_ns

import msgspec
import structlog

from exchange.infra.bus import DEAD_TOPIC, BusClosed, BusFigures, NsqdFigures
from exchange.infra.errors import InfraError
from exchange.infra.nsq_connection import NsqConnection, NsqRefused, NsqTimes, NsqUnavailable
from exchange.infra.nsq_link import NsqLink
from exchange.infra.nsq_lookup import LookupFailed, find_nsqd
from exchange.wire import nsq
from exchange.wire.bus_messages import dead_letter, encode_message

log = structlog.get_logger(component="nsq")

PUBLISHES_MAX = 256
"""Messages that may be under way to nsqd; a further one is refused."""
REQUEUE_MS_MAX = 3_600_000
"""nsqd takes no longer delay unless told otherwise."""


class NsqSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where NSQ is and how it is used. in_flight: messages a consumer may hold; prepared: channels made at start."""

    nsqd: tuple[str, ...] = ()
    lookupd: tuple[str, ...] = ()
    in_flight: int = 64
    lookup_s: float = 15.0
    message_bytes_max: int = 1 << 20
    times: NsqTimes = NsqTimes()
    prepared: tuple[tuple[str, str], ...] = ()


class NsqStats(msgspec.Struct):
    """What went over the bus. late: messages that were finished or requeued after nsqd had sent them again."""

    published: int = 0
    publish_failures: int = 0
    received: int = 0
    repeated: int = 0
    finished: int = 0
    requeued: int = 0
    buried: int = 0
    overflowed: int = 0
    late: int = 0


class NsqBus:
    """A bus over NSQ, for one event loop."""

    def __init__(self, settings: NsqSettings) -> None:
        self.settings = settings
        self.stats = NsqStats()
        self.reconnects: Counter[str] = Counter()
        self._links: list[NsqLink] = []
        self._next = 0
        self._under_way = 0
        self._subscriptions: set[NsqSubscription] = set()
        self._closed = False

    async def publish(self, topic: str, message: bytes) -> None:
        """Send a message to one nsqd, and return once it has it. Raise `InfraError` where none takes it."""
        if self._closed:
            raise BusClosed(f"publish to {topic}: the bus is closed")
        if len(message) > self.settings.message_bytes_max:
            raise NsqRefused(
                f"publish to {topic}: {len(message)} bytes, at most {self.settings.message_bytes_max}"
            )
        if self._under_way >= PUBLISHES_MAX:
            raise NsqUnavailable(f"publish to {topic}: {PUBLISHES_MAX} messages are under way already")
        self._under_way += 1
        try:
            await self._publish(topic, nsq.publish(topic, message))
            self.stats.published += 1
        except InfraError:
            self.stats.publish_failures += 1
            raise
        finally:
            self._under_way -= 1

    async def subscribe(self, topic: str, channel: str) -> NsqSubscription:
        """Become a consumer of a channel on every nsqd that is there; those that come later are joined then."""
        if self._closed:
            raise BusClosed(f"subscribe to {topic}/{channel}: the bus is closed")
        for name in (topic, channel):
            if not nsq.is_valid_name(name):
                raise InfraError(f"{name!r} is no name for a topic or channel: 1 to 64 of a-z A-Z 0-9 . _ -")
        subscription = NsqSubscription(self, topic, channel)
        self._subscriptions.add(subscription)
        await subscription.tried()
        return subscription

    async def close(self) -> None:
        """Close all subscriptions and connections."""
        self._closed = True
        for subscription in list(self._subscriptions):
            await subscription.close()
        await asyncio.gather(*(link.close() for link in self._links))

    def count_reconnect(self, address: str) -> None:
        """Take note that a connection to an nsqd was opened again."""
        self.reconnects[address] += 1

    def figures(self) -> BusFigures:
        """Return what went over the bus."""
        stats = self.stats
        links = [*self._links, *(link for each in self._subscriptions for link in each.links)]
        open_to = Counter(link.address for link in links if link.connection is not None)
        addresses = {*self.settings.nsqd, *self.reconnects, *(link.address for link in links)}
        return BusFigures(
            published=stats.published,
            failed=stats.publish_failures,
            received=stats.received,
            repeated=stats.repeated,
            finished=stats.finished,
            requeued=stats.requeued,
            buried=stats.buried,
            dropped=stats.overflowed,
            outstanding=self._under_way + sum(each.outstanding for each in self._subscriptions),
            nsqd={each: NsqdFigures(open_to[each], self.reconnects[each]) for each in sorted(addresses)},
        )

    def forget(self, subscription: NsqSubscription) -> None:
        """Drop a subscription that was closed."""
        self._subscriptions.discard(subscription)

    async def _publish(self, topic: str, command: bytes) -> None:
        """Try one nsqd after the other, beginning with the next in turn."""
        await self._connect()
        problem = "no nsqd is configured"
        self._next += 1
        for turn in range(len(self._links)):
            link = self._links[(self._next + turn) % len(self._links)]
            if link.connection is None:
                problem = link.problem
                continue
            try:
                await link.connection.ask(command)
                return
            except NsqUnavailable as error:
                problem = str(error)
        raise NsqUnavailable(f"publish to {topic}: {problem}")

    async def _connect(self) -> None:
        """Begin to keep a connection to each nsqd, once, and wait until one is there or all were tried."""
        if not self._links:
            self._links = [
                NsqLink(address, self.settings.times, opened=self._prepare, reopened=self.count_reconnect)
                for address in self.settings.nsqd
            ]
        for link in self._links:
            await link.tried.wait()

    async def _prepare(self, connection: NsqConnection) -> None:
        """Make the channels that shall be there, so that what is published waits for consumers that come late."""
        for topic, channel in self.settings.prepared:
            once = await NsqConnection.open(connection.address, self.settings.times)
            try:
                await once.ask(nsq.subscribe(topic, channel))
            finally:
                await once.close()


class NsqDelivery:
    """A message of an nsqd in the hands of one consumer."""

    def __init__(
        self, subscription: NsqSubscription, connection: NsqConnection, message: nsq.Message
    ) -> None:
        self.body = message.body
        self.attempts = message.attempts
        self._message_id = message.message_id
        self._subscription = subscription
        self._connection = connection
        self._settled = False

    async def finish(self) -> None:
        """Be done with the message; a second time changes nothing."""
        self._settle(nsq.finish(self._message_id), "finished")

    async def requeue(self, delay_s: float = 0) -> None:
        """Give the message back, to come again after a while."""
        delay_ms = min(round(delay_s * 1_000), REQUEUE_MS_MAX)
        self._settle(nsq.requeue(self._message_id, delay_ms), "requeued")

    async def bury(self, reason: str) -> None:
        """Put the message and the reason on the dead-letter topic, and be done with it. Raise `InfraError`."""
        subscription = self._subscription
        letter = dead_letter(*subscription.place, reason, self.attempts, time_ns(), self.body)
        await subscription.bus.publish(DEAD_TOPIC, encode_message(letter))
        subscription.bus.stats.buried += 1
        await self.finish()

    def _settle(self, command: bytes, count: str) -> None:
        if not self._settled:
            self._settled = True
            self._subscription.settled(self)
            self._connection.tell(command)
            stats = self._subscription.bus.stats
            setattr(stats, count, getattr(stats, count) + 1)


class NsqSubscription:
    """One consumer of a channel, on every nsqd that is configured or that nsqlookupd names."""

    def __init__(self, bus: NsqBus, topic: str, channel: str) -> None:
        self.bus = bus
        self.place = (topic, channel)
        self._settings = bus.settings
        self._waiting: deque[NsqDelivery] = deque()
        self._handed_out: set[NsqDelivery] = set()
        self._changed = asyncio.Event()
        self._closed = False
        self._problem = ""
        self._links: dict[str, NsqLink] = {}
        self._listen_to(self._settings.nsqd)
        self._looking: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        if self._settings.lookupd:
            self._looking = asyncio.create_task(self._look_on(), name=f"nsq looks for {topic}")
        else:
            self._looked.set()

    async def receive(self) -> NsqDelivery:
        """Wait for the next message. Raise `BusClosed` where there will be none, `NsqUnavailable` without nsqd."""
        while not self._closed:
            if self._waiting:
                delivery = self._waiting.popleft()
                self._handed_out.add(delivery)
                return delivery
            if self._is_cut_off():
                raise NsqUnavailable(f"receive from {'/'.join(self.place)}: {self._why_cut_off()}")
            self._changed.clear()
            await self._changed.wait()
        raise BusClosed(f"receive from {'/'.join(self.place)}: closed")

    async def close(self) -> None:
        """Give back what is not finished, and stop; a second time changes nothing."""
        if self._closed:
            return
        self._closed = True
        self._changed.set()
        self.bus.forget(self)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._take_leave()
        for delivery in (*self._handed_out, *self._waiting):
            await delivery.requeue()
        self._waiting.clear()
        await asyncio.gather(*(link.close() for link in self._links.values()))

    async def _take_leave(self) -> None:
        """Want no more messages: else what is given back would come straight back."""
        for link in self._links.values():
            if link.connection is not None:
                with suppress(InfraError):
                    await link.connection.ask(nsq.CLOSE)

    def settled(self, delivery: NsqDelivery) -> None:
        """Take note that a delivery is in nobody's hands any more."""
        self._handed_out.discard(delivery)

    async def tried(self) -> None:
        """Wait until every nsqd that is known was tried once."""
        await self._looked.wait()
        for link in list(self._links.values()):
            await link.tried.wait()

    @property
    def links(self) -> list[NsqLink]:
        """List the links to all nsqd that are known."""
        return list(self._links.values())

    @property
    def outstanding(self) -> int:
        """Return how many messages wait here or are in the hands of the consumer."""
        return len(self._waiting) + len(self._handed_out)

    def connected(self) -> list[str]:
        """List the nsqd that are listened to now."""
        return [link.address for link in self._links.values() if link.connection is not None]

    # --- which nsqd ---------------------------------------------------------------------------------

    def _listen_to(self, addresses: Iterable[str]) -> None:
        """Keep a connection to each nsqd, beside those there are."""
        for address in addresses:
            if address not in self._links:
                self._links[address] = NsqLink(
                    address,
                    self._settings.times,
                    opened=self._join,
                    take=self._take,
                    changed=self._share_out,
                    reopened=self.bus.count_reconnect,
                )

    async def _look_on(self) -> None:
        """Ask nsqlookupd again and again; while it is away, what is known goes on."""
        while True:
            try:
                found = await find_nsqd(self._settings.lookupd, self.place[0])
                await self._leave_all_but((*self._settings.nsqd, *found))
                self._listen_to(found)
                self._problem = "" if found else "nsqlookupd knows no nsqd with this topic"
            except LookupFailed as error:
                if str(error) != self._problem:
                    log.warning("nsqlookupd_away", reason=str(error))
                self._problem = str(error)
            self._looked.set()
            self._changed.set()
            await asyncio.sleep(self._settings.lookup_s * (0.7 + 0.6 * random.random()))

    async def _leave_all_but(self, addresses: Iterable[str]) -> None:
        """Forget nsqd that are named no longer and are away."""
        kept = set(addresses)
        for address in [each for each in self._links if each not in kept]:
            if self._links[address].connection is None:
                await self._links.pop(address).close()

    async def _join(self, connection: NsqConnection) -> None:
        await connection.ask(nsq.subscribe(*self.place))
        connection.tell(nsq.ready(self._share()))

    def _share_out(self) -> None:
        """Divide what may be in flight among the nsqd that are there, and let who waits look again."""
        for link in self._links.values():
            if link.connection is not None:
                link.connection.tell(nsq.ready(self._share()))
        self._changed.set()

    def _share(self) -> int:
        return max(1, self._settings.in_flight // max(1, len(self.connected())))

    def _is_cut_off(self) -> bool:
        return (
            self._looked.is_set()
            and not self.connected()
            and all(link.tried.is_set() for link in self._links.values())
        )

    def _why_cut_off(self) -> str:
        problems = [link.problem for link in self._links.values() if link.problem]
        return "; ".join([*problems, *([self._problem] if self._problem else [])]) or "no nsqd is known"

    # --- messages -----------------------------------------------------------------------------------

    def _take(self, connection: NsqConnection, message: nsq.Message) -> None:
        """Keep a message until it is asked for; the oldest has timed out where more wait than may be in flight."""
        stats = self.bus.stats
        stats.received += 1
        stats.repeated += message.attempts > 1
        if len(self._waiting) >= 2 * self._settings.in_flight:
            self._waiting.popleft()
            stats.overflowed += 1
        self._waiting.append(NsqDelivery(self, connection, message))
        self._changed.set()
