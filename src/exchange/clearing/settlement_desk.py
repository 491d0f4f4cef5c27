"""The settlement desk: settles what is due, all or nothing, in two steps that each are one transaction.

1. *Reserve*: what moves is worked out and reserved by pending entries, so that nobody can use it otherwise.
2. *End*: the pending entries are posted and the instructions brought forward; or all of it is given up, and void.

A crash between the two leaves a reserved run; the next order to settle ends that one and does nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.house_store import (
    Act,
    ActRefused,
    Doing,
    find_act,
    list_acts,
    read_pending,
    write_act,
)
from exchange.clearing.instruction_store import (
    KeptInstruction,
    Line,
    read_lines,
    read_open,
    save_instructions,
    save_lines,
    settlement_prices,
)
from exchange.domain.units import format_date, format_money
from exchange.post_trade.books import Books
from exchange.post_trade.house_ledger import Entry, HouseCode, HouseHolder, Phase, house_account
from exchange.post_trade.ledger import CASH
from exchange.post_trade.review import Actor
from exchange.post_trade.settlement import CannotSettle, Outcome, chain_of, compensation, resolved, settle
from exchange.post_trade.settlement_days import SettlementCalendar

SETTLEMENT, ENDED, GIVEN_UP, BUY_IN = "settlement", "settled", "given up", "buy-in"
END = "/end"
SHORTFALLS_SHOWN_MAX = 5


class SettlementTerms(NamedTuple):
    """When is settled, and what becomes of fails. buy_in_after_days: settlement days that one may last, 0 for ever."""

    calendar: SettlementCalendar
    days_after: int = 1
    buy_in_after_days: int = 4
    buy_in_premium_bps: int = 500

    def due(self, business_date: int) -> int:
        """Return the day on which the cycle of a trading day is settled."""
        return self.calendar.after(business_date, self.days_after)


class SettlementDesk:
    """Settles for one partition."""

    def __init__(self, keeper: BookKeeper, terms: SettlementTerms) -> None:
        self._keeper = keeper
        self.terms = terms

    def settle(self, day: int, actor: Actor, why: str, now_ns: int) -> Act:
        """Settle what is due on a day, or end the run that was interrupted; return the act that reserved.

        Raise `ActRefused`, or as `BookKeeper.release` does.
        """
        act = self.reserve(day, actor, why, now_ns)
        self.end(actor, why, now_ns)
        return act

    def reserve(self, day: int, actor: Actor, why: str, now_ns: int) -> Act:
        """Reserve what moves on a day; a run that is reserved already is returned as it is. Raise as `settle` does."""
        return self._keeper.within(
            lambda connection, books: self._reserve(self._doing(connection, books, actor, why, now_ns), day)
        )

    def end(self, actor: Actor, why: str, now_ns: int, give_up: bool = False) -> Act:
        """Post what the open run reserved, or give it up. Raise `ActRefused` where none is open."""
        return self._keeper.within(
            lambda connection, books: self._end(self._doing(connection, books, actor, why, now_ns), give_up)
        )

    def buy_in(self, day: int, actor: Actor, why: str, now_ns: int) -> tuple[list[Act], list[str]]:
        """Close fails that are too old for money; return the acts, and what was refused in whole sentences.

        Raise `ActRefused` where the day is not settled, or as `BookKeeper.release` does.
        """
        return self._keeper.within(
            lambda connection, books: self._buy_in(self._doing(connection, books, actor, why, now_ns), day)
        )

    def _doing(self, connection: Connection, books: Books, actor: Actor, why: str, now_ns: int) -> Doing:
        return Doing(connection, self._keeper.partition, books, actor, why, now_ns)

    # --- runs -------------------------------------------------------------------------------------------

    def _reserve(self, doing: Doing, day: int) -> Act:
        connection, partition = doing.connection, doing.partition
        last = last_run(connection, partition)
        if last is not None and not is_ended(connection, partition, last):
            return last
        self._check_day(doing, day, last)
        due = read_open(connection, partition, day)
        if not due:
            raise ActRefused(f"Nothing is due on {format_date(day)}.")
        symbols = sorted({each.symbol_id for each in due})
        prices = settlement_prices(connection, partition, doing.books.directory, symbols, day)
        ledger = doing.ledger()
        try:
            outcome = settle(
                (each.open for each in due),
                prices,
                lambda account_id, asset: ledger.spendable(HouseHolder.SETTLED, account_id, asset),
            )
        except CannotSettle as error:
            raise ActRefused(shortfalls_in_words(error)) from error
        runs = int(last.source.rpartition("/")[2]) + 1 if last and last.business_date == day else 1
        act = write_act(
            doing, SETTLEMENT, f"settlement/{format_date(day)}/{runs}", day, _body_of(outcome, prices),
            chain_of(outcome), ledger,
        )  # fmt: skip
        save_lines(connection, partition, _lines_of(act.number, outcome, prices))
        return act

    def _check_day(self, doing: Doing, day: int, last: Act | None) -> None:
        present = doing.books.business_date
        if not self.terms.calendar.is_open(day):
            raise ActRefused(f"{format_date(day)} is not a settlement day of the market's calendar.")
        if day > present:
            until = f"the trading day is {format_date(present)}" if present else "no trading day has begun"
            raise ActRefused(f"{format_date(day)} has not come: {until}.")
        if last is not None and day < last.business_date:
            raise ActRefused(
                f"{format_date(last.business_date)} is settled; a day before it cannot be any more."
            )

    def _end(self, doing: Doing, give_up: bool) -> Act:
        connection, partition = doing.connection, doing.partition
        run = last_run(connection, partition)
        if run is None or is_ended(connection, partition, run):
            raise ActRefused("No settlement run is open.")
        phase = Phase.VOID if give_up else Phase.POST
        reserved = {
            key: entry for key, entry, act in read_pending(connection, partition) if act == run.number
        }
        lines = read_lines(connection, partition, run.number)
        act = write_act(
            doing, GIVEN_UP if give_up else ENDED, run.source + END, run.business_date, {"run": run.number},
            resolved(reserved, phase),
        )  # fmt: skip
        if not give_up:
            kept = {each.open.key: each for each in read_open(connection, partition, run.business_date)}
            changed = [
                brought_forward(kept[line.cycle, line.account_id, line.symbol_id], line, run.business_date)
                for line in lines
            ]
            save_instructions(connection, partition, changed)
        return act

    # --- buy-ins ----------------------------------------------------------------------------------------

    def _buy_in(self, doing: Doing, day: int) -> tuple[list[Act], list[str]]:
        connection, partition = doing.connection, doing.partition
        run = last_run(connection, partition)
        if run is None or run.business_date != day or not is_ended(connection, partition, run):
            raise ActRefused(f"{format_date(day)} is not settled yet; what fails is bought in after that.")
        acts: list[Act] = []
        refused: list[str] = []
        for key in [each.open.key for each in self.too_old(connection, partition, day)]:
            try:
                acts += self._buy_in_one(doing, day, key)
            except ActRefused as error:
                refused.append(str(error))
        return acts, refused

    def too_old(self, connection: Connection, partition: int, day: int) -> list[KeptInstruction]:
        """Return the fails to deliver that have lasted so long that they are bought in, oldest first."""
        after, calendar = self.terms.buy_in_after_days, self.terms.calendar
        found = read_open(connection, partition, day) if after else []
        return [each for each in found if each.quantity < 0 and calendar.between(each.due, day) >= after]

    def _buy_in_one(self, doing: Doing, day: int, key: tuple[int, int, int]) -> list[Act]:
        due = {each.open.key: each for each in read_open(doing.connection, doing.partition, day)}
        short = due[key]
        price = -short.cash // short.quantity
        receivers = sorted(
            (each for each in due.values() if each.symbol_id == short.symbol_id and each.quantity > 0),
            key=lambda each: each.open.order,
        )
        parts, left = list[tuple[KeptInstruction, int]](), -short.quantity
        for each in receivers:
            part = min(left, each.quantity)
            left -= part
            parts += [(each, part)] if part else []
        if left or any(each.cash != -each.quantity * price for each in (short, *receivers)):
            raise ActRefused(
                f"Account {short.account_id}, symbol {short.symbol_id}: something has come since the run; settle again."
            )
        premium = compensation(short.quantity, price, self.terms.buy_in_premium_bps)
        source = f"buy-in/{format_date(day)}/{'/'.join(map(str, key))}"
        body = {"cycle": key[0], "account": key[1], "symbol": key[2], "quantity": -short.quantity, "price": price,
                "premium": premium}  # fmt: skip
        act = write_act(doing, BUY_IN, source, day, body, _premium_entries(short, parts, premium))
        changed = [_compensated(short, short.quantity, price, day)]
        changed += [_compensated(each, part, price, day) for each, part in parts]
        save_instructions(doing.connection, doing.partition, changed)
        return [act]


def last_run(connection: Connection, partition: int) -> Act | None:
    """Return the last run, open or ended."""
    return next(iter(list_acts(connection, partition, SETTLEMENT, 0, 1)), None)


def is_ended(connection: Connection, partition: int, run: Act) -> bool:
    """Tell whether a run was posted or given up."""
    return find_act(connection, partition, run.source + END) is not None


def brought_forward(kept: KeptInstruction, line: Line, day: int) -> KeptInstruction:
    """Return an instruction after a run."""
    return kept._replace(
        quantity=line.failed, cash=-line.failed * line.price, settled_on=0 if line.failed else day
    )


def shortfalls_in_words(error: CannotSettle) -> str:
    """Say who lacks what, and what to do."""
    some = [
        f"account {each.account_id} needs {format_money(each.needed)} and has {format_money(each.available)}"
        for each in error.shortfalls[:SHORTFALLS_SHOWN_MAX]
    ]
    return (
        f"Nothing is settled, for {error}, not even for what is marked: {'; '.join(some)}. Let them bring in money, "
        "release margin to them, or declare a default."
    )


def _body_of(outcome: Outcome, prices: dict[int, int]) -> dict[str, object]:
    return {
        "instructions": len(outcome.left),
        "failed": len(outcome.failed),
        "unpaid": outcome.unpaid,
        "prices": {str(symbol_id): price for symbol_id, price in prices.items()},
        "paid": sum(amount for amount in outcome.money.values() if amount > 0),
    }


def _lines_of(act: int, outcome: Outcome, prices: dict[int, int]) -> Iterable[Line]:
    return (
        Line(act, *each.key, each.due, outcome.settled.get(each.key, 0), outcome.marks[each.key], each.quantity,
             prices[each.symbol_id])
        for each in outcome.left
    )  # fmt: skip


def _compensated(kept: KeptInstruction, part: int, price: int, day: int) -> KeptInstruction:
    left = kept.quantity - part
    return kept._replace(
        quantity=left, cash=-left * price, compensated=kept.compensated + part, settled_on=0 if left else day
    )


def _premium_entries(
    short: KeptInstruction, parts: list[tuple[KeptInstruction, int]], premium: int
) -> list[Entry]:
    """Return who pays whom for what is not delivered, by shares; what rounding leaves goes to the oldest."""
    if not premium:
        return []
    house, whole = house_account(HouseHolder.HOUSE, 0, CASH), -short.quantity
    amounts = [premium * part // whole for _, part in parts]
    amounts[0] += premium - sum(amounts)
    payer = house_account(HouseHolder.SETTLED, short.account_id, CASH)
    return [Entry(payer, house, premium, HouseCode.BUY_IN)] + [
        Entry(house, house_account(HouseHolder.SETTLED, each.account_id, CASH), amount, HouseCode.BUY_IN)
        for (each, _), amount in zip(parts, amounts, strict=True)
        if amount
    ]
