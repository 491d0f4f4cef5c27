"""Configuration that changes at run time: versioned documents and proposals in Redis.

Only the engine writes there, for an operator who showed a key; every component follows (`config_follower.py`). Redis
is not the truth: without it, or when it has lost the documents, the last version runs on.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from exchange.infra.config_document import Document
from exchange.infra.errors import InfraError
from exchange.infra.redis_cache import RedisLink

VERSIONS_KEPT = 100
PROPOSALS_KEPT = 100
"""Decided and open ones; of the open ones fewer may be: `PROPOSALS_OPEN_MAX`."""
PROPOSALS_OPEN_MAX = 20
RUNNING_FIELDS_MAX = 1_000
"""Components that are remembered; more come only of restarts on other ports, and the list is begun anew then."""

_PUBLISH = """
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest') or '0')
if newest ~= tonumber(ARGV[1]) then return 0 end
local version = tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'newest', version, version, ARGV[2])
redis.call('HDEL', KEYS[1], version - tonumber(ARGV[3]))
redis.call('PUBLISH', KEYS[2], version)
return version
"""
"""KEYS: the documents, the channel. ARGV: the version it follows, the document, versions kept, its version.

Answer: 0 = too late.
"""
_DECIDE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""
"""KEYS: the proposals. ARGV: number, as it was, as it is to be. Answer: 0 = somebody else was faster."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A document that waits for a second operator.

    base: the version in force when it was proposed; decided_by: whose key approved or rejected it.
    """

    number: int
    base: int
    document: Document
    expires_at: str
    state: Literal["open", "approved", "rejected"] = "open"
    decided_at: str = ""
    decided_by: str = ""
    why: str = ""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What a component says of itself. version: that it runs; pending: keys that wait for its restart."""

    version: int = 0
    pending: tuple[str, ...] = ()
    problem: str = ""


class VersionTaken(InfraError):
    """Somebody else applied a version, or decided on a proposal, meanwhile."""


class SharedConfig:
    """The documents and proposals of one exchange. Every question may raise `CacheUnavailable`."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._documents = link.key("config", "documents")
        self._proposals = link.key("config", "proposals")
        self._running = link.key("config", "running")
        self.channel = link.key("config", "news")

    # --- versions -----------------------------------------------------------------------------------

    async def newest_version(self) -> int:
        """Return the version in force, 0 for none."""
        (number,) = await self._link.call(("HGET", self._documents, "newest"))
        return _number(number)

    async def document(self, version: int) -> Document | None:
        """Return a version, None where it is not kept; 0 is the empty one. Raise `InfraError` where it is damaged."""
        if not version:
            return Document()
        (body,) = await self._link.call(("HGET", self._documents, version))
        return _decoded(body, Document, f"version {version}") if body is not None else None

    async def newest(self) -> Document:
        """Return the version in force; the empty one where there is none."""
        version = await self.newest_version()
        return await self.document(version) or Document(version=version)

    async def history(self) -> list[Document]:
        """Return the versions that are kept, newest first."""
        newest = await self.newest_version()
        numbers = range(newest, max(0, newest - VERSIONS_KEPT), -1)
        found = [await self.document(number) for number in numbers]
        return [document for document in found if document is not None]

    async def publish(self, document: Document, after: int | None = None) -> None:
        """Put a document in force. after: the version it must follow, by default the one before it.

        Raise `VersionTaken` where another one is in force by now.
        """
        before = document.version - 1 if after is None else after
        command = ("EVAL", _PUBLISH, 2, self._documents, self.channel)
        body = msgspec.json.encode(document)
        (version,) = await self._link.call((*command, before, body, VERSIONS_KEPT, document.version))
        if not version:
            raise VersionTaken(
                f"version {before} is not in force any more: somebody else applied one; look, then try again"
            )

    # --- proposals ----------------------------------------------------------------------------------

    async def propose(self, proposal: Proposal) -> Proposal:
        """Keep a proposal under the next number; return it with the number."""
        (number,) = await self._link.call(("HINCRBY", self._proposals, "newest", 1))
        numbered = msgspec.structs.replace(proposal, number=number)
        body = msgspec.json.encode(numbered)
        await self._link.call(
            ("HSET", self._proposals, number, body), ("HDEL", self._proposals, number - PROPOSALS_KEPT)
        )
        return numbered

    async def proposal(self, number: int) -> Proposal | None:
        """Return a proposal, None where it is not kept."""
        (body,) = await self._link.call(("HGET", self._proposals, number))
        return _decoded(body, Proposal, f"proposal {number}") if body is not None else None

    async def proposals(self) -> list[Proposal]:
        """Return the proposals that are kept, newest first."""
        (newest,) = await self._link.call(("HGET", self._proposals, "newest"))
        last = _number(newest)
        found = [await self.proposal(number) for number in range(last, max(0, last - PROPOSALS_KEPT), -1)]
        return [proposal for proposal in found if proposal is not None]

    async def decide(self, before: Proposal, after: Proposal) -> None:
        """Note what was decided. Raise `VersionTaken` where somebody else decided meanwhile."""
        command = ("EVAL", _DECIDE, 1, self._proposals, before.number)
        bodies = msgspec.json.encode(before), msgspec.json.encode(after)
        (done,) = await self._link.call((*command, *bodies))
        if not done:
            raise VersionTaken(f"proposal {before.number} was decided by somebody else meanwhile")

    # --- who runs what ------------------------------------------------------------------------------

    async def report(self, component: str, running: Running) -> None:
        """Tell what a component runs."""
        (count,) = await self._link.call(("HLEN", self._running))
        if count >= RUNNING_FIELDS_MAX:
            await self._link.call(("DEL", self._running))
        await self._link.call(("HSET", self._running, component, msgspec.json.encode(running)))

    async def running(self) -> dict[str, Running]:
        """Return what each component said that it runs."""
        (found,) = await self._link.call(("HGETALL", self._running))
        return {name.decode(): _decoded(body, Running, name.decode()) for name, body in sorted(found.items())}


def _decoded(body: bytes, kind: Any, what: str) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        text = f"the shared configuration in Redis is damaged, {what}: {error}; remove it there, then apply again"
        raise InfraError(text) from error


def _number(body: bytes | None) -> int:
    try:
        return int(body or 0)
    except ValueError as error:
        text = f"the shared configuration in Redis is damaged: the newest version is {body!r}"
        raise InfraError(text) from error
