"""A bot that somebody is thinking of: what was typed, what it would do from a price on, and making it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from dcacore.application import accounts, bots, pairs
from dcacore.application.pair_now import PairNow
from dcacore.application.parameters import Wrong, typed_fees, typed_strategy
from dcacore.application.refusals import LONGEST_NAME
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.foresight import foresee
from dcacore.domain.ids import UserId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import HUNDRED, ZERO, Price, QuoteAmount, Quotient, exact, floor_to
from dcacore.domain.numbers import typed_number
from dcacore.domain.preview import LadderPreview, ladder
from dcacore.domain.spending import Spending, most_spent
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import Unavailable
from dcacore.ports.records import Account, BotRecord
from dcacore.ports.store import Store


@attrs.frozen(kw_only=True)
class Draft:
    """A bot as a form describes it, beside what its exchange says.

    Attributes:
        now: the pair where it is to trade.
        strategy: its parameters; None while something is wrong with them.
        fees: what was typed, else what the account pays, else what is usual.
        price: from which price its ladder is shown: what was typed, else the last one; None where neither is.
        is_price_typed: whether it was typed.
        wrong: by parameter what is wrong with it.
    """

    now: PairNow
    strategy: Strategy | None
    fees: Fees
    price: Price | None
    is_price_typed: bool
    wrong: Wrong


@attrs.frozen(kw_only=True)
class Outlook:
    """What a bot would do from a price on.

    Attributes:
        draft: the bot.
        strategy: its parameters.
        market: the rules that its orders are rounded by.
        ladder: its orders.
        spending: what a deal may cost at most.
        coverage: percent by which the price may fall to the last safety order; None without one.
        warnings: what a user should know before starting such a bot.
    """

    draft: Draft
    strategy: Strategy
    market: Market
    ladder: LadderPreview
    spending: Spending
    coverage: Decimal | None
    warnings: tuple[str, ...]

    @property
    @exact
    def left(self) -> Decimal | None:
        """What is free beside what other bots may need and a whole deal may cost, below 0 when it lacks; else None."""
        free = self.draft.now.free
        return None if free is None else free - self.draft.now.promised - self.spending.total

    @property
    @exact
    def lacking(self) -> QuoteAmount:
        """By how much a whole deal exceeds what is free: 0 when it is covered, or when that is not known."""
        return QuoteAmount(max(ZERO, -(self.left or ZERO)))


def read(texts: Mapping[str, str], now: PairNow) -> Draft:
    """Return the bot that a form's *texts* describe, by the names of the bot file, seen from its `price`."""
    strategy, wrong = typed_strategy({**texts, "pair": now.pair})
    fees, wrong_fees = typed_fees(texts, now.fees or Fees())
    wrong = {**_wrong_pair(now), **wrong, **wrong_fees}
    price = now.price
    typed = texts.get("price", "")
    if typed:
        try:
            price = _price(typed)
        except InvalidParameter as exc:
            wrong["price"] = exc
    if price is not None and now.market is not None and not typed:
        price = Price(floor_to(price, now.market.tick_size))  # of a market whose ticks have become coarser since
    return Draft(
        now=now,
        strategy=strategy,
        fees=fees or Fees(),
        price=price,
        is_price_typed=bool(typed),
        wrong=wrong,
    )


def _wrong_pair(now: PairNow) -> dict[str, InvalidParameter]:
    if not now.pair:
        return {}  # it is missing, which its parameter says
    if not now.is_listed:
        return {"pair": InvalidParameter("pair", now.pair, f"must be a pair that {now.account.name} trades")}
    if not now.is_trading:
        return {"pair": InvalidParameter("pair", now.pair, "is not traded at the moment: the exchange takes no orders")}
    return {}


def _price(text: str) -> Price:
    price = typed_number("price", text)
    if price <= 0:
        raise InvalidParameter("price", text, "must be above 0")
    return Price(price)


@exact
def outlook(draft: Draft) -> Outlook | None:
    """Return what the bot would do; None while the rules of its market, or its price, are not known.

    Raises:
        InvalidParameter: the market would not take its orders at that price, or the price is none of the market's.
    """
    strategy, market, price = draft.strategy, draft.now.market, draft.price
    if strategy is None or market is None or not price:
        return None
    found = ladder(strategy, price, market, draft.fees)
    foreseen = foresee(strategy, market, draft.now.limits, price)
    last = found.rows[-1]
    return Outlook(
        draft=draft,
        strategy=strategy,
        market=market,
        ladder=found,
        spending=most_spent(strategy, market, draft.fees, price),
        coverage=None if len(found.rows) == 1 else Quotient((price - last.price) * HUNDRED, price).rounded(),
        warnings=(*found.warnings, *foreseen),
    )


async def account_and_pair(store: Store, user_id: UserId, texts: Mapping[str, str]) -> tuple[Account, str]:
    """Return where a form's bot is to trade, and which pair as exchanges spell it.

    Raises:
        NotFound: the user has no such account.
    """
    return await accounts.find(store, user_id, texts.get("account", "")), pairs.spelt(texts.get("pair", ""))


async def name_of(store: Store, user_id: UserId, typed: str, pair: str) -> str:
    """Return what the bot is called: what was typed, else its pair, with a number where that is taken."""
    if typed.strip():
        return typed
    taken = {record.name for record in await bots.of(store, user_id)}
    name, number = pair[:LONGEST_NAME], 1
    while name in taken:
        number += 1
        name = f"{pair} {number}"
    return name


def settled(draft: Draft, name: str) -> tuple[BotFile, Market]:
    """Return the bot with the rules of its market, once nothing is wrong with it.

    Raises:
        InvalidParameter: something is wrong with it; where there is more than one thing, the first.
        Unavailable: the rules of its market are not known, as its exchange could not be asked.
    """
    for error in draft.wrong.values():
        raise error
    outlook(draft)  # what the market would not take now, it would not take when the bot starts
    market, strategy = draft.now.market, draft.strategy
    if market is None or strategy is None:
        raise Unavailable(draft.now.failure or f"the rules of {draft.now.pair} are not known")
    rules = attrs.asdict(market, filter=lambda field, _: field.name != "pair")
    return BotFile(file=name, name=name, strategy=strategy, market=rules, fees=draft.fees), market


async def make(store: Store, clock: Clock, ids: Ids, *, user_id: UserId, name: str, draft: Draft) -> BotRecord:
    """Store the bot, stopped.

    Raises:
        InvalidParameter: something is wrong with it, as `settled`, or with its name.
        Unavailable: as `settled`.
        NotFound: there is no such user, or the account has gone.
        PlanLimitReached: the tier allows no further bot.
        Conflict: the user has a bot of that name.
    """
    file, market = settled(draft, name)
    account = draft.now.account.id
    return await bots.create(store, clock, ids, user_id=user_id, account=account, bot_file=file, market=market)
