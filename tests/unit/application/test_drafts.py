"""A bot that somebody is thinking of: what a form's texts mean, and what is told of the bot before it is made."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, Final

import attrs
import pytest
from hypothesis import given

from dcacore.application import drafts
from dcacore.application.drafts import Outlook
from dcacore.application.pair_now import PairNow
from dcacore.application.parameters import texts_of, typed_fees, typed_strategy
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import AccountId, UserId
from dcacore.domain.limits import Band, Bound, Limits
from dcacore.domain.market import FeeAsset, Fees
from dcacore.domain.money import Price, QuoteAmount
from dcacore.domain.preview import ladder
from dcacore.domain.strategy import Strategy
from dcacore.ports.records import Account, Environment
from tests.strategies import FREE, MARKET, Setting, settings_to_trade, strategy

ACCOUNT: Final = Account(
    id=AccountId("one"),
    user_id=UserId("anna"),
    name="Paper",
    environment=Environment.PAPER,
    created_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
)
NOW: Final = PairNow(
    account=ACCOUNT, pair="ABCXYZ", market=MARKET, price=Price(Decimal(100)), fees=FREE, free=Decimal(1_000)
)
TYPED: Final = texts_of(strategy())


def seen(now: PairNow = NOW, **changes: str) -> Outlook:
    found = drafts.outlook(drafts.read({**TYPED, **changes}, now))
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------------------- reading


@given(settings_to_trade())
def test_what_a_form_says_of_a_bot_is_that_bot(setting: Setting) -> None:
    typed = {**texts_of(setting.strategy), "name": "Mine", "account": "one", "_csrf_token": "x"}
    assert typed_strategy(typed) == (setting.strategy, {})
    now = attrs.evolve(NOW, market=setting.market, price=setting.price, fees=setting.fees)
    draft = drafts.read(typed, now)
    assert (draft.strategy, draft.fees, draft.price, draft.wrong) == (setting.strategy, setting.fees, setting.price, {})
    found = drafts.outlook(draft)
    assert found is not None
    assert found.ladder == ladder(setting.strategy, setting.price, setting.market, setting.fees)


def test_an_empty_field_is_its_default() -> None:
    optional = [field.name for field in attrs.fields(Strategy) if field.default is not attrs.NOTHING]
    assert typed_strategy({**TYPED, **dict.fromkeys(optional, "")}) == (strategy(), {})


def test_without_safety_orders_nothing_is_asked_about_them() -> None:
    typed = {**TYPED, "max_safety_orders": "0", "safety_order_size": "", "price_deviation": ""}
    found, wrong = typed_strategy(typed)
    assert (wrong, found is not None and found.max_safety_orders) == ({}, 0)


def test_all_that_is_wrong_is_told_at_once() -> None:
    found, wrong = typed_strategy({**TYPED, "take_profit": "x", "max_deals": "1.5", "base_order_size": ""})
    assert found is None
    assert {name: it.rule for name, it in wrong.items()} == {
        "base_order_size": "is missing",
        "take_profit": wrong["take_profit"].rule,
        "max_deals": "must be a whole number",
    }
    assert "plain decimal number" in wrong["take_profit"].rule


def test_what_parameters_break_together_is_told_when_each_is_fine() -> None:
    found, wrong = typed_strategy({**TYPED, "price_deviation": "60"})
    assert (found, list(wrong)) == (None, ["price_deviation"])
    assert "above zero" in wrong["price_deviation"].rule


def test_fees_are_what_was_typed_else_what_the_account_pays() -> None:
    pays = Fees(fee_maker="0.002", fee_asset="quote")
    assert typed_fees({"fee_taker": "0.003", "fee_maker": ""}, pays) == (
        Fees(fee_maker="0.002", fee_taker="0.003", fee_asset=FeeAsset.QUOTE),
        {},
    )
    assert list(typed_fees({"fee_taker": "2"}, pays)[1]) == ["fee_taker"]
    assert drafts.read(TYPED, attrs.evolve(NOW, fees=None)).fees == Fees()


@pytest.mark.parametrize("price", ["0", "-1", "1e2", "x", "NaN"])
def test_a_typed_price_is_a_price(price: str) -> None:
    assert list(drafts.read({**TYPED, "price": price}, NOW).wrong) == ["price"]


def test_a_price_off_the_grid_is_refused_when_typed_and_rounded_when_told() -> None:
    with pytest.raises(InvalidParameter, match="tick_size"):
        seen(price="99.999")
    assert seen(attrs.evolve(NOW, price=Price(Decimal("99.999")))).ladder.rows[0].price == Decimal("99.99")


@pytest.mark.parametrize(
    ("changes", "rule"), [({"is_listed": False}, "a pair that Paper trades"), ({"is_trading": False}, "is not traded")]
)
def test_a_pair_that_cannot_be_traded_is_refused(changes: dict[str, Any], rule: str) -> None:
    assert rule in drafts.read(TYPED, attrs.evolve(NOW, **changes)).wrong["pair"].rule


# -------------------------------------------------------------------------------------------------------- what it does


def test_the_outlook_says_what_a_deal_may_cost_and_how_far_it_reaches() -> None:
    found = seen()
    assert (found.spending.total, found.coverage) == (Decimal(300), Decimal(20))
    assert (found.left, found.lacking) == (Decimal(700), Decimal(0))
    assert found.warnings == ()
    assert seen(max_safety_orders="0").coverage is None


def test_what_other_bots_may_need_is_not_free() -> None:
    found = seen(attrs.evolve(NOW, promised=QuoteAmount(Decimal(800))))
    assert (found.left, found.lacking) == (Decimal(-100), Decimal(100))
    unknown = seen(attrs.evolve(NOW, free=None))
    assert (unknown.left, unknown.lacking) == (None, Decimal(0))


@pytest.mark.parametrize("changes", [{"market": None}, {"price": None}])
def test_without_rules_or_a_price_there_is_no_outlook(changes: dict[str, Any]) -> None:
    assert drafts.outlook(drafts.read(TYPED, attrs.evolve(NOW, **changes))) is None


def test_every_warning_of_the_ladder_and_of_the_exchange_is_told() -> None:
    limits = Limits(
        buys=Band("PERCENT_PRICE_BY_SIDE", lowest=Decimal("0.85")), position=Bound("MAX_POSITION", Decimal(3))
    )
    found = seen(attrs.evolve(NOW, limits=limits), stop_loss="5", take_profit="0.01", take_profit_net="false")
    for words in ("lies above safety order 1", "safety order 2", "MAX_POSITION"):
        assert any(words in it for it in found.warnings), words
    with_fees = seen(attrs.evolve(NOW, fees=Fees()), take_profit="0.1", take_profit_net="false")
    assert "does not pay for the fees" in with_fees.warnings[0]


def test_orders_that_the_market_never_takes_are_refused_at_their_parameter() -> None:
    with pytest.raises(InvalidParameter) as caught:
        seen(base_order_size="4")
    assert caught.value.name == "base_order_size"
    limits = Limits(market_quantity=Bound("MARKET_LOT_SIZE", Decimal("0.5")))
    with pytest.raises(InvalidParameter, match="base_order_size"):
        seen(attrs.evolve(NOW, limits=limits))
