"""Sums, activity, accounts and what they hold, as programs see them."""

from __future__ import annotations

import attrs

from dcacore.application.analytics import Analytics, Figures, Group
from dcacore.application.funds import AccountFunds
from dcacore.application.identity.api_tokens import Bearer
from dcacore.application.notices import ActivityPage
from dcacore.application.overview import allowed
from dcacore.ports.records import Account
from dcaweb.api.views import shown, view
from dcaweb.api.views.bots import LineItem, line_item


@attrs.frozen(kw_only=True)
class FiguresItem:
    """What closed deals have come to, in quote. Percentages are in percent."""

    deals: int
    won: int
    profit: str
    volume: str
    fees: str
    best: str | None
    worst: str | None
    win_rate: str | None
    average_profit: str | None
    average_percent: str | None
    average_duration_s: int | None
    funds: str | None
    return_percent: str | None


@attrs.frozen(kw_only=True)
class OfBotItem:
    """What one bot's deals have come to."""

    bot_id: str
    bot: str
    pair: str
    figures: FiguresItem


@attrs.frozen(kw_only=True)
class OfPairItem:
    """What the deals in one market have come to."""

    pair: str
    figures: FiguresItem


@attrs.frozen(kw_only=True)
class OfDayItem:
    """What the deals brought that closed on one day, and all up to it."""

    day: str
    deals: int
    won: int
    profit: str
    cumulative: str


@attrs.frozen(kw_only=True)
class GroupItem:
    """All of one environment and quote asset; those of two are never added up."""

    environment: str
    quote_asset: str
    figures: FiguresItem
    by_bot: tuple[OfBotItem, ...]
    by_pair: tuple[OfPairItem, ...]
    days: tuple[OfDayItem, ...]


@attrs.frozen(kw_only=True)
class AnalyticsView:
    """What the closed deals have come to."""

    groups: tuple[GroupItem, ...]


@attrs.frozen(kw_only=True)
class ActivityView:
    """Lines of activity, newest first; `before` asks for those behind them, null when these are the last."""

    items: tuple[LineItem, ...]
    before: int | None


@attrs.frozen(kw_only=True)
class AccountItem:
    """An exchange account. Its key is never shown."""

    id: str
    name: str
    environment: str
    has_key: bool
    keyed_at: str | None
    created_at: str


@attrs.frozen(kw_only=True)
class ExchangeView:
    """The user's exchange accounts."""

    items: tuple[AccountItem, ...]


@attrs.frozen(kw_only=True)
class KeyView:
    """An account with its new key, and what its owner should know of that."""

    account: AccountItem
    warnings: tuple[str, ...]


@attrs.frozen(kw_only=True)
class HeldItem:
    """What an account holds of one asset, and what its running bots may still need; null where nothing is known."""

    asset: str
    free: str | None
    locked: str | None
    needed: str
    lacking: str | None
    value: str | None


@attrs.frozen(kw_only=True)
class AccountFundsItem:
    """What an account holds; `failure` says why the exchange could not be asked."""

    account: str
    environment: str
    currency: str
    worth: str | None
    failure: str
    assets: tuple[HeldItem, ...]


@attrs.frozen(kw_only=True)
class BalancesView:
    """What each account holds."""

    items: tuple[AccountFundsItem, ...]


@attrs.frozen(kw_only=True)
class TokenItem:
    """The token that was sent."""

    name: str
    scope: str
    expires_at: str | None


@attrs.frozen(kw_only=True)
class MeView:
    """For whom the program acts."""

    id: str
    email: str
    tier: str
    bots_allowed: int
    token: TokenItem


def analytics_view(found: Analytics) -> AnalyticsView:
    """Return what the closed deals have come to."""
    return AnalyticsView(groups=tuple([_group(group) for group in found.groups]))


def _group(group: Group) -> GroupItem:
    return view(
        GroupItem,
        group,
        figures=_figures(group.figures),
        by_bot=tuple([view(OfBotItem, it, figures=_figures(it.figures)) for it in group.by_bot]),
        by_pair=tuple([view(OfPairItem, it, figures=_figures(it.figures)) for it in group.by_pair]),
        days=tuple([view(OfDayItem, it) for it in group.days]),
    )


def _figures(figures: Figures) -> FiguresItem:
    totals = figures.totals
    return view(
        FiguresItem,
        figures,
        deals=totals.deals,
        won=totals.won,
        profit=shown(totals.profit),
        volume=shown(totals.volume),
        fees=shown(totals.fees_valued),
        best=shown(totals.best),
        worst=shown(totals.worst),
    )


def activity_view(found: ActivityPage) -> ActivityView:
    """Return a page of activity."""
    names = found.names
    items = [line_item(line, None if line.bot_id is None else names.get(line.bot_id)) for line in found.lines]
    return ActivityView(items=tuple(items), before=found.before)


def account_item(account: Account) -> AccountItem:
    """Return an account without its key."""
    return view(AccountItem, account, has_key=account.api_key is not None)


def balances_view(found: tuple[AccountFunds, ...]) -> BalancesView:
    """Return what each account holds."""
    return BalancesView(items=tuple([_funds(it) for it in found]))


def _funds(funds: AccountFunds) -> AccountFundsItem:
    return AccountFundsItem(
        account=funds.account.name,
        environment=funds.account.environment.value,
        currency=funds.worth.currency,
        worth=shown(funds.worth.amount),
        failure=funds.failure,
        assets=tuple([view(HeldItem, row) for row in funds.rows]),
    )


def me_view(bearer: Bearer) -> MeView:
    """Return for whom a program acts."""
    user = bearer.user
    return view(MeView, user, bots_allowed=allowed(user.tier), token=view(TokenItem, bearer.token))
