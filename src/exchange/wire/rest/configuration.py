"""The shared configuration as JSON: documents, what they would do, versions, proposals, and who runs what."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from exchange.wire.rest.texts import Id

NOTE_CHARACTERS_MAX = 200

Note = Annotated[str, Meta(max_length=NOTE_CHARACTERS_MAX, description="Why, for people.")]
Version = Annotated[int, Meta(ge=0, le=2**31)]
NUMBER_MAX = 10**15
_SCALAR = {
    "anyOf": [
        {"type": "string", "maxLength": 1_000},
        {"type": "boolean"},
        {"type": "integer", "minimum": -NUMBER_MAX, "maximum": NUMBER_MAX},
    ]
}
_VALUE = {"anyOf": [*_SCALAR["anyOf"], {"type": "array", "items": _SCALAR}]}
_TABLE = {"type": "object", "additionalProperties": _VALUE}
_TICK = {
    "type": "object",
    "properties": {"from": {"type": "string"}, "tick": {"type": "string"}},
    "required": ["from", "tick"],
    "additionalProperties": False,
}
_SYMBOL = {
    "type": "object",
    "properties": {
        "symbol": {"type": "string"},
        "name": {"type": "string"},
        "reference_price": {"type": "string"},
        "round_lot": {"type": "integer", "minimum": 1, "maximum": 2**32 - 1},
        "state": {"enum": ["active", "suspended"]},
        "ticks": {"type": "array", "items": _TICK},
    },
    "required": ["symbol"],
    "additionalProperties": False,
}
_EXAMPLE = {
    "type": "object",
    "properties": {
        "trade": {"type": "object", "additionalProperties": _SCALAR},
        "verdict": {"enum": ["accept", "flag", "hold", "bust"]},
    },
    "required": ["trade", "verdict"],
    "additionalProperties": False,
}
RULE_SCHEMA = {
    "type": "object",
    "properties": {
        "tiers": {"type": "array", "items": _TABLE},
        "when": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "leverage": {
            "type": "object",
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 10},
        },
        "tests": {"type": "array", "items": _EXAMPLE},
    },
    "required": ["id", "kind"],
    "additionalProperties": _SCALAR,
}
_CLEARING = {
    "type": "object",
    "properties": {"rules": _TABLE, "rule": {"type": "array", "items": RULE_SCHEMA}},
    "additionalProperties": _VALUE,
}
DOCUMENT_SCHEMA = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("exchange", "engine", "reporter", "bus", "redis"), _TABLE),
        "clearing": _CLEARING,
        "symbols": {"type": "array", "items": _SYMBOL},
    },
    "additionalProperties": False,
}
DocumentIn = Annotated[
    dict[str, Any],
    Meta(
        description="The whole document: tables and keys as in exchange.toml.",
        extra_json_schema=DOCUMENT_SCHEMA,
    ),
]


class ConfigDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A document to look at."""

    document: DocumentIn


class ConfigChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """A document to put in force. after: the version it was made on; where given, no other may be in force."""

    document: DocumentIn
    note: Note = ""
    after: Version | None = None


class ConfigReturn(Struct, kw_only=True, forbid_unknown_fields=True):
    """An earlier version to put in force again, as a new one; 0 for the empty one."""

    version: Version
    note: Note = ""


class ConfigDecision(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a proposal is approved or rejected, for people."""

    note: Note = ""


class ConfigRow(Struct, kw_only=True):
    """A key that changes. before, after: null where it is as each component was started.

    effect: at once, sequenced (at one place of the stream of events), or at restart of the components named.
    """

    key: str
    before: Any
    after: Any
    effect: str


class ConfigPlan(Struct, kw_only=True):
    """What a document would do. after: the version in force; commands: what the engine would sequence, in order."""

    after: int
    changes: list[ConfigRow]
    commands: list[str]
    notes: list[str]


class ConfigVersion(Struct, kw_only=True):
    """A version. who, approver: labels of the keys, approver empty where one person was enough."""

    version: int
    at: str
    note: str
    key_id: Id
    who: str
    approver_key_id: Id
    approver: str
    document: dict[str, Any]


class ConfigVersions(Struct):
    """The versions that are kept, newest first."""

    items: list[ConfigVersion]


class ConfigProposal(Struct, kw_only=True):
    """A document that waits, or waited, for a second operator. base: the version in force when it was proposed."""

    proposal: int
    state: Literal["open", "approved", "rejected", "expired", "overtaken"]
    base: int
    at: str
    expires_at: str
    note: str
    key_id: Id
    who: str
    document: dict[str, Any]
    decided_at: str
    decided_by: str
    why: str


class ConfigProposals(Struct):
    """The proposals that are kept, newest first."""

    items: list[ConfigProposal]


class ConfigDone(Struct, kw_only=True):
    """What came of a change.

    status: applied (as `version`) or proposed (as `proposal`, which a second operator approves); problem: what of it
    could not be carried out, else empty; seq: of the event that confirms it, 0 where it was not sequenced yet.
    """

    status: Literal["applied", "proposed", "rejected"]
    version: int = 0
    proposal: int = 0
    seq: int = 0
    changes: list[ConfigRow] = []
    commands: list[str] = []
    notes: list[str] = []
    problem: str = ""


class ConfigRunning(Struct, kw_only=True):
    """What a component runs. pending: keys that wait for its restart."""

    component: str
    version: int
    pending: list[str]
    problem: str


class ConfigState(Struct, kw_only=True):
    """The configuration in force, and who runs it.

    sequenced: the version whose changes of the market are all in the stream of events of this engine; approvals: how
    many operators a change needs.
    """

    version: int
    sequenced: int
    approvals: int
    document: dict[str, Any]
    running: list[ConfigRunning]
    open_proposals: int
