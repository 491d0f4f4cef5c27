"""`exchange config …`: whether the configuration is right, what is in force, and a commented one to begin with."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from exchange.cli.failures import InputError
from exchange.cli.options import Where
from exchange.cli.output import print_json, show
from exchange.cli.shared_configuration import (
    apply,
    approve,
    diff,
    history,
    proposals,
    reject,
    rollback,
    running,
)

if TYPE_CHECKING:
    from exchange.infra.config import Config, Loaded

app = App(
    name="config", help="Check and show the configuration, write a commented one, change it at run time."
)
for command in (diff, apply, approve, reject, proposals, history, rollback, running):
    app.command(command)
DEFAULT = Where()


@app.command
def check(file: Path | None = None, *, where: Where = DEFAULT) -> None:
    """Look for mistakes in the configuration: `exchange config check`, `exchange config check other.toml`.

    Every mistake is named with file and key, what was seen and what is allowed. Ends with 2 where there is one.

    Parameters
    ----------
    file
        The file to look at; default: the one that would be used.
    """
    loaded = _read(where, file)
    check_rules(loaded.config, loaded.file)
    source = str(loaded.file) if loaded.file else "no file, everything has its default"
    answer = {"file": str(loaded.file) if loaded.file else None, "mistakes": 0}
    show(answer, where.json, lambda _: print(f"no mistakes: {source}"))


@app.command(name="show")
def show_(*, where: Where = DEFAULT) -> None:
    """Show what is in force, and where each value that is no default came from: `exchange config show`."""
    from exchange.infra.config_text import config_text

    loaded = _read(where, None)
    if where.json:
        tables = tomllib.loads(config_text(loaded.config))
        file = str(loaded.file) if loaded.file else None
        print_json({"file": file, "config": tables, "origins": loaded.origins})
        return
    print(config_text(loaded.config, origins=loaded.origins), end="")


@app.command
def init(file: Path = Path("exchange.toml"), *, where: Where = DEFAULT) -> None:
    """Write a configuration with every key, its default and its meaning: `exchange config init`.

    Parameters
    ----------
    file
        Where to; a file that is there stays as it is.
    """
    from exchange.infra.config_text import example_text

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(example_text())
    except FileExistsError:
        raise InputError(f"{file} is there already and stays as it is; give another name") from None
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    show(
        {"file": str(file)},
        where.json,
        lambda _: print(f"wrote {file}; edit it, then `exchange config check`"),
    )


def check_rules(config: Config, file: Path | None) -> None:
    """Look for mistakes in clearing's rules, which only clearing can read. Raise `InputError`."""
    from exchange.infra.errors import InfraError
    from exchange.infra.installed import installed
    from exchange.post_trade.added_kinds import GROUP, KindRefused, add_kinds
    from exchange.post_trade.fees import FeesError, parse_fees
    from exchange.post_trade.rules import RulesError, parse_rules

    try:
        parse_fees(config.clearing.fee)
        add_kinds(installed(GROUP))
        parse_rules(config.clearing.rule, config.clearing.rules.version, config.clearing.rules.on_rule_error)
    except (FeesError, RulesError, KindRefused, InfraError) as error:
        raise InputError(f"{file or 'configuration'}: {error}") from error


def _read(where: Where, file: Path | None) -> Loaded:
    from exchange.infra.config import ConfigError, read_config

    data = str(where.data) if where.data else None
    try:
        return read_config(file or where.config, None, {"data": data, "port_base": where.port_base})
    except ConfigError as error:
        raise InputError(str(error), problems=[str(problem) for problem in error.problems]) from error
