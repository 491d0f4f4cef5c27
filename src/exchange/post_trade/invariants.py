"""What must always hold in clearing's books: checked after every batch, and from nothing whenever one asks.

1. Per asset, the balances of all accounts, the outside included, sum to zero.
2. The clearing house is flat in every asset.
3. What an account has of a symbol is the same in its position and in its ledger accounts.
4. What an account paid in its trades is what its cash due account has been charged.
5. What the engine says an account holds is what the ledger says (checked where its events state it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from exchange.post_trade.ledger import (
    CASH,
    NO_TRANSFERS,
    OF_NO_TRADE,
    Balance,
    Holder,
    Ledger,
    Transfer,
    account_of,
    asset_of,
    chained_hash,
    chains_of,
)  # fmt: skip
from exchange.post_trade.positions import Position, Positions
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState

FINDINGS_MAX = 100
"""A proof names this many faults and counts the others."""


class BooksBroken(AssertionError):
    """An invariant of the books does not hold; clearing must stop at what it last stored."""


def check_batch(ledger: Ledger, positions: Positions) -> None:
    """Check the invariants for what changed since it was last stored.

    Raise `BooksBroken` where one does not hold.
    """
    moved: dict[int, int] = {}
    for number, before in ledger.before.items():
        asset = asset_of(number)
        moved[asset] = moved.get(asset, 0) + ledger.balances[number].net - before
    for asset, sum_moved in moved.items():
        _hold(
            sum_moved == 0, f"the balances of {asset_name(asset)} have moved by {sum_moved} in sum, not by 0"
        )
        house = ledger.net(Holder.CCP, 0, asset)
        _hold(house == 0, f"the clearing house has {house} of {asset_name(asset)}, not 0")
    for (account_id, symbol_id), position in positions.touched.items():
        held, due = ledger.holding(account_id, symbol_id), ledger.net(Holder.DUE, account_id, symbol_id)
        where = f"account {account_id} and {asset_name(symbol_id)}"
        _hold(
            position.quantity == held, f"{where}: the position is {position.quantity}, the ledger has {held}"
        )
        _hold(position.traded == due, f"{where}: {position.traded} from trading, the ledger has {due} due")
        paid, charged = positions.cash_paid(account_id), -ledger.net(Holder.DUE, account_id, CASH)
        _hold(
            paid == charged, f"account {account_id}: paid {paid} in trades, the ledger has charged {charged}"
        )


def check_holding(ledger: Ledger, account_id: int, asset: int, stated: int, sequence: int) -> None:
    """Compare what the engine says an account holds after an event with the ledger.

    Raise `BooksBroken` if unequal.
    """
    held = ledger.holding(account_id, asset)
    _hold(
        held == stated,
        f"event {sequence}: the engine says that account {account_id} has {stated} of {asset_name(asset)}, "
        f"the ledger has {held}",
    )


class Proof(msgspec.Struct, kw_only=True):
    """The outcome of a full recomputation. faults: the first of them; none means that the books are right."""

    transfers: int
    trades: int
    ledger_hash: str
    sums: dict[int, int]
    house: dict[int, int]
    faults: list[str]
    faults_count: int

    @property
    def holds(self) -> bool:
        """Tell whether everything was as it must be."""
        return self.faults_count == 0


def prove(
    transfers: Iterable[Transfer],
    trades: Iterable[Trade],
    balances: Mapping[int, Balance],
    positions: Mapping[tuple[int, int], Position],
    stated_hash: bytes,
    also: Callable[[Sequence[Transfer]], None] = lambda chain: None,
) -> Proof:
    """Recompute everything from transfers and trades, and compare it with what is stored. also: sees each chain."""
    recount = _Recount()
    for chain in chains_of(transfers):
        recount.add_chain(chain)
        also(chain)
    for trade in trades:
        recount.add_trade(trade)
    faults = [
        f"{account_name(number)}: stored {_shown(balances.get(number))}, "
        f"recomputed {_shown(recount.balances.get(number))}"
        for number in sorted({*balances, *recount.balances})
        if balances.get(number, Balance()) != recount.balances.get(number, Balance())
    ]
    sums = recount.sums()
    house = {asset: recount.net(Holder.CCP, asset) for asset in sums}
    faults += [
        f"{asset_name(asset)}: all balances sum to {total}, not 0" for asset, total in sums.items() if total
    ]
    faults += [
        f"{asset_name(asset)}: the clearing house has {held}, not 0" for asset, held in house.items() if held
    ]
    faults += [
        f"account {account_id} and {asset_name(symbol_id)}: stored and recomputed position differ"
        for account_id, symbol_id in sorted({*positions, *recount.positions.positions})
        if positions.get((account_id, symbol_id), Position())
        != recount.positions.positions.get((account_id, symbol_id), Position())
    ]
    faults += recount.positions_unlike_ledger()
    if recount.running_hash != stated_hash:
        faults.append(
            f"the ledger's hash is {recount.running_hash.hex()} recomputed and {stated_hash.hex()} stored"
        )
    return Proof(
        transfers=recount.transfers,
        trades=recount.trades,
        ledger_hash=recount.running_hash.hex(),
        sums=sums,
        house=house,
        faults=faults[:FINDINGS_MAX],
        faults_count=len(faults),
    )


class _Recount:
    """Balances, positions and hash as the transfers and trades make them."""

    def __init__(self) -> None:
        self.balances: dict[int, Balance] = {}
        self.positions = Positions()
        self.running_hash = NO_TRANSFERS
        self.transfers = 0
        self.trades = 0

    def add_chain(self, chain: Sequence[Transfer]) -> None:
        self.running_hash = chained_hash(self.running_hash, chain)
        self.transfers += len(chain)
        for transfer in chain:
            self._add_transfer(transfer)

    def _add_transfer(self, transfer: Transfer) -> None:
        self.balances.setdefault(transfer.debit, Balance()).debits += transfer.amount
        self.balances.setdefault(transfer.credit, Balance()).credits += transfer.amount
        if transfer.code in OF_NO_TRADE:
            incoming = account_of(transfer.debit).holder is Holder.EXTERNAL
            member = account_of(transfer.credit if incoming else transfer.debit)
            if member.asset != CASH:
                amount = transfer.amount if incoming else -transfer.amount
                self.positions.move_shares(member.account_id, member.asset, amount)

    def add_trade(self, trade: Trade) -> None:
        self.trades += 1
        self.positions.add_trade(trade)
        if trade.state == TradeState.BUSTED:
            self.positions.remove_trade(trade)

    def sums(self) -> dict[int, int]:
        """Return the sum of all balances per asset, in the order of the assets."""
        sums: dict[int, int] = {}
        for number in sorted(self.balances, key=asset_of):
            asset = asset_of(number)
            sums[asset] = sums.get(asset, 0) + self.balances[number].net
        return sums

    def net(self, holder: Holder, asset: int) -> int:
        return Ledger(self.balances).net(holder, 0, asset)

    def positions_unlike_ledger(self) -> list[str]:
        ledger = Ledger(self.balances)
        faults = []
        for (account_id, symbol_id), position in sorted(self.positions.positions.items()):
            held = ledger.holding(account_id, symbol_id)
            if position.quantity != held:
                faults.append(
                    f"account {account_id} and {asset_name(symbol_id)}: {position.quantity} from the trades, "
                    f"{held} in the ledger"
                )
        for account_id, paid in sorted(self.positions.paid.items()):
            charged = -ledger.net(Holder.DUE, account_id, CASH)
            if paid != charged:
                faults.append(f"account {account_id}: paid {paid} in trades, charged {charged} in the ledger")
        return faults


def asset_name(asset: int) -> str:
    """Return the name of an asset for a message."""
    return "cash" if asset == CASH else f"symbol {asset}"


def account_name(number: int) -> str:
    """Return the name of a ledger account for a message."""
    account = account_of(number)
    whose = f"account {account.account_id} " if account.account_id else ""
    return f"{whose}{account.holder.name.lower()} of {asset_name(account.asset)}"


def _shown(balance: Balance | None) -> str:
    return f"{balance.debits} debits and {balance.credits} credits" if balance else "nothing"


def _hold(condition: bool, sentence: str) -> None:
    if not condition:
        raise BooksBroken(sentence)
