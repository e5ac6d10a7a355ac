"""Who has gone silent: prices, accounts, bots, or the program itself. The users who are concerned are told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

from dcacore.application.engine.feed import Feed
from dcacore.application.engine.places import Places
from dcacore.application.engine.runner import Runner
from dcacore.application.engine.surroundings import Surroundings, log
from dcacore.domain.events import PricesSilent
from dcacore.domain.ids import AccountId, BotId
from dcacore.domain.story import Level
from dcacore.ports.errors import StoreError
from dcacore.ports.records import Account, Activity

LOOK_EVERY_S: Final = 1
STUCK_AFTER_S: Final = 60
"""A turn that lasts longer is stuck: the database does not answer, and does not fail either."""
LATE_S: Final = 0.2
"""What holds the event loop up for longer belongs into a thread."""


@attrs.define(eq=False)
class Watchdog:
    """Looks after everything that should be heard of.

    Attributes:
        runners: the bots that run here.
        places: where they trade.
        feed_of: says where a bot's prices come from.
    """

    around: Surroundings
    runners: Mapping[BotId, Runner]
    places: Places
    feed_of: Callable[[Runner], Feed | None]
    _stuck: set[BotId] = attrs.field(factory=set, init=False)
    _silent: dict[AccountId, Account] = attrs.field(factory=dict, init=False)

    async def run(self) -> None:
        """Look, for ever."""
        clock = self.around.clock
        while True:
            began = clock.monotonic()
            await clock.sleep(LOOK_EVERY_S)
            if (late := clock.monotonic() - began - LOOK_EVERY_S) > LATE_S:
                log.warning("program_held_up", seconds=round(late, 3))
            await self._tell([*self._silent_prices(), *self._silent_accounts(), *self._stuck_bots()])

    def _silent_prices(self) -> Iterable[Activity]:
        for feed in self.places.feeds.values():
            for pair in feed.newly_silent():
                log.error("prices_silent", environment=feed.environment.value, pair=pair)
                for runner in self.runners.values():
                    if self._is_on(runner, feed, pair):
                        runner.post(PricesSilent(self.around.clock.now()))
                text = f"no price of {pair} has come for 30 s: its bots wait, their orders stay on the exchange"
                users = {it.record.user_id for it in self.runners.values() if self._is_on(it, feed, pair)}
                for user in sorted(users):
                    yield Activity(
                        user_id=user,
                        at=self.around.clock.now(),
                        kind="price_silent",
                        text=text,
                        level=Level.WARNING,
                        environment=feed.environment,
                    )

    def _silent_accounts(self) -> Iterable[Activity]:
        silent: dict[AccountId, Account] = {}
        for account, reason in self.places.silent():
            silent[account.id] = account
            if account.id not in self._silent:
                log.error("account_silent", environment=account.environment.value, account=account.id, reason=reason)
                why = f" ({reason})" if reason else ""
                text = (
                    f"nothing is heard of account {account.name}{why}: its bots wait, their orders stay on the exchange"
                )
                yield self._about(account, "account_silent", text, Level.WARNING)
        for account_id in self._silent.keys() - silent.keys():
            account = self._silent[account_id]
            if not self.places.hears(account_id):  # its key has died besides, or it is being opened anew
                silent[account_id] = account
                continue
            yield self._about(account, "account_heard", f"account {account.name} is heard of again", Level.INFO)
        self._silent = silent

    def _about(self, account: Account, kind: str, text: str, level: Level) -> Activity:
        return Activity(
            user_id=account.user_id,
            at=self.around.clock.now(),
            kind=kind,
            text=text,
            level=level,
            environment=account.environment,
        )

    def _is_on(self, runner: Runner, feed: Feed, pair: str) -> bool:
        return runner.market.pair == pair and self.feed_of(runner) is feed

    def _stuck_bots(self) -> Iterable[Activity]:
        now = self.around.clock.monotonic()
        stuck = {
            bot_id: runner
            for bot_id, runner in self.runners.items()
            if runner.busy_since is not None and now - runner.busy_since > STUCK_AFTER_S
        }
        for bot_id in sorted(stuck.keys() - self._stuck):
            runner = stuck[bot_id]
            log.error("bot_silent", environment=runner.environment.value, bot=bot_id)
            text = "the database has not answered for a minute: the bot waits, its orders stay on the exchange"
            yield Activity(
                user_id=runner.record.user_id,
                at=self.around.clock.now(),
                kind="bot_silent",
                text=text,
                level=Level.WARNING,
                bot_id=bot_id,
            )
        self._stuck = set(stuck)

    async def _tell(self, lines: list[Activity]) -> None:
        if not lines:
            return
        try:
            async with self.around.store.begin() as work:
                await work.feed.add_activity(lines)
                await work.commit()
        except StoreError as exc:
            log.warning("silence_not_told", reason=str(exc))
