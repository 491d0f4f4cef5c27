"""What other installed packages bring under a name of ours: their entry points, loaded."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from exchange.infra.errors import InfraError


def installed(group: str) -> dict[str, Any]:
    """Load what stands in a group of entry points, by name. Raise `InfraError` where one cannot be loaded, naming it.

    Two packages that bring one name are refused, for nobody could say which of them holds.
    """
    found: dict[str, Any] = {}
    for point in sorted(entry_points(group=group), key=lambda each: (each.name, each.value)):
        if point.name in found:
            raise InfraError(f"two installed packages bring {point.name!r} in {group}; remove one of them")
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            raise InfraError(
                f"{point.name!r} in {group} cannot be loaded from {point.value}: {error}; repair or remove its package"
            ) from error
    return found
