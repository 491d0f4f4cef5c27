"""From a path to what serves it: exact paths by one look-up, paths with parameters by their segments."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")
NEAR_PATHS_MAX = 3
PATH_COMPARED_MAX = 100


class PathEntry(Generic[T]):
    """What one path serves, by method."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.methods: dict[str, T] = {}

    @property
    def allow(self) -> str:
        """Return the value of the Allow header."""
        names = set(self.methods) | {"OPTIONS"} | ({"HEAD"} if "GET" in self.methods else set())
        return ", ".join(sorted(names))


class Router(Generic[T]):
    """A table of paths. A path without parameters wins over one with parameters."""

    def __init__(self) -> None:
        self._exact: dict[str, PathEntry[T]] = {}
        self._templates: dict[int, list[tuple[tuple[str, ...], PathEntry[T]]]] = {}
        self._entries: dict[str, PathEntry[T]] = {}

    def add(self, method: str, path: str, target: T) -> None:
        """Enter one method of one path; a second entry for both is an error of ours."""
        entry = self._entries.get(path)
        if entry is None:
            entry = self._entries[path] = PathEntry(path)
            if "{" in path:
                segments = tuple(path.split("/"))
                self._templates.setdefault(len(segments), []).append((segments, entry))
            else:
                self._exact[path] = entry
        assert method not in entry.methods, f"two routes for {method} {path}"
        entry.methods[method] = target

    def find(self, raw_path: str) -> tuple[PathEntry[T] | None, dict[str, str]]:
        """Return what a path serves, or None, and its parameters. raw_path: as sent, without the query."""
        entry = self._exact.get(raw_path)
        if entry is not None:
            return entry, {}
        segments = raw_path.split("/")
        for template, candidate in self._templates.get(len(segments), ()):
            parameters = _match(template, segments)
            if parameters is not None:
                return candidate, parameters
        decoded = unquote(raw_path)
        return (self._exact.get(decoded), {}) if decoded != raw_path else (None, {})

    def near(self, raw_path: str) -> list[str]:
        """List the paths most like one that does not exist."""
        return get_close_matches(raw_path[:PATH_COMPARED_MAX], self._entries, n=NEAR_PATHS_MAX, cutoff=0.5)


def _match(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for wanted, seen in zip(template, segments, strict=True):
        if wanted.startswith("{"):
            if not seen:
                return None
            parameters[wanted[1:-1]] = unquote(seen) if "%" in seen else seen
        elif wanted != seen:
            return None
    return parameters
