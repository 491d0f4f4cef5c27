"""Opens the bus that the configuration asks for, between processes."""

from __future__ import annotations

from exchange.infra.bus import Bus, MemoryBus, events_topic
from exchange.infra.config import Config
from exchange.infra.server_seen import ServerSeen

MIB = 1 << 20
CONSUMERS = ("reporter", "clearing")
"""Their channels are made at the start, so that what is published waits for one that comes late."""


def open_bus(config: Config, *, within_one_process: bool) -> Bus | None:
    """Make the configured bus; None where consumers ask the engine instead. To be closed by the caller."""
    section = config.bus
    if section.kind == "nsq":
        return _nsq_bus(config)
    if section.kind == "memory" and within_one_process:
        return MemoryBus(section.queue_messages, section.queue_mib * MIB)
    return None


async def probe_nsq(config: Config) -> list[ServerSeen]:
    """Try every configured nsqd and nsqlookupd, and say of each what it is or why it cannot be used."""
    from exchange.infra.nsq_probe import probe

    return await probe(config.bus.nsqd, config.bus.nsqlookupd, events_topic(config.partition))


def _nsq_bus(config: Config) -> Bus:
    """Make the bus over NSQ; who does not use it does not import it."""
    from exchange.infra.nsq_bus import NsqBus, NsqSettings
    from exchange.infra.nsq_connection import NsqTimes

    section = config.bus
    topic = events_topic(config.partition)
    return NsqBus(
        NsqSettings(
            nsqd=section.nsqd,
            lookupd=section.nsqlookupd,
            in_flight=section.in_flight,
            lookup_s=section.lookup_ms / 1_000,
            times=NsqTimes(
                connect_s=section.connect_timeout_ms / 1_000,
                answer_s=section.answer_timeout_ms / 1_000,
                heartbeat_s=section.heartbeat_ms / 1_000,
                message_s=section.message_timeout_ms / 1_000,
            ),
            prepared=tuple((topic, channel) for channel in CONSUMERS),
        )
    )
