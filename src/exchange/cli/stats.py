"""`exchange stats`: what the components have done and how fast."""

from __future__ import annotations

from typing import Any, Literal

from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

DEFAULT = Options()


def stats(
    component: Literal["engine", "reporter", "clearing"] = "engine", *, options: Options = DEFAULT
) -> None:
    """Show what a component has done and how fast: `exchange stats`, `exchange stats reporter`.

    Parameters
    ----------
    component
        Whose figures.
    """
    answer = options.official("operator", component).get("/api/v1/stats")
    show(answer, options.json, print_tree)


def print_tree(answer: dict[str, Any]) -> None:
    """Print nested figures: plain ones first, then each group under its name."""
    print_facts((_words(name), value) for name, value in answer.items() if not isinstance(value, dict | list))
    for name, value in answer.items():
        if isinstance(value, dict) and value:
            print(f"\n{_words(name)}")
            print_facts((f"  {_words(inner)}", _flat(figure)) for inner, figure in value.items())
        elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            print(f"\n{_words(name)}")
            columns = list(value[0])
            headers = [
                f">{_words(c)}" if isinstance(value[0][c], int | float) else _words(c) for c in columns
            ]
            print_table(headers, ([_flat(row.get(column)) for column in columns] for row in value))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _flat(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{_words(str(name))} {_flat(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(str(_flat(inner)) for inner in value) or "none"
    return f"{value:.3f}" if isinstance(value, float) else value
