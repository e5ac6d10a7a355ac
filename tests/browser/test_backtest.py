"""Backtests by clicks: asked for, seen on their way, charts drawn, two compared; on every screen, in light and dark."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import Page, expect

from dcacore import bootstrap
from dcacore.application.editing import bot_text
from dcacore.bootstrap.fetching import folder_of
from dcacore.domain.market import Fees
from dcacore.ports.candles import Candles
from dcacore.ports.records import Environment
from tests.browser.looks import SIZES, THEMES, faults, in_theme, overflow, ready
from tests.browser.site import Site
from tests.browser.trading import register
from tests.web.desk import MARKET, STRATEGY

FILE = bot_text("File bot", STRATEGY, MARKET, Fees(fee_maker="0.001"))
BEGAN_MS = 1_704_067_200_000
DAYS = 2


def test_a_file_is_played_and_two_are_compared(page: Page, site: Site) -> None:
    _store_candles(site)
    register(page)
    first = _play(page, FILE)
    expect(page.locator("[data-plot][data-chart-state=drawn]")).to_have_count(2)  # evaluating is forbidden to pages
    expect(page.locator("[data-candle-chart] canvas").first).to_be_visible()
    second = _play(page, FILE.replace('take_profit = "1.5"', 'take_profit = "1.0"'))
    ready(page, "/backtest")
    for box in page.get_by_role("checkbox", name=re.compile("Compare File bot")).all():
        box.check()
    page.get_by_role("button", name="Compare the ticked ones").click()
    expect(page.get_by_role("region", name="What differs").get_by_text("Take profit")).to_be_visible()
    compared = f"/backtest/compare?run={first}&run={second}"
    for theme in THEMES:
        in_theme(page, theme)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for path in ("/backtest", f"/backtest/{first}", compared):
                ready(page, path)
                assert overflow(page) <= 0, f"{path} on {size}"
                if size != "tablet":
                    assert faults(page) == [], f"{path} on {size} in {theme}"


def _store_candles(site: Site) -> None:
    walk, length = bootstrap.random_walk(MARKET, 4), DAYS * 1440
    columns = {name: getattr(walk, name)[:length] for name in ("open", "high", "low", "close", "volume")}
    times = BEGAN_MS + np.arange(length, dtype=np.int64) * 60_000
    folder = folder_of(site.app, Environment.LIVE)
    bootstrap.candle_store(folder).save("BTCUSDT", Candles(interval_ms=60_000, open_time=times, **columns))


def _play(page: Page, text: str) -> str:
    """Play a file over the candles that are stored, and return the backtest's id."""
    ready(page, "/backtest")
    page.get_by_label("Take a file").set_input_files(
        {"name": "bot.toml", "mimeType": "text/plain", "buffer": text.encode()}
    )
    expect(page.get_by_label("Parameters")).to_have_value(text)
    page.get_by_label("Candles of").select_option("live")
    page.get_by_label("Time", exact=True).select_option("own")
    page.get_by_label("From").fill("2024-01-01")
    page.get_by_label("To, all of it").fill("2024-01-02")
    page.get_by_role("button", name="Play it").click()
    page.wait_for_url(re.compile("/backtest/[a-z0-9]+$"))
    expect(page.get_by_role("heading", name="All figures")).to_be_visible(timeout=60_000)
    return page.url.rpartition("/")[2]
