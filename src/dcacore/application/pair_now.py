"""What an exchange says of a pair to somebody who thinks of a bot there: rules, price, fees, and what is free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import attrs

from dcacore.application.going_live import promised
from dcacore.application.waiting import will_run
from dcacore.domain.ids import AccountId, BotId
from dcacore.domain.limits import Limits
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import NO_QUOTE, ZERO, Price, QuoteAmount
from dcacore.ports.clock import Clock
from dcacore.ports.errors import PortError, UnknownPair
from dcacore.ports.records import Account
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

WITHIN_S: Final = 5
"""How long an exchange is waited for while somebody looks at a page."""
FRESH_FOR_S: Final = 10
_KEPT: Final = 500


@attrs.frozen(kw_only=True)
class PairNow:
    """A pair where an account trades, as it is now. What could not be asked for is None, and *failure* says why.

    Attributes:
        account: where.
        pair: which.
        market: its rules; those that come with the program where the exchange could not be asked.
        is_listed: whether the exchange has it; true where it could not be asked.
        is_trading: whether it takes orders now; likewise.
        limits: how far its orders may go.
        price: the last price.
        fees: what the account pays.
        free: how much of the quote asset is free to spend.
        promised: what the bots that run there may still need of it.
        failure: why something is not known; empty when everything is.
    """

    account: Account
    pair: str
    market: Market | None = None
    is_listed: bool = True
    is_trading: bool = True
    limits: Limits | None = None
    price: Price | None = None
    fees: Fees | None = None
    free: Decimal | None = None
    promised: QuoteAmount = NO_QUOTE
    failure: str = ""


@attrs.define
class PairsNow:
    """Asks exchanges for pairs, each at most once in `FRESH_FOR_S`, however often somebody's form asks.

    Attributes:
        store: has the bots that may need funds.
        venues: have the pairs.
        clock: says what is fresh.
        known: returns the rules that come with the program; None for a pair that it does not know.
    """

    store: Store
    venues: Venues
    clock: Clock
    known: Callable[[str], Market | None]
    _answers: dict[tuple[AccountId, str], tuple[float, PairNow]] = attrs.field(factory=dict, init=False)

    async def of(self, account: Account, pair: str, *, besides: BotId | None = None) -> PairNow:
        """Return what there is to know of *pair*, without an error whatever the exchange does.

        Args:
            account: the account, which is the asking user's own.
            pair: the exchange's symbol.
            besides: a bot whose needs do not count.
        """
        key, now = (account.id, pair), self.clock.monotonic()
        at, answer = self._answers.get(key, (now - FRESH_FOR_S - 1, None))
        if answer is None or now - at > FRESH_FOR_S:
            answer = await self._asked(account, pair)
            self._answers.pop(key, None)
            self._answers[key] = (self.clock.monotonic(), answer)
            while len(self._answers) > _KEPT:
                del self._answers[next(iter(self._answers))]
        if answer.market is None:
            return answer
        return attrs.evolve(answer, promised=await self._promised(account, answer.market.quote_asset, besides))

    async def _asked(self, account: Account, pair: str) -> PairNow:
        answer = PairNow(account=account, pair=pair)
        try:
            async with asyncio.timeout(WITHIN_S):
                exchange = await self.venues.exchange(account)
                listing = await exchange.listing(pair)
                answer = attrs.evolve(
                    answer, market=listing.market, is_trading=listing.is_trading, limits=listing.limits
                )
                answer = attrs.evolve(answer, price=await exchange.price(pair))
                answer = attrs.evolve(answer, fees=await exchange.fees(pair))
                held = (await exchange.balances()).get(listing.market.quote_asset)
                return attrs.evolve(answer, free=ZERO if held is None else held.free)
        except UnknownPair as exc:
            return attrs.evolve(answer, is_listed=False, failure=str(exc))
        except PortError as exc:
            failure = str(exc)
        except TimeoutError:
            failure = f"{account.environment.value} has not answered within {WITHIN_S} s"
        return attrs.evolve(answer, market=answer.market or self.known(pair), failure=failure)

    async def _promised(self, account: Account, quote: str, besides: BotId | None) -> QuoteAmount:
        async with self.store.begin(reads_only=True) as work:
            theirs = [it for it in await work.bots.of(account.user_id) if it.account_id == account.id]
            return promised([it.bot for it in theirs if it.bot.id != besides and await will_run(work, it)], quote)
