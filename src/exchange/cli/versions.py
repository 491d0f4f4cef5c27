"""`exchange version`: what runs here."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.util import find_spec

from exchange import __version__
from exchange.cli.output import print_facts, show

PARTS = ("aiohttp", "msgspec", "uvloop", "SQLAlchemy", "cyclopts", "xxhash")
"""Distributions that `exchange doctor` and bug reports want to know of."""


def version(*, json: bool = False) -> None:
    """Show the versions of the exchange, of Python and of the parts: `exchange version`.

    Parameters
    ----------
    json
        Write JSON for machines.
    """
    show(versions(), json, lambda facts: print_facts(facts.items()))


def versions() -> dict[str, str]:
    """Return the versions of the exchange, Python and the parts by their names."""
    return {
        "exchange": __version__,
        "python": platform.python_version(),
        "matcher": "native" if find_spec("exchange_native") else "python",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **{part: _version_of(part) for part in PARTS},
        "executable": sys.executable,
    }


def _version_of(distribution: str) -> str:
    try:
        return version_of(distribution)
    except PackageNotFoundError:
        return "not installed"
