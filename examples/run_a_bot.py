"""Run a bot from a program of your own, on paper: everything in memory, prices from a seed, over in a few seconds."""

from __future__ import annotations

import asyncio
import random

from dcacore import read_bot
from dcacore.application import accounts, asking, bots, showing, users
from dcacore.bootstrap import market_of
from dcacore.bootstrap.app import paper_app
from dcacore.bootstrap.logs import configure_logs
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.ports.records import Environment, RequestKind
from dcacore.settings import LogLevel, Settings


async def main(deals: int = 2) -> None:
    bot_file = read_bot("examples/btc-calm.toml")
    market = market_of(bot_file)
    paper = InProcessPaper([(market, 30000)])
    async with paper_app(paper) as app:
        user = await users.create(*app.means, app.passwords, email="me@example.com", password="Change-me-1")
        await accounts.add(*app.means, app.secrets, name="paper", environment=Environment.PAPER, user_id=user.id)
        bot = await bots.create(*app.means, user_id=user.id, account="paper", bot_file=bot_file, market=market)
        start = await asking.ask(*app.means, user_id=user.id, bot=bot.name, kind=RequestKind.START)
        await app.wait_for(start)

        chance, ticks = random.Random(7), 3_000_000
        while (await bots.find(app.store, user.id, bot.name)).lifetime.deals < deals:
            ticks += round(ticks * chance.gauss(0, 0.002))  # the market's next price
            paper.move(market.pair, ticks * market.tick_size)
            await asyncio.sleep(0.003)

        stop = await asking.ask(*app.means, user_id=user.id, bot=bot.name, kind=RequestKind.STOP)
        await app.wait_for(stop)
        view = await showing.show(app.store, user.id, bot.name, lines=1000)
        for line in reversed(view.activity):
            print(f"{line.kind:20} {line.text}")
        print(view.state, "profit", view.record.lifetime.profit, market.quote_asset)


if __name__ == "__main__":
    logs = configure_logs(Settings(log_level=LogLevel.WARNING))
    asyncio.run(main())
    logs.close()
