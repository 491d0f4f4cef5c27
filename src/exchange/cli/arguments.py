"""What people type, made plain before it is parsed: `100 @ 189.20` becomes `100 --at 189.20`."""

from __future__ import annotations

import re
from collections.abc import Sequence

PRICED = tuple(("order", verb) for verb in ("buy", "sell", "amend", "pair", "then", "bracket"))
"""Commands that take a price after an @."""
_JOINED = re.compile(r"(?P<quantity>\d*)@(?P<price>[^@]*)\Z", re.ASCII)


def spell_out_price(words: Sequence[str]) -> list[str]:
    """Turn an @ in an order into the option that it stands for; other words stay as they are."""
    if tuple(words[:2]) not in PRICED:
        return list(words)
    spelled: list[str] = list(words[:2])
    for word in words[2:]:
        found = _JOINED.match(word)
        if not found or spelled[-1].startswith("-"):
            spelled.append(word)
            continue
        spelled += [part for part in (found["quantity"], "--at", found["price"]) if part]
    return spelled


def wants_json(words: Sequence[str]) -> bool:
    """Tell whether machine-readable output is wanted, also where the rest cannot be parsed."""
    return "--json" in words
