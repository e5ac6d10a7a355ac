"""Binance Spot, and exchanges that speak as it does, behind the ports of live trading."""

from dcacore.adapters.binance.urls import KNOWN, LIVE, TESTNET, Urls, Where
from dcacore.adapters.binance.venues import BinanceVenues, KeyOf, stored_keys

__all__ = ["KNOWN", "LIVE", "TESTNET", "BinanceVenues", "KeyOf", "Urls", "Where", "stored_keys"]
