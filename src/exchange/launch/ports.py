"""Ports that the system chooses: found before anything starts, so that every component can be told every address."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import msgspec

from exchange.infra.config import Address, Config
from exchange.infra.errors import InfraError


def with_ports(config: Config) -> Config:
    """Return a configuration in which every component has a port; only `port_base = 0` leaves one open."""
    addresses = (
        config.engine_address(),
        config.reporter_address(),
        config.clearing_address(),
        config.ouch_address(),
        config.itch_address(),
    )
    with ExitStack() as held:
        ports = [address.port or _free_port(address, held) for address in addresses]
    engine, reporter, clearing, ouch, itch = ports
    return msgspec.structs.replace(
        config,
        engine=msgspec.structs.replace(
            config.engine, port=engine, ouch=msgspec.structs.replace(config.engine.ouch, port=ouch)
        ),
        reporter=msgspec.structs.replace(
            config.reporter, port=reporter, itch=msgspec.structs.replace(config.reporter.itch, port=itch)
        ),
        clearing=msgspec.structs.replace(config.clearing, port=clearing),
    )


def _free_port(address: Address, held: ExitStack) -> int:
    """Let the system choose a port, and hold it until all are chosen, so that none is chosen twice."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    chosen = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
    try:
        chosen.bind((address.host, 0))
    except OSError as error:
        raise InfraError(
            f"host {address.host!r}: no port can be had there: {error.strerror or error}"
        ) from error
    port: int = chosen.getsockname()[1]
    return port
