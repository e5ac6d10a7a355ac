"""What an account holds, and what that is worth."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from dcacore.application import accounts
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.domain.money import ZERO, exact
from dcacore.domain.worth import worth
from dcacore.ports.exchange import Balance
from dcacore.ports.records import Account
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

_LONGEST_ASSET: Final = 20


@attrs.frozen(kw_only=True)
class Holding:
    """What an account holds of one asset.

    Attributes:
        asset: which.
        balance: how much is free, and locked by resting orders.
        value: what both are worth together, in the quote asset that was asked for, half-even at 8 decimals; None where
            no pair of the exchange leads from one asset to the other.
    """

    asset: str
    balance: Balance
    value: Decimal | None


@attrs.frozen(kw_only=True)
class Holdings:
    """What an account holds, dearest first.

    Attributes:
        account: which.
        quote: in which asset it is valued.
        rows: the assets of which there is any; those without a value come last.
    """

    account: Account
    quote: str
    rows: tuple[Holding, ...]

    @property
    @exact
    def total(self) -> Decimal | None:
        """The sum of the values that are known; None when something is held and none of it has a value."""
        values = [row.value for row in self.rows if row.value is not None]
        return sum(values, ZERO) if values or not self.rows else None

    @property
    def unvalued(self) -> tuple[str, ...]:
        """The assets that the sum leaves out."""
        return tuple([row.asset for row in self.rows if row.value is None])


async def holdings(store: Store, venues: Venues, *, user_id: UserId, named: str, quote: str = "USDT") -> Holdings:
    """Return what the user's account holds, valued in *quote* at the last prices, which are asked for all at once.

    Raises:
        NotFound: the user has no such account.
        InvalidParameter: *quote* cannot be the name of an asset.
        PortError: the exchange cannot be asked now.
    """
    quote = quote.strip().upper()
    if not quote.isalnum() or not quote.isascii() or len(quote) > _LONGEST_ASSET:
        raise InvalidParameter("quote asset", quote if quote.isprintable() else None, "must be a name such as USDT")
    account = await accounts.find(store, user_id, named)
    exchange = await venues.exchange(account)
    held = {asset: it for asset, it in (await exchange.balances()).items() if it.free or it.locked}
    prices = await (await venues.directory(account.environment)).prices() if held.keys() - {quote} else {}
    rows = [
        Holding(asset=asset, balance=it, value=worth(_both(it), asset, quote, prices)) for asset, it in held.items()
    ]
    rows.sort(key=lambda row: (row.value is None, -(row.value or ZERO), row.asset))
    return Holdings(account=account, quote=quote, rows=tuple(rows))


@exact
def _both(balance: Balance) -> Decimal:
    return balance.free + balance.locked
