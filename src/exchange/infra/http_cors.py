"""Which pages of other origins may call: the headers of CORS. Fetch standard, §3.2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PREFLIGHT_AGE_S = 600
ANY = "*"
_EXPOSED = "X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, Location"
_EXPOSE = {"Access-Control-Expose-Headers": _EXPOSED}
_NOTHING: Mapping[str, str] = {}


class Cors:
    """The origins that may call; `*` stands for any, which is safe because keys never travel as cookies."""

    def __init__(self, origins: Iterable[str]) -> None:
        self.origins = frozenset(origin.rstrip("/") for origin in origins)

    def allows(self, origin: str) -> bool:
        """Tell whether pages of an origin may call."""
        return origin in self.origins or ANY in self.origins

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return the headers for an answer to a page of an origin."""
        if origin is None or not self.origins:
            return _NOTHING
        if ANY in self.origins:
            return {"Access-Control-Allow-Origin": ANY, **_EXPOSE}
        if origin not in self.origins:
            return {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **_EXPOSE}

    def preflight(self, origin: str | None, allow: str) -> Mapping[str, str]:
        """Return the headers for an OPTIONS request. allow: the methods of the path."""
        if origin is None or not self.allows(origin):
            return {"Allow": allow}
        return {
            "Allow": allow,
            "Access-Control-Allow-Methods": allow,
            "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID",
            "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
        }
