"""What each bot is to be told next: its prices, its times, its tries."""

from __future__ import annotations

from typing import Final

import attrs

from dcacore.application.engine.alarms import Alarms
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.feed import Feed
from dcacore.application.engine.runner import Runner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.application.engine.triggers import Seen, Triggers
from dcacore.domain.bot import TroubleKind
from dcacore.domain.events import PriceSeen, RetryDue, TimePassed
from dcacore.domain.money import Price
from dcacore.domain.watch import Retry, Watches, watches

LOOK_AT_CLOCK_EVERY_S: Final = 30
"""A clock that was behind may be set right: what was hours away by it may be due now."""


@attrs.define(eq=False)
class Watching:
    """Sets triggers and alarms for bots, and tells them when one goes off."""

    around: Surroundings
    alarms: Alarms
    _places: dict[Runner, tuple[Feed, Triggers]] = attrs.field(factory=dict, init=False)

    def place(self, runner: Runner, feed: Feed, triggers: Triggers) -> None:
        """Note where the bot's prices come from."""
        self._places[runner] = (feed, triggers)

    def price(self, runner: Runner) -> Price | None:
        """Return where the bot's market stands; None when that is not known, or known only of before its last buy."""
        place = self._places.get(runner)
        last = None if place is None else self._last(runner, *place)
        return None if last is None else last.price

    def _last(self, runner: Runner, feed: Feed, triggers: Triggers) -> Seen | None:
        last = triggers.last
        if last is None or not feed.is_fresh(runner.market.pair):
            return None
        return None if runner.is_overtaken(last.price, last.made_at) else last

    def watch(self, runner: Runner, desk: Desk) -> None:
        """Let the bot be told what it must be told next."""
        place = self._places.get(runner)
        if place is None or runner.is_closing or runner.is_over:
            return
        wanted = watches(runner.bot)
        is_short = runner.bot.trouble is not None and runner.bot.trouble.kind is TroubleKind.WAITING_FOR_BALANCE
        if is_short and wanted.retry is Retry.PRICE:
            wanted = attrs.evolve(wanted, retry=Retry.BALANCE)  # a price alone does not pay for it
        self._set_alarms(runner, desk, wanted)
        is_old, is_known = runner.bot.is_price_old, self._last(runner, *place) is not None
        told = None if is_old else runner.bot.price
        for seen in place[1].put(runner.bot.id, wanted, told, is_known=is_known, is_old=is_old):
            self._tell_price(runner, seen, wanted)

    def _set_alarms(self, runner: Runner, desk: Desk, wanted: Watches) -> None:
        at, waits = ("at", runner.bot.id), ("balance", runner.bot.id)
        if wanted.at is None or wanted.at == runner.told_at:
            self.alarms.drop(at)  # what was to come then has been told; it may still be on its way
        else:
            due = wanted.at
            seconds = (due - self.around.clock.now()).total_seconds()

            latest = self.around.clock.monotonic() + seconds

            def look() -> None:
                now, left = self.around.clock.now(), latest - self.around.clock.monotonic()
                if now < due and left > 0:
                    self.alarms.set(at, min(left, LOOK_AT_CLOCK_EVERY_S), look)
                else:
                    runner.told_at = due
                    runner.post(TimePassed(max(due, now)))

            self.alarms.set(at, min(seconds, LOOK_AT_CLOCK_EVERY_S), look)
        if wanted.retry is not Retry.BALANCE:
            self.alarms.drop(waits)
        elif not self.alarms.has(waits):
            self.alarms.set(waits, runner.retry_after_s, lambda: self._retry(runner, desk))

    def _retry(self, runner: Runner, desk: Desk) -> None:
        if not runner.is_over:
            runner.tasks.start(self._try_again(runner, desk), f"balance for {runner.bot.id}")

    async def _try_again(self, runner: Runner, desk: Desk) -> None:
        if self.price(runner) is not None:
            await desk.retry_if_it_fits(runner)
        if not runner.is_over:
            self.alarms.set(("balance", runner.bot.id), runner.retry_after_s, lambda: self._retry(runner, desk))

    def fire(self, runner: Runner, seen: Seen) -> None:
        """Tell a bot a price that it watched for."""
        self._tell_price(runner, seen, watches(runner.bot))

    def _tell_price(self, runner: Runner, seen: Seen, wanted: Watches) -> None:
        now = self.around.clock.now()
        is_retry = wanted.retry is Retry.PRICE and runner.bot.trouble is None
        runner.post(RetryDue(now, seen.price) if is_retry else PriceSeen(now, seen.price, seen.made_at))

    def forget(self, runner: Runner) -> None:
        """Watch no longer for a bot."""
        place = self._places.pop(runner, None)
        if place is not None:
            place[1].forget(runner.bot.id)
        self.alarms.drop(("at", runner.bot.id))
        self.alarms.drop(("balance", runner.bot.id))

    def feed_of(self, runner: Runner) -> Feed | None:
        """Return where the bot's prices come from; None before it has been checked."""
        place = self._places.get(runner)
        return None if place is None else place[0]
