"""`exchange up|demo|engine|reporter|clearing|traders`: start it whole, or one process, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from exchange.cli.options import Where
from exchange.cli.output import colour, print_json

if TYPE_CHECKING:
    from exchange.infra.config import Config
    from exchange.launch.life import Component
    from exchange.launch.up import Embedded

DEFAULT = Where()


def up(*, where: Where = DEFAULT) -> None:
    """Start engine, reporter and clearing in one process: `exchange up`, `exchange up --data here --port-base 9000`.

    With --json one line is written when all is ready: addresses, demo participants and their keys.
    """
    from exchange.infra.service import run_service
    from exchange.launch.up import run_up

    config, fixed = _prepared(where)
    run_service(lambda: run_up(config, lambda embedded: announce(embedded, where.json), fixed))


def demo(
    *,
    seed: int | None = None,
    pace: Annotated[int | None, Parameter(name="--pace")] = None,
    day: bool = False,
    speed: Annotated[float, Parameter(validator=Number(gt=0, lte=100_000))] = 60.0,
    where: Where = DEFAULT,
) -> None:
    """Start the exchange with house traders, so that the market moves at once: `exchange demo --seed 7 --pace 50`.

    With --day a whole trading day passes, from the pre-open to the close, and what happens is told.

    Parameters
    ----------
    seed
        The same seed gives the same traders; default: [simulation] seed.
    pace
        Orders a second of all traders together; default: [simulation] orders_per_second.
    day
        Play a trading day: auctions, a halt, an erroneous trade and its bust.
    speed
        With --day: how much faster than the market's clock; at 60 the day takes seven minutes.
    """
    from exchange.infra.service import run_service
    from exchange.simulation.demo import run_demo
    from exchange.simulation.demo_day import run_day

    config, fixed = _prepared(where, **{"simulation.seed": seed, "simulation.orders_per_second": pace})
    if day:
        run_service(
            lambda: run_day(
                config, lambda embedded: announce(embedded, where.json, moving=True), speed=speed,
                say=lambda line: print(line, file=sys.stderr if where.json else sys.stdout, flush=True),
                over=lambda _: print("\nThe day is over; the page stays. Ctrl-C stops the exchange.", file=sys.stderr),
                fixed=fixed,
            )
        )  # fmt: skip
        return
    run_service(lambda: run_demo(config, lambda embedded: announce(embedded, where.json, moving=True), fixed))


def engine(*, where: Where = DEFAULT) -> None:
    """Start the engine alone: `exchange engine`."""
    _run_component("engine", where)


def reporter(
    *,
    from_cache: Annotated[bool, Parameter(negative=())] = False,
    port: int | None = None,
    where: Where = DEFAULT,
) -> None:
    """Start the reporter alone; it takes its events from a running engine: `exchange reporter`.

    Parameters
    ----------
    from_cache
        Serve symbols and books out of the cache of [redis], and nothing else: a read-only copy.
    port
        Port to listen on; default: [reporter] port.
    """
    _run_component("cache reader" if from_cache else "reporter", where, **{"reporter.port": port})


def clearing(*, where: Where = DEFAULT) -> None:
    """Start clearing alone; it takes its events from a running engine: `exchange clearing`."""
    _run_component("clearing", where)


def traders(
    *,
    seed: int | None = None,
    pace: Annotated[int | None, Parameter(name="--pace")] = None,
    where: Where = DEFAULT,
) -> None:
    """Let house traders loose on an engine that runs in another process: `exchange traders --pace 50`.

    They find it at [engine] url, and take the operator's key from keys.json in the data folder.

    Parameters
    ----------
    seed
        The same seed gives the same traders; default: [simulation] seed.
    pace
        Orders a second of all traders together; default: [simulation] orders_per_second.
    """
    from exchange.infra.service import run_service
    from exchange.simulation.house_process import run_house

    config, _ = _prepared(where, **{"simulation.seed": seed, "simulation.orders_per_second": pace})
    run_service(lambda: run_house(config))


def announce(embedded: Embedded, as_json: bool, *, moving: bool = False) -> None:
    """Tell where everything is and how to get in."""
    facts = facts_of(embedded)
    if as_json:
        print_json(facts)
        return
    for line in screen(facts, moving=moving):
        print(line, flush=True)


def facts_of(embedded: Embedded) -> dict[str, Any]:
    """Gather the addresses, and the demo participants with their keys."""
    import msgspec

    from exchange.domain.units import format_price

    facts: dict[str, Any] = msgspec.to_builtins(embedded.addresses)
    keys = msgspec.to_builtins(embedded.keys)
    return facts | {
        "participants": keys["participants"],
        "operator_key": keys["operator"],
        "clearing_key": keys["clearing"],
        "auditor_key": keys["auditor"],
        "symbols": {
            symbol.symbol: format_price(symbol.reference_price)
            for symbol in embedded.engine.venue.directory.symbols.values()
        },
    }


def screen(facts: dict[str, Any], *, moving: bool = False) -> list[str]:
    """Lay out what people want to know after the start."""
    participants = facts["participants"]
    symbol, price = next(iter(facts["symbols"].items()), ("AAPL", "189.20"))
    keys = [f"    {name:<10} {member['key']}" for name, member in participants.items()]
    keys += [f"    {'operator':<10} {facts['operator_key']}"]
    users = [
        f"    {member['ouch_user']:<10} {member['ouch_password']}"
        for member in participants.values()
        if facts.get("ouch") and member.get("ouch_user")
    ]
    if users:
        keys += ["", f"  Users and passwords for OUCH at {facts['ouch']}:", "", *users]
    market = (
        "the house traders keep the market moving" if moving else "the market is quiet until someone trades"
    )
    command = _command_here()
    options = "" if Path(facts["data"]) == Path("data").resolve() else f" --data {facts['data']}"
    return [
        "",
        f"  {colour('The exchange is open', 'bold')}: {market}.",
        "",
        f"    page       {colour(facts['page'], 'bold')}",
        f"    engine     {facts['engine']}/docs",
        f"    reporter   {facts['reporter']}/docs",
        f"    clearing   {facts['clearing']}/docs",
        *([f"    ITCH feed  {facts['itch']}"] if facts.get("itch") else []),
        f"    data       {facts['data']}",
        "",
        "  Keys, for `Authorization: Bearer KEY` and for the page:",
        "",
        *keys,
        "",
        "  Try, in another terminal:",
        "",
        f"    {command} order buy {symbol} 100 @ {price}{options}",
        f"    {command} book {symbol} --watch{options}",
        f"    {command} tape {symbol} --follow{options}",
        "",
        "  Ctrl-C stops it; the next start goes on where it was.",
        "",
    ]


def _command_here() -> str:
    """Return how this command is called from here: by its name where the shell finds it, else by its path."""
    path = Path(sys.argv[0]).resolve()
    if path.name != "exchange" or shutil.which("exchange"):
        return "exchange"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _run_component(
    name: Literal["engine", "reporter", "cache reader", "clearing"], where: Where, **overrides: object
) -> None:
    from exchange.infra.service import run_service
    from exchange.launch.component import run_component

    config, fixed = _prepared(where, **overrides)

    def tell(component: Component) -> None:
        if where.json:
            print_json({"component": name, "url": component.url, "data": str(config.data_folder.resolve())})
        else:
            print(f"the {name} listens at {component.url}; Ctrl-C stops it", flush=True)

    run_service(lambda: run_component(name, config, tell, fixed=fixed))


def check_folder(folder: Path) -> None:
    """Raise `InputError` where the data folder cannot be one, because a file is in its way."""
    from exchange.cli.failures import InputError

    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if there.exists() and not there.is_dir():
        raise InputError(f"{there} is a file; --data names the folder that the exchange keeps its data in")


def _prepared(where: Where, **overrides: object) -> tuple[Config, tuple[str, ...]]:
    """Read the configuration, its rules too, and set up the log; return it with the keys not from its file."""
    from exchange.cli.configuration import check_rules
    from exchange.infra.log import configure_log

    loaded = where.read(**overrides)
    config = loaded.config
    check_rules(config, where.config)
    check_folder(config.data_folder)
    configure_log(config.exchange.log_level, config.exchange.log_format)
    return config, tuple(loaded.origins)
