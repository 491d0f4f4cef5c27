"""The clearing house as a stage for tables that an accountant can read: a step, and every entry that it books.

Accounts are ann 1, bob 2, cat 3 and dan 4; symbols ABC 1 and XYZ 2. Money has a point, shares have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from exchange.domain.units import format_money, parse_money, parse_price
from exchange.post_trade import fee_charges, waterfall
from exchange.post_trade.house_ledger import (
    Entry,
    HouseCode,
    HouseHolder,
    HouseLedger,
    Phase,
    PostingRefused,
    account_id_of,
    entry_id,
    faults_of,
    holder_of,
    house_account,
    reversal,
)
from exchange.post_trade.ledger import CASH, asset_of
from exchange.post_trade.margin import Exposure, MarginRules, require
from exchange.post_trade.settlement import (
    CannotSettle,
    Instruction,
    chain_of,
    compensation,
    resolved,
    settle,
)

NAMES = {"ann": 1, "bob": 2, "cat": 3, "dan": 4}
SYMBOLS = {"cash": CASH, "ABC": 1, "XYZ": 2}
_NAME_OF = {number: name for name, number in NAMES.items()}
_ASSET_OF = {number: name for name, number in SYMBOLS.items()}
_HOUSES_OWN = {
    HouseHolder.HOUSE: "house",
    HouseHolder.CAPITAL: "capital",
    HouseHolder.FEES: "fees",
    HouseHolder.OWNERS: "owners",
}
_STEPS: list[tuple[re.Pattern[str], Callable[..., list[str]]]] = []
_NUMBER = {"amount": r"[\d,]+\.\d\d|\d+", "signed": r"[+-][\d,]+\.\d\d", "shares": r"[+-]\d+"}


def step(pattern: str) -> Callable[[Callable[..., list[str]]], Callable[..., list[str]]]:
    """Let a method perform the lines of this form; `{amount}`, `{signed}` and `{shares}` are numbers, others words."""

    def keep(method: Callable[..., list[str]]) -> Callable[..., list[str]]:
        form = re.sub(r"\{(\w+)\}", lambda found: f"({_NUMBER.get(found[1], r'[^ ]+')})", pattern)
        _STEPS.append((re.compile(form), method))
        return method

    return keep


def amount_of(text: str) -> int:
    """Read money (with a point) or shares."""
    plain = text.replace(",", "").removeprefix("+")
    sign = -1 if plain.startswith("-") else 1
    plain = plain.removeprefix("-")
    return sign * (int(parse_money(plain)) if "." in plain else int(plain))


def shown(amount: int, asset: int) -> str:
    """Write money with its point, and shares without."""
    return format_money(amount) if asset == CASH else f"{amount} {_ASSET_OF[asset]}"


def account_shown(number: int) -> str:
    """Write an account: `ann settled`, `house`."""
    holder = holder_of(number)
    return _HOUSES_OWN.get(holder) or f"{_NAME_OF[account_id_of(number)]} {holder.name.lower()}"


def entry_shown(entry: Entry) -> str:
    """Write an entry: where it is debited, where credited, how much, what for."""
    how = {Phase.PENDING: ", pending", Phase.VOID: ", void"}.get(entry.phase, "")
    what = shown(entry.amount, asset_of(entry.debit))
    return f"{account_shown(entry.debit)} to {account_shown(entry.credit)}: {what}, {entry.code.name.lower()}{how}"


class HouseStage:
    """Plays one scenario."""

    def __init__(self) -> None:
        self.brought: dict[int, int] = {}
        self.prices: dict[int, int] = {}
        self.open: list[Instruction] = []
        self.ledger = HouseLedger(backing=lambda number: self.brought.get(number, 0))
        self.acts = 0
        self.entries: dict[int, list[Entry]] = {}
        self.reserved: dict[bytes, Entry] = {}
        self.after: list[Instruction] = []
        self.charged: dict[fee_charges.Charge, int] = {}

    def play(self, line: str) -> list[str]:
        """Perform a line; return what it leads to."""
        for form, method in _STEPS:
            if found := form.fullmatch(line):
                try:
                    said = method(self, *found.groups())
                except (PostingRefused, CannotSettle) as error:
                    said = [f"refused: {_reason(error)}"]
                assert faults_of(self.ledger.balances) == [], (
                    "debits are not credits, or the house is not flat"
                )
                return said
        raise AssertionError(f"no step is written {line!r}")

    def book(self, entries: list[Entry]) -> list[str]:
        """Book entries as one act, and show them."""
        self.acts += 1
        self.ledger.post(f"act {self.acts}", entries)
        self.entries[self.acts] = entries
        return [entry_shown(entry) for entry in entries]

    # --- what there is ------------------------------------------------------------------------------------

    @step("{who} brings in {amount} {asset}")
    def brings(self, who: str, amount: str, asset: str) -> list[str]:
        account = house_account(HouseHolder.SETTLED, NAMES[who], SYMBOLS[asset])
        self.brought[account] = self.brought.get(account, 0) + amount_of(amount)
        return []

    @step("price {symbol} {price}")
    def price(self, symbol: str, price: str) -> list[str]:
        self.prices[SYMBOLS[symbol]] = parse_price(price)
        return []

    @step("cycle {cycle} due {due}: {who} {shares} {symbol} for {signed}")
    def cycle(self, cycle: str, due: str, who: str, shares: str, symbol: str, cash: str) -> list[str]:
        days = [int(day) for day in (cycle, due)]
        self.open.append(
            Instruction(days[0], NAMES[who], SYMBOLS[symbol], days[1], amount_of(shares), amount_of(cash))
        )
        return []

    @step("open")
    def instructions(self) -> list[str]:
        return [
            f"{_NAME_OF[each.account_id]} {each.quantity:+} {_ASSET_OF[each.symbol_id]} for {_signed(each.cash)},"
            f" from cycle {each.cycle}"
            for each in sorted(self.open, key=lambda each: (each.symbol_id, each.order))
            if each.quantity or each.cash
        ]

    @step("balance of {who}")
    def balance(self, who: str) -> list[str]:
        found = []
        for holder in (HouseHolder.SETTLED, HouseHolder.MARGIN, HouseHolder.FUND):
            for name, asset in SYMBOLS.items():
                free = self.ledger.spendable(holder, NAMES[who], asset)
                if free:
                    found.append(f"{holder.name.lower()} {name}: {shown(free, asset)} free")
        return found or ["nothing"]

    # --- settlement ---------------------------------------------------------------------------------------

    @step("reserve those due by {day}")
    def reserve(self, day: str) -> list[str]:
        due = [each for each in self.open if each.due <= int(day)]
        outcome = settle(due, self.prices, self._has)
        entries = chain_of(outcome)
        said = self.book(entries)
        self.reserved = {entry_id(f"act {self.acts}", place): each for place, each in enumerate(entries, 1)}
        self.after = [*outcome.left, *(each for each in self.open if each not in due)]
        return said + [f"{_NAME_OF[account]} receives nothing: no money" for account in outcome.unpaid]

    @step("end the run")
    def end(self) -> list[str]:
        said = self.book(resolved(self.reserved, Phase.POST))
        self.open, self.reserved = self.after, {}
        return said

    @step("give the run up")
    def give_up(self) -> list[str]:
        said = self.book(resolved(self.reserved, Phase.VOID))
        self.reserved = {}
        return said

    @step("compensation for {amount} {symbol} at 500 bps")
    def premium(self, shares: str, symbol: str) -> list[str]:
        return [format_money(compensation(int(shares), self.prices[SYMBOLS[symbol]], 500))]

    # --- money that the house moves -----------------------------------------------------------------------

    @step("pay {amount} from {who} {holder} to {other} {to}")
    def pay(self, amount: str, who: str, holder: str, other: str, to: str) -> list[str]:
        debit = house_account(HouseHolder[holder.upper()], NAMES[who], CASH)
        credit = house_account(HouseHolder[to.upper()], NAMES[other], CASH)
        return self.book([Entry(debit, credit, amount_of(amount), _code_of(to, holder))])

    @step("put act {number} right")
    def correct(self, number: str) -> list[str]:
        return self.book(reversal(self.entries[int(number)]))

    @step("owners pay {amount} into capital")
    def found_house(self, amount: str) -> list[str]:
        owners, capital = (house_account(each, 0, CASH) for each in (HouseHolder.OWNERS, HouseHolder.CAPITAL))
        return self.book([Entry(owners, capital, amount_of(amount), HouseCode.CAPITAL)])

    @step("fees of {day} are: {who} {signed}")
    def fees(self, day: str, who: str, amount: str) -> list[str]:
        owed = {**self.charged, (int(day), NAMES[who], "trading"): amount_of(amount)}
        entries = fee_charges.entries_of(fee_charges.to_charge(owed, self.charged))
        self.charged = owed
        return self.book(entries) if entries else ["nothing is to be charged"]

    # --- margin and default -------------------------------------------------------------------------------

    @step("margin of {who}")
    def margin(self, who: str) -> list[str]:
        exposure = Exposure(quantities={})
        for each in self.open:
            if each.account_id == NAMES[who]:
                exposure.add(each.symbol_id, each.quantity, each.cash)
        needed = require(exposure, self.prices, {}, MarginRules())
        has = self.ledger.net(HouseHolder.MARGIN, NAMES[who], CASH)
        call = max(0, needed.total - has)
        return [
            f"variation {format_money(needed.variation)}, initial {format_money(needed.initial)}, "
            f"has {format_money(has)}: call {format_money(call)}"
        ]

    @step("default of {who} costs {amount}, a quarter of the capital stands in")
    def default(self, who: str, loss: str) -> list[str]:
        own, others = NAMES[who], [number for number in NAMES.values() if number != NAMES[who]]
        means = waterfall.Means(
            own_cash={own: self._free(HouseHolder.SETTLED, own)},
            own_margin={own: self._free(HouseHolder.MARGIN, own)},
            own_fund={own: self._free(HouseHolder.FUND, own)},
            capital=self._free(HouseHolder.CAPITAL, 0),
            skin_bps=2_500,
            others_fund={each: self._free(HouseHolder.FUND, each) for each in others},
            others_cash={each: self._free(HouseHolder.SETTLED, each) for each in others},
        )
        found = waterfall.run(amount_of(loss), means)
        entries = waterfall.entries_of(found.shares)
        return [
            f"{share.layer}: {entry_shown(entry)}" for share, entry in zip(found.shares, entries, strict=True)
        ] + [f"uncovered {format_money(found.uncovered)}"]

    def _free(self, holder: HouseHolder, account_id: int) -> int:
        return max(0, self.ledger.spendable(holder, account_id, CASH))

    def _has(self, account_id: int, asset: int) -> int:
        return self.ledger.spendable(HouseHolder.SETTLED, account_id, asset)


def _signed(cash: int) -> str:
    return f"{'-' if cash < 0 else '+'}{format_money(abs(cash))}"


def _code_of(to: str, holder: str) -> HouseCode:
    return HouseCode.MARGIN if "margin" in (to, holder) else HouseCode.FUND


def _reason(error: PostingRefused | CannotSettle) -> str:
    if isinstance(error, CannotSettle):
        return "; ".join(
            f"{_NAME_OF[short.account_id]} needs {format_money(short.needed)} and has {format_money(short.available)}"
            for short in error.shortfalls
        )
    return str(error)
