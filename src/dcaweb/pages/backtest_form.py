"""The form of a backtest: what a user chooses, and the order that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from dcacore import bootstrap
from dcacore.application import accounts, bots
from dcacore.application.ranges import LAST_DAYS, OWN, range_of
from dcacore.application.zones import zone_of
from dcacore.bootstrap.backtests import Backtests
from dcacore.bootstrap.fetching import folder_of
from dcacore.bootstrap.playing import Order
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Market
from dcacore.domain.numbers import Unreadable, as_number
from dcacore.ports.backtests import BacktestRun
from dcacore.ports.bot_file import BotFile
from dcacore.ports.candle_store import known_pair
from dcacore.ports.errors import BadFile, PortError
from dcacore.ports.identity import Preferences
from dcacore.ports.intervals import INTERVALS, interval_ms
from dcacore.ports.records import Account, BotRecord, Environment
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me

MOST_CANDLES: Final = 600_000
"""Of a backtest that is asked for here: a year of minutes, and some."""
LONGEST_FILE: Final = 20_000
RANGES: Final = (*[(name, f"Last {days} days") for name, days in LAST_DAYS.items()], (OWN, "Own days"))
PATHS: Final = (
    ("nearest", "The nearer extreme first"),
    ("high_first", "The high first"),
    ("low_first", "The low first"),
)
USUAL: Final = {"range": "30", "interval": "1m", "path": "nearest", "slippage": "0"}
FILE: Final = "the bot file"
"""What the typed parameters are called."""
SOURCES: Final = {
    Environment.LIVE: "Binance",
    Environment.TESTNET: "Binance's testnet",
    Environment.PAPER: "The paper exchange",
    Environment.CUSTOM: "The own exchange",
}
"""What the candles of an environment are called."""
_PERCENT: Final = -2


@attrs.frozen(kw_only=True)
class Choices:
    """What there is to choose from.

    Attributes:
        bots: the user's, oldest first.
        sources: by name of an environment what its candles are called.
        intervals: lengths of candles.
    """

    bots: tuple[BotRecord, ...]
    sources: tuple[tuple[str, str], ...]
    intervals: tuple[str, ...] = tuple(name for name, length in INTERVALS.items() if length >= INTERVALS["1m"])


def backtests_of(request: WebRequest) -> Backtests:
    """Return what plays backtests."""
    found: Backtests = request.app.state.backtests
    return found


async def begin_backtest(
    request: WebRequest,
    bot: BotFile,
    market: Market,
    environment: Environment,
    *,
    days: int = 30,
    interval: str = "1m",
) -> BacktestRun:
    """Begin a backtest of *bot* over the last days of its market, for who is signed in, and return it.

    Args:
        request: of who is signed in.
        bot: what is played.
        market: the rules of its pair.
        environment: of the account: whose candles are played, and fetched where they are missing.
        days: how many days before now it begins.
        interval: how long a candle is.

    Raises:
        NotNow: as many of the user's are under way as there may be.
    """
    app = app_of(request)
    now_ms = int(app.clock.now().timestamp() * 1000)
    order = Order(
        bot=bot,
        market=market,
        data_dir=folder_of(app, environment),
        interval=interval,
        from_ms=now_ms - days * INTERVALS["1d"],
        to_ms=now_ms,
        environment=environment,
    )
    return await backtests_of(request).begin(me(request).id, order)


async def choices(request: WebRequest) -> Choices:
    """Return what the user can choose from."""
    store, user = app_of(request).store, me(request)
    found = await accounts.of(store, user.id)
    kinds = dict.fromkeys([it.environment for it in found])
    kinds.setdefault(Environment.LIVE)
    names = tuple([(kind.value, SOURCES[kind]) for kind in kinds])
    return Choices(bots=await bots.of(store, user.id), sources=names)


async def order_of(request: WebRequest, typed: Mapping[str, str], offered: Choices) -> Order:
    """Return what the form asks for.

    Raises:
        InvalidParameter: a field cannot be; BadFile: the bot file cannot be. NotFound: there is no such bot.
    """
    app, user = app_of(request), me(request)
    bot, account = await _bot(request, typed)
    source = typed.get("source", "") or (account.environment.value if account else offered.sources[0][0])
    if source not in dict(offered.sources):
        raise InvalidParameter("source", None, "must be one of those in the list")
    async with app.store.begin(reads_only=True) as work:
        wishes = await work.wishes.get(user.id) or Preferences()
    begin, end = range_of(
        typed.get("range", ""),
        typed.get("from", ""),
        typed.get("to", ""),
        zone_of(wishes.time_zone),
        app.clock.now(),
    )
    interval = typed.get("interval", "")
    length = interval_ms(interval)
    from_ms, to_ms = int(begin.timestamp() * 1000), int(end.timestamp() * 1000)
    if to_ms - from_ms > length * MOST_CANDLES:
        rule = f"is too short for that time: {MOST_CANDLES:,} candles at most are played"
        raise InvalidParameter("interval", interval, rule)
    if to_ms // length <= -(-from_ms // length):
        raise InvalidParameter("interval", interval, "is too long for that time: no candle has begun and closed in it")
    if typed.get("path", "nearest") not in dict(PATHS):
        raise InvalidParameter("path", None, "must be one of those in the list")
    environment = Environment(source)
    return Order(
        bot=bot,
        market=await _market(request, bot, environment),
        data_dir=folder_of(app, environment),
        interval=interval,
        from_ms=from_ms,
        to_ms=to_ms,
        path=typed.get("path", "nearest"),
        slippage=_slippage(typed),
        balance=_balance(typed),
        environment=environment,
    )


async def _bot(request: WebRequest, typed: Mapping[str, str]) -> tuple[BotFile, Account | None]:
    app, user = app_of(request), me(request)
    account = None
    if typed.get("bot", ""):
        record = await bots.find(app.store, user.id, typed["bot"])
        async with app.store.begin(reads_only=True) as work:
            account = await work.accounts.get(record.account_id)
        market, strategy = record.bot.market, record.bot.strategy
        rules = attrs.asdict(market, filter=lambda field, _: field.name != "pair")
        file = BotFile(file=record.name, name=record.name, strategy=strategy, market=rules, fees=record.bot.fees)
    else:
        text = typed.get("file", "")
        if len(text) > LONGEST_FILE:
            raise InvalidParameter("file", None, f"must have {LONGEST_FILE:,} characters at most")
        file = bootstrap.bot_of_text(FILE, text)
    pair = typed.get("pair", "").strip().upper()
    if pair and pair != file.strategy.pair:
        strategy = attrs.evolve(file.strategy, pair=known_pair(pair))
        file = attrs.evolve(file, file=f"the pair {pair}", strategy=strategy, market={})
    return file, account


async def _market(request: WebRequest, bot: BotFile, environment: Environment) -> Market:
    """Return the rules of the bot's market: as the file and the program know them, else as its exchange says.

    Raises:
        BadFile: nobody knows them.
    """
    try:
        return bootstrap.market_of(bot)
    except BadFile as unknown:
        if bot.market:
            raise
        try:
            listings = await (await app_of(request).venues.directory(environment)).listings()
        except PortError:
            raise unknown from None
        found = next((it.market for it in listings if it.market.pair == bot.strategy.pair), None)
        if found is None:
            raise
        return found


def _slippage(typed: Mapping[str, str]) -> Decimal:
    percent = _number("slippage", typed) or Decimal(0)
    if not 0 <= percent < 100:  # noqa: PLR2004  # percent
        raise InvalidParameter("slippage", None, "must be at least 0 and below 100 percent")
    return percent.scaleb(_PERCENT)


def _balance(typed: Mapping[str, str]) -> Decimal | None:
    balance = _number("balance", typed)
    if balance is not None and balance < 0:
        raise InvalidParameter("balance", None, "must be 0 or more")
    return balance


def _number(name: str, typed: Mapping[str, str]) -> Decimal | None:
    text = typed.get(name, "").strip()
    if not text:
        return None
    number = as_number(text)
    if isinstance(number, Unreadable):
        raise InvalidParameter(name, None, "must be a plain number such as 12.5")
    return number
