"""The webhooks in the reporter's store: what each wants, how far it is, and its dead letters."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, RowMapping, delete, func, insert, select, update

from exchange.infra.store import begin_write
from exchange.infra.store_retry import asking_again_later, begin_read
from exchange.reporter.schema import dead_letters, webhooks


class Webhook(msgspec.Struct):
    """A webhook as it is stored. symbol_ids: empty for all; sent_sequence: what came up to it is done with."""

    webhook_id: int
    participant_id: int
    url: str
    channel: str
    symbol_ids: tuple[int, ...]
    secret: str
    is_active: bool
    sent_sequence: int
    delivered: int
    problem: str
    created_ns: int


class Dead(msgspec.Struct, frozen=True):
    """A delivery that nobody took. body: as it was posted."""

    webhook_id: int
    last_sequence: int
    first_sequence: int
    tries: int
    problem: str
    died_ns: int
    body: bytes


class WebhookStore:
    """Reads and writes the webhooks of one partition; each call is one transaction.

    Each raises `StoreUnavailable` where the database fails for a while.
    """

    def __init__(self, engine: Engine, partition: int) -> None:
        self._engine = engine
        self._partition = partition

    def all(self) -> list[Webhook]:
        """Return all webhooks, oldest first."""
        found = (
            select(webhooks).where(webhooks.c.partition == self._partition).order_by(webhooks.c.webhook_id)
        )
        with begin_read(self._engine) as connection:
            rows = connection.execute(found).mappings().all()
        return [_webhook_of(row) for row in rows]

    def add(self, webhook: Webhook) -> None:
        """Store a new webhook, and give it the next number in `webhook_id`."""
        with asking_again_later(self._engine), begin_write(self._engine) as connection:
            last = select(func.max(webhooks.c.webhook_id)).where(webhooks.c.partition == self._partition)
            webhook.webhook_id = (connection.execute(last).scalar() or 0) + 1
            row = msgspec.structs.asdict(webhook) | {"symbol_ids": " ".join(map(str, webhook.symbol_ids))}
            connection.execute(insert(webhooks).values(partition=self._partition, **row))

    def remove(self, webhook_id: int) -> None:
        """Remove a webhook and its dead letters. Its number is given again only if it was the last."""
        with asking_again_later(self._engine), begin_write(self._engine) as connection:
            for table in (dead_letters, webhooks):
                connection.execute(
                    delete(table).where(
                        table.c.partition == self._partition, table.c.webhook_id == webhook_id
                    )
                )

    def update(self, webhook: Webhook, dead: Dead | None = None) -> None:
        """Store how far a webhook is, whether it is active, and a delivery that nobody took."""
        columns = webhooks.c
        with asking_again_later(self._engine), begin_write(self._engine) as connection:
            changed = connection.execute(
                update(webhooks)
                .where(columns.partition == self._partition, columns.webhook_id == webhook.webhook_id)
                .values(
                    is_active=webhook.is_active,
                    sent_sequence=webhook.sent_sequence,
                    delivered=webhook.delivered,
                    problem=webhook.problem,
                )
            )
            if dead is not None and changed.rowcount:
                row = msgspec.structs.asdict(dead)
                connection.execute(insert(dead_letters).values(partition=self._partition, **row))

    # --- dead letters -----------------------------------------------------------------------------

    def dead(self, webhook_id: int, limit: int) -> list[Dead]:
        """Return a webhook's dead letters, oldest first."""
        columns = dead_letters.c
        found = (
            select(*[columns[name] for name in Dead.__struct_fields__])
            .where(columns.partition == self._partition, columns.webhook_id == webhook_id)
            .order_by(columns.last_sequence)
            .limit(limit)
        )
        with begin_read(self._engine) as connection:
            return [Dead(*row) for row in connection.execute(found)]

    def count_dead(self) -> dict[int, int]:
        """Return how many dead letters each webhook has; those with none are left out."""
        columns = dead_letters.c
        found = (
            select(columns.webhook_id, func.count())
            .where(columns.partition == self._partition)
            .group_by(columns.webhook_id)
        )
        with begin_read(self._engine) as connection:
            return dict(map(tuple, connection.execute(found)))

    def bury(self, dead: Dead) -> None:
        """Forget a dead letter: it was taken after all."""
        columns = dead_letters.c
        with asking_again_later(self._engine), begin_write(self._engine) as connection:
            connection.execute(
                delete(dead_letters).where(
                    columns.partition == self._partition,
                    columns.webhook_id == dead.webhook_id,
                    columns.last_sequence == dead.last_sequence,
                )
            )


def _webhook_of(row: RowMapping) -> Webhook:
    fields = {name: row[name] for name in Webhook.__struct_fields__}
    fields["symbol_ids"] = tuple(int(number) for number in row["symbol_ids"].split())
    return Webhook(**fields)
