"""What `exchange doctor` looks at among the components: ports, readiness, versions, configuration that drifted."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from exchange import __version__
from exchange.cli.failures import CliError
from exchange.cli.figures import Figures, read_readiness
from exchange.cli.findings import Finding
from exchange.cli.options import Component, Options

if TYPE_CHECKING:
    from exchange.infra.config import Config

CHOSEN_AT_START = frozenset(
    {
        "exchange.data",
        "exchange.port_base",
        "engine.port",
        "engine.ouch.port",
        "reporter.port",
        "reporter.itch.port",
        "clearing.port",
    }
)
"""Keys that a start may fill in by itself or from the command line, so a difference means nothing."""
DIFFERENCES_SHOWN = 5


class Running(NamedTuple):
    """A component that answers."""

    name: Component
    figures: Figures
    options: Options


def look_at_component(name: Component, config: Config, figures: Figures) -> Finding:
    """Look whether a component answers and is ready, else whether its port is free."""
    address = {
        "engine": config.engine_address,
        "reporter": config.reporter_address,
        "clearing": config.clearing_address,
    }[name]()
    if not figures.problem:
        return _readiness(name, figures.url)
    if is_free(address.host, address.port):
        return Finding(name, "ok", f"not running; port {address.port} is free")
    do = "stop that, or choose another with --port-base"
    return Finding(name, "bad", f"port {address.port} is taken by something else", do)


def look_at_running(config: Config, running: Sequence[Running], newest: int | None) -> Iterator[Finding]:
    """Look at what runs: versions, matcher, shared configuration, and whether the file still says the same."""
    if not running:
        return
    yield _versions(running)
    yield from _matcher(running)
    if newest is not None:
        yield _shared_version(running, newest)
    for each in running:
        yield _drift(config, each)


def is_free(host: str, port: int) -> bool:
    """Tell whether one could listen at an address; port 0 always is."""
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False


def differences(file: dict[str, Any], running: dict[str, Any]) -> list[str]:
    """Say which keys have other values in a running component than in the file."""
    keys = sorted({*file, *running} - CHOSEN_AT_START)
    return [
        f"{key} is {_shown(running.get(key))}, by the file {_shown(file.get(key))}"
        for key in keys
        if file.get(key) != running.get(key)
    ]


def _readiness(name: str, url: str) -> Finding:
    try:
        reasons, notes = read_readiness(url)
    except OSError as error:
        return Finding(name, "warning", f"{url} does not answer any more: {error}", "look at its log")
    if reasons:
        seen = f"{url} answers, but is not ready: {'; '.join(reasons)}"
        return Finding(name, "warning", seen, "it may be catching up; else docs/operations.md")
    if notes:
        return Finding(name, "warning", f"ready at {url}, but: {'; '.join(notes)}", "see above and its log")
    return Finding(name, "ok", f"ready at {url}")


def _versions(running: Iterable[Running]) -> Finding:
    found = {each.name: each.figures.label("exchange_build_info", "version") for each in running}
    text = ", ".join(f"{name} {version or 'of an unknown version'}" for name, version in found.items())
    if set(found.values()) == {__version__}:
        return Finding("running versions", "ok", f"{text}, as this program")
    do = "finish the upgrade: stop the older ones cleanly and start them by the same version"
    return Finding("running versions", "warning", f"{text}; this program is {__version__}", do)


def _matcher(running: Iterable[Running]) -> Iterator[Finding]:
    from exchange.cli.versions import versions

    for each in running:
        matcher = each.figures.label("exchange_build_info", "matcher")
        if matcher == "python" and versions()["matcher"] == "native":
            do = "restart the engine, if that was not wanted"
            yield Finding(
                "running matcher", "warning", "the Python one, though the native one is installed", do
            )
        elif matcher:
            yield Finding("running matcher", "ok", f"the {matcher} one")


def _shared_version(running: Iterable[Running], newest: int) -> Finding:
    found = {each.name: each.figures.value("exchange_config_version") for each in running}
    behind = [
        f"{name} runs {'none' if version is None else f'version {version:.0f}'}"
        for name, version in found.items()
        if version != newest
    ]
    if behind:
        do = "give it some seconds; then its note in /readyz says why, and `exchange config history` who runs which"
        return Finding(
            "shared configuration", "warning", f"version {newest} is in force, but {', '.join(behind)}", do
        )
    return Finding(
        "shared configuration", "ok", f"all run version {newest}" if newest else "none was applied"
    )


def _drift(config: Config, running: Running) -> Finding:
    """Compare what a component was started with and what the file says now."""
    from exchange.infra.config_api import flat_values

    what = f"{running.name}'s configuration"
    try:
        answer = running.options.official("operator", running.name).get("/api/v1/config")
    except CliError as error:
        if error.details.get("reason") == "unknown_path":
            return Finding(
                what, "warning", "it is older and does not tell", "compare again after the upgrade"
            )
        do = "give an operator's key with --key, or the data folder with --data"
        return Finding(what, "warning", f"cannot be compared with the file: {error}", do)
    found = differences(flat_values(config), answer["values"])
    if not found:
        return Finding(what, "ok", "as the file says")
    more = f" and {len(found) - DIFFERENCES_SHOWN} more" if len(found) > DIFFERENCES_SHOWN else ""
    seen = "; ".join(found[:DIFFERENCES_SHOWN]) + more
    do = "restart it to take the file's values, or correct the file; its environment and command line count too"
    return Finding(what, "warning", seen, do)


def _shown(value: Any) -> str:
    return "left out" if value is None else repr(value)
