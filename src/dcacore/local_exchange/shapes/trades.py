"""Trades of an account, and the account itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.books import KeptOrder
from dcacore.domain.market import Fees
from dcacore.domain.money import exact
from dcacore.domain.orders import Side
from dcacore.domain.venue import Trade
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.formats import ZERO_TEXT, amount
from dcacore.local_exchange.shapes.orders import NO_LIST

Shape = dict[str, Any]
_BASIS_POINTS: Final = 10_000


@exact
def trade_row(trade: Trade, order: KeptOrder) -> Shape:
    """Return a trade of an account (rest-api.md, "Account trade list")."""
    return {
        "symbol": order.pair,
        "id": int(trade.trade_id),
        "orderId": int(trade.venue_order_id),
        "orderListId": NO_LIST,
        "price": amount(trade.price),
        "qty": amount(trade.quantity),
        "quoteQty": amount(trade.price * trade.quantity),
        "commission": amount(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": to_ms(trade.at),
        "isBuyer": trade.side is Side.BUY,
        "isMaker": order.has_rested,
        "isBestMatch": True,
    }


def balance(account: Account, asset: str) -> Shape:
    """Return what *account* holds of *asset*."""
    wallet = account.wallet
    return {"asset": asset, "free": amount(wallet.free(asset)), "locked": amount(wallet.locked(asset))}


def account_shape(account: Account, uid: int, updated: int, *, omit_zero: bool) -> Shape:
    """Return an account (rest-api.md, "Account information"); *updated* in Unix milliseconds."""
    fees, wallet = account.fees, account.wallet
    can_trade = not account.is_disabled
    assets = [one for one in wallet.assets if not omit_zero or wallet.free(one) or wallet.locked(one)]
    return {
        "makerCommission": int(fees.fee_maker * _BASIS_POINTS),
        "takerCommission": int(fees.fee_taker * _BASIS_POINTS),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(fees.fee_maker, fees.fee_taker),
        "canTrade": can_trade,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": updated,
        "accountType": "SPOT",
        "balances": [balance(account, asset) for asset in assets],
        "permissions": ["SPOT"],
        "uid": uid,
    }


def commission_shape(symbol: str, fees: Fees, *, pays_with_bnb: bool) -> Shape:
    """Return what an account pays on *symbol* (rest-api.md, "Query Commission Rates")."""
    return {
        "symbol": symbol,
        "standardCommission": _rates(fees.fee_maker, fees.fee_taker),
        "specialCommission": _rates(),
        "taxCommission": _rates(),
        "discount": {
            "enabledForAccount": pays_with_bnb,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        },
    }


def _rates(maker: Decimal = Decimal(0), taker: Decimal = Decimal(0)) -> Shape:
    return {"maker": amount(maker), "taker": amount(taker), "buyer": ZERO_TEXT, "seller": ZERO_TEXT}
