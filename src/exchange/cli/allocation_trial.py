"""`exchange replay allocation`: the same flow under several rules of allocation, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchange.cli.failures import InputError, UsageError
from exchange.cli.options import Where
from exchange.cli.output import print_table, show

if TYPE_CHECKING:
    from exchange.matching.allocation import Allocator
    from exchange.matching.trial import Outcome

AS_IT_IS = "as_it_is"
PRICE_TIME = "price_time"
RULES_MAX = 20
DEFAULT = Where()


def allocation(
    *rules: str, example: int | None = None, rounds: int = 200, lead: str = "", where: Where = DEFAULT
) -> None:
    """Try rules of allocation on one flow: `exchange replay allocation price_time "top pro_rata,min=2" my_rules:Mine`.

    The flow is the journal in --data, or with --example one made from a seed. Nothing is changed.

    Parameters
    ----------
    rules
        price_time; steps in quotes, as `exchange symbols allocation` takes them; MODULE:CLASS of your own, found from
        here; as_it_is for what the symbols had. Default: as_it_is, price_time and pro_rata.
    example
        Seed of a flow in which a quick, a large and a small maker quote at the same prices.
    rounds
        How long the example is.
    lead
        Lead market makers of steps with lead, such as 3:2000,5:1000.
    """
    from exchange.matching.allocation import AllocationError
    from exchange.matching.trial import run

    names = rules or (AS_IT_IS, PRICE_TIME, "pro_rata")
    if len(names) > RULES_MAX:
        raise UsageError(f"at most {RULES_MAX} rules are tried at once, got {len(names)}")
    allocators = [allocator_named(name, lead) for name in names]
    flow, partition = _flow(example, rounds, where)
    outcomes: dict[str, Outcome] = {}
    for name, allocator in zip(names, allocators, strict=True):
        try:
            outcomes[name] = run(flow, allocator, partition)
        except AllocationError as error:
            raise InputError(f"{name}: {error}") from error
    show(_plain(outcomes), where.json, lambda _: _print(outcomes))


def allocator_named(name: str, lead: str = "") -> Allocator | None:
    """Return the rule of a name; None for what the symbols have. Raise `UsageError`, or `InputError` for a module."""
    from exchange.cli.symbols import lead_makers_of
    from exchange.domain.allocation import Allocation, LeadMaker, first_bad_step, lead_makers_fit, parse_step
    from exchange.matching.allocation import StepList

    if name == AS_IT_IS:
        return None
    if ":" in name:
        return _own_rule(name)
    try:
        steps = () if name == PRICE_TIME else tuple(map(parse_step, name.split()))
    except ValueError as error:
        raise UsageError(str(error)) from error
    makers = [LeadMaker(account, share) for account, share in lead_makers_of(lead)]
    allocation = Allocation(steps, tuple(makers) if any("lead" in each for each in name.split()) else ())
    if bad := first_bad_step(steps):
        raise UsageError(f"step {bad} of {name!r} cannot be, or cannot stand there; see docs/rulebook.md 4")
    if not lead_makers_fit(allocation):
        raise UsageError(
            f"{name!r} needs --lead with accounts and shares, together at most 10000 basis points"
        )
    return StepList(allocation)


def _own_rule(name: str) -> Allocator:
    module_name, _, class_name = name.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{name}: {error}; it is looked for from {folder}") from error
    rule = found() if isinstance(found, type) else found
    if not callable(getattr(rule, "allocate", None)):
        raise InputError(f"{name} has no method allocate(quantity, orders, lot)")
    return rule  # type: ignore[no-any-return]


def _flow(example: int | None, rounds: int, where: Where) -> tuple[Sequence[tuple[bytes, int]], int]:
    """Return the flow and its partition."""
    if example is not None:
        from exchange.simulation.allocation_flow import example_flow

        try:
            return example_flow(example, rounds), 0
        except ValueError as error:
            raise UsageError(f"--rounds: {error}") from error
    from exchange.engine.journal_reader import flow_of, partition_of

    folder = where.load().component_folder("engine")
    return flow_of(folder), partition_of(folder)


def _plain(outcomes: dict[str, Outcome]) -> dict[str, Any]:
    import msgspec

    return {
        name: msgspec.to_builtins(outcome, str_keys=True)
        | {"running_hash": f"{outcome.running_hash:016x}", "shares_a_trade": outcome.shares_a_trade}
        for name, outcome in outcomes.items()
    }


def _print(outcomes: dict[str, Outcome]) -> None:
    print_table(
        ("rule", ">trades", ">shares", ">shares a trade", ">orders filled", ">live"),
        [
            (
                name,
                f"{each.trades:,}",
                f"{each.shares:,}",
                each.shares_a_trade,
                f"{each.filled:,}",
                f"{each.live:,}",
            )
            for name, each in outcomes.items()
        ],
    )
    print("\nshares that the resting orders of each account traded:")
    accounts = sorted({account for outcome in outcomes.values() for account in outcome.makers})
    rows = [(account, *(_shares(outcome, account) for outcome in outcomes.values())) for account in accounts]
    print_table(("account", *(f">{name}" for name in outcomes)), rows, "nobody traded")


def _shares(outcome: Outcome, account: int) -> str:
    maker = outcome.makers.get(account)
    return f"{maker.shares:,} in {maker.trades:,}" if maker else "0"
