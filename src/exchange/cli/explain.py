"""`exchange explain`: why an order was refused, did not fill, or filled at that price."""

from __future__ import annotations

from typing import Any

from exchange.cli.connection import in_path
from exchange.cli.explain_picture import Picture, blocks
from exchange.cli.options import Options
from exchange.cli.output import colour, print_table, show

DEFAULT = Options()


def explain(order_id: str, *, options: Options = DEFAULT) -> None:
    """Explain an order: `exchange explain 72`, or somebody's as the operator: `exchange explain 72 --as operator`.

    Parameters
    ----------
    order_id
        The order; a refused one has an id too, which its refusal names.
    """
    answer = options.trader().get(f"/api/v1/explain/order/{in_path(order_id)}")
    show(answer, options.json, _print)


def _print(explanation: dict[str, Any]) -> None:
    for block in blocks(explanation):
        if isinstance(block, Picture):
            print(f"\n{colour(block.title, 'bold')}")
            print_table(block.columns, block.rows)
        else:
            print(colour(block.text, block.style) if block.style else block.text)
