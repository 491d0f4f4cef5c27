"""The configuration as text: the example has every key at its default, and what is written reads back the same."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from exchange.infra import config_sections, surveillance_config
from exchange.infra.config import Config, load_config
from exchange.infra.config_keys import Section, item_section, unwrap
from exchange.infra.config_text import config_text, descriptions, example_text, toml_value
from exchange.surveillance.settings import Settings

ROOT = Path(__file__).parents[2]
SECTIONS = [
    value
    for value in (*vars(config_sections).values(), *vars(surveillance_config).values())
    if isinstance(value, type) and issubclass(value, Section) and value is not Section
]


def keys_of(section: type[Section], path: str = "") -> dict[str, str]:
    """Return every key path of a section with the description it must have."""
    found = {}
    for field in fields(section):
        here, kind = f"{path}{field.encode_name}", unwrap(field.type)
        inner = kind if isinstance(kind, type) and issubclass(kind, Section) else item_section(field.type)
        if inner is not None:
            found |= keys_of(inner, f"{here}.")
        if inner is None or section is not Config:
            found[here] = descriptions().get(section.__name__, {}).get(field.name, "")
    return found


def keys_in(table: dict[str, Any], path: str = "") -> set[str]:
    """Return every key path in a document; what holds tables is followed."""
    found = set()
    for key, value in table.items():
        here = f"{path}{key}"
        inner = value if isinstance(value, dict) else {}
        if isinstance(value, list):
            for item in value:
                inner |= item if isinstance(item, dict) else {}
        found |= keys_in(inner, f"{here}.")
        if not inner or path:
            found.add(here)
    return found


def test_the_example_in_the_project_is_the_one_made_from_the_types() -> None:
    assert (ROOT / "exchange.toml").read_text() == example_text(), (
        "exchange.toml differs from the types: remove it and run `exchange config init`"
    )


def test_the_example_reads_as_all_defaults(tmp_path: Path) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text(example_text())
    assert load_config(file, {}) == Config()


def test_every_key_stands_in_the_example_with_a_comment_and_no_other() -> None:
    document = tomllib.loads(example_text())
    tables = {"clearing.fund", "clearing.margin", "clearing.reviews", "clearing.rules", "clearing.settlement"}
    tables |= {"engine.ouch", "engine.schedule", "engine.price_limits", "reporter.itch", "reporter.webhooks"}
    tables |= {f"surveillance.{name}" for name in Settings.__struct_fields__[1:]}
    assert keys_in(document) - tables == set(keys_of(Config)) - tables
    comments = " ".join(line.strip("# ") for line in example_text().splitlines() if line.startswith("#"))
    for path, meaning in keys_of(Config).items():
        if path not in tables:
            assert meaning, f"{path}: write its meaning below it in config_sections.py"
            assert " ".join(meaning.split()) in " ".join(comments.split()), path


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_section_says_what_it_is(section: type[Section]) -> None:
    assert (section.__doc__ or "").strip().endswith((".", "hold."))


def test_no_line_of_the_example_is_too_long() -> None:
    assert max(map(len, example_text().splitlines())) <= 110


def test_any_configuration_reads_back_as_it_was_written(tmp_path: Path) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text(
        """
[exchange]
name = "He said \\"hi\\"\\u007f é"
cors_origins = ["https://a", "https://b"]
[clearing.rules]
version = 3
[[clearing.rule]]
id = "A"
when = { session = ["core"], "odd key" = 1 }
tiers = [{ up_to = "25.00", percent = "10" }, { percent = "3" }]
on = true
[[clearing.rule]]
id = "B"
[[symbols]]
symbol = "ABC"
name = "A"
reference_price = "0.5"
round_lot = 100
ticks = [{ from = "0", tick = "0.05" }]
"""
    )
    config = load_config(changed, {})
    written = tmp_path / "written.toml"
    written.write_text(config_text(config))
    assert load_config(written, {}) == config
    written.write_text(config_text(config, with_comments=True))
    assert load_config(written, {}) == config


def test_what_is_shown_names_the_origin_of_what_was_overridden() -> None:
    text = config_text(Config(), origins={"engine.port": "environment EXCHANGE__ENGINE__PORT"})
    assert "\nport = 0  # environment EXCHANGE__ENGINE__PORT\n" in text
    assert text.count("#") == 1


def test_passwords_are_not_shown() -> None:
    config = load_config(env={}, overrides={"reporter.store_url": "postgresql://me:secret@db/x"})
    assert 'store_url = "postgresql://me:***@db/x"' in config_text(config)
    assert "secret" not in config_text(config)


@pytest.mark.parametrize(
    "value", ["a", 'a"\\\n\x7fé', 3, True, [], [1, "a"], {"a": 1, "odd key": [True]}, {"a": {"b": "c"}}]
)
def test_values_are_written_as_toml(value: object) -> None:
    assert tomllib.loads(f"value = {toml_value(value)}")["value"] == value
