"""The bus that carries messages between components, and its form within one process.

Topics and channels mean what they mean in NSQ: each channel of a topic gets every message, and the consumers
of one channel share them. A bus is a messenger and may lose, repeat and reorder; `feed.py` repairs that, so
publishing never waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import time_ns
from typing import Protocol

import msgspec

from exchange.infra.errors import InfraError
from exchange.wire.bus_messages import dead_letter, encode_message

QUEUE_MESSAGES_MAX = 4_096
QUEUE_BYTES_MAX = 64 << 20
"""When either is reached, the oldest message of the channel is dropped and counted."""
IN_FLIGHT_MAX = 256
"""Messages of one subscription that may be received and not finished; `receive` waits beyond that."""


COMPONENTS_TOPIC = "exchange.components"
"""Here components announce that they start, are ready, drain and stop."""
RULINGS_TOPIC = "exchange.rulings"
"""Here clearing announces what it decided."""
DEAD_TOPIC = "exchange.dead"
"""Here goes what could not be read, with the reason."""
EPHEMERAL = "#ephemeral"
"""Ends the name of a channel that shall live only while it has a consumer."""


def events_topic(partition: int) -> str:
    """Return the topic on which the engine of a partition publishes its event batches."""
    return f"exchange.events.{partition}"


class BusClosed(InfraError):
    """The bus or the subscription was closed."""


class Delivery(Protocol):
    """A message in the hands of one consumer; it comes again unless it is finished."""

    @property
    def body(self) -> bytes:
        """The message."""

    @property
    def attempts(self) -> int:
        """How often it was delivered, this time included."""

    async def finish(self) -> None:
        """Tell the bus that the message is done with."""

    async def requeue(self, delay_s: float = 0) -> None:
        """Give the message back, to come again after a while."""

    async def bury(self, reason: str) -> None:
        """Put a message that cannot be read on the dead-letter topic, and be done with it. Raise `InfraError`."""


class Subscription(Protocol):
    """One consumer of a channel."""

    async def receive(self) -> Delivery:
        """Wait for the next message; safe to cancel. Raise `BusClosed` where there will be none."""

    async def close(self) -> None:
        """Give back what is not finished, and stop."""


class NsqdFigures(msgspec.Struct, frozen=True):
    """How one nsqd fares. connections: open now; reconnects: connections opened again after one was lost."""

    connections: int = 0
    reconnects: int = 0


class BusFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What went over a bus since the start of this process.

    repeated: messages that came again; dropped: for lack of room; buried: put on the dead-letter topic; outstanding:
    being published, waiting or in the hands of a consumer now; nsqd: by address.
    """

    published: int = 0
    failed: int = 0
    received: int = 0
    repeated: int = 0
    finished: int = 0
    requeued: int = 0
    buried: int = 0
    dropped: int = 0
    outstanding: int = 0
    nsqd: dict[str, NsqdFigures] = {}


class Bus(Protocol):
    """Publishes messages to topics and subscribes to their channels."""

    async def publish(self, topic: str, message: bytes) -> None:
        """Send a message to every channel of a topic; never waits for consumers."""

    async def subscribe(self, topic: str, channel: str) -> Subscription:
        """Become a consumer of a channel, from the next message on."""

    async def close(self) -> None:
        """Close all subscriptions."""

    def figures(self) -> BusFigures:
        """Return what went over the bus."""


class ChannelStats(msgspec.Struct):
    """What happened on one channel of one topic."""

    depth_messages: int = 0
    depth_bytes: int = 0
    in_flight: int = 0
    published: int = 0
    received: int = 0
    repeated: int = 0
    finished: int = 0
    requeued: int = 0
    dropped: int = 0
    buried: int = 0


class MemoryBus:
    """A bus within one event loop. A channel lives while it has a consumer; without one nothing is kept."""

    def __init__(
        self, queue_messages_max: int = QUEUE_MESSAGES_MAX, queue_bytes_max: int = QUEUE_BYTES_MAX
    ) -> None:
        self.queue_messages_max = queue_messages_max
        self.queue_bytes_max = queue_bytes_max
        self._channels: dict[str, dict[str, _Channel]] = {}
        self._past = ChannelStats()
        self._published = 0
        self._closed = False

    async def publish(self, topic: str, message: bytes) -> None:
        """Put a message into every channel of a topic."""
        if self._closed:
            raise BusClosed(f"publish to {topic}: the bus is closed")
        self._published += 1
        for channel in self._channels.get(topic, {}).values():
            channel.stats.published += 1
            channel.put(message)

    async def subscribe(self, topic: str, channel: str) -> MemorySubscription:
        """Become a consumer of a channel, from the next message on."""
        if self._closed:
            raise BusClosed(f"subscribe to {topic}/{channel}: the bus is closed")
        channels = self._channels.setdefault(topic, {})
        if channel not in channels:
            channels[channel] = _Channel(self.queue_messages_max, self.queue_bytes_max)
        return MemorySubscription(self, topic, channel, channels[channel])

    async def close(self) -> None:
        """Close all subscriptions."""
        self._closed = True
        for channels in self._channels.values():
            for channel in channels.values():
                channel.close()
        self._channels.clear()

    def stats(self) -> dict[tuple[str, str], ChannelStats]:
        """Return what happened, by topic and channel."""
        return {
            (topic, name): c.stats for topic, named in self._channels.items() for name, c in named.items()
        }

    def figures(self) -> BusFigures:
        """Return what went over the bus, with what channels did that are gone."""
        every = [*self.stats().values(), self._past]
        return BusFigures(
            published=self._published,
            received=sum(each.received for each in every),
            repeated=sum(each.repeated for each in every),
            finished=sum(each.finished for each in every),
            requeued=sum(each.requeued for each in every),
            buried=sum(each.buried for each in every),
            dropped=sum(each.dropped for each in every),
            outstanding=sum(each.depth_messages + each.in_flight for each in self.stats().values()),
        )

    def _left(self, topic: str, name: str) -> None:
        """Forget a channel whose last consumer left."""
        channel = self._channels.get(topic, {}).get(name)
        if channel is not None and channel.consumers == 0:
            channel.close()
            for count in ("received", "repeated", "finished", "requeued", "buried", "dropped"):
                setattr(self._past, count, getattr(self._past, count) + getattr(channel.stats, count))
            del self._channels[topic][name]


class _Channel:
    """The waiting messages of one channel."""

    def __init__(self, messages_max: int, bytes_max: int) -> None:
        self.messages_max = messages_max
        self.bytes_max = bytes_max
        self.stats = ChannelStats()
        self.consumers = 0
        self.closed = False
        self.changed = asyncio.Event()
        self._waiting: deque[tuple[bytes, int]] = deque()

    def put(self, message: bytes, attempts: int = 0) -> None:
        self._waiting.append((message, attempts))
        self.stats.depth_bytes += len(message)
        while len(self._waiting) > self.messages_max or self.stats.depth_bytes > self.bytes_max:
            self.stats.depth_bytes -= len(self._waiting.popleft()[0])
            self.stats.dropped += 1
        self.stats.depth_messages = len(self._waiting)
        self.changed.set()

    def take(self) -> tuple[bytes, int] | None:
        """Return the next message, and how often it was delivered before."""
        if not self._waiting:
            self.changed.clear()
            return None
        message, attempts = self._waiting.popleft()
        self.stats.depth_bytes -= len(message)
        self.stats.depth_messages = len(self._waiting)
        return message, attempts

    def close(self) -> None:
        self.closed = True
        self._waiting.clear()
        self.changed.set()


class MemoryDelivery:
    """A message in the hands of one consumer of the memory bus."""

    def __init__(self, subscription: MemorySubscription, body: bytes, attempts: int) -> None:
        self.body = body
        self.attempts = attempts
        self._subscription = subscription

    async def finish(self) -> None:
        """Be done with the message; a second time changes nothing."""
        self._subscription.settle(self)

    async def requeue(self, delay_s: float = 0) -> None:
        """Give the message back, to come again after a while."""
        self._subscription.give_back(self, delay_s)

    async def bury(self, reason: str) -> None:
        """Put the message and the reason on the dead-letter topic, and be done with it."""
        await self._subscription.bury(self, reason)


class MemorySubscription:
    """One consumer of a channel of the memory bus."""

    def __init__(self, bus: MemoryBus, topic: str, name: str, channel: _Channel) -> None:
        self._bus = bus
        self._place = (topic, name)
        self._channel = channel
        self._in_flight: dict[int, MemoryDelivery] = {}
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        channel.consumers += 1

    async def receive(self) -> MemoryDelivery:
        """Wait for the next message; safe to cancel. Raise `BusClosed` where there will be none."""
        while True:
            await self._room.wait()
            if self._closed or self._channel.closed:
                raise BusClosed(f"receive from {'/'.join(self._place)}: closed")
            taken = self._channel.take()
            if taken is not None:
                return self._hand_out(*taken)
            await self._channel.changed.wait()

    async def close(self) -> None:
        """Give back what is not finished, and stop; a second time changes nothing."""
        if self._closed:
            return
        self._closed = True
        self._room.set()
        self._channel.consumers -= 1
        for delivery in list(self._in_flight.values()):
            self.give_back(delivery, 0)
        self._channel.changed.set()
        self._bus._left(*self._place)

    def settle(self, delivery: MemoryDelivery) -> None:
        """Take a finished delivery out of flight."""
        if self._in_flight.pop(id(delivery), None) is not None:
            self._channel.stats.in_flight -= 1
            self._channel.stats.finished += 1
            self._room.set()

    def give_back(self, delivery: MemoryDelivery, delay_s: float) -> None:
        """Put a delivery that is in flight back into the channel."""
        if self._in_flight.pop(id(delivery), None) is None:
            return
        self._room.set()
        self._channel.stats.in_flight -= 1
        self._channel.stats.requeued += 1
        if delay_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, self._channel.put, delivery.body, delivery.attempts)
        else:
            self._channel.put(delivery.body, delivery.attempts)

    async def bury(self, delivery: MemoryDelivery, reason: str) -> None:
        """Publish a dead letter of a delivery and settle it."""
        letter = dead_letter(*self._place, reason, delivery.attempts, time_ns(), delivery.body)
        await self._bus.publish(DEAD_TOPIC, encode_message(letter))
        self._channel.stats.buried += 1
        self.settle(delivery)

    def _hand_out(self, message: bytes, attempts: int) -> MemoryDelivery:
        delivery = MemoryDelivery(self, message, attempts + 1)
        self._in_flight[id(delivery)] = delivery
        stats = self._channel.stats
        stats.in_flight += 1
        stats.received += 1
        stats.repeated += attempts > 0
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self._room.clear()
        return delivery
