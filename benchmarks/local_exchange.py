"""Print how many orders and price frames a second the local exchange carries: `python -m benchmarks.local_exchange`.

The exchange runs in a process of its own, the clients in this one, so it takes two cores. Wall time: it is the whole
way that counts, through the network and back.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from decimal import Decimal
from multiprocessing.connection import Connection
from urllib.parse import urlencode

import aiohttp
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.local_exchange.addresses import Urls
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.signing import sign
from dcacore.local_exchange.site import Site

KEY, SECRET = "key", "secret"
ORDERS, AT_ONCE = 2_000, 8
SOCKETS, MOVES, BURST = 10, 5_000, 50
ORDER_GOAL, FRAME_GOAL = 200, 5_000
BTC = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)


async def exchange(tell: Connection) -> None:
    """Serve until the other end of *tell* says how often the market is to move, and again until it says 0."""
    site = Site(
        LocalExchange(Options(balance={"USDT": Decimal(10**9)}, secrets={KEY: SECRET}, has_limits=False)),
    )
    site.exchange.list_pair(BTC, Price(Decimal(30000)))
    async with serving(site) as urls:
        tell.send((urls.rest, urls.stream, urls.ws_api))
        while moves := await asyncio.to_thread(tell.recv):
            for number in range(moves):
                site.exchange.move("BTCUSDT", Price(Decimal(30000) + number % 100))
                if number % BURST == 0:
                    await asyncio.sleep(0)  # let what was said go out


def serve(tell: Connection) -> None:
    """Run the exchange."""
    asyncio.run(exchange(tell))


async def orders_a_second(urls: Urls) -> float:
    """Return how many market orders a second are carried out, several at once."""
    left = iter(range(ORDERS))
    head = {"X-MBX-APIKEY": KEY}
    async with aiohttp.ClientSession(urls.rest) as http:

        async def place() -> None:
            for _ in left:
                order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
                query = urlencode(order | {"timestamp": time.time_ns() // 1_000_000})
                path = f"/api/v3/order?{query}&signature={sign(SECRET, query.encode())}"
                async with http.post(path, headers=head) as answer:
                    assert answer.status == 200, await answer.text()

        began = time.perf_counter()
        await asyncio.gather(*(place() for _ in range(AT_ONCE)))
        return ORDERS / (time.perf_counter() - began)


async def frames_a_second(urls: Urls, tell: Connection) -> float:
    """Return how many frames of best prices a second arrive, over all sockets together."""

    async def listen(ready: asyncio.Barrier) -> None:
        async with connect(f"{urls.stream}/ws/btcusdt@bookTicker", compression=None) as heard:
            await heard.recv()  # where the market stands
            await ready.wait()
            for _ in range(MOVES):
                await heard.recv()

    ready = asyncio.Barrier(SOCKETS + 1)
    listening = [asyncio.create_task(listen(ready)) for _ in range(SOCKETS)]
    await ready.wait()
    began = time.perf_counter()
    tell.send(MOVES)
    await asyncio.gather(*listening)
    return SOCKETS * MOVES / (time.perf_counter() - began)


async def both(tell: Connection) -> Table:
    """Measure both."""
    urls = Urls(*await asyncio.to_thread(tell.recv))
    table = Table(title="local exchange")
    table.add_column("what")
    table.add_column("a second", justify="right")
    table.add_column("goal", justify="right")
    table.add_row("orders", f"{await orders_a_second(urls):,.0f}", f"{ORDER_GOAL:,}")
    table.add_row(f"price frames to {SOCKETS} sockets", f"{await frames_a_second(urls, tell):,.0f}", f"{FRAME_GOAL:,}")
    tell.send(0)
    return table


def measure() -> Table:
    """Start the exchange, and return what was measured, with the goals beside it."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    table = asyncio.run(both(here))
    process.join()
    return table


if __name__ == "__main__":
    Console(width=100).print(measure())
