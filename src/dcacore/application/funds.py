"""What the accounts hold, and what the running ladders may still need of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from dcacore.application.going_live import promised
from dcacore.application.valuing import LastPrices, Money, Valued, currency_of, sum_of
from dcacore.application.waiting import will_run
from dcacore.domain.bot import Bot
from dcacore.domain.ids import AccountId, UserId
from dcacore.domain.money import ZERO, Price, QuoteAmount, exact
from dcacore.domain.worth import worth
from dcacore.ports.errors import PortError
from dcacore.ports.exchange import Balance
from dcacore.ports.records import Account, Environment
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

WITHIN_S = 10


@attrs.frozen(kw_only=True)
class Held:
    """What an account holds of one asset, and what may still be needed of it.

    Attributes:
        asset: which.
        free: free to spend; None where the exchange could not be asked.
        locked: in resting orders; likewise.
        needed: what the bots that run there may still need of it, beyond what rests.
        value: free and locked in the display currency at the last price; None where that is not known.
    """

    asset: str
    free: Decimal | None
    locked: Decimal | None
    needed: QuoteAmount
    value: Decimal | None

    @property
    @exact
    def lacking(self) -> Decimal | None:
        """By how much what is needed exceeds what is free: 0 when it is covered; None where that is not known."""
        return None if self.free is None else max(ZERO, self.needed - self.free)


@attrs.frozen(kw_only=True)
class AccountFunds:
    """What one account holds.

    Attributes:
        account: which.
        rows: the assets that it holds or needs, dearest first; those without a value come last.
        worth: all together in the display currency.
        failure: why the exchange could not be asked; empty when it could.
    """

    account: Account
    rows: tuple[Held, ...]
    worth: Valued
    failure: str = ""


async def funds(
    store: Store, venues: Venues, prices: LastPrices, user_id: UserId, *, currency: str = "USDT"
) -> tuple[AccountFunds, ...]:
    """Return what each account of a user holds, by name; the exchanges are asked all at once.

    An exchange that cannot be asked now does not keep the others from being shown.

    Raises:
        InvalidParameter: *currency* cannot be the name of an asset.
    """
    name = currency_of(currency)
    async with store.begin(reads_only=True) as work:
        accounts = await work.accounts.of(user_id)
        running: dict[AccountId, list[Bot]] = {account.id: [] for account in accounts}
        for record in await work.bots.of(user_id):
            if await will_run(work, record):
                running[record.account_id].append(record.bot)
    asked = [_of_account(venues, prices, account, running[account.id], name) for account in accounts]
    return tuple(await asyncio.gather(*asked))


@exact
def together(accounts: Iterable[AccountFunds]) -> tuple[Valued, ...]:
    """Return what the accounts of each environment are worth together, in the order of `Environment`.

    Where one of them could not be asked the sum is not known: it would show less than there is.
    """
    worths: dict[Environment, list[Valued]] = {}
    for it in accounts:
        worths.setdefault(it.account.environment, []).append(it.worth)
    return tuple([_sum(worths[it]) for it in Environment if it in worths])


def _sum(worths: list[Valued]) -> Valued:
    first, *others = worths
    for it in others:
        amount = None if first.amount is None or it.amount is None else first.amount + it.amount
        first = attrs.evolve(
            first,
            amount=amount,
            unvalued=tuple(dict.fromkeys(first.unvalued + it.unvalued)),
            reason=first.reason or it.reason,
        )
    return first


async def _of_account(
    venues: Venues, prices: LastPrices, account: Account, bots: list[Bot], currency: str
) -> AccountFunds:
    balances: Mapping[str, Balance] | None = None
    known: Mapping[str, Price] = {}
    failure = reason = ""
    try:
        async with asyncio.timeout(WITHIN_S):
            balances = await (await venues.exchange(account)).balances()
    except (PortError, TimeoutError) as exc:
        failure = str(exc) or f"{account.environment.value} does not answer"
    if balances:
        try:
            async with asyncio.timeout(WITHIN_S):
                known = await prices.of(account.environment)
        except (PortError, TimeoutError) as exc:
            reason = f"the prices of {account.environment.value} are not known now: {exc}"
    return _funds(account, bots, balances, known, (currency, failure, reason))


@exact
def _funds(
    account: Account,
    bots: list[Bot],
    balances: Mapping[str, Balance] | None,
    prices: Mapping[str, Price],
    told: tuple[str, str, str],
) -> AccountFunds:
    currency, failure, reason = told
    quotes = {bot.market.quote_asset for bot in bots}
    held = {asset for asset, it in (balances or {}).items() if it.free or it.locked}
    rows, amounts = [], []
    for asset in held | quotes:
        balance = None if balances is None else balances.get(asset, Balance(ZERO, ZERO))
        both = None if balance is None else balance.free + balance.locked
        value = None if both is None else worth(both, asset, currency, prices)
        needed = promised(bots, asset) if asset in quotes else QuoteAmount(ZERO)
        if balance is None:
            rows.append(Held(asset=asset, free=None, locked=None, needed=needed, value=None))
        else:
            rows.append(Held(asset=asset, free=balance.free, locked=balance.locked, needed=needed, value=value))
        if both is not None:
            amounts.append(Money(environment=account.environment, asset=asset, amount=both))
    rows.sort(key=lambda row: (row.value is None, -(row.value or ZERO), row.asset))
    together = sum_of(account.environment, amounts, currency, prices, reason)
    if balances is None:
        together = attrs.evolve(together, amount=None, reason=failure)
    return AccountFunds(account=account, rows=tuple(rows), worth=together, failure=failure)
