"""`exchange nsq tail`: what flows over NSQ, decoded for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from exchange.cli.failures import InputError
from exchange.cli.options import Where
from exchange.cli.output import print_json

if TYPE_CHECKING:
    from exchange.infra.bus import Bus
    from exchange.infra.config import Config

app = App(name="nsq", help="Look at what flows over NSQ.")
DEFAULT = Where()
SHOWN_BYTES_MAX = 80


@app.command
def tail(
    *topics: str,
    nsqd: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    count: int = 0,
    where: Where = DEFAULT,
) -> None:
    """Show what flows by, as it comes: `exchange nsq tail`, `exchange nsq tail exchange.rulings --count 10`.

    It listens by a channel of its own, so nobody misses a message by it, and what came before is not shown.

    Parameters
    ----------
    topics
        Which; default: events of the partition, rulings, components and dead letters.
    nsqd
        TCP addresses; default: [bus] nsqd of the configuration.
    count
        End after so many messages; 0: go on until Ctrl-C.
    """
    import msgspec

    from exchange.infra.service import run_service

    config = where.load()
    section = msgspec.structs.replace(config.bus, kind="nsq", **({"nsqd": nsqd} if nsqd else {}))
    config = msgspec.structs.replace(config, bus=section)
    if not section.nsqd and not section.nsqlookupd:
        raise InputError("no nsqd is known: set [bus] nsqd in the configuration, or give --nsqd HOST:PORT")
    chosen = topics or _all_topics(config)
    run_service(lambda: _tail(config, chosen, count, where.json))


async def _tail(config: Config, topics: tuple[str, ...], count: int, as_json: bool) -> None:
    import asyncio
    import os

    from exchange.infra.bus import EPHEMERAL
    from exchange.infra.open_bus import open_bus
    from exchange.infra.service import wait_for_signal

    bus = open_bus(config, within_one_process=False)
    assert bus is not None
    queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(256)
    listening = [
        asyncio.create_task(_listen(bus, topic, f"tail-{os.getpid()}{EPHEMERAL}", queue)) for topic in topics
    ]
    showing = asyncio.create_task(_show(queue, count, as_json))
    signalled = asyncio.create_task(wait_for_signal())
    try:
        await asyncio.wait({showing, signalled, *listening}, return_when=asyncio.FIRST_COMPLETED)
        for task in listening:
            if task.done():
                task.result()
    finally:
        signalled.cancel()
        for task in (showing, *listening):
            task.cancel()
        await asyncio.gather(showing, *listening, return_exceptions=True)
        await bus.close()


async def _listen(bus: Bus, topic: str, channel: str, queue: Any) -> None:
    subscription = await bus.subscribe(topic, channel)
    while True:
        delivery = await subscription.receive()
        await queue.put((topic, delivery.body))
        await delivery.finish()


async def _show(queue: Any, count: int, as_json: bool) -> None:
    shown = 0
    while not count or shown < count:
        topic, body = await queue.get()
        message = decoded(topic, body)
        if as_json:
            print_json({"topic": topic, **message})
        else:
            for line in lines_of(topic, message):
                print(line, flush=True)
        shown += 1


def _all_topics(config: Config) -> tuple[str, ...]:
    from exchange.infra.bus import COMPONENTS_TOPIC, DEAD_TOPIC, RULINGS_TOPIC, events_topic

    return events_topic(config.partition), RULINGS_TOPIC, COMPONENTS_TOPIC, DEAD_TOPIC


def decoded(topic: str, body: bytes) -> dict[str, Any]:
    """Read a message of any topic; one that cannot be read says why."""
    import msgspec

    from exchange.wire.bus_messages import Announcement, DeadLetter, Rulings, decode_message
    from exchange.wire.records import ProtocolError

    try:
        if topic.startswith("exchange.events."):
            return _decoded_events(body)
        kind: Any = {"exchange.rulings": Rulings, "exchange.components": Announcement}.get(topic, DeadLetter)
        found: dict[str, Any] = msgspec.to_builtins(decode_message(body, kind))
        return found
    except ProtocolError as error:
        return {"unreadable": str(error), "size_bytes": len(body), "begins": body[:SHOWN_BYTES_MAX].hex()}


def _decoded_events(body: bytes) -> dict[str, Any]:
    import msgspec

    from exchange.wire.envelope import decode_batch
    from exchange.wire.records import decode_events
    from exchange.wire.rest.events import event_view

    batch = decode_batch(body)
    return {
        "partition": batch.partition,
        "epoch": batch.epoch,
        "first": batch.first_sequence,
        "last": batch.last_sequence,
        "events": [msgspec.to_builtins(event_view(event)) for event in decode_events(batch.events)],
    }


def lines_of(topic: str, message: dict[str, Any]) -> list[str]:
    """Lay a decoded message out: one line, and one for each event or ruling in it."""
    if "unreadable" in message:
        return [f"{topic}  unreadable, {message['size_bytes']} bytes: {message['unreadable']}"]
    if "events" in message:
        head = f"{topic}  epoch {message['epoch']}  events {message['first']} to {message['last']}"
        return [head, *(f"    {_plain(event)}" for event in message["events"])]
    if message.get("kind") == "rulings":
        return [
            f"{topic}  {item['verdict']}  trade {item['match_id']}  ruling {item['ruling_id']}"
            for item in message["items"]
        ]
    if message.get("kind") == "component":
        reasons = f"  ({'; '.join(message['reasons'])})" if message["reasons"] else ""
        at = f"at event {message['position']}"
        return [f"{topic}  {message['component']} {message['partition']}  {message['state']}  {at}{reasons}"]
    return [
        f"{topic}  from {message['topic']}/{message['channel']}, {message['size_bytes']} bytes: {message['reason']}"
    ]


def _plain(event: dict[str, Any]) -> str:
    """Write an event in one line, its sequence and type first."""
    facts = {name: value for name, value in event.items() if value not in (None, "", [], {})}
    first = [str(facts.pop(name)) for name in ("seq", "sequence", "type", "event") if name in facts]
    rest = (
        f"{name}={value if isinstance(value, str | int) else json.dumps(value)}"
        for name, value in facts.items()
    )
    return "  ".join([*first, *rest])
