"""Perform the steps of a scenario on a venue, and say in a trader's words what follows."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.domain import commands as c
from exchange.domain.allocation import AllocationStep, LeadMaker, parse_step
from exchange.domain.order import SelfTradeMode, Side
from exchange.domain.order_list import ListedOrder
from exchange.domain.participant import Role
from exchange.domain.phase import Phase
from exchange.domain.quote import Quote
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.symbol import SymbolState, TickRow
from exchange.domain.trade import BustReason
from exchange.domain.units import (
    format_date,
    format_money,
    format_price,
    format_time,
    parse_money,
    parse_time,
)
from exchange.matching.venue import Venue
from exchange.wire.records import COMMAND_HEADER
from tests.matching.desk import Desk
from tests.scenarios.asked import UNPRICED, asked_of, price_of, step, type_of
from tests.scenarios.linked_steps import LinkedSteps
from tests.scenarios.words import Names, say

WHOM = r"(?P<whom>market|symbol|participant|account|session)(?: (?P<name>(?!by\b|to\b|in\b)\w+))?"
USAGE = ("open buys", "open sales", "gross", "loss")


class Stage(LinkedSteps):
    """A venue with the members and the symbol of the README, and the names of a scenario."""

    def __init__(self, venue: Venue) -> None:
        self.desk = Desk(venue)
        self.names = Names(venue.directory)

    def perform(self, text: str) -> list[str]:
        """Perform one step; return what follows, each as one line."""
        for method in STEPS:
            found = method.pattern.fullmatch(text)
            if found:
                outcome = method(self, **found.groupdict())
                return outcome if isinstance(outcome, list) else self._send(outcome)
        raise AssertionError(f"no step of the language: {text!r}; see tests/scenarios/README.md")

    def _send(self, command: c.Command) -> list[str]:
        return [say(event, self.names) for event in self.desk.send(command)]

    # --- orders --------------------------------------------------------------------------------------

    @step(
        r"(?P<side>buy|sell) (?P<quantity>\d+) @ (?P<price>\S+)(?P<asks>(?: \S+)*?) by (?P<account>\w+)"
        r"(?: in (?P<symbol>\w+))?(?: id (?P<id>\S+))? as (?P<name>\w+)"
    )
    def enter(self, side: str, quantity: str, price: str, account: str, name: str, **more: str) -> c.Command:
        self.names.next_order(name, self.desk.venue, self.names.owner(account))
        asked, terms = asked_of(more["asks"].split())
        command = c.EnterSpecialOrder if terms else c.EnterOrder
        return command(
            account_id=self.names.account(account), symbol_id=self.names.symbol(more["symbol"] or "XYZ"),
            side=Side[side.upper()], quantity=int(quantity), price=0 if price in UNPRICED else price_of(price),
            order_type=type_of(price, terms), client_order_id=more["id"] or "", **asked, **terms,
        )  # fmt: skip

    @step(r"cancel (?P<name>(?!all\b)\w+)(?: by (?P<by>\w+))?")
    def cancel(self, name: str, by: str) -> c.Command:
        return c.CancelOrder(order_id=self.names.order(name), participant_id=self._authority(name, by))

    @step(r"amend (?P<name>\w+) to (?P<quantity>\d+) @ (?P<price>\S+)(?: by (?P<by>\w+))?")
    def amend(self, name: str, quantity: str, price: str, by: str) -> c.Command:
        return c.AmendOrder(
            order_id=self.names.order(name), participant_id=self._authority(name, by), quantity=int(quantity),
            price=price_of(price),
        )  # fmt: skip

    @step(
        r"replace (?P<name>\w+) with (?P<quantity>\d+) @ (?P<price>\S+)(?: by (?P<by>\w+))?(?: id (?P<id>\S+))?"
        r" as (?P<new>\w+)"
    )
    def replace(self, name: str, quantity: str, price: str, by: str, id: str, new: str) -> c.Command:
        order_id, authority = self.names.order(name), self._authority(name, by)
        self.names.next_order(new, self.desk.venue, self.names.owners.get(name, 0))
        return c.ReplaceOrder(
            order_id=order_id, participant_id=authority, quantity=int(quantity), price=price_of(price),
            client_order_id=id or "",
        )  # fmt: skip

    @step(
        r"cancel all(?: by (?P<by>\w+))?(?: of (?P<account>\w+))?(?: in (?P<symbol>\w+))?(?: (?P<side>buys|sells))?"
        r"(?: from (?P<lowest>\S+))?(?: to (?P<highest>\S+))?"
    )
    def cancel_all(self, by: str, account: str, symbol: str, side: str, **prices: str) -> c.Command:
        ends = {f"{end}_price": price_of(price) for end, price in prices.items() if price}
        command = c.CancelOrdersWithin if ends else c.CancelOrders
        return command(
            participant_id=self.names.participant(by or "exchange"),
            account_id=self.names.account(account) if account else 0,
            symbol_id=self.names.symbol(symbol) if symbol else 0,
            side=Side[side.upper()[:-1]] if side else 0,
            **ends,
        )

    def _authority(self, name: str, by: str | None) -> int:
        """Return who acts: who the step says, else the owner of the order."""
        return self.names.participant(by) if by else self.names.owners.get(name, 1)

    # --- trades, symbols, holdings, time -------------------------------------------------------------

    @step(r"bust (?P<trade>\w+)(?: (?P<why>\w+))?")
    def bust(self, trade: str, why: str) -> c.Command:
        return c.BustTrade(
            **self.names.facts(trade), ruling_id=0, reason=BustReason[(why or "erroneous").upper()]
        )

    @step(r"correct (?P<trade>\w+) to (?P<quantity>\d+) @ (?P<price>\S+)")
    def correct(self, trade: str, quantity: str, price: str) -> c.Command:
        return c.CorrectTrade(
            **self.names.facts(trade), ruling_id=0, reason=BustReason.ERRONEOUS, new_price=price_of(price),
            new_quantity=int(quantity),
        )  # fmt: skip

    @step(r"(?P<verb>suspend|resume) (?P<symbol>\w+)")
    def set_state(self, verb: str, symbol: str) -> c.Command:
        state = SymbolState.SUSPENDED if verb == "suspend" else SymbolState.ACTIVE
        return c.SetSymbolState(symbol_id=self.names.symbol(symbol), state=state)

    @step(r"reference (?P<symbol>\w+) (?P<price>\S+)")
    def set_reference(self, symbol: str, price: str) -> c.Command:
        return c.SetReferencePrice(symbol_id=self.names.symbol(symbol), reference_price=price_of(price))

    @step(
        r"configure (?P<symbol>\w+) in version (?P<version>\d+)(?: name (?P<name>\w+))?(?: reference (?P<price>\S+))?"
        r"(?: lot (?P<lot>\d+))?(?: state (?P<state>\d))?(?: ticks (?P<tick>\S+))?(?: reference (?P<later>\S+))?"
    )
    def configure(self, symbol: str, version: str, **given: str) -> c.Command:
        price = given["price"] or given["later"]
        return c.ConfigureSymbol(
            configuration_version=int(version), symbol=symbol, name=given["name"] or "",
            reference_price=price_of(price) if price else 0, round_lot=int(given["lot"] or 0),
            state=int(given["state"] or 0), ticks=(TickRow(0, price_of(given["tick"])),) if given["tick"] else (),
        )  # fmt: skip

    @step(r"rule (?P<number>\d+) of (?P<count>\d+) in version (?P<version>\d+)")
    def rule(self, number: str, count: str, version: str) -> c.Command:
        return c.ConfigureRule(
            configuration_version=int(version), number=int(number), count=int(count), rules_version=1,
            text="{}" if int(count) else "",
        )  # fmt: skip

    @step(r"confirm version (?P<version>\d+)")
    def confirm(self, version: str) -> c.Command:
        return c.ConfirmConfiguration(
            configuration_version=int(version), key_id=1, approver_key_id=0, sha256=bytes(32), note="why"
        )

    @step(r"(?P<verb>deposit|withdraw) (?P<amount>\S+) (?P<what>\w+) for (?P<account>\w+)")
    def move(self, verb: str, amount: str, what: str, account: str) -> c.Command:
        in_cash = what == "cash"
        command = c.Deposit if verb == "deposit" else c.Withdraw
        return command(
            account_id=self.names.account(account), symbol_id=0 if in_cash else self.names.symbol(what),
            amount=parse_money(amount) if in_cash else int(amount),
        )  # fmt: skip

    @step(r"time (?P<time>\S+)")
    def set_time(self, time: str) -> list[str]:
        self.desk.time_ns = parse_time(time)
        return []

    @step(r"tick")
    def tick(self) -> c.Command:
        return c.Tick()

    @step(r"start day (?P<date>[\d-]+)(?: ends (?P<ends>\S+))?")
    def start_day(self, date: str, ends: str) -> c.Command:
        return c.StartBusinessDay(date=int(date.replace("-", "")), ends_ns=parse_time(ends) if ends else 0)

    @step(r"send (?P<type>\w+)(?P<fields>(?: \w+=\S*)*)")
    def send_any(self, type: str, fields: str) -> c.Command:
        given = dict(pair.split("=", 1) for pair in fields.split())
        return any_command(getattr(c, type), given, self.names)

    @step(r"send record of type (?P<number>\d+), version (?P<version>\d+), with (?P<size>\d+) bytes")
    def send_record(self, number: str, version: str, size: str) -> list[str]:
        length = COMMAND_HEADER.size + int(size)
        record = COMMAND_HEADER.pack(length, int(number), int(version), 0, 0, 0) + bytes(int(size))
        return [say(event, self.names) for event in self.desk.send_record(record)]

    # --- risk ----------------------------------------------------------------------------------------

    @step(rf"block {WHOM} by (?P<role>\w+)(?P<keeping> keeping orders)?(?: because (?P<note>\w+))?")
    def block(self, whom: str, name: str, role: str, keeping: str, note: str) -> c.Command:
        return c.BlockTrading(
            scope=RiskScope[whom.upper()], subject_id=self._subject(whom, name), key_id=7,
            role=Role[role.upper()], cancels_orders=not keeping, note=note or "",
        )  # fmt: skip

    @step(rf"unblock {WHOM} by (?P<role>\w+)")
    def unblock(self, whom: str, name: str, role: str) -> c.Command:
        return c.UnblockTrading(
            scope=RiskScope[whom.upper()], subject_id=self._subject(whom, name), key_id=8,
            role=Role[role.upper()],
        )  # fmt: skip

    @step(r"timer of (?P<member>\w+) (?P<timeout>\d+) ms")
    def set_timer(self, member: str, timeout: str) -> c.Command:
        return c.SetCancelTimer(participant_id=self.names.participant(member), timeout_ms=int(timeout))

    @step(
        rf"limit (?P<kind>[a-z-]+) of {WHOM}(?: in (?P<symbol>\w+))? to (?P<value>\S+)"
        r"(?: (?:within|burst) (?P<span>\d+))?"
    )
    def set_limit(self, kind: str, whom: str, name: str, symbol: str, value: str, span: str) -> c.Command:
        return c.SetRiskLimit(
            scope=RiskScope[whom.upper()], subject_id=self._subject(whom, name),
            kind=LimitKind[kind.upper().replace("-", "_")], symbol_id=self.names.symbol(symbol) if symbol else 0,
            value=self.names.number(value), span=int(span or 0),
        )  # fmt: skip

    @step(rf"no limit (?P<kind>[a-z-]+) of {WHOM}(?: in (?P<symbol>\w+))?")
    def lift_limit(self, kind: str, whom: str, name: str, symbol: str) -> c.Command:
        return c.SetRiskLimit(
            scope=RiskScope[whom.upper()], subject_id=self._subject(whom, name), is_set=False,
            kind=LimitKind[kind.upper().replace("-", "_")], symbol_id=self.names.symbol(symbol) if symbol else 0,
        )  # fmt: skip

    @step(rf"usage of {WHOM}")
    def usage(self, whom: str, name: str) -> list[str]:
        """Show what is measured for a subject's limits."""
        used = self.desk.venue.risk_usage(RiskScope[whom.upper()], self._subject(whom, name))
        if used is None:
            return ["no limits"]
        money = [f"{word} {format_money(value)}" for word, value in zip(USAGE, used, strict=True)]
        return [", ".join(money)]

    def _subject(self, whom: str, name: str) -> int:
        named = {
            "symbol": self.names.symbol, "participant": self.names.participant, "account": self.names.account,
        }  # fmt: skip
        return named[whom](name) if name and whom in named else int(name or 0)

    # --- looking -------------------------------------------------------------------------------------

    @step(r"book(?: (?P<symbol>\w+))?")
    def book(self, symbol: str | None) -> list[str]:
        bids, asks = self.desk.venue.orders(self.names.symbol(symbol or "XYZ"))
        return [f"bids {self._queues(bids)}", f"asks {self._queues(asks)}"]

    def _queues(self, orders: list[Any]) -> str:
        levels: dict[int, list[str]] = {}
        for order in orders:
            levels.setdefault(order.price, []).append(
                f"{self.names.of_order(order.order_id)}:{order.displayed}"
            )
        return ", ".join(f"{format_price(p)} {' '.join(queue)}" for p, queue in levels.items()) or "none"

    @step(r"inside(?: (?P<symbol>\w+))?")
    def inside(self, symbol: str | None) -> list[str]:
        """Show what is not shown: what waits behind icebergs, and hidden orders."""
        symbol_id = self.names.symbol(symbol or "XYZ")
        shown, hidden = self.desk.venue.orders(symbol_id), self.desk.venue.hidden_orders(symbol_id)
        sides = zip(("bids", "asks"), shown, hidden, strict=True)
        return [f"{side} {self._insides([o for o in of if o.reserve], more)}" for side, of, more in sides]

    def _insides(self, icebergs: list[Any], hidden: list[Any]) -> str:
        texts = [
            f"{format_price(order.price)} {self.names.of_order(order.order_id)}:{shown}+{order.leaves - shown}"
            for orders in (icebergs, hidden)
            for order in orders
            for shown in [order.displayed if order.is_shown else 0]
        ]
        return ", ".join(texts) or "none"

    @step(r"stops(?: (?P<symbol>\w+))?")
    def stops(self, symbol: str | None) -> list[str]:
        """Show the stop orders that wait."""
        sides = self.desk.venue.stop_orders(self.names.symbol(symbol or "XYZ"))
        return [
            f"{side} {self._stops(waiting)}" for side, waiting in zip(("buys", "sales"), sides, strict=True)
        ]

    def _stops(self, waiting: list[Any]) -> str:
        texts = [
            f"{format_price(order.terms.stop_price)} {self.names.of_order(order.order_id)}:{order.leaves}"
            for order in waiting
        ]
        return ", ".join(texts) or "none"

    @step(r"group (?P<group>\d+) of (?P<member>\w+)(?: (?P<mode>[a-z-]+))?")
    def set_group(self, group: str, member: str, mode: str | None) -> c.Command:
        return c.SetSelfTradePrevention(
            participant_id=self.names.participant(member), group=int(group),
            mode=SelfTradeMode[(mode or "none").upper().replace("-", "_")],
        )  # fmt: skip

    @step(r"protection (?P<symbol>\w+) (?P<bps>\d+) bps")
    def set_protection(self, symbol: str, bps: str) -> c.Command:
        return c.SetMarketProtection(symbol_id=self.names.symbol(symbol), protection_bps=int(bps))

    # --- corporate actions ---------------------------------------------------------------------------

    @step(r"split (?P<symbol>\w+) (?P<new>\d+) for (?P<old>\d+)(?: paying (?P<cash>\S+))?")
    def split(self, symbol: str, new: str, old: str, cash: str | None) -> c.Command:
        return c.SplitSymbol(
            symbol_id=self.names.symbol(symbol), new_shares=int(new), old_shares=int(old),
            cash_price=price_of(cash or "0"),
        )  # fmt: skip

    @step(r"rename (?P<symbol>\w+) to (?P<ticker>\S+)(?: called (?P<name>\w+))?")
    def rename(self, symbol: str, ticker: str, name: str | None) -> c.Command:
        return c.RenameSymbol(symbol_id=self.names.symbol(symbol), symbol=ticker, name=name or "")

    @step(r"short sales (?P<symbol>\w+) (?P<bps>\d+) bps(?P<locate> locate)?(?P<marking> marking)?")
    def short_sales(self, symbol: str, bps: str, locate: str | None, marking: str | None) -> c.Command:
        return c.SetShortSaleTerms(
            symbol_id=self.names.symbol(symbol), trigger_bps=int(bps), needs_locate=bool(locate),
            needs_marking=bool(marking),
        )  # fmt: skip

    @step(r"dividend (?P<symbol>\w+) (?P<amount>\S+)")
    def dividend(self, symbol: str, amount: str) -> c.Command:
        return c.PayDividend(symbol_id=self.names.symbol(symbol), amount=price_of(amount))

    # --- phases --------------------------------------------------------------------------------------

    @step(r"phase (?P<symbol>\w+) (?P<phase>[a-z-]+)")
    def set_phase(self, symbol: str, phase: str) -> c.Command:
        return c.SetPhase(symbol_id=self._symbol_or_all(symbol), phase=phase_of(phase))

    @step(
        r"schedule (?P<symbol>\w+) (?P<phase>[a-z-]+) at (?P<time>\S+)(?: within (?P<within>\d+) s by (?P<seed>\d+))?"
    )
    def schedule(self, symbol: str, phase: str, time: str, within: str, seed: str) -> c.Command:
        return c.SchedulePhase(
            symbol_id=self._symbol_or_all(symbol), phase=phase_of(phase), at_ns=parse_time(time),
            random_ns_max=int(within or 0) * SECOND_NS, seed=int(seed or 0),
        )  # fmt: skip

    @step(r"clear schedule of (?P<symbol>\w+)")
    def clear_schedule(self, symbol: str) -> c.Command:
        return c.ClearSchedule(symbol_id=self._symbol_or_all(symbol))

    @step(r"halt (?P<symbol>\w+) for (?P<reason>\w+)")
    def halt(self, symbol: str, reason: str) -> c.Command:
        return c.HaltTrading(symbol_id=self._symbol_or_all(symbol), reason=reason)

    @step(r"end halt of (?P<symbol>\w+)(?: after (?P<call>\d+) s)?")
    def end_halt(self, symbol: str, call: str) -> c.Command:
        return c.ResumeTrading(symbol_id=self._symbol_or_all(symbol), call_ns=int(call or 0) * SECOND_NS)

    @step(r"collar (?P<symbol>\w+) (?P<bps>\d+) bps, (?P<most>\d+) extensions of (?P<seconds>\d+) s")
    def set_collar(self, symbol: str, bps: str, most: str, seconds: str) -> c.Command:
        return c.SetAuctionTerms(
            symbol_id=self.names.symbol(symbol), collar_bps=int(bps), extension_ns=int(seconds) * SECOND_NS,
            extensions_max=int(most),
        )  # fmt: skip

    @step(r"bands (?P<symbol>\w+) (?:tier (?P<tier>\d+)|none)")
    def set_bands(self, symbol: str, tier: str | None) -> c.Command:
        return c.SetPriceBands(symbol_id=self.names.symbol(symbol), tier=int(tier or 0))

    @step(
        r"corridor (?P<symbol>\w+) (?P<dynamic>\d+) bps, static (?P<static>\d+) bps, auction of (?P<call>\d+) s"
        r"(?: within (?P<random>\d+) s by (?P<seed>\d+))?"
    )
    def set_corridor(
        self, symbol: str, dynamic: str, static: str, call: str, random: str | None, seed: str | None
    ) -> c.Command:
        return c.SetPriceCorridor(
            symbol_id=self.names.symbol(symbol), dynamic_bps=int(dynamic), static_bps=int(static),
            call_ns=int(call) * SECOND_NS, random_ns_max=int(random or 0) * SECOND_NS, seed=int(seed or 0),
        )  # fmt: skip

    @step(r"breaker from (?P<level>\d+)")
    def set_breaker(self, level: str) -> c.Command:
        return c.SetMarketBreaker(close_level=int(level))

    @step(r"index at (?P<level>\d+)")
    def report_level(self, level: str) -> c.Command:
        return c.ReportIndexLevel(level=int(level))

    @step(r"waiting(?: (?P<symbol>\w+))?")
    def waiting(self, symbol: str | None) -> list[str]:
        """Show the orders that trade in an auction only."""
        sides = self.desk.venue.auction_orders(self.names.symbol(symbol or "XYZ"))
        return [f"{side} {self._waiting(of)}" for side, of in zip(("buys", "sales"), sides, strict=True)]

    def _waiting(self, orders: list[Any]) -> str:
        texts = [
            f"{price} {self.names.of_order(order.order_id)}:{order.leaves}"
            for order in orders
            for price in [format_price(order.price) if order.price else "market"]
        ]
        return ", ".join(texts) or "none"

    def _symbol_or_all(self, name: str) -> int:
        return 0 if name == "all" else self.names.symbol(name)

    @step(r"allocation (?P<symbol>\w+) (?P<steps>[a-z_0-9,= ]+?)(?P<makers>(?: lead \w+:\d+)*)")
    def set_allocation(self, symbol: str, steps: str, makers: str) -> c.Command:
        pairs = [pair.split(":") for pair in makers.replace(" lead ", " ").split()]
        return c.SetAllocation(
            symbol_id=self.names.symbol(symbol),
            steps=tuple(parse_step(each) for each in steps.split() if steps != "price_time"),
            lead_makers=tuple(LeadMaker(self.names.account(name), int(share)) for name, share in pairs),
        )  # fmt: skip

    @step(r"deadline")
    def deadline(self) -> list[str]:
        return [format_time(self.desk.venue.next_deadline)]

    @step(r"place (?P<name>\w+)")
    def place(self, name: str) -> list[str]:
        found = self.desk.venue.place_in_queue(self.names.order(name))
        return [f"place {found.place}, {found.quantity_ahead} ahead" if found else "not in the book"]

    @step(r"holdings (?P<account>\w+)")
    def holdings(self, account: str) -> list[str]:
        account_id, venue = self.names.account(account), self.desk.venue
        shares = [
            f"{symbol.symbol} {venue.balance(account_id, symbol.symbol_id)}"
            for symbol in venue.directory.symbols.values()
        ]
        return [", ".join([f"cash {format_money(venue.balance(account_id, 0))}", *shares])]

    @step(r"reference\? (?P<symbol>\w+)")
    def reference(self, symbol: str) -> list[str]:
        return [format_price(self.desk.venue.reference_price(self.names.symbol(symbol)))]

    @step(r"date")
    def date(self) -> list[str]:
        return [format_date(self.desk.venue.business_date)]


SECOND_NS = 1_000_000_000
ROWS: dict[str, type] = {
    "steps": AllocationStep,
    "lead_makers": LeadMaker,
    "orders": ListedOrder,
    "quotes": Quote,
}
STEPS = [method for kind in Stage.__mro__ for method in vars(kind).values() if hasattr(method, "pattern")]


def phase_of(text: str) -> Phase:
    """Read the name of a phase."""
    return Phase[text.upper().replace("-", "_")]


def number_or_text(text: str) -> int | str:
    """Read a field of a row: a number, else a text."""
    return int(text) if text.isdigit() else text


def any_command(command_type: type[c.Command], given: dict[str, str], names: Names) -> c.Command:
    """Make a command of any type from the texts of its fields; what is left out is 0 or empty."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(command_type):
        text = given.pop(field.name, None)
        if field.name in ROWS:
            rows = [pair.split(":") for pair in (text or "").split(";") if pair]
            values[field.name] = tuple(ROWS[field.name](*map(number_or_text, row)) for row in rows)
            continue
        if field.name == "ticks":
            rows = [pair.split(":") for pair in (text or "0:1").split(",") if pair != "none"]
            values["ticks"] = tuple(TickRow(int(start), int(tick)) for start, tick in rows)
        elif field.name == "sha256":
            values["sha256"] = (text or "").encode().ljust(32, b".")
        elif field.type is str or field.name in ("name", "label", "client_order_id", "symbol"):
            values[field.name] = (text or "").replace("_", " ")
        else:
            values[field.name] = names.number(text or "0")
    assert not given, f"{command_type.__name__} has no field {', '.join(given)}"
    return command_type(**values)
