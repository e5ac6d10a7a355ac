"""Binance Spot, and exchanges that speak as it does, behind the ports of live trading."""

from dcacore.adapters.binance.urls import KNOWN, LIVE, TESTNET, Urls
from dcacore.adapters.binance.venues import BinanceVenues

__all__ = ["KNOWN", "LIVE", "TESTNET", "BinanceVenues", "Urls"]
