"""What a user is told of: in the page and by mail, as he wishes, stored in the transaction of what has happened.

The first of a kind goes by mail at once; what comes in the ten minutes after it is gathered, and goes in one mail when
they are over. A turn of a bot waits for it, so it is little: one read; for what goes by mail another one, a count and a
line, or at most every ten minutes a letter. Nothing is sent here: the courier takes it out of the outbox.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
import structlog

from dcacore.domain.deal import Deal, Exit
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import AccountId, DealId, UserId
from dcacore.domain.notes import Kind, Note
from dcacore.ports.errors import StoreError, StoreUnavailable
from dcacore.ports.identity import MOST_LINES, Channels, Gathered, Occasion, Preferences, Tries
from dcacore.ports.mail import Letter, Letters, Mail
from dcacore.ports.records import Notification
from dcacore.ports.store import Store, Work

log = structlog.get_logger("dcacore.mail")

MAIL_EVERY: Final = datetime.timedelta(minutes=10)
"""A user gets at most one mail of an occasion in this time; the next one has all that has come in between."""
_LONGEST_LINE: Final = 400

_OCCASIONS: Final = {
    Kind.DEAL_OPENED: Occasion.DEAL_OPENED,
    Kind.SAFETY_ORDER_FILLED: Occasion.SAFETY_ORDER_FILLED,
    Kind.STOP_LOSS_HIT: Occasion.STOPPED,
    Kind.FINISHED: Occasion.STOPPED,
    Kind.ATTENTION: Occasion.ERROR,
    Kind.ERROR: Occasion.ERROR,
    Kind.WAITING_FOR_BALANCE: Occasion.LOW_BALANCE,
}
_ENDINGS: Final = {
    Exit.TAKE_PROFIT: Occasion.TARGET_HIT,
    Exit.TRAILING_TAKE_PROFIT: Occasion.TARGET_HIT,
    Exit.STOP_LOSS: Occasion.STOPPED,
    Exit.RESET: Occasion.RECONCILIATION,
}
_HEADLINES: Final = {
    Occasion.DEAL_OPENED: "A deal has been opened",
    Occasion.SAFETY_ORDER_FILLED: "A safety order has filled",
    Occasion.TARGET_HIT: "A deal has reached its target",
    Occasion.STOPPED: "A bot has stopped, or a stop loss has sold",
    Occasion.ERROR: "A bot needs help",
    Occasion.LOW_BALANCE: "The balance is too low",
    Occasion.RECONCILIATION: "The exchange differs from the books",
}
_ADVICE: Final = {
    Occasion.ERROR: (
        "What it waits for is on the bot's page, with what can be done about it. Until then it places nothing; orders"
        " that rest on the exchange stay there."
    ),
    Occasion.LOW_BALANCE: (
        "Its orders that buy wait, and go out by themselves once there is enough of the quote asset on the account."
        " Sells go on."
    ),
}
_BY_THE_USER: Final = Channels()


@attrs.frozen(kw_only=True)
class Post:
    """How mail is written.

    Attributes:
        letters: writes it.
        base_url: what links in it begin with, without a slash at the end.
    """

    letters: Letters
    base_url: str


def ready(letters: Letters, base_url: str) -> Post:
    """Return how mail is written, once a letter has been: no turn waits for templates, or finds them wrong."""
    words = dict.fromkeys(("base_url", "to", "headline", "environment", "text", "advice"), "-")
    letters.write(Letter.NEWS, {**words, "more": "0"})
    return Post(letters=letters, base_url=base_url)


@attrs.frozen
class News:
    """Something to tell.

    Attributes:
        occasion: what it is; None for what a user has asked for himself, which is in the page whatever he wishes.
        notification: what is told.
    """

    occasion: Occasion | None
    notification: Notification


def occasion_of(note: Note, ended: Iterable[Deal]) -> Occasion | None:
    """Return what a note is for its user, where *ended* are the deals that have ended with it; None as `News` says."""
    kind = Kind(note.kind)
    if kind is Kind.DEAL_CLOSED:
        exits: dict[DealId, Exit | None] = {deal.id: deal.exit for deal in ended}
        how = None if note.deal_id is None else exits.get(note.deal_id)
        return None if how is None else _ENDINGS.get(how)
    return _OCCASIONS.get(kind)


async def tell(
    work: Work, user_id: UserId, account_id: AccountId, news: Sequence[News], post: Post | None = None
) -> None:
    """Store, in *work*, which the caller commits, what the user wishes to be told of *news*, all of one moment.

    Args:
        work: where it is stored.
        user_id: whom it is for.
        account_id: on which account that is.
        news: what has happened.
        post: how mail is written; None where none is.

    Raises:
        StoreError: it cannot be read or written; the work is of no use any more.
    """
    wishes = await _wishes(work, user_id)
    by_occasion = _by_occasion(news)
    shown = [it for occasion, some in by_occasion.items() if _ways(wishes, occasion).in_page for it in some]
    await work.feed.add_notifications([it.notification for it in news if it in shown])
    if post is None:
        return
    for occasion in sorted((it for it in by_occasion if it is not None), key=lambda it: it.value):  # so none waits
        if _ways(wishes, occasion).by_mail:  # for another one that waits for it
            told = [it.notification for it in by_occasion[occasion]]
            await _mail(work, (user_id, account_id), occasion, told, post)


async def _wishes(work: Work, user_id: UserId) -> Preferences:
    try:
        return await work.wishes.get(user_id) or Preferences()
    except StoreUnavailable:
        raise
    except StoreError as error:  # a row that makes no sense: no bot stands still because of that
        log.warning("preferences_not_read", user=user_id, reason=str(error))
        return Preferences()


def _by_occasion(news: Iterable[News]) -> Mapping[Occasion | None, list[News]]:
    found: dict[Occasion | None, list[News]] = {}
    for it in news:
        found.setdefault(it.occasion, []).append(it)
    return found


def _ways(wishes: Preferences, occasion: Occasion | None) -> Channels:
    return _BY_THE_USER if occasion is None else wishes.told.get(occasion, _BY_THE_USER)


async def _mail(
    work: Work, whose: tuple[UserId, AccountId], occasion: Occasion, told: Sequence[Notification], post: Post
) -> None:
    user_id, account_id = whose
    account = await work.accounts.get(account_id)
    if account is None:
        return
    at, where = told[-1].at, account.environment.value.upper()
    lines = [_line(where, it) for it in told]
    window = await _count(work, user_id, occasion, at)
    if window.count > 1:
        await work.gathered.add(user_id, occasion, lines, window.began_at + MAIL_EVERY)
        return
    before = await work.gathered.take(user_id, occasion)  # what no courier has come to yet
    key = _key("news", user_id, occasion, at)
    if before is None and len(told) == 1:
        await _write(work, user_id, post, key, _words(occasion, text=f"{told[0].text}.", environment=where), at=at)
    else:
        await _write(work, user_id, post, key, _all_words(occasion, _together(before, lines, at)), at=at)


async def tell_gathered(store: Store, at: datetime.datetime, post: Post) -> int:
    """Write the mails with what has come since the last ones, for users whose next one is due; return for how many.

    Each is written by the transaction that takes what is in it: once, whoever else does the same, and whenever the
    process ends.

    Raises:
        StoreError: it cannot be read or written.
    """
    async with store.begin(reads_only=True) as work:
        due = await work.gathered.due(at, at + MAIL_EVERY * 2)
    taken = 0
    for user_id, occasion in due:
        async with store.begin() as work:
            await _count(work, user_id, occasion, at)  # the next one comes ten minutes after this one
            gathered = await work.gathered.take(user_id, occasion)
            if gathered is None:
                continue
            if _ways(await _wishes(work, user_id), occasion).by_mail:
                key = _key("digest", user_id, occasion, at)
                await _write(work, user_id, post, key, _all_words(occasion, gathered), at=at)
            await work.commit()
        taken += 1
    return taken


async def _count(work: Work, user_id: UserId, occasion: Occasion, at: datetime.datetime) -> Tries:
    return await work.throttle.count(f"news-{user_id}-{occasion.value}", at, MAIL_EVERY)


def _line(where: str, told: Notification) -> str:
    line = " ".join(told.text.split())
    return f"{told.at:%H:%M} {where}: {line[:_LONGEST_LINE]}{'...' if len(line) > _LONGEST_LINE else ''}"


def _together(before: Gathered | None, lines: Sequence[str], at: datetime.datetime) -> Gathered:
    if before is None:
        before = Gathered(due_at=at, count=0, lines=())
    kept = (*before.lines, *lines)[:MOST_LINES]
    return Gathered(due_at=before.due_at, count=before.count + len(lines), lines=kept)


def _key(kind: str, user_id: UserId, occasion: Occasion, at: datetime.datetime) -> str:
    return f"{kind}-{user_id}-{occasion.value}-{at:%Y%m%dT%H%M%S%f}"


def _words(occasion: Occasion, *, text: str, environment: str = "", times: int = 1, more: int = 0) -> Mapping[str, str]:
    return {
        "headline": _HEADLINES[occasion] + (f" ({times} times)" if times > 1 else ""),
        "environment": environment,
        "text": text,
        "more": str(more),
        "advice": _ADVICE.get(occasion, ""),
    }


def _all_words(occasion: Occasion, gathered: Gathered) -> Mapping[str, str]:
    text = "Times are in UTC.\n\n" + "\n".join([f"- {line}" for line in gathered.lines])
    return _words(occasion, text=text, times=gathered.count, more=gathered.count - len(gathered.lines))


async def _write(
    work: Work, user_id: UserId, post: Post, key: str, words: Mapping[str, str], *, at: datetime.datetime
) -> None:
    user = await work.users.get(user_id)
    if user is None or user.verified_at is None:
        return
    said = post.letters.write(Letter.NEWS, {"base_url": post.base_url, "to": user.email, **words})
    try:
        mail = Mail(to=user.email, subject=said.subject, text=said.text, html=said.html, key=key)
    except InvalidParameter as error:  # nobody could send it; what has happened is stored all the same
        log.warning("mail_not_written", user=user_id, reason=str(error))
        return
    await work.outbox.add(mail, at)
