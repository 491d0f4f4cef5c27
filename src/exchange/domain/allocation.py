"""How a symbol shares a trade out among the orders at one price: a list of steps, as values and as text.

No steps is price-time priority. The kinds of steps are those of CME Globex; `matching/allocation.py` says what each
does. A share is in basis points.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

STEPS_MAX = 8
"""Steps of one allocation."""
LEAD_MAKERS_MAX = 16
"""Lead market makers of one symbol."""
SHARE_MAX = 10_000
"""The whole, in basis points."""


class StepKind(IntEnum):
    """What a step does."""

    FIFO = 1
    """Oldest first."""
    PRO_RATA = 2
    """By size."""
    TOP = 3
    """The order that bettered the price."""
    LEAD = 4
    """The symbol's lead market makers, each its share."""
    SPLIT = 5
    """A share for the next FIFO step, what is left for the next pro-rata step."""
    LEVELING = 6
    """One lot for each order that the pro-rata step gave nothing."""


class Rounding(IntEnum):
    """What a pro-rata step does with a part of a lot."""

    NONE = 0
    """Of steps that do not divide by size."""
    DOWN = 1
    """It is dropped; what is left over goes to the steps behind."""
    UP = 2
    """It is filled up, the largest order first, while there is something left."""


class AllocationStep(msgspec.Struct, frozen=True, gc=False):
    """One step. What its kind does not take is 0.

    rounding: of pro-rata; share_bps: of TOP and of SPLIT; minimum: of pro-rata, what it gives at least or nothing, of
    TOP, how large the order must be when it comes to rest; maximum: of TOP, the most that it is given, 0 for no limit.
    """

    kind: int
    rounding: int = 0
    share_bps: int = 0
    minimum: int = 0
    maximum: int = 0


class LeadMaker(msgspec.Struct, frozen=True, gc=False):
    """An account that is a lead market maker of a symbol, and its share."""

    account_id: int
    share_bps: int


class Allocation(msgspec.Struct, frozen=True, gc=False):
    """How a symbol allocates. lead_makers: in the sequence in which they are served."""

    steps: tuple[AllocationStep, ...] = ()
    lead_makers: tuple[LeadMaker, ...] = ()

    @property
    def top(self) -> AllocationStep | None:
        """Return the step of the top order, if there is one."""
        return next((step for step in self.steps if step.kind == StepKind.TOP), None)


PRICE_TIME = Allocation()


def first_bad_step(steps: tuple[AllocationStep, ...]) -> int:
    """Return the number, from 1, of the first step that cannot be what or where it is; 0 where all can."""
    for number, step in enumerate(steps, 1):
        behind = [later.kind for later in steps[number:]]
        before = [earlier.kind for earlier in steps[: number - 1]]
        if not _is_valid(step, before, behind):
            return number
    return 0


def _is_valid(step: AllocationStep, before: list[int], behind: list[int]) -> bool:
    blank = AllocationStep(step.kind)
    match step.kind:
        case StepKind.FIFO:
            return step == blank
        case StepKind.PRO_RATA:
            rounding = step.rounding in (Rounding.DOWN, Rounding.UP)
            return rounding and step.share_bps == step.maximum == 0
        case StepKind.TOP:
            return step.rounding == 0 and 0 < step.share_bps <= SHARE_MAX and step.kind not in before
        case StepKind.LEAD:
            return step == blank and step.kind not in before
        case StepKind.SPLIT:
            plain = step.rounding == step.minimum == step.maximum == 0
            both = StepKind.FIFO in behind and StepKind.PRO_RATA in behind and step.kind not in before
            return plain and 0 < step.share_bps < SHARE_MAX and both
        case StepKind.LEVELING:
            return step == blank and StepKind.PRO_RATA in before
    return False


def lead_makers_fit(allocation: Allocation) -> bool:
    """Tell whether each is named once, each share is above 0, all are at most the whole, and a step serves them."""
    shares = [maker.share_bps for maker in allocation.lead_makers]
    accounts = {maker.account_id for maker in allocation.lead_makers}
    has_step = any(step.kind == StepKind.LEAD for step in allocation.steps)
    return (
        has_step == bool(shares)
        and len(accounts) == len(shares)
        and all(share > 0 for share in shares)
        and sum(shares) <= SHARE_MAX
    )


# --- as text -----------------------------------------------------------------------------------------------------

_WORDS = {"share": "share_bps", "min": "minimum", "max": "maximum"}
_ROUNDINGS = {"down": Rounding.DOWN, "up": Rounding.UP}
_NUMBER_MAX = 2**32 - 1


NO_STEPS = "price_time"
"""How a text says that there are no steps."""


def step_text(step: AllocationStep) -> str:
    """Write a step as `parse_step` reads it, such as `top,share=10000,max=100`."""
    parts = [StepKind(step.kind).name.lower()]
    parts += [f"{word}={getattr(step, name)}" for word, name in _WORDS.items() if getattr(step, name)]
    if step.rounding == Rounding.UP:
        parts.append("rounding=up")
    return ",".join(parts)


def allocation_text(allocation: Allocation) -> str:
    """Write the steps of an allocation, such as `top,share=10000 fifo`; `price_time` where it has none."""
    return " ".join(map(step_text, allocation.steps)) or NO_STEPS


def parse_step(text: str) -> AllocationStep:
    """Read a step such as `pro_rata,min=2`; pro-rata rounds down, a top order has all, unless the text says otherwise.

    Raise `ValueError` with a sentence where it is none.
    """
    name, *said = text.strip().lower().split(",")
    name = name.replace("-", "_")
    if name.upper() not in StepKind.__members__:
        known = ", ".join(kind.name.lower() for kind in StepKind)
        raise ValueError(f"an allocation step begins with one of {known}; got {text[:40]!r}")
    kind = StepKind[name.upper()]
    values: dict[str, int] = {}
    if kind is StepKind.PRO_RATA:
        values["rounding"] = Rounding.DOWN
    if kind is StepKind.TOP:
        values["share_bps"] = SHARE_MAX
    for part in said:
        word, _, value = part.partition("=")
        if word == "rounding" and value in _ROUNDINGS:
            values["rounding"] = _ROUNDINGS[value]
        elif word in _WORDS and value.isascii() and value.isdigit() and int(value) <= _NUMBER_MAX:
            values[_WORDS[word]] = int(value)
        else:
            raise ValueError(
                f"a step takes share=, min=, max= with whole numbers and rounding=down or up; got {part[:40]!r} in"
                f" {text[:40]!r}"
            )
    if values.get("share_bps", 0) > SHARE_MAX:
        raise ValueError(
            f"a share is at most {SHARE_MAX} basis points; got {values['share_bps']} in {text[:40]!r}"
        )
    return AllocationStep(kind, **values)
