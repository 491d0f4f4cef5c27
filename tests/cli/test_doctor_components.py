"""What `exchange doctor` finds among the components."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from exchange import __version__
from exchange.cli import versions
from exchange.cli.doctor_components import Running, differences, is_free, look_at_component, look_at_running
from exchange.cli.figures import Figures, read_figures
from exchange.cli.findings import Finding
from exchange.cli.options import Options
from exchange.infra.config import Config
from exchange.infra.config_api import flat_values
from exchange.infra.config_sections import EngineConfig
from tests.cli.stub_component import StubComponent


def shows(version: str = __version__, matcher: str = "", shared: int | None = None) -> bytes:
    shared_line = (
        "" if shared is None else f"# TYPE exchange_config_version gauge\nexchange_config_version {shared}\n"
    )
    return f"""# TYPE exchange_build_info gauge
exchange_build_info{{version="{version}",matcher="{matcher}"}} 1.0
{shared_line}""".encode()


def running(component: StubComponent, data: Path, config: Config | None = None, **what: Any) -> Running:
    component.answer("GET", "/metrics", shows(**what))
    body = {"component": "engine", "values": flat_values(config or Config()), "shared_version": None}
    component.answer("GET", "/api/v1/config", body)
    return Running("engine", read_figures(component.url), Options(data=data))


def look(found: Running, newest: int | None = None) -> dict[str, Finding]:
    return {each.what: each for each in look_at_running(Config(), [found], newest)}


def test_a_component_that_runs_as_the_file_says_is_well(component: StubComponent, data: Path) -> None:
    found = look(running(component, data))
    assert found["running versions"].seen == f"engine {__version__}, as this program"
    assert found["engine's configuration"] == Finding("engine's configuration", "ok", "as the file says")
    assert all(each.verdict == "ok" for each in found.values())
    assert component.asked[-1].key == "xk_operator"


def test_another_version_is_warned_of(component: StubComponent, data: Path) -> None:
    finding = look(running(component, data, version="0.0.1"))["running versions"]
    assert (finding.verdict, finding.seen) == ("warning", f"engine 0.0.1; this program is {__version__}")
    assert "finish the upgrade" in finding.do


def test_keys_that_differ_from_the_file_are_named(component: StubComponent, data: Path) -> None:
    drifted = Config(engine=EngineConfig(snapshots_kept=7, port=9_001))
    finding = look(running(component, data, drifted))["engine's configuration"]
    assert (finding.verdict, finding.seen) == ("warning", "engine.snapshots_kept is 7, by the file 3")
    assert "restart it" in finding.do


def test_without_a_key_the_configuration_is_not_compared(component: StubComponent, tmp_path: Path) -> None:
    found = running(component, tmp_path)
    finding = look(found)["engine's configuration"]
    assert finding.verdict == "warning"
    assert "cannot be compared with the file: no key" in finding.seen


def test_an_older_component_that_does_not_tell_is_said(component: StubComponent, data: Path) -> None:
    found = running(component, data)
    del component.answers["GET", "/api/v1/config"]
    assert look(found)["engine's configuration"].seen == "it is older and does not tell"


@pytest.mark.parametrize(
    ("runs", "newest", "verdict", "seen"),
    [
        (3, 3, "ok", "all run version 3"),
        (0, 0, "ok", "none was applied"),
        (2, 3, "warning", "version 3 is in force, but engine runs version 2"),
        (None, 3, "warning", "version 3 is in force, but engine runs none"),
    ],
)
def test_the_shared_configuration_must_be_the_newest(
    component: StubComponent, data: Path, runs: int | None, newest: int, verdict: str, seen: str
) -> None:
    finding = look(running(component, data, shared=runs), newest)["shared configuration"]
    assert (finding.verdict, finding.seen) == (verdict, seen)


def test_an_engine_without_the_native_matcher_that_is_installed_is_warned_of(
    component: StubComponent, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "versions", lambda: {"matcher": "native"})
    assert look(running(component, data, matcher="python"))["running matcher"].verdict == "warning"
    assert look(running(component, data, matcher="native"))["running matcher"].verdict == "ok"


def test_nothing_that_runs_is_nothing_to_look_at() -> None:
    assert [*look_at_running(Config(), [], 3)] == []


def test_readiness_is_told_with_its_reasons_and_notes(component: StubComponent) -> None:
    component.answer("GET", "/metrics", shows())
    figures = read_figures(component.url)
    component.answer("GET", "/readyz", {"ready": True, "reasons": []})
    assert look_at_component("engine", Config(), figures) == Finding(
        "engine", "ok", f"ready at {component.url}"
    )
    component.answer("GET", "/readyz", {"ready": True, "reasons": [], "notes": ["Redis is away"]})
    assert (
        look_at_component("engine", Config(), figures).seen == f"ready at {component.url}, but: Redis is away"
    )
    component.answer("GET", "/readyz", {"ready": False, "reasons": ["replaying"]}, 503)
    assert look_at_component("engine", Config(), figures).seen.endswith("is not ready: replaying")


def test_a_port_that_something_else_has_is_bad() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = Config(engine=EngineConfig(port=port))
        finding = look_at_component("engine", config, Figures("http://127.0.0.1:1", problem="away"))
        assert (finding.verdict, finding.seen) == ("bad", f"port {port} is taken by something else")
        assert not is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", 0)


def test_what_a_start_fills_in_is_no_difference() -> None:
    assert differences({"engine.port": 0, "a": 1}, {"engine.port": 8001, "a": 1}) == []
    assert differences({"a": 1}, {"b": 2}) == ["a is left out, by the file 1", "b is 2, by the file left out"]
