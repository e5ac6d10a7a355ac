"""Bot files: what they say is read exactly, and what they must not say is refused by name in one line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dcacore.bootstrap import market_of, read_bot
from dcacore.domain.errors import DcaError
from dcacore.domain.market import FeeAsset, Fees
from dcacore.domain.strategy import Strategy, TakeProfitType
from dcacore.ports.errors import BadFile

CALM = {
    "pair": '"BTCUSDT"',
    "base_order_size": '"100"',
    "safety_order_size": '"100"',
    "max_safety_orders": "8",
    "price_deviation": '"1.0"',
    "take_profit": "1.5",
}

MARKET = 'base_asset = "X"\nquote_asset = "Y"\ntick_size = "0.5"\nstep_size = 1\nmin_notional = 10'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bot_text(changes: dict[str, str | None] | None = None, more: str = "") -> str:
    given = {**CALM, **(changes or {})}
    lines = [f"{key} = {value}" for key, value in given.items() if value is not None]
    return "\n".join(["[bot]", *lines, more])


def write(folder: Path, text: str | bytes) -> str:
    (folder / "bot.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return "bot.toml"


def test_what_a_file_says(folder: Path) -> None:
    fees = '[fees]\nfee_maker = "0.0005"\nfee_asset = "quote"'
    bot = read_bot(write(folder, bot_text({"name": '"calm"', "take_profit_type": '"base"'}, fees)))
    assert bot.name == "calm"
    assert bot.strategy == Strategy(
        pair="BTCUSDT",
        base_order_size=Decimal(100),
        safety_order_size=Decimal(100),
        max_safety_orders=8,
        price_deviation=Decimal(1),
        take_profit=Decimal("1.5"),
        take_profit_type=TakeProfitType.BASE,
    )
    assert bot.fees == Fees(fee_maker=Decimal("0.0005"), fee_taker=Decimal("0.001"), fee_asset=FeeAsset.QUOTE)


def test_a_bot_without_a_name_has_its_files(folder: Path) -> None:
    assert read_bot(write(folder, bot_text())).name == "bot"


def test_a_bare_decimal_is_exact(folder: Path) -> None:
    bot = read_bot(write(folder, bot_text({"take_profit": "1.100000000000000000000000000000000001"})))
    assert bot.strategy.take_profit == Decimal("1.100000000000000000000000000000000001")


def test_a_byte_order_mark_is_no_part_of_the_text(folder: Path) -> None:
    assert read_bot(write(folder, b"\xef\xbb\xbf" + bot_text().encode())).strategy.pair == "BTCUSDT"


@pytest.mark.parametrize("none", ["0", '"0"', "0.0"])
def test_without_safety_orders_their_parameters_may_be_left_out(folder: Path, none: str) -> None:
    changes = {"max_safety_orders": none, "safety_order_size": None, "price_deviation": None}
    strategy = read_bot(write(folder, bot_text(changes))).strategy
    assert (strategy.safety_order_size, strategy.price_deviation) == (Decimal(0), Decimal(1))


def test_the_example_is_a_bot() -> None:
    bot = read_bot("examples/btc-calm.toml")
    assert (bot.name, market_of(bot).tick_size) == ("btc calm", Decimal("0.01"))


REFUSED_PARAMETERS = {
    "missing": ({"take_profit": None}, "take_profit: is missing"),
    "missing with safety orders": ({"price_deviation": None}, "price_deviation: is missing"),
    "out of range": ({"price_deviation": "120"}, "price_deviation = 120: must be below 100"),
    "too many": ({"max_safety_orders": "101"}, "max_safety_orders = 101: must be 100 or less"),
    "not whole": ({"max_safety_orders": "1.5"}, "max_safety_orders = 1.5: must be a whole number"),
    "nan": ({"take_profit": "nan"}, "take_profit = nan: must be a"),
    "nan in quotes": ({"take_profit": '"NaN"'}, "take_profit = NaN: must be a"),
    "infinite": ({"take_profit": "inf"}, "take_profit = inf: must be a"),
    "far too large": ({"take_profit": "1e999"}, "take_profit = 1e999: must be a"),
    "larger than a Decimal": ({"take_profit": "1e99999999999999999999"}, "take_profit = 1e99999999999999999999: must"),
    "full-width digits": ({"take_profit": '"１２"'}, "take_profit = １２: must be a"),
    "empty": ({"take_profit": '""'}, "take_profit = : must be a"),
    "true for a number": ({"take_profit": "true"}, "take_profit = true: must be a number"),
    "a date for a number": ({"take_profit": "2021-04-02"}, "take_profit = 2021-04-02: must be a number"),
    "a list for a number": ({"take_profit": "[1]"}, "take_profit = a list: must be a number"),
    "a table for a number": ({"take_profit": "{a = 1}"}, "take_profit = a table: must be a number"),
    "a number for a text": ({"pair": "5"}, "pair = 5: must be a text in quotes"),
    "a number for a name": ({"name": "5"}, "name = 5: must be a text in quotes"),
    "an empty name": ({"name": '" "'}, "name =  : must be a text of printable characters that is not empty"),
    "a text for a yes": ({"auto_restart": '"true"'}, "auto_restart = true: must be true or false, without quotes"),
    "not one of the words": ({"stop_loss_basis": '"peak"'}, "stop_loss_basis = peak: must be base or average"),
    "characters that move the cursor": ({"stop_loss_basis": r'"\u001b[31m"'}, r"stop_loss_basis = '\x1b[31m': must"),
    "unknown, near": ({"take_proft": "1"}, "take_proft: is no key of [bot]; did you mean take_profit?"),
    "unknown, far": ({"xyz": "1"}, "xyz: is no key of [bot]; there are pair, base_order_size, "),
    "a ladder to zero": ({"price_deviation": "20"}, "price_deviation = 20: safety order 5 of 8 would lie 100 % below"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED_PARAMETERS.values(), ids=REFUSED_PARAMETERS)
def test_a_refused_parameter(folder: Path, changes: dict[str, str | None], message: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_bot(write(folder, bot_text(changes)))
    assert str(caught.value).startswith(f"bot.toml: {message}")
    assert str(caught.value).isprintable()


REFUSED_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": (b"", "bot.toml: is empty"),
    "blank": (b"\n \n", "bot.toml: is empty"),
    "not text": (b"\xff\xfe[\x00b\x00", "bot.toml: is not UTF-8 text (byte 0)"),
    "syntax": ("[bot]\npair = = 3", "bot.toml: is not TOML: line 2, column 8: Invalid value"),
    "cut short": ('[bot]\npair = "BTC', "bot.toml: is not TOML: end of document: Unterminated string"),
    "twice": ("[bot]\n[bot]", "bot.toml: is not TOML: line 2, column 5: Cannot declare ('bot',) twice"),
    "no bot": ("[fees]\nfee_maker = 0", "bot.toml: [bot]: is missing: a bot file has one such table"),
    "several bots": ("[[bot]]\n[[bot]]", "bot.toml: [[bot]]: must be one table, written [bot]"),
    "no table": ("bot = 3", "bot.toml: bot = 3: must be a table, written [bot]"),
    "another table": (bot_text(more="[markt]"), "bot.toml: markt: is no table of a bot file; did you mean market?"),
    "another market key": (bot_text(more="[market]\ntick = 1"), "bot.toml: tick: is no key of [market]; did you mean"),
    "another fee": (bot_text(more="[fees]\nrate = 1"), "bot.toml: rate: is no key of [fees]; there are fee_maker, "),
    "a fee of all": (bot_text(more="[fees]\nfee_taker = 1"), "bot.toml: fee_taker = 1: must be below 1"),
    "an asset of none": (bot_text(more='[fees]\nfee_asset = "BNB"'), "bot.toml: fee_asset = BNB: must be received or"),
    "digits without end": (f"a = {'9' * 5000}", "bot.toml: holds a number of too many digits"),
    "tables without end": (f"a = {'[' * 5000}", "bot.toml: is nested too deeply"),
    "far too large": (b"#" * 64_001, "bot.toml: is too large for a bot file: more than 64,000 bytes"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED_FILES.values(), ids=REFUSED_FILES)
def test_a_refused_file(folder: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_bot(write(folder, text))
    assert str(caught.value).startswith(message)


def test_no_file(folder: Path) -> None:
    with pytest.raises(BadFile, match=r"^nothing.toml: cannot be read: No such file"):
        read_bot("nothing.toml")
    with pytest.raises(BadFile, match="cannot be read: Is a directory"):
        read_bot(str(folder))
    with pytest.raises(BadFile, match="cannot be read: embedded null"):
        read_bot("a\0b")


def test_a_known_market(folder: Path) -> None:
    market = market_of(read_bot(write(folder, bot_text())))
    assert (market.pair, market.base_asset, market.quote_asset) == ("BTCUSDT", "BTC", "USDT")
    assert (market.tick_size, market.step_size) == (Decimal("0.01"), Decimal("0.00001"))
    assert (market.min_notional, market.min_quantity) == (Decimal(5), Decimal("0.00001"))


def test_a_file_wins_over_what_is_known_key_by_key(folder: Path) -> None:
    market = market_of(read_bot(write(folder, bot_text(more='[market]\ntick_size = "0.1"\nstep_size = 0.001'))))
    assert (market.tick_size, market.step_size, market.min_notional) == (Decimal("0.1"), Decimal("0.001"), Decimal(5))
    assert market.min_quantity == Decimal("0.001")


def test_a_market_that_only_the_file_knows(folder: Path) -> None:
    market = market_of(read_bot(write(folder, bot_text({"pair": '"XY"'}, f"[market]\n{MARKET}"))))
    assert (market.pair, market.tick_size, market.min_quantity) == ("XY", Decimal("0.5"), Decimal(1))


NOT_KNOWN = "bot.toml: pair = NEWUSDT: the rules of this market are not known: put "
REFUSED_MARKETS = {
    "of no rules": (
        *({"pair": '"NEWUSDT"'}, ""),
        NOT_KNOWN + "base_asset, quote_asset, tick_size, step_size and min_notional under [market]",
    ),
    "of few rules": (
        *({"pair": '"NEWUSDT"'}, "[market]\n" + MARKET.replace('tick_size = "0.5"', "")),
        NOT_KNOWN + "tick_size under [market]",
    ),
    "of no least worth": (
        *({"pair": '"NEWUSDT"'}, "[market]\n" + MARKET.replace("min_notional = 10", "")),
        NOT_KNOWN + "min_notional under [market]",
    ),
    "misspelt": ({"pair": '"btcusdt"'}, "", "under [market]; or did you mean BTCUSDT?"),
    "without ticks": ({}, "[market]\ntick_size = 0", "bot.toml: [market] tick_size = 0: must be above 0"),
    "of no asset": ({}, "[market]\nbase_asset = ''", "bot.toml: [market] base_asset = : must be a text that is not"),
}


@pytest.mark.parametrize(("changes", "more", "message"), REFUSED_MARKETS.values(), ids=REFUSED_MARKETS)
def test_a_refused_market(folder: Path, changes: dict[str, str | None], more: str, message: str) -> None:
    bot = read_bot(write(folder, bot_text(changes, more)))
    with pytest.raises(DcaError) as caught:
        market_of(bot)
    assert message in str(caught.value)
