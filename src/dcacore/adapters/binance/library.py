"""python-binance, imported in one place: it warns of its own dependencies, and is slow to import."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance.async_client import AsyncClient

__all__ = ["AsyncClient"]
