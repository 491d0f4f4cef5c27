"""Hold the rules of the house that a machine can check: each violation says where, what rule, what to do."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "exchange"

# --- the lists to edit: each exception by name, with its reason -----------------------------------

CORE = {"domain", "wire", "risk", "matching", "market_data", "post_trade", "surveillance"}

# Modules under src/exchange/ that have no test file of their own.
NO_TEST_OF_ITS_OWN = {
    "client/errors.py": "values only; client/test_requests.py and test_stream.py raise them all",
    "domain/commands.py": "values only; the records' round trip tests them",
    "domain/volatility_events.py": "values only; the records' round trip tests them",
    "domain/corporate_events.py": "values only; the records' round trip tests them",
    "domain/events.py": "values only; the records' round trip tests them",
    "domain/participant.py": "values only",
    "domain/trade.py": "values only",
    "engine/sequencer_stats.py": "values only; engine/test_sequencer.py reads them",
    "engine/engine_metrics.py": "a table of figures; engine/test_rest_stats.py reads them",
    "engine/ouch_metrics.py": "a table of figures; engine/test_rest_sessions.py reads them",
    "reporter/itch_metrics.py": "a table of figures; launch/test_metric_catalogue.py reads them",
    "reporter/webhook_metrics.py": "a table of figures; launch/test_metric_catalogue.py reads them",
    "reporter/reporter_metrics.py": "a table of figures; reporter/test_rest_stats.py reads them",
    "clearing/clearing_metrics.py": "a table of figures; clearing/test_rest_reports.py reads them",
    "infra/feed_metrics.py": "a table of figures; reporter and clearing read them",
    "infra/server_seen.py": "values only; infra/test_store_check.py and test_nsq_probe.py read them",
    "wire/ouch_messages.py": "values only; wire/test_ouch.py writes and reads them all",
    "simulation/market_day.py": "a day under way; simulation/test_demo_day.py runs it",
    "simulation/day_moments.py": "the moments of a day; simulation/test_demo_day.py goes through them all",
    "wire/rest/explain.py": "values only; engine/explain/test_explanation.py and engine/test_rest_explain.py read them",
    "wire/rest/sessions.py": "values only; engine/test_rest_sessions.py reads them",
    "engine/ouch_connection.py": "a socket's part of the gateway; engine/test_ouch_acceptor.py speaks with it",
    "wire/rest/rules.py": "values only; clearing/test_rest_rules.py reads them",
    "wire/rest/reviews.py": "values only; clearing/test_rest_reviews.py reads them",
    "wire/rest/statements.py": "values only; clearing/test_rest_statements.py reads them",
    "wire/rest/cycles.py": "values only; clearing/test_rest_cycles.py reads them",
    "clearing/cycle_tables.py": "tables only; clearing/test_cycle_desk.py and the migrations' test read them",
    "clearing/house_tables.py": "tables only; clearing/test_settlement_desk.py and the migrations' test read them",
    "clearing/house.py": "wiring only; clearing/test_rest_collateral.py runs it",
    "wire/rest/collateral.py": "values only; clearing/test_rest_collateral.py reads them",
    "wire/rest/house.py": "values only; clearing/test_rest_settlement.py reads them",
    "wire/rest/drop_copy.py": "values only; reporter/test_drop_copy_api.py reads them",
    "surveillance/spoofing.py": "surveillance/test_tables.py plays spoof-1.txt, its patterns and near misses",
    "surveillance/layering.py": "surveillance/test_tables.py plays layer-1.txt, its patterns and near misses",
    "surveillance/wash_trades.py": "surveillance/test_tables.py plays wash-1.txt, its patterns and near misses",
    "surveillance/circular_trading.py": "surveillance/test_tables.py plays wash-2.txt, its patterns and near misses",
    "surveillance/marking_close.py": "surveillance/test_tables.py plays mtc-1.txt, its patterns and near misses",
    "surveillance/marking_auction.py": "surveillance/test_tables.py plays mto-1.txt, its patterns and near misses",
    "surveillance/momentum_ignition.py": "surveillance/test_tables.py plays ramp-1.txt, its patterns and near misses",
    "surveillance/quote_stuffing.py": "surveillance/test_tables.py plays stuff-1.txt, its patterns and near misses",
    "surveillance/order_to_trade.py": "surveillance/test_tables.py plays otr-1.txt, its patterns and near misses",
    "surveillance/front_running.py": "surveillance/test_tables.py plays front-1.txt, its patterns and near misses",
    "surveillance/erroneous_trades.py": "surveillance/test_tables.py plays ce-1.txt, its patterns and near misses",
    "surveillance/settings.py": "values only; every table is judged by them",
    "surveillance/detector.py": "the hooks of all detectors; surveillance/test_tables.py calls them all",
    "surveillance/market.py": "state only; surveillance/test_event_intake.py compares it with the venue's",
    "wire/rest/surveillance.py": "values only; clearing/surveillance/test_rest_api.py reads them",
    "clearing/surveillance/tables.py": "tables only; clearing/surveillance/migrations/test_env.py reads them",
    "clearing/surveillance/metrics.py": "a table of figures; clearing/surveillance/test_rest_api.py reads them",
    "infra/surveillance_config.py": "sections only; infra/test_config_text.py and clearing/surveillance/test_office.py "
    "read them",
    "wire/rest/private_stream.py": "values only; reporter/test_private_stream.py reads them",
    "wire/rest/cascade.py": "values only; clearing/test_rest_cascade.py reads them",
    "wire/rest/webhooks.py": "values only; reporter/test_webhook_api.py reads them",
    "wire/rest/components.py": "values only; infra/test_component_news.py reads them",
}

# Functions that own a task and may therefore catch everything: "engine/app.py:run".
CATCHES_EVERYTHING: dict[str, str] = {
    "infra/http_service.py:_serve": "owns a request: whatever fails is logged and answered 500",
    "engine/sequencer.py:_turn": "owns the sequencer's turn: whatever fails halts the engine, and is raised again",
    "engine/sequencer.py:_on_durable": "owns the release of answers: whatever fails halts the engine, then is raised",
    "infra/journal_writer.py:_run": "owns the journal's thread: whatever fails halts the engine",
    "post_trade/rules.py:judge": "calls rules of other packages: whatever one raises holds the trade, and is its hit",
    "post_trade/rules.py:_try_examples": "calls rules of other packages: whatever one raises refuses the set",
}

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
NAMELESS = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "base", "misc"}
CODE_SUFFIXES = {".py", ".rs", ".ts", ".js", ".svelte", ".toml", ".yaml", ".yml", ".sh", ".html", ".css", ""}

# Written in two parts, so that this file does not break its own rule.
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "files.python" + "hosted.org",
    "registry." + "npmjs.org",
    "crates.io" + "/index",
    "proxy." + "golang.org",
)
MACHINE_PATH = re.compile(r"(?<![\w.~/$}-])/(?:work|root|tmp/t|home/\w+)(?:/|(?![\w-]))")
OPEN_TASK = re.compile(r"(?:#|//|<!--|/\*).*\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b(?!\s*\(#\d+\))")


# --- what the rules look at -----------------------------------------------------------------------


@dataclass(frozen=True)
class Module:
    """One Python file: its path in the project, its text and its tree."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return parse(self.text)

    @property
    def package(self) -> str:
        """The package under src/exchange or the folder under tests/ it belongs to, else the empty text."""
        parts = self.path.split("/")
        depth = 2 if self.path.startswith("src/exchange/") else 1
        return parts[depth] if len(parts) > depth + 1 else ""

    @property
    def is_core(self) -> bool:
        return self.path.startswith("src/exchange/") and self.package in CORE

    @property
    def is_core_test(self) -> bool:
        return self.path.startswith("tests/") and self.package in CORE


@cache
def parse(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def project_files() -> tuple[str, ...]:
    """List what belongs to the project: tracked files and those that would be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return tuple(sorted(name for name in set(names) if name and (ROOT / name).is_file()))


@cache
def text_of(path: str) -> str:
    """Read a file, or the empty text if it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def modules() -> tuple[Module, ...]:
    return tuple(Module(path, text_of(path)) for path in project_files() if path.endswith(".py"))


# --- rules on one module: each yields (line, what is wrong and what to do) ------------------------

Violations = Iterator[tuple[int, str]]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def opens_with_a_docstring(module: Module) -> Violations:
    if not ast.get_docstring(module.tree):
        yield 1, "no docstring; open the file with one sentence on what it is for"


def functions_fit_one_screen(module: Module) -> Violations:
    for node in ast.walk(module.tree):
        if isinstance(node, FUNCTIONS):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield (
                    node.lineno,
                    f"{node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}; move straight runs out",
                )


def files_hold_one_noun(module: Module) -> Violations:
    lines = module.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield FILE_LINES_MAX, f"{lines} lines, at most {FILE_LINES_MAX}; a file holds one noun, split it"


def modules_have_a_name(module: Module) -> Violations:
    for part in module.path.removesuffix(".py").split("/"):
        if part.split("_")[-1] in NAMELESS or part in NAMELESS:
            yield 1, f"{part!r} says nothing; name the module after the noun it holds"


def core_numbers_are_integers(module: Module) -> Violations:
    if not module.is_core:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node.lineno, f"{node.value!r} is a float; the core counts in integers (domain/units.py)"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield node.lineno, "/ makes a float; use // or a named rounding that says who gets the remainder"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield node.lineno, "float() in the core; text becomes integers in domain/units.py only"


def is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"set", "frozenset"}
    return isinstance(node, ast.Set | ast.SetComp)


def core_order_is_defined(module: Module) -> Violations:
    if not module.is_core:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and is_set(node.iter):
            yield node.iter.lineno, "iterates over a set; sort it, or keep a dict or a list"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in {"list", "tuple", "iter", "enumerate", "zip"} and any(map(is_set, node.args)):
                yield node.lineno, f"{node.func.id}() of a set has no defined order; use sorted()"
            elif node.func.id in {"hash", "id"}:
                yield node.lineno, f"{node.func.id}() differs from run to run; use a value's own number"


def core_has_no_clock(module: Module) -> Violations:
    if not module.is_core:
        return
    for node in ast.walk(module.tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in {"now", "utcnow", "today"}:
            yield called.lineno, f"{called.attr}() reads a clock; time comes in with the command"


def only_task_owners_catch_everything(module: Module) -> Violations:
    if not module.path.startswith("src/exchange/"):
        return
    for function in ast.walk(module.tree):
        if not isinstance(function, (ast.Module, *FUNCTIONS)):
            continue
        name = f"{module.path.removeprefix('src/exchange/')}:{getattr(function, 'name', '<module>')}"
        for handler in handlers_of(function):
            if catches_everything(handler) and name not in CATCHES_EVERYTHING:
                yield (
                    handler.lineno,
                    f"catches everything; name the errors, or list {name!r} in this test as a task owner",
                )


def handlers_of(function: ast.AST) -> Iterator[ast.ExceptHandler]:
    """Find the handlers of a function's own body, not those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.ExceptHandler):
            yield child
        if not isinstance(child, FUNCTIONS):
            yield from handlers_of(child)


def catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"})
        for name in caught
    )


def log_events_are_names(module: Module) -> Violations:
    if not module.path.startswith("src/exchange/"):
        return
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"debug", "info", "warning", "error", "critical", "exception"}
            and isinstance(node.func.value, ast.Name | ast.Attribute)
            and getattr(node.func.value, "id", getattr(node.func.value, "attr", ""))
            in {"log", "logger", "_log"}
        ):
            event = node.args[0] if node.args else None
            if not (isinstance(event, ast.Constant) and re.fullmatch(r"[a-z][a-z0-9_]*", str(event.value))):
                yield node.lineno, 'log an event name and fields: log.info("order_rejected", order_id=...)'


def test_names_are_sentences(module: Module) -> Violations:
    if not module.path.startswith("tests/"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_") and node.name.count("_") < 3:
            yield node.lineno, f"{node.name} is no sentence; say what holds: test_x_that_y_does_z"


def core_tests_use_no_world(module: Module) -> Violations:
    if not module.is_core_test:
        return
    for node in ast.walk(module.tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] in {"asyncio", "socket", "time", "threading"} or name == "unittest.mock":
                yield node.lineno, f"imports {name}; core tests put commands in and compare the events"


RULES: list[Callable[[Module], Violations]] = [
    opens_with_a_docstring,
    functions_fit_one_screen,
    files_hold_one_noun,
    modules_have_a_name,
    core_numbers_are_integers,
    core_order_is_defined,
    core_has_no_clock,
    only_task_owners_catch_everything,
    log_events_are_names,
    test_names_are_sentences,
    core_tests_use_no_world,
]
# pytest would take the rule for a test.
test_names_are_sentences.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Callable[[Module], Violations]) -> None:
    found = [f"{module.path}:{line}: {what}" for module in modules() for line, what in rule(module)]
    assert not found, "\n" + "\n".join(found)


BROKEN = [
    (opens_with_a_docstring, "src/exchange/engine/app.py", "x = 1\n", 1),
    (functions_fit_one_screen, "src/exchange/engine/app.py", "def f():\n" + "    x = 1\n" * 70, 1),
    (files_hold_one_noun, "src/exchange/engine/app.py", "x = 1\n" * 601, 600),
    (modules_have_a_name, "src/exchange/engine/utils.py", "", 1),
    (modules_have_a_name, "src/exchange/engine/order_helpers.py", "", 1),
    (core_numbers_are_integers, "src/exchange/risk/limits.py", "\nx = 0.5\n", 2),
    (core_numbers_are_integers, "src/exchange/risk/limits.py", "x = 1 / 2\n", 1),
    (core_numbers_are_integers, "src/exchange/risk/limits.py", "x = 1\nx /= 2\n", 2),
    (core_order_is_defined, "src/exchange/risk/limits.py", "for x in {1, 2}:\n    pass\n", 1),
    (core_order_is_defined, "src/exchange/risk/limits.py", "x = [y for y in set(z)]\n", 1),
    (core_order_is_defined, "src/exchange/risk/limits.py", "x = list(frozenset(z))\n", 1),
    (core_order_is_defined, "src/exchange/risk/limits.py", "x = hash('a')\n", 1),
    (core_has_no_clock, "src/exchange/risk/limits.py", "x = datetime.now(UTC)\n", 1),
    (only_task_owners_catch_everything, "src/exchange/engine/app.py", "try: x\nexcept Exception: y\n", 2),
    (only_task_owners_catch_everything, "src/exchange/engine/app.py", "try: x\nexcept: y\n", 2),
    (
        only_task_owners_catch_everything,
        "src/exchange/engine/app.py",
        "class A:\n def f():\n  try: x\n  except (OSError, BaseException): y\n",
        4,
    ),
    (log_events_are_names, "src/exchange/engine/app.py", "log.info(f'order {x}')\n", 1),
    (test_names_are_sentences, "tests/engine/test_app.py", "def test_app(): pass\n", 1),
    (core_tests_use_no_world, "tests/risk/test_limits.py", "from unittest.mock import Mock\n", 1),
]


@pytest.mark.parametrize(
    ("rule", "path", "text", "line"), BROKEN, ids=lambda value: getattr(value, "__name__", "")
)
def test_the_rule_finds_what_breaks_it(
    rule: Callable[[Module], Violations], path: str, text: str, line: int
) -> None:
    assert [found for found, _ in rule(Module(path, text))] == [line]


# --- rules on the project -------------------------------------------------------------------------


def test_every_module_has_a_test_file_that_mirrors_it() -> None:
    missing = []
    for path in project_files():
        name = path.removeprefix("src/exchange/")
        if name == path or not name.endswith(".py") or Path(name).name in {"__init__.py", "__main__.py"}:
            continue
        test = Path("tests") / Path(name).parent / f"test_{Path(name).name}"
        if not (ROOT / test).exists() and name not in NO_TEST_OF_ITS_OWN:
            missing.append(
                f"{path}:1: no {test}; write it, or list {name!r} in tests/test_house.py with a reason"
            )
    assert not missing, "\n" + "\n".join(missing)


def test_the_lists_of_exceptions_name_only_what_needs_them() -> None:
    stale = [
        f"NO_TEST_OF_ITS_OWN names {name!r}, which is gone or has its test; remove it"
        for name in NO_TEST_OF_ITS_OWN
        if not (SOURCE / name).exists()
        or (ROOT / "tests" / Path(name).parent / f"test_{Path(name).name}").exists()
    ]
    stale += [
        f"CATCHES_EVERYTHING names {name!r}, whose file is gone; remove it"
        for name in CATCHES_EVERYTHING
        if not (SOURCE / name.split(":")[0]).exists()
    ]
    assert not stale, "\n" + "\n".join(stale)


def test_the_purity_contract_names_every_core_package() -> None:
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (purity,) = [contract for contract in contracts if contract["name"].startswith("The core is pure")]
    present = {f"exchange.{name}" for name in CORE if (SOURCE / name / "__init__.py").exists()}
    assert present == set(purity["source_modules"]), (
        "pyproject.toml: the purity contract must list the core packages"
    )


def test_every_open_task_names_its_issue() -> None:
    found = [
        f"{path}:{number}: an open task without an issue number; write it with (#123) or do it"
        for path in project_files()
        if Path(path).suffix in CODE_SUFFIXES
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if OPEN_TASK.search(line)
    ]
    assert not found, "\n" + "\n".join(found)


def foreign_names(line: str) -> list[str]:
    """Find registry hosts and machine paths in a line."""
    return [host for host in REGISTRY_HOSTS if host in line] + MACHINE_PATH.findall(line)


def test_no_file_names_a_registry_host_or_a_machine_path() -> None:
    found = [
        f"{path}:{number}: names {name.strip()!r}; the project must work from anywhere, leave it out"
        for path in project_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        for name in foreign_names(line)
    ]
    assert not found, "\n" + "\n".join(found)


def test_hosts_and_paths_of_a_machine_are_recognised() -> None:
    hosts = [f"https://{host}/x" for host in REGISTRY_HOSTS]
    paths = ["cd /" + "work/main", "x=/" + "root/.cache", "'/" + "tmp/t/bin'", "/" + "home/ann/x"]
    for line in hosts + paths:
        assert foreign_names(line), line
    for line in [
        "src/work/x",
        "../work/x",
        "${HOME}/work",
        "/tmp/test",
        "/workers",
        "/api/v1/root",
        "/rooted",
    ]:
        assert not foreign_names(line), line


def test_the_changelog_has_an_unreleased_section() -> None:
    assert re.search(r"^## \[Unreleased\]$", text_of("CHANGELOG.md"), re.MULTILINE), (
        "CHANGELOG.md: no '## [Unreleased]'; each change adds its line there"
    )


def test_version_and_citation_agree_with_each_other() -> None:
    version = re.search(r'^__version__ = "(.+)"$', text_of("src/exchange/__init__.py"), re.MULTILINE)
    assert version, "src/exchange/__init__.py: no __version__"
    assert f"\nversion: {version[1]}\n" in text_of("CITATION.cff"), (
        f"CITATION.cff: its version is not {version[1]}"
    )
