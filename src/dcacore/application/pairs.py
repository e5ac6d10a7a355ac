"""The pairs that an environment trades, and how one of them is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from dcacore.application import accounts
from dcacore.domain.ids import UserId
from dcacore.domain.market import Market
from dcacore.ports.exchange import Listing
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

_BETWEEN: Final = str.maketrans("", "", "/-_ ")


async def search(
    store: Store, venues: Venues, *, user_id: UserId, named: str, text: str = "", limit: int | None = None
) -> tuple[Market, ...]:
    """Return the pairs that are traded where the user's account is, with their rules, the best matches of *text* first.

    Args:
        store: has the account.
        venues: have the pairs; they are asked for once an hour.
        user_id: whose account.
        named: its id or name.
        text: what to look for, as `matching`.
        limit: how many at most; None is all.

    Raises:
        NotFound: the user has no such account.
        PortError: the exchange cannot be asked now.
    """
    account = await accounts.find(store, user_id, named)
    listings = await (await venues.directory(account.environment)).listings()
    return matching(listings, text)[:limit]


def matching(listings: Iterable[Listing], text: str) -> tuple[Market, ...]:
    """Return the markets of *listings* that trade and contain *text*, whether in capitals or not, best first.

    That is: the very pair, the very base asset, bases and pairs that begin so, the very quote asset, what contains it.
    Among equals the quote asset with most pairs comes first. BTC/USDT, btc-usdt and BTCUSDT are the same.
    """
    wanted = spelt(text)
    trading = [it.market for it in listings if it.is_trading]
    weight = Counter(market.quote_asset for market in trading)
    found = [(rank, market) for market in trading if (rank := _rank(market, wanted)) is not None]
    found.sort(key=lambda it: (it[0], -weight[it[1].quote_asset], it[1].pair))
    return tuple([market for _, market in found])


def spelt(text: str) -> str:
    """Return the pair that somebody has typed as exchanges spell it: btc/usdt is BTCUSDT."""
    return text.strip().upper().translate(_BETWEEN)


def _rank(market: Market, wanted: str) -> int | None:
    """Return how well the market fits, 0 being best; None when it does not."""
    pair, base, quote = market.pair.upper(), market.base_asset.upper(), market.quote_asset.upper()
    fits = (
        pair == wanted,
        base == wanted,
        base.startswith(wanted),
        pair.startswith(wanted),
        quote == wanted,
        wanted in pair,
    )
    return fits.index(True) if any(fits) else None
