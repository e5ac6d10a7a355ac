"""One path from the database to a running bot: at start, after a gap in the account's events, and after every failure.

    what is stored -> what the exchange holds -> what is different, as news -> checks -> the bot goes on

Nothing is sent before the last step. When any step fails, it is begun again later: no bot trades on partial knowledge.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from dcacore.application.engine.accounting import Entry, write
from dcacore.application.engine.comparisons import Comparisons
from dcacore.application.engine.desk import Desk, bad_key, rules_read
from dcacore.application.engine.places import Places
from dcacore.application.engine.room import crowding
from dcacore.application.engine.runner import Ended, Runner
from dcacore.application.engine.surroundings import Surroundings, log, speak_of
from dcacore.application.engine.watching import Watching
from dcacore.application.engine.wire import Wire
from dcacore.domain.bot import Cure, Phase
from dcacore.domain.engine import decide
from dcacore.domain.errors import DcaError, InvalidParameter
from dcacore.domain.events import AttentionNeeded, EngineStarted, Event, Failed, Ready, Refusal
from dcacore.domain.evolving import evolve
from dcacore.domain.foresight import foresee
from dcacore.domain.hearing import Declined, Unanswered
from dcacore.domain.ids import OWN_PREFIX, AccountId, BotId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.preview import ladder
from dcacore.domain.story import Level, tell
from dcacore.ports.errors import (
    BadCredentials,
    CannotDecrypt,
    NoEncryptionKey,
    PortError,
    StoreError,
    StoreUnavailable,
    Unavailable,
    UnknownPair,
)
from dcacore.ports.prices import Tick
from dcacore.ports.records import Activity, BotRecord

if TYPE_CHECKING:
    from dcacore.application.engine.fleet import Fleet


@attrs.define(eq=False)
class BringingUp:
    """Takes bots up.

    Attributes:
        watching: told where the bots' prices come from.
        places: where the bots trade.
        comparisons: finds out how their orders stand.
        fleet: notes those that are up, and knows for which ones this engine acts.
    """

    around: Surroundings
    watching: Watching
    places: Places
    comparisons: Comparisons
    fleet: Fleet
    _checking: set[Runner] = attrs.field(factory=set, init=False)

    async def by_account(self, bot_ids: Sequence[BotId]) -> Mapping[AccountId, Sequence[BotId]]:
        """Return these bots, those that exist, by the account that they trade on.

        Raises:
            StoreUnavailable: they cannot be read now.
        """
        accounts: defaultdict[AccountId, list[BotId]] = defaultdict(list)
        for record in await self._load(bot_ids):
            accounts[record.account_id].append(record.bot.id)
        return accounts

    async def bring_up(self, account_id: AccountId, bot_ids: Sequence[BotId]) -> None:
        """Take up these bots, all of one account.

        Raises:
            DcaError: some could not be taken up now; those that were are noted with the engine.
        """
        records = await self._load(bot_ids)
        try:
            await self._bring_up_account(account_id, records)
        except (CannotDecrypt, NoEncryptionKey, BadCredentials) as exc:
            await self._tell_why(records, exc)
            raise

    async def _load(self, bot_ids: Sequence[BotId]) -> tuple[BotRecord, ...]:
        try:
            async with self.around.store.begin(reads_only=True) as work:
                return await work.bots.load(bot_ids)
        except StoreUnavailable:
            raise
        except StoreError as exc:  # rows that make no sense
            if len(bot_ids) == 1:
                log.error("bot_not_loaded", bot=bot_ids[0], reason=str(exc))
                return ()
        loaded: list[BotRecord] = []
        for bot_id in bot_ids:  # one of them cannot be read: that must not keep the others
            loaded.extend(await self._load([bot_id]))
        return tuple(loaded)

    async def _tell_why(self, records: Sequence[BotRecord], exc: DcaError) -> None:
        """Let the users of bots whose account cannot be opened know that; waiting alone does not help."""
        await self._refuse_requests([record.bot.id for record in records if record.bot.phase is Phase.STOPPED], exc)
        for record in records:
            bot = record.bot
            if bot.phase is Phase.STOPPED or (bot.trouble is not None and bot.trouble.cure is Cure.CREDENTIALS):
                continue
            entry = Entry(at=self.around.clock.now(), record=record, bot=bot)
            event = bad_key(entry.at, str(exc))
            decision = decide(bot, event)
            entry.add(decision, tell(bot, event, decision), {})
            await write(self.around.store, self.fleet.lease(bot.id), entry, bot.market, self.around.post)

    async def _refuse_requests(self, bot_ids: Sequence[BotId], exc: DcaError) -> None:
        """Answer what is asked of bots that stand still: nothing can be done with their account."""
        async with self.around.store.begin() as work:
            for request in await work.requests.waiting():
                if request.bot_id in bot_ids:
                    reason = f"the account's key does not work: {exc}"
                    await work.requests.settle(request.id, self.around.clock.now(), reason)
            await work.commit()

    async def _bring_up_account(self, account_id: AccountId, records: Sequence[BotRecord]) -> None:
        desk = await self.places.desk(account_id)
        speak_of(desk.account.environment)
        try:
            intents = await self._unsettled([record.bot.id for record in records])
        except StoreUnavailable:
            raise
        except StoreError:
            if len(records) == 1:
                raise
            one_by_one = (self._bring_up_account(account_id, [record]) for record in records)
            outcomes = await asyncio.gather(*one_by_one, return_exceptions=True)
            for failure in outcomes:  # one has orders that cannot be read: that must not keep the others
                if failure is not None:
                    raise failure from None
            return
        wires = []
        # Not what the bot was stored with: a restored database has an epoch of its own, so that no id is used twice.
        prefix = OWN_PREFIX + await self.around.store.epoch()
        if not self.places.is_open(desk):
            raise Unavailable("the account is being opened anew")
        for record in records:
            if record.bot.id in self.fleet.runners or not self.fleet.acts_for(record.bot.id):
                continue  # one that was given up meanwhile must not keep the others
            runner = Runner(
                around=self.around,
                record=attrs.evolve(record, bot=evolve(record.bot, order_prefix=prefix)),
                environment=desk.account.environment,
                intents={intent.id: intent for intent in intents[record.bot.id]},
                lease=self.fleet.lease(record.bot.id),
                price=self.watching.price,
                at_once=self.fleet.at_once,
                on_turn=self.fleet.after_turn,
                on_break=self.fleet.after_break,
            )
            wire = Wire(runner, desk)
            self.fleet.arrived(wire)
            wires.append(wire)
        for wire in wires:
            await self._begin(wire)
        await self._go_on(desk, wires, "start")

    async def _unsettled(self, bot_ids: Sequence[BotId]) -> dict[BotId, list[Intent]]:
        async with self.around.store.begin(reads_only=True) as work:
            found = await work.intents.unsettled(bot_ids)
        by_bot: defaultdict[BotId, list[Intent]] = defaultdict(list)
        for intent in found:
            by_bot[intent.bot_id].append(intent)
        return by_bot

    async def _begin(self, wire: Wire) -> None:
        """What was planned and not sent is off; what was being sent is unknown. The bot does nothing on it yet."""
        runner = wire.runner
        now = self.around.clock.now()
        try:
            if runner.bot.phase is not Phase.STOPPED:
                await runner.turn(EngineStarted(now))
            news = [
                Declined(intent.id, Refusal.NOT_PLACED, "the engine stopped before it was sent")
                if intent.state is IntentState.PLANNED
                else Unanswered(intent.id)
                for intent in runner.unsettled
                if intent.state in {IntentState.PLANNED, IntentState.SENDING}
            ]
            if news:
                await runner.turn(*news)
        except Ended:
            return

    # ------------------------------------------------------------------------------------------------- and go on

    async def _go_on(self, desk: Desk, wires: Sequence[Wire], cause: str) -> None:
        """Compare, and let the bots go on; until that has worked they wait."""
        live = [wire for wire in wires if not wire.runner.is_over and not wire.runner.is_closing]
        if not live:
            return  # those that broke off are brought up by another way
        try:
            await self.comparisons.of_some(desk, live, cause)
        except Exception as exc:  # noqa: BLE001 - whatever it is: bots that are up must not be left as they are
            is_foreseen = isinstance(exc, Ended | PortError)
            log.warning("not_compared", account=desk.account.id, reason=str(exc), exc_info=not is_foreseen)
            desk.tasks.start(self._go_on_later(desk, live, cause), "comparison, again")
            return
        for wire in live:
            runner = wire.runner
            if runner.is_over:
                continue
            runner.is_reconciled = True
            wire.mind_all()
            self.fleet.after_turn(runner, ())
        await desk.look_after_troubles()

    async def _go_on_later(self, desk: Desk, wires: Sequence[Wire], cause: str) -> None:
        await self.around.clock.sleep(2)
        await self._go_on(desk, wires, cause)

    # ---------------------------------------------------------------------------------------------------- the checks

    def check(self, runner: Runner) -> None:
        """Check a starting bot, and let it go on when it may."""
        if runner.is_reconciled and runner not in self._checking:
            self._checking.add(runner)
            runner.tasks.start(self._check(runner), f"checks of {runner.bot.id}")

    async def _check(self, runner: Runner) -> None:
        try:
            while not (runner.is_closing or runner.is_over):  # it would pause no more
                try:
                    event = await self._verdict(runner)
                except PortError as exc:
                    log.warning("bot_not_checked", bot=runner.bot.id, reason=str(exc))
                else:
                    await runner.turn(*event)
                    return
                await runner.pause(2)
        except Ended:
            return
        finally:
            self._checking.discard(runner)
            if not runner.is_over and not runner.is_closing:
                self.fleet.after_turn(runner, ())

    async def _warn(self, runner: Runner, warnings: Sequence[str]) -> None:
        """Let the user of a bot that starts read what deserves a warning: rungs that cannot be placed, for example."""
        if not warnings:
            return
        now, user_id, bot_id = self.around.clock.now(), runner.record.user_id, runner.bot.id
        async with self.around.store.begin(runner.lease) as work:
            await work.feed.add_activity(
                [
                    Activity(
                        user_id=user_id, at=now, kind="ladder_warning", text=text, level=Level.WARNING, bot_id=bot_id
                    )
                    for text in warnings
                ]
            )
            await work.commit()

    async def _verdict(self, runner: Runner) -> tuple[Event, ...]:
        """Return what a starting bot is to be told: that it may go on, or why not.

        Raises:
            PortError: that cannot be found out now.
        """
        pair, now = runner.market.pair, self.around.clock.now()
        desk = await self.places.desk(runner.record.account_id)
        try:
            listing = await desk.exchange.listing(pair)
            feed = await self.places.feed(desk.account.environment)
            self.watching.place(runner, feed, await feed.watch(pair))
            fees = await desk.exchange.fees(pair)
            price = self.watching.price(runner)
            if price is None and (price := await desk.exchange.price(pair)) is not None:
                feed.hear(Tick(pair, price, feed.prices.now()))
        except UnknownPair as exc:
            return (Failed(now, str(exc)),)
        except BadCredentials as exc:
            return (desk.bad_key(str(exc)),)
        if not listing.is_trading:
            return (AttentionNeeded(now, f"trading of {pair} is halted on the exchange", cure=Cure.TRADING),)
        rules = rules_read(now, listing, fees)
        if price is None:
            raise PortError(f"{pair} has no price yet")
        if runner.bot.deal is None:
            try:
                strategy = runner.bot.strategy
                warnings = ladder(strategy, price, listing.market, fees).warnings
                warnings += foresee(strategy, listing.market, listing.limits, price)
            except InvalidParameter as exc:
                return (rules, Failed(now, str(exc)))
            if runner.bot.deals_closed == runner.bot.closed_before:  # its user has just started it
                await self._warn(runner, warnings + crowding(desk, runner, listing))
        return (rules, Ready(self.around.clock.now(), price))
