"""What is asked of an engine: stored, waited for a moment, and answered by how it stands."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.openapi.datastructures import ResponseSpec

from dcacore.domain.errors import NotNow
from dcacore.ports.records import Request
from dcaweb.api.bearers import ApiRequest
from dcaweb.api.views.reckoning import RequestView, request_view
from dcaweb.requests import app_of

PATIENCE_S: Final = 5.0
"""How long an engine is waited for."""
LATER: Final = {
    202: ResponseSpec(data_container=RequestView, description="No engine has done it yet", generate_examples=False)
}
"""How an answer is described that comes before the engine's."""


async def settled(request: ApiRequest, asked: Request) -> Response[RequestView]:
    """Return 200 when an engine has done it, and 202 when it waits for one: it is stored, and will be done.

    Raises:
        NotNow: an engine has refused it.
    """
    outcome = await app_of(request).wait_for(asked, timeout_s=PATIENCE_S)
    if outcome.is_settled and outcome.request.refusal:
        raise NotNow(outcome.request.refusal)
    status = HTTPStatus.OK if outcome.is_settled else HTTPStatus.ACCEPTED
    return Response(request_view(outcome), status_code=status)
