"""A flow to try rules of allocation on: makers of three kinds who quote at the same prices, and takers, from a seed."""

from __future__ import annotations

import random

from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import AccountId, ParticipantId, Price, Quantity, SymbolId
from exchange.wire.records import encode_command

NAMES = ("early", "large", "small", "takers")
"""Who owns accounts 1 to 4: who quotes first and little, who quotes last and much, one lot traders, who takes."""
EARLY, LARGE, SMALL, TAKERS = (AccountId(number) for number in range(1, 5))
ROUNDS_MAX = 100_000
START_NS = 1_795_424_400_000_000_000
STEP_NS = 1_000_000
MIDDLE, TICK = Price(100_000), Price(100)
QUOTES = ((EARLY, 100), (SMALL, 1), (SMALL, 1), (LARGE, 500))
TAKEN = (20, 50, 100, 150, 400, 900)


def example_flow(seed: int, rounds: int = 200) -> list[tuple[bytes, int]]:
    """Return a flow of commands: in each round both sides are quoted, and one is taken. Same seed, same flow."""
    if not 0 < rounds <= ROUNDS_MAX:
        raise ValueError(f"rounds must be 1 to {ROUNDS_MAX}, got {rounds}")
    drawn = random.Random(seed)
    commands: list[c.Command] = [
        c.StartEngine(epoch=1),
        c.StartBusinessDay(date=20261123),
        c.AddSymbol(symbol="XYZ", name="XYZ Mining Company", reference_price=MIDDLE),
        *(c.CreateParticipant(name=name) for name in NAMES),
        *(c.CreateAccount(participant_id=ParticipantId(n), name="main") for n in range(1, len(NAMES) + 1)),
    ]
    for _ in range(rounds):
        for side, away in ((Side.BUY, -TICK), (Side.SELL, TICK)):
            for account, shares in QUOTES:
                commands.append(_order(account, side, MIDDLE + away * drawn.randint(1, 2), shares))
        side = drawn.choice((Side.BUY, Side.SELL))
        price = MIDDLE + (2 * TICK if side is Side.BUY else -2 * TICK)
        commands.append(_order(TAKERS, side, price, drawn.choice(TAKEN), TimeInForce.IOC))
    return [
        (encode_command(command, sequence), START_NS + sequence * STEP_NS)
        for sequence, command in enumerate(commands, 1)
    ]


def _order(
    account: AccountId, side: Side, price: int, shares: int, time_in_force: TimeInForce = TimeInForce.DAY
) -> c.EnterOrder:
    return c.EnterOrder(
        account_id=account, symbol_id=SymbolId(1), side=side, order_type=OrderType.LIMIT,
        time_in_force=time_in_force, price=Price(price), quantity=Quantity(shares),
    )  # fmt: skip
