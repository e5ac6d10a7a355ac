"""Candles from the network: the public archive of Binance, and klines of its REST interface."""

from dcacore.adapters.candles.online._archive import BinanceArchive
from dcacore.adapters.candles.online._klines import BinanceKlines
from dcacore.adapters.candles.online._patience import Patience
from dcacore.adapters.candles.online._web import Web, open_web

__all__ = ["BinanceArchive", "BinanceKlines", "Patience", "Web", "open_web"]
