"""The description of an API: whole, true to what is served, and readable by others' tools."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.domain.participant import Role
from exchange.infra.http_routes import Route
from exchange.infra.openapi import document, outdent
from tests.infra.http_server import Handlers, NewOrder, Page, bearer, serving


@pytest.fixture
async def described() -> dict[str, Any]:
    async with serving() as served, served.client.get("/openapi.json") as response:
        found: dict[str, Any] = await response.json()
        return found


def references(node: Any) -> Iterator[str]:
    """List every reference in a document."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for part in node.values():
            yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


def operations(found: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): made for path, item in found["paths"].items() for method, made in item.items()}


async def test_every_route_is_described_once(described: dict[str, Any]) -> None:
    async with serving() as served:
        routes = {
            (route.method.lower(), route.path) for route in served.service.routes if isinstance(route, Route)
        }
    made = operations(described)
    assert set(made) == routes
    names = [operation["operationId"] for operation in made.values()]
    assert len(names) == len(set(names))
    assert described["openapi"].startswith("3.1.")


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for reference in set(references(described)):
        node = described
        for step in reference.removeprefix("#/").split("/"):
            assert step in node, reference
            node = node[step]


def test_a_body_has_its_type_and_an_example_that_fits_it(described: dict[str, Any]) -> None:
    body = operations(described)["post", "/api/v1/order"]["requestBody"]
    content = body["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/NewOrder"}
    assert msgspec.convert(content["example"], NewOrder).symbol == "AAPL"
    assert described["components"]["schemas"]["NewOrder"]["additionalProperties"] is False


def test_parameters_are_typed_and_described(described: dict[str, Any]) -> None:
    parameters = operations(described)["get", "/api/v1/orders"]["parameters"]
    limit = next(parameter for parameter in parameters if parameter["name"] == "limit")
    assert limit["required"] is False
    assert limit["description"] == "Items per page."
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"], limit["schema"]["default"]) == (
        1,
        100,
        10,
    )
    assert Page.__name__ not in described["components"]["schemas"]
    (order_id,) = operations(described)["get", "/api/v1/order/{order_id}"]["parameters"]
    assert (order_id["in"], order_id["required"], order_id["example"]) == ("path", True, "7")


def test_security_says_whether_a_key_is_needed(described: dict[str, Any]) -> None:
    made = operations(described)
    assert made["post", "/api/v1/order"]["security"] == [{"key": []}]
    assert made["get", "/api/v1/orders"]["security"] == [{}, {"key": []}]
    assert made["get", "/metrics"]["security"] == []
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", "/api/v1/order", "201 400 401 403 408 413 415 500 503"),
        ("get", "/api/v1/orders", "200 400 401 500 503"),
        ("get", "/api/v1/order/{order_id}", "200 400 401 404 500 503"),
        ("put", "/api/v1/symbol/{symbol}/suspend", "204 400 401 403 500 503"),
        ("get", "/readyz", "200 400 500 503"),
    ],
)
def test_every_status_an_operation_can_answer_is_declared(
    described: dict[str, Any], method: str, path: str, statuses: str
) -> None:
    assert " ".join(operations(described)[method, path]["responses"]) == statuses


def test_errors_share_one_form_and_show_an_example(described: dict[str, Any]) -> None:
    for status, response in described["components"]["responses"].items():
        content = response["content"]["application/json"]
        assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}
        assert response["description"], status
    assert "WWW-Authenticate" in described["components"]["responses"]["401"]["headers"]


def test_a_rate_limit_adds_429_everywhere() -> None:
    routes = Handlers().routes()
    limited = document("t", "1", routes, rate_limited=True)
    plain = document("t", "1", routes)
    for key, operation in operations(limited).items():
        assert "429" in operation["responses"], key
    assert all("429" not in operation["responses"] for operation in operations(plain).values())


def test_two_handlers_of_one_name_get_two_operation_ids() -> None:
    handlers = Handlers()
    routes = [
        Route("GET", "/a/{symbol}", handlers.wait, "Wait", "t"),
        Route("GET", "/b", handlers.wait, "Wait", "t"),
        Route("GET", "/c", handlers.wait, "Wait", "t", operation="wait_for_c"),
    ]
    names = [operation["operationId"] for operation in operations(document("t", "1", routes)).values()]
    assert names == ["wait", "get_b", "wait_for_c"]


class Loose(msgspec.Struct):
    facts: dict[str, object]


def test_a_value_of_any_kind_has_an_open_schema() -> None:
    handlers = Handlers()
    found = document("t", "1", [Route("GET", "/x", handlers.wait, "Wait", "t", returns=Loose)])
    facts = found["components"]["schemas"]["Loose"]["properties"]["facts"]
    assert "type" not in facts["additionalProperties"]


def test_websockets_are_named_beside_the_operations(described: dict[str, Any]) -> None:
    assert [socket["path"] for socket in described["x-websockets"]] == ["/stream"]
    assert "/stream" not in described["paths"]


CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 413, 415]
"""


@pytest.mark.slow
async def test_a_foreign_tool_finds_the_service_true_to_its_description(tmp_path: Path) -> None:
    """Run schemathesis: every operation with good and bad input, against the declared statuses and types."""
    tool = Path(sys.executable).with_name("schemathesis")
    if not tool.exists():
        pytest.skip("schemathesis is not installed; run make setup")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    async with serving() as served:
        served.handlers.gate.set()
        program = await asyncio.create_subprocess_exec(
            tool, "--config-file", "schemathesis.toml", "run", f"http://127.0.0.1:{served.port}/openapi.json",
            "--header", f"Authorization: {bearer(Role.TRADER)['Authorization']}", "--exclude-path", "/fail",
            "--exclude-path", "/hot_fail", "--exclude-path", "/no_store",
            "--max-examples", "20", "--seed", "1", "--no-color",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await program.communicate()
        failures = sum(row.failures for row in served.service.stats)
    assert program.returncode == 0, out.decode()
    assert not failures


@pytest.mark.integration
async def test_a_browser_shows_every_operation_on_the_page() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    async with serving() as served:
        program = await asyncio.create_subprocess_exec(
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom",
            f"http://127.0.0.1:{served.port}/docs#enter_order",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await program.communicate()
        paths = {row.path for row in served.service.stats}
    page = out.decode()
    for name in ("enter_order", "list_orders", "get_order", "readiness"):
        assert f'id="{name}"' in page
    assert "An order to enter." in page, "the operation in the address is open and shows its fields"
    assert paths == {"/docs", "/docs/docs.css", "/docs/docs.js", "/openapi.json"}


def test_a_description_is_not_indented_as_code() -> None:
    schemas: dict[str, Any] = {"Order": {"description": "A.\n\n    b: c."}, "Empty": {"type": "object"}}
    outdent(schemas)
    assert schemas == {"Order": {"description": "A.\n\nb: c."}, "Empty": {"type": "object"}}
