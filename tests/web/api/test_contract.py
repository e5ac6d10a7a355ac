"""What the published schema promises, and what holds whatever programs send: nothing makes the server fail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from dcaweb.api.pace import Pace
from tests.web.api.desk import BOT, Desk

_EXAMPLES: Final = 12
_IDS: Final = {"bot_id": "alpha", "deal_id": "alpha", "backtest_id": "x"}
_REACHES: Final = {name: BOT[name] for name in ("pair", "base_order_size", "safety_order_size", "price_deviation")}
"""What generated bots have that may be made, so that more than the first rule is tried."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Any]:
    """The API over a store that many requests change, and its schema as programs get it."""
    folder: Path = tmp_path_factory.mktemp("api")
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        (folder / "manifest.json").write_text("{}")
        patched.setattr("dcaweb.assets.built.__defaults__", (folder,))
        patched.setattr("dcaweb.assets.FOLDER", folder)
        desk = asyncio.run(_made(folder))
    desk.web.state.pace = Pace(desk.clock, burst=10**9)
    return desk, schemathesis.openapi.from_asgi("/api/v1/schema", desk.web)


async def _made(folder: Path) -> Desk:
    async with Desk.opened(folder) as desk:
        return desk


OPERATIONS: Final = (
    ("GET", "/bots"),
    ("POST", "/bots"),
    ("GET", "/bots/{bot_id}"),
    ("PATCH", "/bots/{bot_id}"),
    ("DELETE", "/bots/{bot_id}"),
    ("POST", "/bots/{bot_id}/start"),
    ("POST", "/bots/{bot_id}/pause"),
    ("POST", "/bots/{bot_id}/stop"),
    ("POST", "/bots/{bot_id}/retry"),
    ("GET", "/bots/{bot_id}/deals"),
    ("GET", "/deals/{deal_id}"),
    ("POST", "/deals/{deal_id}/close"),
    ("POST", "/deals/{deal_id}/cancel"),
    ("POST", "/ladder"),
    ("POST", "/backtests"),
    ("GET", "/backtests/{backtest_id}"),
    ("GET", "/exchange"),
    ("PUT", "/exchange/keys"),
    ("DELETE", "/exchange/keys"),
    ("GET", "/balances"),
    ("GET", "/pairs"),
    ("GET", "/analytics"),
    ("GET", "/activity"),
    ("GET", "/me"),
)


def test_the_schema_has_every_operation_of_the_api_and_nothing_else(schema: tuple[Desk, Any]) -> None:
    paths = schema[1].raw_schema["paths"]
    found = {(method.upper(), path) for path, item in paths.items() for method in item}
    assert found == {(method, f"/api/v1{path}") for method, path in OPERATIONS}


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda it: it.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_that_is_sent_makes_it_fail(
    schema: tuple[Desk, Any], method: str, path: str, mode: GenerationMode
) -> None:
    desk, published = schema
    operation: Any = published[f"/api/v1{path}"][method]
    headers = {"authorization": f"Bearer {desk.trade.secret}"}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=_EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def sends(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            _aim(case)
        answer = case.call(headers=headers)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=[content_type_conformance, response_schema_conformance])

    sends()


def _aim(case: Any) -> None:
    """Let the request be about something that is there."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = _IDS[name]
    if isinstance(case.body, dict) and "pair" in case.body:
        case.body.update(_REACHES)
        case.body.pop("market", None)
    if isinstance(case.body, dict) and "account" in case.body and "pair" in case.body:
        case.body["account"] = "paper"
    if isinstance(case.query, dict) and "account" in case.query:
        case.query["account"] = "paper"
