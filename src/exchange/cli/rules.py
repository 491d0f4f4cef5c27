"""`exchange rules …`: the rules of clearing, and what others would have said of the last trades."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cyclopts import App

from exchange.cli.failures import InputError
from exchange.cli.options import Options, Where
from exchange.cli.output import print_facts, print_table, show

app = App(name="rules", help="Show clearing's rules, check others, and try them on the last trades.")
DEFAULT = Options()
CELL_CHARACTERS_MAX = 60
_SHADOW = "/api/v1/rules/shadow"


@app.default
@app.command(name="show")
def show_(*, options: Options = DEFAULT) -> None:
    """Show the rules in force: `exchange rules show`."""
    show(options.official("clearing", "clearing").get("/api/v1/rules"), options.json, _print_rules)


@app.command
def check(file: Path, *, where: Where = DEFAULT) -> None:
    """Read the rules of a file, and try the examples that they carry: `exchange rules check rules.toml`.

    Needs no running exchange.

    Parameters
    ----------
    file
        A file of TOML with [[clearing.rule]] tables; the whole set.
    """
    rules = read_rules(file)
    show(
        {"file": str(file), "rules": len(rules)},
        where.json,
        lambda found: print(f"{found['rules']} rules are good"),
    )


@app.command(name="dry-run")
def dry_run(file: Path, *, trades: int = 1000, options: Options = DEFAULT) -> None:
    """Try the rules of a file on the last trades; nothing is changed: `exchange rules dry-run rules.toml`.

    Put them in force by `exchange config apply`, or in the configuration of clearing.

    Parameters
    ----------
    file
        A file of TOML with [[clearing.rule]] tables; the whole set.
    trades
        How many of the last trades.
    """
    body = {"rules": read_rules(file), "trades": trades}
    show(
        options.official("clearing", "clearing").post("/api/v1/rules/dry-run", body), options.json, _print_run
    )


@app.command(name="shadow-start")
def shadow_start(file: Path, *, trades: int = 10_000, options: Options = DEFAULT) -> None:
    """Let the rules of a file look at the trades to come and decide nothing: `exchange rules shadow-start rules.toml`.

    Parameters
    ----------
    file
        A file of TOML with [[clearing.rule]] tables; the whole set.
    trades
        After how many trades it is done.
    """
    body = {"rules": read_rules(file), "trades": trades}
    show(options.official("clearing", "clearing").post(_SHADOW, body), options.json, _print_shadow)


@app.command
def shadow(*, end: bool = False, options: Options = DEFAULT) -> None:
    """Show how the shadow run goes: `exchange rules shadow`.

    Parameters
    ----------
    end
        End it as well.
    """
    clearing = options.official("clearing", "clearing")
    show(clearing.delete(_SHADOW) if end else clearing.get(_SHADOW), options.json, _print_shadow)


def read_rules(file: Path) -> list[dict[str, Any]]:
    """Read the rules of a file and check them whole. Raise `InputError` with file, rule, key and what is allowed."""
    from exchange.infra.errors import InfraError
    from exchange.infra.installed import installed
    from exchange.post_trade.added_kinds import GROUP, KindRefused, add_kinds
    from exchange.post_trade.rules import RulesError, parse_rules

    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not TOML: {error}") from error
    section = tables.get("clearing", {})
    rules = section.get("rule") if isinstance(section, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise InputError(f"{file} has no [[clearing.rule]]; write each rule as such a table")
    try:
        add_kinds(installed(GROUP))
        parse_rules(rules)
    except (RulesError, KindRefused, InfraError) as error:
        raise InputError(f"{file}: {error}") from error
    return rules


def _print_rules(answer: dict[str, Any]) -> None:
    print(f"version {answer['version']}")
    rows = ((rule["id"], rule["kind"], rule["params_hash"], rule["meaning"]) for rule in answer["items"])
    print_table(("rule", "kind", "hash", "what it finds"), rows, "no rules")


def _print_shadow(run: dict[str, Any]) -> None:
    state = "done" if run["done"] else f"goes on to {run['trades_wanted']} trades"
    print_facts([("shadow run", state)])
    _print_run(run)


def _print_run(run: dict[str, Any]) -> None:
    verdicts = ("accept", "flag", "hold", "bust")
    print_facts([("trades", run["trades"]), ("differences", run["differences_count"])])
    rows = ((which, *(run[which][verdict] for verdict in verdicts)) for which in ("present", "proposed"))
    print_table(("rules", *(f">{verdict}" for verdict in verdicts)), rows)
    print_table(
        (">hits", ">failures", "rule"),
        ((r["hits"], r["failures"], r["id"]) for r in run["rules"]),
        "no rules",
    )
    if run["differences"]:
        found = (
            (each["match_id"], each["symbol"], each["price"], each["qty"], each["present"], each["proposed"],
             ", ".join(hit["rule_id"] for hit in each["hits"])[:CELL_CHARACTERS_MAX])
            for each in run["differences"]
        )  # fmt: skip
        print_table((">match id", "symbol", ">price", ">qty", "present", "proposed", "hit by"), found)
