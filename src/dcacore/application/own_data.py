"""Everything that is kept of a user, for the user to take along: no secret, no digest of one, nothing of others.

It comes as files, each in pieces, and a few hundred rows are in memory at a time, however much there is.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import zlib
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import attrs

from dcacore.application.deal_exports import PAGE, csv_line, deals_csv, fills_csv, orders_csv
from dcacore.application.editing import bot_file_text
from dcacore.application.identity.means import Means
from dcacore.application.identity.throttling import OWN_DATA, count
from dcacore.application.refusals import NotFound
from dcacore.application.stamps import utc_stamp
from dcacore.domain.bot import shown_state
from dcacore.domain.entitlement import Subscription
from dcacore.domain.ids import UserId
from dcacore.domain.money import plain
from dcacore.ports.backtests import BacktestRun, RunState
from dcacore.ports.identity import Preferences
from dcacore.ports.records import Account, BotRecord, LiveConfirmation, User
from dcacore.ports.store import Store

ACTIVITY_COLUMNS: Final = ("at", "level", "kind", "text", "environment", "bot_id", "deal_id", "order_id")
NOTIFICATION_COLUMNS: Final = ("at", "level", "kind", "text", "bot_id", "read_at")
_LONGEST_STEM: Final = 60
_SLICE: Final = 8_192
_ABOUT: Final = """\
Everything that {site} keeps of {email}, as of {at}.

profile.json, preferences.json   who you are, and how you want to see things and be told of them
subscriptions.json               what you pay for, as the payment service has told it; no card is known here
accounts.json                    exchange accounts; their keys are not in here, nor any other secret
bots.json, bots/                 your bots, and each as a bot file, which makes the same bot when it is imported
deals.csv, orders.csv, fills.csv all that they have traded
backtests.json, backtests/       your backtests, and the report of each that is done
activity.csv, notifications.csv  what happened, and what you were told of it, the newest first
sessions.json, api_tokens.json   where you are signed in, and which programs may act for you

Numbers are exact, times are UTC. In the tables a text that a spreadsheet could take for a formula is led by an
apostrophe.
"""


@attrs.frozen
class DataFile:
    """One of the files.

    Attributes:
        name: its name, with the folder that it lies in.
        pieces: its text, in order.
    """

    name: str
    pieces: AsyncIterator[str]


async def own_data(means: Means, user_id: UserId) -> AsyncIterator[DataFile]:
    """Return all that is kept of the user, file by file; each is to be read whole before the next one is asked for.

    Raises:
        TooManyTries: the user has taken it too often lately.
        NotFound: there is no such user.
    """
    await count(means, (OWN_DATA, user_id))
    async with means.store.begin(reads_only=True) as work:
        user = await work.users.get(user_id)
    if user is None:
        raise NotFound("user", user_id)
    return _files(means, user)


async def _files(means: Means, user: User) -> AsyncIterator[DataFile]:
    store, clock = means.store, means.clock
    about = _ABOUT.format(site=means.base_url, email=user.email, at=utc_stamp(clock.now()))
    yield DataFile("README.txt", _whole(about))
    yield DataFile("profile.json", _json(_profile(user)))
    async with store.begin(reads_only=True) as work:
        wishes = await work.wishes.get(user.id) or Preferences()
        accounts = await work.accounts.of(user.id)
        bots = await work.bots.of(user.id)
        confirmed = {it.bot.id: await work.bots.live_confirmation(it.bot.id) for it in bots}
        sessions = await work.sessions.of(user.id)
        tokens = await work.api_tokens.of(user.id)
        subscriptions = await work.subscriptions.of(user.id)
    yield DataFile("preferences.json", _json(_preferences(wishes)))
    yield DataFile("subscriptions.json", _json([_subscription(it) for it in subscriptions]))
    yield DataFile("accounts.json", _json([_account(it) for it in accounts]))
    files = dict(zip((it.bot.id for it in bots), _file_names(it.name for it in bots), strict=True))
    yield DataFile("bots.json", _json([_bot(it, files[it.bot.id], confirmed[it.bot.id]) for it in bots]))
    for one in bots:
        yield DataFile(files[one.bot.id], _whole(bot_file_text(one)))
    yield DataFile("deals.csv", await deals_csv(store, clock, user.id))
    yield DataFile("orders.csv", await orders_csv(store, clock, user.id))
    yield DataFile("fills.csv", await fills_csv(store, clock, user.id))
    async for file in _backtests(store, user.id):
        yield file
    yield DataFile("activity.csv", _activity(store, user.id))
    yield DataFile("notifications.csv", _notifications(store, user.id))
    yield DataFile(
        "sessions.json",
        _json(
            [
                {
                    "created_at": utc_stamp(it.created_at),
                    "seen_at": utc_stamp(it.seen_at),
                    "address": it.address,
                    "agent": it.agent,
                }
                for it in sessions
            ]
        ),
    )
    yield DataFile(
        "api_tokens.json",
        _json(
            [
                {
                    "name": it.name,
                    "scope": it.scope.value,
                    "created_at": utc_stamp(it.created_at),
                    "expires_at": _stamp(it.expires_at),
                    "used_at": _stamp(it.used_at),
                }
                for it in tokens
            ]
        ),
    )


def _subscription(it: Subscription) -> dict[str, object]:
    times = ("changed_at", "period_end", "past_due_at", "ends_at", "ended_at", "trial_end", "resumes_at")
    return {
        "id": it.id,
        "product_id": it.product_id,
        "state": it.state.value,
        "amount": it.amount,
        "currency": it.currency,
        **{name: _stamp(getattr(it, name)) for name in times},
    }


async def _whole(text: str) -> AsyncIterator[str]:
    yield text


async def _sliced(text: str) -> AsyncIterator[str]:
    for at in range(0, len(text), _SLICE):
        yield text[at : at + _SLICE]


def _json(value: Any) -> AsyncIterator[str]:
    return _whole(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _stamp(at: datetime.datetime | None) -> str | None:
    return None if at is None else utc_stamp(at)


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "tier": user.tier.value,
        "is_admin": user.is_admin,
        "verified_at": _stamp(user.verified_at),
        "created_at": utc_stamp(user.created_at),
    }


def _preferences(wishes: Preferences) -> dict[str, Any]:
    return {
        "theme": wishes.theme.value,
        "currency_digits": wishes.currency_digits,
        "time_zone": wishes.time_zone,
        "display_currency": wishes.display_currency,
        "told": {it.value: attrs.asdict(channels) for it, channels in wishes.told.items()},
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "environment": account.environment.value,
        "has_key": account.api_key is not None,
        "keyed_at": _stamp(account.keyed_at),
        "created_at": utc_stamp(account.created_at),
    }


def _bot(record: BotRecord, file: str, confirmed: LiveConfirmation | None) -> dict[str, Any]:
    totals = record.lifetime
    return {
        "id": record.bot.id,
        "name": record.name,
        "file": file,
        "account_id": record.account_id,
        "pair": record.bot.market.pair,
        "quote_asset": record.bot.market.quote_asset,
        "state": shown_state(record.bot),
        "trouble": None if record.bot.trouble is None else record.bot.trouble.reason,
        "created_at": utc_stamp(record.created_at),
        "deals": totals.deals,
        "won": totals.won,
        "profit": plain(totals.profit),
        "carried_quantity": plain(record.bot.carried.quantity),
        "carried_cost": plain(record.bot.carried.cost),
        "live_confirmed_at": None if confirmed is None else utc_stamp(confirmed.confirmed_at),
        "live_confirmed_amount": None if confirmed is None else plain(confirmed.amount),
    }


def _file_names(names: Iterable[str]) -> list[str]:
    """Return a name of a file for each bot, that no system stumbles over, and no two alike."""
    found: list[str] = []
    taken: set[str] = set()
    for number, name in enumerate(names, start=1):
        stem = "".join(it if it.isascii() and (it.isalnum() or it in "-_") else "-" for it in name)[:_LONGEST_STEM]
        stem = stem.strip("-") or "bot"
        stem = f"{stem}-{number}" if stem.lower() in taken else stem
        taken.add(stem.lower())
        found.append(f"bots/{stem}.toml")
    return found


async def _backtests(store: Store, user_id: UserId) -> AsyncIterator[DataFile]:
    async with store.begin(reads_only=True) as work:
        runs = await work.backtests.of(user_id)
    yield DataFile("backtests.json", _json([_backtest(it) for it in runs]))
    for run in runs:
        async with store.begin(reads_only=True) as work:
            outcome = await work.backtests.outcome(user_id, run.id)
        if outcome is not None:
            report = await asyncio.to_thread(zlib.decompress, outcome.report)
            yield DataFile(_report_name(run), _sliced(report.decode()))


def _report_name(run: BacktestRun) -> str:
    return f"backtests/{run.id}.json"


def _backtest(run: BacktestRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "asked_at": utc_stamp(run.asked_at),
        "ended_at": _stamp(run.ended_at),
        "state": run.state.value,
        "failure": run.failure,
        "environment": None if run.environment is None else run.environment.value,
        "pair": run.pair,
        "quote_asset": run.quote_asset,
        "interval": run.interval,
        "from_ms": run.from_ms,
        "to_ms": run.to_ms,
        "path": run.path,
        "slippage": plain(run.slippage),
        "balance": None if run.balance is None else plain(run.balance),
        "bot": run.bot,
        "warnings": list(run.warnings),
        "figures": dict(run.figures),
        "report": _report_name(run) if run.state is RunState.DONE else None,
    }


async def _activity(store: Store, user_id: UserId) -> AsyncIterator[str]:
    yield csv_line(ACTIVITY_COLUMNS)
    before: int | None = None
    while True:
        async with store.begin(reads_only=True) as work:
            lines = await work.feed.activity(user_id, limit=PAGE, before=before)
        for it in lines:
            where = None if it.environment is None else it.environment.value
            yield csv_line(
                (utc_stamp(it.at), it.level.value, it.kind, it.text, where, it.bot_id, it.deal_id, it.order_id)
            )
        if len(lines) < PAGE:
            return
        before = lines[-1].number


async def _notifications(store: Store, user_id: UserId) -> AsyncIterator[str]:
    yield csv_line(NOTIFICATION_COLUMNS)
    before: int | None = None
    while True:
        async with store.begin(reads_only=True) as work:
            found = await work.feed.notifications(user_id, limit=PAGE, before=before)
        for it in found:
            yield csv_line((utc_stamp(it.at), it.level.value, it.kind, it.text, it.bot_id, _stamp(it.read_at)))
        if len(found) < PAGE:
            return
        before = found[-1].number
