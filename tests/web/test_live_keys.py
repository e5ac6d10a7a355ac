"""What the stream says, and what the page shows: the same names, the same texts."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from decimal import Decimal

import attrs

from dcacore.application import accounts
from dcacore.application.bot_pages import bot_card, bot_cards
from dcacore.application.identity.sessions import find
from dcacore.application.live import BotGonePatch, Heartbeat, NotificationPatch, PricePatch, StatePatch
from dcacore.application.live_sums import OpenDeals
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import BotId
from dcacore.domain.money import Price, QuoteAmount
from dcacore.ports.records import Environment
from dcaweb.formats import Formats
from dcaweb.live_keys import UNREAD, Told, of_sums, price_key, standing_key, values_of
from dcaweb.pages.events import messages
from dcaweb.pages.streams import Streams
from tests.web.desk import Desk

LIVE = re.compile(r'data-live="([^"]+)"(?: data-tone="(\w+)")?>([^<]*)<')


async def test_the_stream_says_what_the_page_shows(desk: Desk) -> None:
    await desk.bot()
    page = (await desk.browser.get("/bots")).text
    (card,) = (await bot_cards(desk.app.store, desk.anna.id)).cards
    told = values_of(StatePatch(card=card), Formats())
    shown = LIVE.findall(page)
    assert len(shown) > 10
    for key, tone, text in shown:
        if key != UNREAD:
            assert (key, told[key]["text"], told[key].get("tone", "")) == (key, text, tone)


async def test_a_page_watches_what_the_stream_says_and_what_happens_next(desk: Desk) -> None:
    made = await desk.bot(trailing_deviation=Decimal("0.5"))
    (card,) = (await bot_cards(desk.app.store, desk.anna.id)).cards
    told = values_of(StatePatch(card=card), Formats())
    for address in ("/bots", f"/bots/{made.bot.id}", f"/deals/{card.deal.deal_id if card.deal else ''}"):
        page = (await desk.browser.get(address)).text
        (watched,) = [json.loads(it) for it in re.findall(r"data-refresh-on='([^']+)'", page)]
        assert watched == {name: told[name].get("state", told[name]["text"]) for name in watched}
        assert "Its trail arms" in watched[f"bot.{made.bot.id}.next"]
    bot = made.bot
    assert bot.deal is not None
    armed = attrs.evolve(made, bot=evolve(bot, deal=evolve(bot.deal, peak=Price(Decimal(70_000)))))
    (account,) = await accounts.of(desk.app.store, desk.anna.id)
    said = values_of(StatePatch(card=bot_card(armed, account)), Formats())
    assert "It trails a peak of 70000" in said[f"bot.{bot.id}.next"]["text"]


async def test_a_price_moves_the_deals_of_its_market(desk: Desk) -> None:
    await desk.bot()
    (card,) = (await bot_cards(desk.app.store, desk.anna.id)).cards
    assert card.deal is not None
    price = Price(card.deal.average or Decimal(0))
    patch = PricePatch(environment=Environment.PAPER, pair="BTCUSDT", price=price, deals=(card.deal,))
    told = values_of(patch, Formats())
    assert told[price_key(Environment.PAPER, "BTCUSDT")]["value"]
    assert f"deal.{card.deal.deal_id}.unrealized" in told


async def test_open_deals_are_summed_by_environment_and_asset(desk: Desk) -> None:
    await desk.bot("One")
    await desk.bot("Two")
    cards = (await bot_cards(desk.app.store, desk.anna.id)).cards
    deals = OpenDeals()
    for card in cards:
        deals.heed(StatePatch(card=card))
    (moved,) = [attrs.evolve(it.deal, unrealized=QuoteAmount(Decimal("-2.5"))) for it in cards[:1] if it.deal]
    deals.heed(PricePatch(environment=Environment.PAPER, pair="BTCUSDT", price=Price(Decimal(1)), deals=(moved,)))
    other = cards[1].deal
    assert other is not None
    assert other.unrealized is not None
    whole = other.unrealized - Decimal("2.5")
    assert deals.unrealized() == {(Environment.PAPER, "USDT"): whole}
    told = of_sums(deals.unrealized(), Formats())
    assert told[standing_key(Environment.PAPER, "USDT")]["tone"] == "loss"
    for card in cards:
        deals.heed(BotGonePatch(bot_id=card.bot_id))
    assert deals.unrealized() == {}


async def test_the_stream_brings_the_values_of_the_whole_page(desk: Desk) -> None:
    made = await desk.bot()
    who = await find(desk.app.identity, desk.browser.client.cookies["session"])
    assert who is not None
    values: dict[str, object] = {}
    async with aclosing(messages(desk.app, who, Streams())) as stream:
        async for message in stream:
            if message.event == "values":
                values |= json.loads(str(message.data))
            if UNREAD in values:
                break
    assert {f"bot.{made.bot.id}.state", "price.paper.BTCUSDT", "standing.paper.USDT"} <= values.keys()


def test_what_has_gone_and_what_is_unread() -> None:
    gone = values_of(BotGonePatch(bot_id=BotId("x")), Formats())
    assert gone == {"bot.x.state": {"text": "Deleted", "state": "gone"}}
    assert values_of(NotificationPatch(notifications=(), unread=3), Formats())[UNREAD]["text"] == "3"
    assert values_of(NotificationPatch(notifications=(), unread=300), Formats())[UNREAD]["text"] == "99+"
    assert values_of(Heartbeat(), Formats()) == {}


def test_a_page_is_told_only_what_has_changed() -> None:
    told = Told()
    assert told.news({"a": {"text": "1"}, "b": {"text": "2"}}) == {"a": {"text": "1"}, "b": {"text": "2"}}
    assert told.news({"a": {"text": "1"}, "b": {"text": "3"}}) == {"b": {"text": "3"}}
    assert told.news({"a": {"text": "1"}}) == {}
