"""Where a command finds the exchange and with whose key: options, environment, configuration, data folder.

Addresses: `--url`; else `--port-base`; else `addresses.json`, which a running exchange keeps in its folder; else
the configuration. Keys: `--key`; else `EXCHANGE_KEY`; else `keys.json` in the data folder, by name with `--as`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from exchange.cli.connection import Connection
from exchange.cli.failures import InputError, UsageError

if TYPE_CHECKING:
    from exchange.infra.config import Config, Loaded

Component = Literal["engine", "reporter", "clearing"]
KEY_VARIABLE = "EXCHANGE_KEY"
ADDRESSES_FILE = "addresses.json"
ROLES = ("operator", "clearing", "auditor", "component", "risk")
"""Names in keys.json that are the exchange's own; the others are participants."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Options of commands that work on a data folder or start something."""

    data: Path | None = None
    "Data folder; default: [exchange] data of the configuration."
    config: Path | None = None
    "Configuration; default: $EXCHANGE_CONFIG, else exchange.toml if it is there."
    port_base: int | None = None
    "The engine is at this + 1, the reporter at + 2, clearing at + 3."
    json: bool = False
    "Write JSON for machines."

    def load(self, **overrides: object) -> Config:
        """Read the configuration with what was said on the command line."""
        return self.read(**overrides).config

    def read(self, **overrides: object) -> Loaded:
        """Read the configuration with the origin of each key."""
        from exchange.infra.config import read_config
        from exchange.infra.config_keys import ConfigError

        data = str(self.data) if self.data else None
        try:
            return read_config(self.config, None, {"data": data, "port_base": self.port_base, **overrides})
        except ConfigError as error:
            raise InputError(str(error), problems=[str(problem) for problem in error.problems]) from error

    def folder(self) -> Path:
        """Return the data folder."""
        return self.data or self.load().data_folder

    def address(self, component: Component) -> str:
        """Return where a component is."""
        if self.port_base is None:
            running = read_addresses(self.folder())
            if component in running:
                return str(running[component])
        config = self.load()
        return {
            "engine": config.engine_url,
            "reporter": config.reporter_url,
            "clearing": config.clearing_url,
        }[component]()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options(Where):
    """Options of commands that talk to a running exchange."""

    url: str = ""
    "Address of the component that answers this command, such as http://127.0.0.1:8001."
    key: str = ""
    "Key; default: $EXCHANGE_KEY, else from keys.json in the data folder."
    as_: Annotated[str, Parameter(name="--as")] = ""
    "Whose key of keys.json to take: a participant such as alice, or operator, risk, clearing, auditor."

    def public(self, component: Component) -> Connection:
        """Connect for what everyone may read; a key that is given is sent all the same."""
        key = self.key or os.environ.get(KEY_VARIABLE, "") or (self.key_named(self.as_) if self.as_ else "")
        return Connection(self.url or self.address(component), key, component)

    def trader(self, component: Component = "engine") -> Connection:
        """Connect as a participant: the one named with --as, else the first of keys.json."""
        return Connection(self.url or self.address(component), self._key(""), component)

    def official(
        self, role: Literal["operator", "clearing", "auditor", "risk"], component: Component
    ) -> Connection:
        """Connect as the exchange itself in one of its roles, unless a key says otherwise."""
        return Connection(self.url or self.address(component), self._key(role), component)

    def _key(self, role: str) -> str:
        given = self.key or os.environ.get(KEY_VARIABLE, "")
        return given or self.key_named(self.as_ or role)

    def key_named(self, name: str) -> str:
        """Find a key in keys.json; an empty name takes the first participant's."""
        file = self.key_file()
        keys = read_json(file)
        if not keys:
            raise UsageError(
                f"no key: {file} is not there; start an exchange with `exchange up`, or give --key, or --data"
            )
        if name in ROLES and name in keys:
            return str(keys[name])
        participants = keys.get("participants", {})
        if not name:
            name = next(iter(participants), "")
        if name not in participants:
            known = ", ".join([*participants, *(role for role in ROLES if role in keys)])
            raise UsageError(f"{file} has no key of {name or 'a participant'!r}; it has keys of: {known}")
        return str(participants[name]["key"])

    def key_file(self) -> Path:
        """Return the file with the keys of the exchange and its demo participants."""
        return self.data / "keys.json" if self.data else self.load().key_file_for()


def read_addresses(folder: Path) -> dict[str, Any]:
    """Return what a running exchange says of itself in its data folder; nothing where none runs."""
    return read_json(folder / ADDRESSES_FILE)


def read_json(file: Path) -> dict[str, Any]:
    """Read a small JSON file; an absent one is empty."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}; run it as the user who started the exchange"
        ) from error
    except ValueError as error:
        raise InputError(f"{file} is not JSON: {error}; move it away and start the exchange again") from error
    if not isinstance(content, dict):
        raise InputError(f"{file} must hold a JSON object, got {type(content).__name__}")
    return content
