"""What was seen of a server that the exchange uses, for those who look whether all is well."""

from __future__ import annotations

from typing import NamedTuple


class ServerSeen(NamedTuple):
    """One server. what: which, as people call it; says: what it said of itself; problem: why it cannot be used."""

    what: str
    says: str = ""
    problem: str = ""
