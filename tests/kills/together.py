"""Tests that run at the same time, because they mostly wait: for leases to run out, for orders to be proven absent."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Final

import attrs
import pytest

Scenario = Callable[..., Coroutine[Any, Any, None]]
_AT_ONCE: Final = 12
_KEY: Final = pytest.StashKey[dict[str, BaseException | None]]()


@attrs.define
class _Together:
    """A test that begins all of its kind that have been selected, or only says how it ended."""

    scenario: Scenario


def together(scenario: Scenario) -> Callable[..., None]:
    """Return the test that *scenario* is: it takes `new_stage`, and what it is parametrized by."""

    def test(request: pytest.FixtureRequest, **given: Any) -> None:
        outcomes = request.session.stash.setdefault(_KEY, {})
        if request.node.nodeid not in outcomes:
            asyncio.run(_run_all(request, given["new_stage"], outcomes))
        outcome = outcomes[request.node.nodeid]
        if outcome is not None:
            raise outcome

    shown = inspect.signature(scenario)
    own = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(test, name, getattr(scenario, name))
    vars(test)["__signature__"] = shown.replace(parameters=[own, *shown.parameters.values()], return_annotation=None)
    vars(test)["together"] = _Together(scenario)
    return test


async def _run_all(
    request: pytest.FixtureRequest, new_stage: object, outcomes: dict[str, BaseException | None]
) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def run(item: pytest.Function, marked: _Together) -> None:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        try:
            async with room:
                await marked.scenario(new_stage=new_stage, **params)
        except BaseException as exc:  # noqa: BLE001  # the test of that name raises it
            outcomes[item.nodeid] = exc
        else:
            outcomes[item.nodeid] = None

    chosen = [
        (item, vars(item.function)["together"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "together" in vars(item.function)
    ]
    await asyncio.gather(*(run(item, marked) for item, marked in chosen))
