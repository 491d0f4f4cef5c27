"""A bus that does what real ones do now and then: loses, repeats and reorders messages, by a seed."""

from __future__ import annotations

from random import Random

from exchange.infra.bus import BusFigures, MemoryBus, Subscription


class FaultyBus:
    """Wraps the memory bus. loss, repetition: chances in percent; displacement: how many messages one may be late."""

    def __init__(self, seed: int, loss: int = 0, repetition: int = 0, displacement: int = 0) -> None:
        self.bus = MemoryBus()
        self.random = Random(seed)
        self.loss = loss
        self.repetition = repetition
        self.displacement = displacement
        self._held: list[tuple[int, str, bytes]] = []
        self._count = 0

    async def publish(self, topic: str, message: bytes) -> None:
        self._count += 1
        while self.random.randrange(100) >= self.loss:
            due = self._count + self.random.randint(0, self.displacement)
            self._held.append((due, topic, message))
            if self.random.randrange(100) >= self.repetition:
                break
        await self._deliver(self._count)

    async def flush(self) -> None:
        """Deliver what is still held back."""
        await self._deliver(self._count + self.displacement)

    async def subscribe(self, topic: str, channel: str) -> Subscription:
        return await self.bus.subscribe(topic, channel)

    async def close(self) -> None:
        await self.bus.close()

    def figures(self) -> BusFigures:
        return self.bus.figures()

    async def _deliver(self, now: int) -> None:
        due = sorted((held for held in self._held if held[0] <= now), key=lambda held: held[0])
        self._held = [held for held in self._held if held[0] > now]
        for _, topic, message in due:
            await self.bus.publish(topic, message)
