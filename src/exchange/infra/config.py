"""The configuration: one typed section per component, from `exchange.toml`, the environment and the command
line.

Later wins: defaults, file, environment (`EXCHANGE__ENGINE__PORT=9001`), command line. Everything has a
default, so the exchange runs without a file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from exchange.domain.symbol import SYMBOLS_MAX
from exchange.infra.config_keys import (
    ConfigError,
    Problem,
    Section,
    TableReader,
    field_at,
    value_from_text,
)
from exchange.infra.config_sections import (
    DEFAULT_SYMBOLS,
    BusConfig,
    ClearingConfig,
    EngineConfig,
    ExchangeConfig,
    ItchConfig,
    OuchConfig,
    RedisConfig,
    ReporterConfig,
    RulesConfig,
    SimulationConfig,
    SymbolConfig,
    TickConfig,
    WebhooksConfig,
)
from exchange.infra.surveillance_config import SurveillanceConfig

__all__ = [
    "Address",
    "BusConfig",
    "ClearingConfig",
    "Config",
    "ConfigError",
    "EngineConfig",
    "ExchangeConfig",
    "ItchConfig",
    "Loaded",
    "OuchConfig",
    "RedisConfig",
    "ReporterConfig",
    "RulesConfig",
    "SimulationConfig",
    "SurveillanceConfig",
    "SymbolConfig",
    "TickConfig",
    "WebhooksConfig",
    "load_config",
    "mask_password",
    "read_config",
    "url_of",
]

CONFIG_VARIABLE = "EXCHANGE_CONFIG"
KEY_PREFIX = "EXCHANGE__"
_PASSWORD_PARAMETER = re.compile(r"(\w*pass\w*=)[^&]*", re.IGNORECASE)
DEFAULT_FILE = Path("exchange.toml")
ENGINE_PORT, REPORTER_PORT, CLEARING_PORT = 1, 2, 3
"""What each component adds to the port base."""
OUCH_AFTER_ENGINE = 10
"""What OUCH adds to the engine's port."""
ITCH_AFTER_REPORTER, REQUESTS_AFTER_REPORTER = 10, 12
"""What ITCH and its requests over UDP add to the reporter's port."""


class Address(NamedTuple):
    """Where a component listens. port: 0 lets the system choose."""

    host: str
    port: int


class Config(Section, frozen=True, kw_only=True):
    """The whole configuration, checked; addresses and folders are derived here and nowhere else."""

    exchange: ExchangeConfig = ExchangeConfig()
    engine: EngineConfig = EngineConfig()
    reporter: ReporterConfig = ReporterConfig()
    clearing: ClearingConfig = ClearingConfig()
    surveillance: SurveillanceConfig = SurveillanceConfig()
    bus: BusConfig = BusConfig()
    redis: RedisConfig = RedisConfig()
    symbols: tuple[SymbolConfig, ...] = DEFAULT_SYMBOLS
    simulation: SimulationConfig = SimulationConfig()

    @property
    def data_folder(self) -> Path:
        """Return the folder that holds everything this exchange writes."""
        return Path(self.exchange.data).expanduser()

    @property
    def partition(self) -> int:
        """Return the number of this engine's partition."""
        return int(self.engine.partition.split("/")[0])

    def engine_address(self) -> Address:
        """Return where the engine listens."""
        return self._address(self.engine.host, self.engine.port, ENGINE_PORT)

    def ouch_address(self) -> Address:
        """Return where the engine listens for OUCH."""
        ouch, engine = self.engine.ouch, self.engine_address()
        port = ouch.port or (engine.port + OUCH_AFTER_ENGINE if engine.port else 0)
        return Address(ouch.host or engine.host, port)

    def reporter_address(self) -> Address:
        """Return where the reporter listens."""
        return self._address(self.reporter.host, self.reporter.port, REPORTER_PORT)

    def itch_address(self) -> Address:
        """Return where the reporter listens for ITCH."""
        itch, reporter = self.reporter.itch, self.reporter_address()
        port = itch.port or (reporter.port + ITCH_AFTER_REPORTER if reporter.port else 0)
        return Address(itch.host or reporter.host, port)

    def itch_request_address(self) -> Address:
        """Return where the reporter listens for requests of lost datagrams."""
        itch, reporter = self.reporter.itch, self.reporter_address()
        port = itch.udp_request_port or (reporter.port + REQUESTS_AFTER_REPORTER if reporter.port else 0)
        return Address(itch.host or reporter.host, port)

    def itch_udp_to(self) -> Address | None:
        """Return where datagrams of ITCH are sent, None for nowhere."""
        host, _, port = self.reporter.itch.udp_to.rpartition(":")
        return Address(host.strip("[]"), int(port)) if host else None

    def clearing_address(self) -> Address:
        """Return where clearing listens."""
        return self._address(self.clearing.host, self.clearing.port, CLEARING_PORT)

    def engine_url(self) -> str:
        """Return how others reach the engine."""
        return self.engine.url or url_of(self.engine_address())

    def reporter_url(self) -> str:
        """Return how others reach the reporter."""
        return self.reporter.url or url_of(self.reporter_address())

    def clearing_url(self) -> str:
        """Return how others reach clearing."""
        return self.clearing.url or url_of(self.clearing_address())

    def page_origins(self) -> tuple[str, ...]:
        """Return the origins from which browsers may call: the configured ones and the reporter's own page."""
        own = self.reporter_url()
        return (*self.exchange.cors_origins, own, own.replace("//127.0.0.1:", "//localhost:"))

    def engine_url_for(self, component: Literal["reporter", "clearing"]) -> str:
        """Return where a component finds the engine."""
        own = self.reporter.engine_url if component == "reporter" else self.clearing.engine_url
        return own or self.engine_url()

    def reporter_url_for_clearing(self) -> str:
        """Return where clearing finds the reporter."""
        return self.clearing.reporter_url or self.reporter_url()

    def component_folder(self, component: str) -> Path:
        """Return the folder of a component's own data."""
        return self.data_folder / component

    def store_url_for(self, component: Literal["reporter", "clearing"]) -> str:
        """Return the database of a component: its own setting, or SQLite in its folder."""
        own = self.reporter.store_url if component == "reporter" else self.clearing.store_url
        return own or f"sqlite:///{self.component_folder(component) / component}.sqlite"

    def surveillance_store_url(self) -> str:
        """Return the database of surveillance: its own setting, clearing's PostgreSQL, or SQLite beside clearing's."""
        shared = self.clearing.store_url
        own = self.surveillance.store_url or (shared if shared.startswith("postgresql") else "")
        return own or f"sqlite:///{self.component_folder('clearing') / 'surveillance'}.sqlite"

    def key_file_for(self, component: str = "") -> Path:
        """Return the file with the demo and component keys."""
        own = {"reporter": self.reporter.key_file, "clearing": self.clearing.key_file}.get(component, "")
        return Path(own).expanduser() if own else self.data_folder / "keys.json"

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Check what concerns several keys at once."""
        if len(self.symbols) > SYMBOLS_MAX:
            yield "symbols", f"at most {SYMBOLS_MAX} symbols, got {len(self.symbols)}"
        first: dict[str, int] = {}
        for number, symbol in enumerate(self.symbols, 1):
            if first.setdefault(symbol.symbol, number) != number:
                yield (
                    f"symbols.{number}.symbol",
                    f'"{symbol.symbol}" is listed already, as number {first[symbol.symbol]}',
                )
        yield from self._shared_ports()

    def _shared_ports(self) -> Iterable[tuple[str, str]]:
        taken: dict[Address, str] = {}
        addresses = {
            "engine": self.engine_address(),
            "reporter": self.reporter_address(),
            "clearing": self.clearing_address(),
        }
        if self.engine.ouch.enabled:
            addresses["engine.ouch"] = self.ouch_address()
        if self.reporter.itch.enabled:
            addresses["reporter.itch"] = self.itch_address()
        for component, address in addresses.items():
            if address.port and taken.setdefault(address, component) != component:
                yield (
                    f"{component}.port",
                    f"{address.port} is the port of the {taken[address]} too; give each its own",
                )

    def _address(self, host: str, port: int, number: int) -> Address:
        base = self.exchange.port_base
        return Address(host or self.exchange.host, port or (base + number if base else 0))


class Loaded(NamedTuple):
    """A configuration with where it came from. file: None where there is none; origins: key path → origin."""

    config: Config
    file: Path | None
    origins: dict[str, str]


def load_config(
    path: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """Read the configuration. Raise `ConfigError` with every mistake in it. See `read_config`."""
    return read_config(path, env, overrides).config


def read_config(
    path: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Loaded:
    """Read the configuration with the origin of each key.

    path: None takes `$EXCHANGE_CONFIG`, else `exchange.toml` if it is there. env: None takes the environment.
    overrides: from the command line, by key path such as `engine.port`; without a section it is one of
    [exchange].
    """
    env = os.environ if env is None else env
    file = _file_of(path, env)
    tables = _read_file(file) if file else {}
    origins: dict[str, str] = {}
    problems = _apply_environment(tables, env, origins)
    problems += _apply_overrides(tables, overrides or {}, origins)
    reader = TableReader(str(file or "configuration"), origins)
    config = reader.read(Config, tables)
    if config is None or problems:
        raise ConfigError(problems + reader.problems)
    return Loaded(config, file, origins)


def url_of(address: Address) -> str:
    """Return the URL under which this machine reaches an address."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(address.host, address.host)
    return f"http://[{host}]:{address.port}" if ":" in host else f"http://{host}:{address.port}"


def mask_password(url: str) -> str:
    """Return a URL with its passwords hidden, also one that stands behind the question mark."""
    parts = urlsplit(url)
    query = _PASSWORD_PARAMETER.sub(r"\1***", parts.query)
    if query != parts.query:
        url = urlunsplit(parts._replace(query=query))
    if not parts.password:
        return url
    netloc = f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=netloc, query=query))


def _file_of(path: Path | str | None, env: Mapping[str, str]) -> Path | None:
    named = Path(path) if path else Path(env[CONFIG_VARIABLE]) if env.get(CONFIG_VARIABLE) else None
    if named is None:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    return named


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        hint = (
            "; `exchange config init` writes a commented one" if isinstance(error, FileNotFoundError) else ""
        )
        raise ConfigError([Problem(str(file), "", f"cannot be read: {error.strerror}{hint}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            [Problem(str(file), "", f"is not UTF-8 text: {error.reason} at byte {error.start}")]
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem(str(file), "", f"is not TOML: {error}")]) from error


def _apply_environment(
    tables: dict[str, Any], env: Mapping[str, str], origins: dict[str, str]
) -> list[Problem]:
    problems = []
    for name in sorted(env):
        if name.startswith(KEY_PREFIX):
            path = name.removeprefix(KEY_PREFIX).lower().split("__")
            problems += _apply(tables, path, env[name], f"environment {name}", origins)
    return problems


def _apply_overrides(
    tables: dict[str, Any], overrides: Mapping[str, object], origins: dict[str, str]
) -> list[Problem]:
    problems = []
    for name, value in overrides.items():
        if value is not None:
            path = name.split(".") if "." in name else ["exchange", name]
            problems += _apply(tables, path, value, f"command line {name}", origins)
    return problems


def _apply(
    tables: dict[str, Any], path: list[str], value: object, origin: str, origins: dict[str, str]
) -> list[Problem]:
    field = field_at(Config, path)
    if isinstance(field, str):
        return [Problem(origin, "", field)]
    table: Any = tables
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            return []
    table[path[-1]] = value_from_text(field.type, value) if isinstance(value, str) else value
    origins[".".join(path)] = origin
    return []
