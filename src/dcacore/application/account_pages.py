"""What pages show of exchange accounts without asking an exchange."""

from __future__ import annotations

from typing import Final

import attrs

from dcacore.domain.ids import UserId
from dcacore.ports.errors import CannotDecrypt, NoEncryptionKey
from dcacore.ports.records import Account, BotRecord, Reconciliation
from dcacore.ports.secrets import Secrets
from dcacore.ports.store import Store

REPORTS: Final = 5
_SHOWN: Final = 4


@attrs.frozen(kw_only=True)
class AccountPage:
    """An account.

    Attributes:
        account: it.
        key_ends: the last characters of its key, by which its owner knows it; empty on paper, and where the key cannot
            be read with the encryption keys that are set.
        is_key_readable: whether it can; true on paper.
        bots: those that belong to it, oldest first.
        reports: its last comparisons with the exchange, newest first.
    """

    account: Account
    key_ends: str
    is_key_readable: bool
    bots: tuple[BotRecord, ...]
    reports: tuple[Reconciliation, ...]


async def account_pages(
    store: Store, secrets: Secrets, user_id: UserId, *, reports: int = REPORTS
) -> tuple[AccountPage, ...]:
    """Return what there is to show of each of a user's accounts, by name.

    Args:
        store: where they are.
        secrets: reads the keys.
        user_id: whose.
        reports: how many comparisons of each at most.
    """
    async with store.begin(reads_only=True) as work:
        accounts = await work.accounts.of(user_id)
        bots = await work.bots.of(user_id)
        found = {it.id: await work.feed.reconciliations(it.id, limit=reports) for it in accounts}
    return tuple(
        AccountPage(
            account=account,
            key_ends=key_ends or "",
            is_key_readable=key_ends is not None,
            bots=tuple([it for it in bots if it.account_id == account.id]),
            reports=found[account.id],
        )
        for account in accounts
        for key_ends in [_ends(secrets, account)]
    )


def _ends(secrets: Secrets, account: Account) -> str | None:
    if account.api_key is None:
        return ""
    try:
        return secrets.decrypt(account.id, account.api_key).key[-_SHOWN:]
    except (CannotDecrypt, NoEncryptionKey):
        return None
