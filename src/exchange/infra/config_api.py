"""Tells operators with which configuration a component runs, so that it can be compared with a file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from exchange.domain.participant import Role
from exchange.infra.config import Config
from exchange.infra.config_follower import ConfigFollower
from exchange.infra.config_text import config_text
from exchange.infra.http_routes import Call, Route

READERS = frozenset((Role.OPERATOR, Role.AUDITOR))


class RunningConfig(msgspec.Struct, kw_only=True):
    """The configuration that a component was started with, passwords hidden.

    values: by key path such as `engine.port`; shared_version: of the shared configuration that lies over it, null where
    there is none; shared_problem: why a newer one is not taken.
    """

    component: str
    values: dict[str, Any]
    shared_version: int | None
    shared_problem: str


def config_route(component: str, config: Config, follower: Callable[[], ConfigFollower | None]) -> Route:
    """Make the route that shows a component's configuration. follower: asked again and again."""

    async def running_config(_: Call) -> RunningConfig:
        shared = follower()
        return RunningConfig(
            component=component,
            values=flat_values(config),
            shared_version=shared.version if shared else None,
            shared_problem=shared.problem if shared else "",
        )

    return Route(
        "GET", "/api/v1/config", running_config, "Show the configuration that the component runs with", "system",
        READERS, returns=RunningConfig, description="As it was started, by key path; passwords are hidden.",
    )  # fmt: skip


def flat_values(config: Config) -> dict[str, Any]:
    """Return every value as the file would have it, by key path, passwords hidden."""
    return dict(_flat(tomllib.loads(config_text(config)), ""))


def _flat(table: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
