"""The tier that follows from what was given and what is paid: brought up to date in one transaction, and told."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Final

import attrs
import structlog

from dcacore.application.billing.lapsing import hand_back, pause_beyond, paused_for_plan
from dcacore.application.limits import LIMITS
from dcacore.application.telling import Post
from dcacore.domain.entitlement import Entitlement, Standing, Terms, entitlement
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.domain.notes import Level
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.mail import Letter, Mail
from dcacore.ports.records import Activity, Notification, Tier, User
from dcacore.ports.store import Work

log = structlog.get_logger("dcacore.billing")

WARN_BEFORE: Final = datetime.timedelta(days=2)
"""So long before the end of the grace its user is told again."""
_KIND: Final = "plan"


@attrs.frozen(kw_only=True)
class Selling:
    """What tiers follow from, and how users are told of it.

    Attributes:
        terms: what is sold; None where nothing is: then what was given is what there is.
        post: how mail is written; None where none is.
    """

    terms: Terms | None = None
    post: Post | None = None


NOT_SELLING: Final = Selling()


def tier_of(given: Tier, bought: Entitlement) -> Tier:
    """Return the better one of what was given and what is paid."""
    return max((given, Tier.PRO if bought.is_pro else Tier.FREE), key=LIMITS.__getitem__)


async def bought_by(work: Work, user_id: UserId, selling: Selling, now: datetime.datetime) -> Entitlement:
    """Return what the user's subscriptions entitle to at *now*."""
    if selling.terms is None:
        return Entitlement(Standing.NONE)
    return entitlement(await work.subscriptions.of(user_id), now, selling.terms)


async def bring_up_to_date(work: Work, clock: Clock, ids: Ids, user_id: UserId, selling: Selling) -> User | None:
    """Give the user the tier that follows from what is stored, and return the user; None when there is none.

    With a smaller one bots pause (`dcacore.application.billing.lapsing`). The caller commits; twice changes nothing.
    """
    user, now = await work.users.hold(user_id), clock.now()
    if user is None:
        return None
    bought = await bought_by(work, user_id, selling, now)
    before, user = user.tier, attrs.evolve(user, tier=tier_of(user.given_tier, bought))
    if user.tier is not before:
        await work.users.save(user)
        paused = await pause_beyond(work, clock, ids, user.id, user.tier)
        await hand_back(work, user.id, user.tier)
        waiting = await paused_for_plan(work, user.id)
        await _tell(work, user, now, _changed(user, [it.name for it in paused], len(waiting), now), selling)
    elif bought.standing is Standing.GRACE and user.given_tier is not user.tier:
        warning = _warning(user, bought, now, selling)
        customer = await work.customers.get(user_id)
        if customer is not None and customer.warned != warning.key:
            await work.customers.put(attrs.evolve(customer, warned=warning.key))
            await _tell(work, user, now, warning, selling)
    return user


@attrs.frozen
class _Said:
    headline: str
    text: str
    level: Level
    key: str


def _changed(user: User, paused: Sequence[str], waiting: int, now: datetime.datetime) -> _Said:
    headline, text = (
        f"Your plan is {user.tier.value} now",
        f"Your plan is {user.tier.value} now: {_may_run(user.tier)}.",
    )
    key = f"{user.tier.value}-{now:%Y%m%dT%H%M%S%f}"
    if paused:
        text += (
            f" {_are(len(paused))} paused for it: {', '.join(paused)}. Open deals are managed to their end, no new ones"
            " start, and nothing is sold or cancelled. Which bot goes on is chosen on the page Subscription."
        )
        return _Said(headline, text, Level.WARNING, key)
    if waiting:
        text += f" {_are(waiting)} still paused for the plan: they go on by one click on the page Subscription."
    return _Said(headline, text, Level.INFO, key)


def _warning(user: User, bought: Entitlement, now: datetime.datetime, selling: Selling) -> _Said:
    """Return what is said once when a grace begins, and once before it ends."""
    assert bought.subscription is not None and bought.until is not None and selling.terms is not None  # noqa: S101, PT018  # as in every grace
    grace = selling.terms.grace
    is_last = bought.until - now <= WARN_BEFORE < grace
    text = (
        f"The charge for your plan {user.tier.value} has failed. You keep it until {bought.until:%Y-%m-%d %H:%M} UTC;"
        f" after that {_may_run(user.given_tier)}: the others manage their deals to the end and start no new one."
        " Another card, by Manage on the page Subscription, mends it."
    )
    key = f"{'last' if is_last else 'first'}-{bought.subscription.id}-{bought.until - grace:%Y%m%dT%H%M}"
    return _Said("The charge for your plan has failed", text, Level.WARNING, key)


def _may_run(tier: Tier) -> str:
    return f"{LIMITS[tier]} bot{'' if LIMITS[tier] == 1 else 's'} may run"


def _are(bots: int) -> str:
    return "1 bot is" if bots == 1 else f"{bots} bots are"


async def _tell(work: Work, user: User, now: datetime.datetime, said: _Said, selling: Selling) -> None:
    line = Activity(user_id=user.id, at=now, kind=_KIND, text=said.text.rstrip("."), level=said.level)
    await work.feed.add_activity([line])
    note = Notification(user_id=user.id, at=now, kind=_KIND, text=said.text, level=said.level)
    await work.feed.add_notifications([note])
    if selling.post is None or user.verified_at is None:
        return
    words = {"base_url": selling.post.base_url, "to": user.email, "headline": said.headline, "text": said.text}
    letter, key = selling.post.letters.write(Letter.PLAN, words), f"plan-{user.id}-{said.key}"
    try:
        mail = Mail(to=user.email, subject=letter.subject, text=letter.text, html=letter.html, key=key)
    except InvalidParameter as error:  # nobody could send it; what has happened is stored all the same
        log.warning("mail_not_written", user=user.id, reason=str(error))
        return
    await work.outbox.add(mail, now)
