"""What users ask of bots, as events."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from dcacore.application.parameters import strategy_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.events import (
    AddFundsRequested,
    CancelDealRequested,
    CloseAsSoldRequested,
    CloseDealRequested,
    EditBotRequested,
    EditDealRequested,
    PauseRequested,
    RetryRequested,
    StartRequested,
    StopRequested,
)
from dcacore.domain.events import Request as RequestEvent
from dcacore.domain.ids import DealId
from dcacore.domain.numbers import typed_number
from dcacore.ports.records import Request, RequestKind

EDITABLE: Final = frozenset(
    {"take_profit", "stop_loss", "trailing_deviation", "max_safety_orders", "active_safety_orders"}
)

At = datetime.datetime
Details = Mapping[str, str]


def event_of(request: Request, at: At) -> RequestEvent:
    """Return the event that *request*, carried out at *at*, is for `decide`.

    Raises:
        InvalidParameter: a detail is missing or cannot be read.
    """
    return _EVENTS[request.kind](at, request.details)


def _number(details: Details, name: str) -> Decimal:
    if name not in details:
        raise InvalidParameter(name, None, "is missing")
    return typed_number(name, details[name])


def _deal(details: Details) -> DealId | None:
    return DealId(details["deal"]) if "deal" in details else None


def _edit_deal(at: At, details: Details) -> RequestEvent:
    numbers = {name: _number(details, name) for name in details if name != "deal"}
    for name in numbers.keys() - EDITABLE:
        raise InvalidParameter(name, details[name], "cannot be changed in a running deal")
    return EditDealRequested(at=at, price=None, deal_id=_deal(details), **numbers)


def _edit_bot(at: At, details: Details) -> RequestEvent:
    return EditBotRequested(at=at, strategy=strategy_of(details))


_EVENTS: Final[Mapping[RequestKind, Callable[[At, Details], RequestEvent]]] = {
    RequestKind.START: lambda at, _: StartRequested(at),
    RequestKind.PAUSE: lambda at, details: PauseRequested(at, reason=details.get("reason", "")),
    RequestKind.STOP: lambda at, details: StopRequested(at, sell=details.get("sell") == "true"),
    RequestKind.RETRY: lambda at, _: RetryRequested(at),
    RequestKind.CLOSE_DEAL: lambda at, details: CloseDealRequested(at, deal_id=_deal(details)),
    RequestKind.CANCEL_DEAL: lambda at, details: CancelDealRequested(at, deal_id=_deal(details)),
    RequestKind.CLOSE_AS_SOLD: lambda at, details: CloseAsSoldRequested(
        at=at, sold_at=_number(details, "sold_at"), deal_id=_deal(details)
    ),
    RequestKind.ADD_FUNDS: lambda at, details: AddFundsRequested(
        at=at, amount=_number(details, "amount"), deal_id=_deal(details)
    ),
    RequestKind.EDIT_DEAL: _edit_deal,
    RequestKind.EDIT_BOT: _edit_bot,
}
