"""The rules of well-known markets, so that a bot file for one of them need not repeat them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources


def known_markets() -> Mapping[str, Mapping[str, str]]:
    """Return what is known, by pair and then by the names of `Market`."""
    text = resources.files(__name__).joinpath("binance_spot.toml").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, str]] = tomllib.loads(text)
    return table
