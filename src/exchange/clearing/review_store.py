"""Reviews, proposed rulings and the audit trail in clearing's store; all inside a transaction of the caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from exchange.clearing import tables
from exchange.domain.units import TimeNs
from exchange.post_trade.audit import NO_ENTRIES, AuditEntry, entry_hash
from exchange.post_trade.review import EVENT_NS, Actor, Review, ReviewState
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState

EVENT_TRADES_MAX = 10_000
"""Trades that are looked through for the securities of one event."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Review).decode


class Proposal(NamedTuple):
    """A ruling that waits for a second officer. price, quantity: 0 for what stays."""

    kind: str
    code: int
    price: int
    quantity: int
    key_id: int
    who: str


# --- reviews ----------------------------------------------------------------------------------------


def next_review_id(connection: Connection, partition: int) -> int:
    """Return the number of the next review."""
    table = tables.reviews
    query = select(func.max(table.c.review_id)).where(table.c.partition == partition)
    return (connection.execute(query).scalar() or 0) + 1


def write_review(connection: Connection, partition: int, review: Review, *, is_new: bool = False) -> None:
    """Store a review in place of what it was."""
    table = tables.reviews
    values = {"state": review.state.value, "due_ns": review.due_ns, "body": _encode(review)}
    if is_new:
        facts = {
            "match_id": review.match_id,
            "applicant": review.applicant,
            "counterparty": review.counterparty,
        }
        connection.execute(
            insert(table).values(partition=partition, review_id=review.review_id, **facts, **values)
        )
        return
    own = (table.c.partition == partition, table.c.review_id == review.review_id)
    connection.execute(update(table).where(*own).values(**values))


def read_review(connection: Connection, partition: int, review_id: int) -> Review | None:
    """Look up a review."""
    table = tables.reviews
    own = (table.c.partition == partition, table.c.review_id == review_id)
    row = connection.execute(select(table.c.body).where(*own)).first()
    return _decode(row.body) if row else None


def reviews_of_trade(connection: Connection, match_id: int) -> list[Review]:
    """Read the reviews of a trade, oldest first."""
    table = tables.reviews
    rows = connection.execute(
        select(table.c.body).where(table.c.match_id == match_id).order_by(table.c.review_id)
    )
    return [_decode(row.body) for row in rows]


def list_reviews(
    connection: Connection, partition: int, state: str, participant: int, before: int, limit: int
) -> list[Review]:
    """Read a page of reviews, newest first. state: empty for any; participant: 0 for everybody's."""
    table = tables.reviews
    conditions: list[ColumnElement[bool]] = [table.c.partition == partition]
    if state:
        conditions.append(table.c.state == state)
    if participant:
        conditions.append(or_(table.c.applicant == participant, table.c.counterparty == participant))
    if before:
        conditions.append(table.c.review_id < before)
    query = select(table.c.body).where(*conditions).order_by(table.c.review_id.desc()).limit(limit)
    return [_decode(row.body) for row in connection.execute(query)]


def due_reviews(connection: Connection, partition: int, now_ns: int, limit: int) -> list[Review]:
    """Read the reviews that are ruled on and whose time to appeal is over."""
    table = tables.reviews
    query = select(table.c.body).where(
        table.c.partition == partition,
        table.c.state.in_((ReviewState.GRANTED.value, ReviewState.DENIED.value)),
        table.c.due_ns <= now_ns,
    )
    return [_decode(row.body) for row in connection.execute(query.order_by(table.c.due_ns).limit(limit))]


def securities_in_event(connection: Connection, trade: Trade) -> int:
    """Count the securities with trades under suspicion within five minutes of a trade, its own included."""
    table = tables.trades
    unusual = [
        state.value for state in TradeState if state not in (TradeState.ACCEPTED, TradeState.CORRECTED)
    ]
    near = (
        select(table.c.symbol_id)
        .where(
            table.c.partition == trade.partition,
            table.c.state.in_(unusual),
            table.c.executed_ns.between(trade.executed_ns - EVENT_NS, trade.executed_ns + EVENT_NS),
        )
        .limit(EVENT_TRADES_MAX)
    )
    return len({trade.symbol_id, *connection.execute(near).scalars()})


# --- proposed rulings -------------------------------------------------------------------------------


def read_proposal(connection: Connection, partition: int, match_id: int) -> Proposal | None:
    """Return the ruling on a trade that waits for a second officer."""
    table = tables.proposals
    columns = [table.c[name] for name in Proposal._fields]
    row = connection.execute(
        select(*columns).where(table.c.partition == partition, table.c.match_id == match_id)
    ).first()
    return Proposal(*row) if row else None


def write_proposal(
    connection: Connection, partition: int, match_id: int, proposal: Proposal | None, time_ns: int
) -> None:
    """Put a proposed ruling in the place of the one before; None for none."""
    table = tables.proposals
    connection.execute(delete(table).where(table.c.partition == partition, table.c.match_id == match_id))
    if proposal is not None:
        connection.execute(
            insert(table).values(
                partition=partition, match_id=match_id, time_ns=time_ns, **proposal._asdict()
            )
        )


# --- the audit trail --------------------------------------------------------------------------------


def write_audit(
    connection: Connection,
    partition: int,
    actor: Actor,
    what: str,
    subject: str,
    why: str,
    time_ns: int,
    detail: str = "",
) -> None:
    """Append an entry to the audit trail."""
    table = tables.audit_trail
    last = connection.execute(
        select(table.c.number, table.c.hash)
        .where(table.c.partition == partition)
        .order_by(table.c.number.desc())
        .limit(1)
    ).first()
    entry = AuditEntry(
        number=last.number + 1 if last else 1,
        time_ns=TimeNs(time_ns),
        key_id=actor.key_id,
        who=actor.who,
        what=what,
        subject=subject,
        why=why,
        detail=detail,
    )
    hashed = entry_hash(last.hash if last else NO_ENTRIES, entry)
    connection.execute(
        insert(table).values(partition=partition, hash=hashed, **msgspec.structs.asdict(entry))
    )


def list_audit(connection: Connection, partition: int, before: int, limit: int) -> Sequence[Row[Any]]:
    """Read a page of the audit trail, newest first."""
    table = tables.audit_trail
    query = select(table).where(table.c.partition == partition)
    if before:
        query = query.where(table.c.number < before)
    return connection.execute(query.order_by(table.c.number.desc()).limit(limit)).all()


def read_audit(connection: Connection, partition: int) -> Iterator[tuple[AuditEntry, bytes]]:
    """Read the whole audit trail, oldest first, each entry with its stored hash."""
    table = tables.audit_trail
    query = select(table).where(table.c.partition == partition).order_by(table.c.number)
    for row in connection.execute(query):
        fields = {name: getattr(row, name) for name in AuditEntry.__struct_fields__}
        yield AuditEntry(**fields), row.hash
