"""Live deals and their orders as tables; whoever writes them for spreadsheets makes their texts harmless."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dcacore.application import deals
from dcacore.application.exports import DEAL_COLUMNS, ORDER_COLUMNS, Row, deal_rows, order_rows
from dcacore.domain.deal import Exit
from dcacore.domain.ids import AccountId, UserId
from dcacore.ports.records import Account, BotRecord, DealRecord
from dcacore.ports.store import Store

LIVE_DEAL_COLUMNS: Final = ("bot", "account", "environment", "deal_id", "state", *DEAL_COLUMNS, "gone", "gone_for")
LIVE_ORDER_COLUMNS: Final = ("bot", "account", "environment", "deal_id", *ORDER_COLUMNS)
_PAGE: Final = 500

Found = tuple[tuple[BotRecord, DealRecord], ...]


async def deal_table(store: Store, user_id: UserId, *, bot: str | None = None) -> tuple[Row, ...]:
    """Return a row of `LIVE_DEAL_COLUMNS` for each deal of a user's bots, or of one of them, oldest first.

    Raises:
        NotFound: the user has no such bot.
    """
    found, accounts = await _all(store, user_id, bot)
    return tuple(
        (*_whose(record, deal, accounts), state_of(deal), *row, deal.deal.books.gone, deal.deal.books.gone_for)
        for record, deal in found
        for row in deal_rows([deal.deal])
    )


async def order_table(store: Store, user_id: UserId, *, bot: str | None = None) -> tuple[Row, ...]:
    """Return a row of `LIVE_ORDER_COLUMNS` for each order that has filled, or still may, deal by deal.

    Raises:
        NotFound: the user has no such bot.
    """
    found, accounts = await _all(store, user_id, bot)
    return tuple((*_whose(record, deal, accounts), *row) for record, deal in found for row in order_rows([deal.deal]))


async def _all(store: Store, user_id: UserId, bot: str | None) -> tuple[Found, dict[AccountId, Account]]:
    found: list[tuple[BotRecord, DealRecord]] = []
    while page := await deals.of(store, user_id, bot=bot, limit=_PAGE, skip=len(found)):
        found.extend(page)
    async with store.begin(reads_only=True) as work:
        accounts = {account.id: account for account in await work.accounts.of(user_id)}
    return tuple(sorted(found, key=lambda it: (it[1].deal.opened_at, it[1].deal.id))), accounts


def _whose(record: BotRecord, deal: DealRecord, accounts: dict[AccountId, Account]) -> Sequence[str]:
    account = accounts.get(record.account_id)
    name, environment = ("", "") if account is None else (account.name, account.environment.value)
    return record.name, name, environment, deal.deal.id


def state_of(deal: DealRecord) -> str:
    """Return open, closed or cancelled."""
    if deal.deal.closed_at is None:
        return "open"
    return "cancelled" if deal.deal.exit is Exit.CANCEL or deal.deal.result is None else "closed"
