"""Requests, and what people read, to and from rows."""

from __future__ import annotations

from typing import cast

from dcacore.adapters.sqlalchemy._bot_values import lifetime_of
from dcacore.adapters.sqlalchemy._people_rows import (
    ActivityRow,
    DayTotalRow,
    NotificationRow,
    ReconciliationRow,
    RequestRow,
)
from dcacore.adapters.sqlalchemy._texts import details_of, details_to_text, names_of, names_to_text
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, RequestId, UserId
from dcacore.domain.story import Level
from dcacore.ports.records import Activity, DayTotal, Environment, Notification, Reconciliation, Request, RequestKind

Values = dict[str, object]


def request_values(request: Request) -> Values:
    """Return the columns of *request*."""
    return {
        "id": request.id,
        "bot_id": request.bot_id,
        "kind": request.kind.value,
        "details": details_to_text(request.details),
        "asked_at": request.asked_at,
        "done_at": request.done_at,
        "refusal": request.refusal,
    }


def request_of(row: RequestRow) -> Request:
    """Return the request in *row*."""
    return Request(
        id=RequestId(row.id),
        bot_id=BotId(row.bot_id),
        kind=RequestKind(row.kind),
        details=details_of(row.details),
        asked_at=row.asked_at,
        done_at=row.done_at,
        refusal=row.refusal,
    )


def activity_values(line: Activity) -> Values:
    """Return the columns of *line*; its number is given by the database."""
    return {
        "user_id": line.user_id,
        "at": line.at,
        "kind": line.kind,
        "text": line.text,
        "level": line.level.value,
        "bot_id": line.bot_id,
        "deal_id": line.deal_id,
        "order_id": line.order_id,
        "environment": None if line.environment is None else line.environment.value,
    }


def activity_of(row: ActivityRow) -> Activity:
    """Return the line in *row*."""
    return Activity(
        user_id=UserId(row.user_id),
        at=row.at,
        kind=row.kind,
        text=row.text,
        level=Level(row.level),
        bot_id=cast("BotId | None", row.bot_id),
        deal_id=cast("DealId | None", row.deal_id),
        order_id=cast("OrderId | None", row.order_id),
        environment=None if row.environment is None else Environment(row.environment),
        number=row.number,
    )


def notification_values(notification: Notification) -> Values:
    """Return the columns of *notification*; its number is given by the database."""
    return {
        "user_id": notification.user_id,
        "at": notification.at,
        "kind": notification.kind,
        "text": notification.text,
        "level": notification.level.value,
        "bot_id": notification.bot_id,
        "read_at": notification.read_at,
    }


def notification_of(row: NotificationRow) -> Notification:
    """Return the notification in *row*."""
    return Notification(
        user_id=UserId(row.user_id),
        at=row.at,
        kind=row.kind,
        text=row.text,
        level=Level(row.level),
        bot_id=cast("BotId | None", row.bot_id),
        read_at=row.read_at,
        number=row.number,
    )


def reconciliation_values(found: Reconciliation) -> Values:
    """Return the columns of *found*; its number is given by the database."""
    return {
        "account_id": found.account_id,
        "at": found.at,
        "cause": found.cause,
        "adopted": names_to_text(found.adopted),
        "filled": names_to_text(found.filled),
        "gone": names_to_text(found.gone),
        "stray": names_to_text(found.stray),
        "differences": names_to_text(found.differences),
    }


def reconciliation_of(row: ReconciliationRow) -> Reconciliation:
    """Return the reconciliation in *row*."""
    return Reconciliation(
        account_id=AccountId(row.account_id),
        at=row.at,
        cause=row.cause,
        adopted=_orders(row.adopted),
        filled=_orders(row.filled),
        gone=_orders(row.gone),
        stray=_orders(row.stray),
        differences=names_of(row.differences),
        number=row.number,
    )


def _orders(text: str) -> tuple[OrderId, ...]:
    return cast("tuple[OrderId, ...]", names_of(text))


def day_total_of(row: DayTotalRow) -> DayTotal:
    """Return the day's total in *row*."""
    return DayTotal(bot_id=BotId(row.bot_id), quote_asset=row.quote_asset, day=row.day, totals=lifetime_of(row))
