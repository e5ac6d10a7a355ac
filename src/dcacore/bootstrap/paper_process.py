"""The paper exchange as a process of its own: that of a file of books is found, or started to outlive its starter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

from dcacore.local_exchange.standing import Standing, read_standing
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable

_MODULE: Final = "dcacore.local_exchange"
_STARTS_WITHIN_S, _BETWEEN_S, _ANSWERS_WITHIN_S = 15, 0.05, 5


@attrs.frozen(kw_only=True)
class About:
    """What an exchange says of itself.

    Attributes:
        mark: what the process that was started over our books says.
        is_paper: whether it is one for paper accounts, with all known markets and no limits.
        prices: what moves its markets.
        reason: why, or what is wrong with it.
        by_chance: the markets that wander though others follow the real ones.
    """

    mark: str
    is_paper: bool
    prices: str
    reason: str
    by_chance: tuple[str, ...]

    @property
    def words(self) -> str:
        """Where its prices come from, for people."""
        match self.prices:
            case "live":
                lost = f", which cannot be reached now ({self.reason})" if self.reason else ""
                others = f"; a random walk: {', '.join(self.by_chance)}" if self.by_chance else ""
                return f"Binance's live stream{lost}{others}"
            case "random walk":
                return "a random walk (Binance cannot be reached)" if self.reason else "a random walk"
            case "nothing":
                return "none yet"
            case "hand":
                return "moved by hand"
            case other:
                return other


async def ask(url: str) -> About | None:
    """Return what the exchange at *url* says of itself; None where none answers."""
    told = await _json("GET", f"{url}/about")
    if not isinstance(told, Mapping) or not all(isinstance(told.get(it), str) for it in ("mark", "prices", "reason")):
        return None
    by_chance = tuple(map(str, told.get("by_chance") or ()))
    return About(
        mark=told["mark"],
        is_paper=told.get("is_paper") is True,
        prices=told["prices"],
        reason=told["reason"],
        by_chance=by_chance,
    )


async def post(url: str, told: Mapping[str, Any]) -> bool:
    """Ask something of the control interface; return whether it was done."""
    return await _json("POST", url, told) is not None


async def _json(method: str, url: str, told: Mapping[str, Any] | None = None) -> Any:
    """Return the answer; None when there is none, or when it is no."""
    import aiohttp

    limit = aiohttp.ClientTimeout(total=_ANSWERS_WITHIN_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.request(method, url, json=told, allow_redirects=False) as answer,
        ):
            return msgspec.json.decode(await answer.read()) if answer.ok else None
    except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError):
        return None


def local(port: int) -> str:
    """Return the address of a port of this machine."""
    return f"http://127.0.0.1:{port}"


def log_of(books: Path) -> Path:
    """Return the file with what the exchange of *books* has to say."""
    return books.with_name(f"{books.name}.log")


def last_words(books: Path) -> str:
    """Return where to read what it said last, to be put behind a sentence; nothing when it has never been started."""
    log = log_of(books)
    return f"; what it said last is in {log.name}" if log.exists() else ""


async def find(books: Path) -> str | None:
    """Return where the exchange of *books* is; None when it does not run, or does not answer."""
    standing = read_standing(books)
    # What was copied along with books is that of the books that they were copied from.
    if standing is None or not standing.is_of(books) or not await _stands(standing):
        return None
    return local(standing.port)


async def _stands(standing: Standing) -> bool:
    """Say whether the exchange is there still: another program may have the port by now, or that of other books."""
    about = await ask(local(standing.port))
    return about is not None and about.mark == standing.mark


async def find_or_start(books: Path, clock: Clock, options: Sequence[str] = ()) -> str:
    """Return where the exchange of *books* is, which is started if it does not run.

    It goes on when this process ends, however that ends. Where several start it at a time, one of them is quicker, and
    the lock of its books lets no other live.

    Raises:
        Unavailable: it did not come up; what it said is in the log beside the books.
    """
    found = await find(books)
    return found if found is not None else await _start(books, clock, options)


async def _end_of_moved(books: Path, clock: Clock) -> None:
    """End the exchange whose books were moved here while it ran: it has the file, and would write it anew elsewhere."""
    standing = read_standing(books)
    if standing is not None and standing.has_lost_its_books and await _stands(standing):
        with contextlib.suppress(ProcessLookupError):
            os.kill(standing.pid, signal.SIGTERM)
        while await _stands(standing):
            await clock.sleep(_BETWEEN_S)


async def _start(books: Path, clock: Clock, options: Sequence[str]) -> str:
    await _end_of_moved(books, clock)
    try:
        books.parent.mkdir(parents=True, exist_ok=True)
        with log_of(books).open("ab") as log:
            starter = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _MODULE,
                "--state",
                str(books),
                *options,
                "--detach",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
            await starter.wait()
    except OSError as exc:  # no room for its log, no process left
        raise Unavailable(f"the paper exchange cannot be started: {exc.strerror or exc}") from exc
    until = clock.monotonic() + _STARTS_WITHIN_S
    while clock.monotonic() < until:  # somebody else may have been quicker, and may not be ready yet
        found = await find(books)
        if found is not None:
            return found
        await clock.sleep(_BETWEEN_S)
    raise Unavailable(f"the paper exchange over {books.name} does not come up: see {log_of(books).name}")
