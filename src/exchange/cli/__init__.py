"""The command line: `exchange COMMAND …`; each group of commands is a module, imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts import App

COMMANDS = {
    "up": "services:up",
    "demo": "services:demo",
    "engine": "services:engine",
    "reporter": "services:reporter",
    "clearing": "clearing_house:app",
    "traders": "services:traders",
    "order": "order_lists:app",
    "quote": "quotes:app",
    "explain": "explain:explain",
    "book": "market:book",
    "tape": "market:tape",
    "symbols": "symbols:app",
    "phases": "market_phases:app",
    "volatility": "volatility:app",
    "participants": "members:participants",
    "accounts": "members:accounts",
    "keys": "members:keys",
    "risk": "risk:app",
    "sessions": "sessions:app",
    "ouch": "ouch:app",
    "webhooks": "webhooks:app",
    "deposit": "members:deposit",
    "withdraw": "members:withdraw",
    "trades": "trades:app",
    "rules": "rules:app",
    "reviews": "reviews:app",
    "surveillance": "surveillance:app",
    "audit": "audit:app",
    "stats": "stats:stats",
    "status": "status:status",
    "top": "top:top",
    "nsq": "nsq:app",
    "replay": "replay:app",
    "journal": "journal:app",
    "export": "export:app",
    "backup": "folder:backup",
    "restore": "folder:restore",
    "config": "configuration:app",
    "doctor": "doctor:doctor",
    "version": "versions:version",
}
"""Command → module of this package and the function or group of commands in it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, as `failures` lists them."""
    from exchange.cli.arguments import spell_out_price, wants_json
    from exchange.cli.failures import run_reporting

    words = list(sys.argv[1:] if arguments is None else arguments)
    is_overview = not words or words[0] in ("--help", "-h")
    return run_reporting(lambda: make_app(is_overview)(spell_out_price(words)), wants_json(words))


def make_app(is_overview: bool = False) -> App:
    """Make the application with every command registered by name; only an overview imports them, for their help."""
    from cyclopts import App, Parameter

    from exchange import __version__

    app = App(
        name="exchange",
        help="A stock exchange: `exchange up` starts it, `exchange demo` with a market that moves.",
        version=__version__,
        default_parameter=Parameter(negative=(), show_default=lambda value: value or None),
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
    )
    for name, target in COMMANDS.items():
        app.command(f"exchange.cli.{target}", name=name)
        if is_overview:
            app[name]
    return app
