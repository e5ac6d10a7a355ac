"""Another address, and leaving for good."""

from __future__ import annotations

from enum import Enum

from dcacore.application import asking
from dcacore.application.administrators import refuse_last
from dcacore.application.identity import letters
from dcacore.application.identity.means import NOBODY, Client, Means
from dcacore.application.identity.passwords import confirmed, still
from dcacore.application.identity.refusals import StillCharged, StillTrading
from dcacore.application.identity.rules import checked_address
from dcacore.application.identity.sessions import SignedIn
from dcacore.application.identity.throttling import count_mail
from dcacore.application.refusals import NotFound
from dcacore.domain.bot import Phase
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.identity import LinkKind
from dcacore.ports.mail import Letter
from dcacore.ports.records import BotRecord, RequestKind, User
from dcacore.ports.store import Store, Work


class OpenDeals(Enum):
    """What becomes of open deals when their owner leaves."""

    REFUSE = "refuse"
    SELL = "sell"
    KEEP = "keep"


class Left(Enum):
    """How far a departure has come."""

    DELETED = "deleted"
    STOPPING = "stopping"


async def change_email(means: Means, signed_in: SignedIn, *, password: str, email: str, client: Client = NOBODY) -> str:
    """Send a link to another address, and return it. Only when the link is followed does the account have it.

    When somebody has that address already, that one is told by mail, and the answer is the same.

    Raises:
        InvalidParameter: it is no address, or the one that the account has.
        TooManyTries: the password was asked for too often, or too much mail for this address or by this client.
        WrongPassword: the password is not the user's.
    """
    email = checked_address(email)
    user = await confirmed(means, signed_in.user.id, password)
    if email == user.email:
        raise InvalidParameter("email", email, "is the address that the account has")
    await count_mail(means, email, client)
    confirm = letters.with_link(means, LinkKind.ADDRESS, email)
    already = letters.written(means, Letter.ALREADY_REGISTERED, email)
    async with means.store.begin() as work:
        user = await still(work, user)
        if await work.users.by_email(email) is None:
            await letters.send(means, work, user, LinkKind.ADDRESS, confirm)
        else:
            await work.outbox.add(already, means.clock.now())
        await work.commit()
    return email


async def delete_account(
    means: Means,
    signed_in: SignedIn,
    *,
    password: str,
    open_deals: OpenDeals = OpenDeals.REFUSE,
    is_selling: bool = False,
) -> Left:
    """Forget a user with everything: bots and their history, exchange accounts and keys, sessions, tokens.

    Bots that hold deals or run are asked to stop, as *open_deals* says, and then nothing is deleted yet: whoever asks
    again when they have stopped is deleted.

    Raises:
        TooManyTries: the password was asked for too often.
        WrongPassword: the password is not the user's.
        LastAdministrator: nobody else could administer the others.
        StillCharged: where something is sold, the user has a subscription that would go on being charged.
        StillTrading: bots hold open deals or run, and *open_deals* does not say what is to become of them.
    """
    user = await confirmed(means, signed_in.user.id, password)
    async with means.store.begin() as work:
        await refuse_last(work, user.id)
        user = await still(work, user)
        await _refuse_while_charged(work, user.id, is_selling=is_selling)
        records = await work.bots.of(user.id)
        trading = await _trading(work, records)
        if trading and open_deals is OpenDeals.REFUSE:
            raise StillTrading([record.name for record in trading])
        if trading:
            details = {"sell": "true" if open_deals is OpenDeals.SELL else "false"}
            for record in trading:
                await asking.add_request(
                    work, means.clock, means.ids, record=record, kind=RequestKind.STOP, details=details
                )
            await work.commit()
            return Left.STOPPING
        await _forget(work, user, records)
        await work.commit()
    return Left.DELETED


async def remove_user(store: Store, user_id: UserId, *, is_selling: bool = False) -> User:
    """Forget a user with everything, as an administrator wants it; return who it was.

    Raises:
        NotFound: there is no such user.
        LastAdministrator: nobody else could administer the others.
        StillCharged: where something is sold, the user has a subscription that would go on being charged.
        StillTrading: bots hold open deals or run: their owner, or whoever has the command line, stops them first.
    """
    async with store.begin() as work:
        await refuse_last(work, user_id)
        user = await work.users.hold(user_id)
        if user is None:
            raise NotFound("user", user_id)
        await _refuse_while_charged(work, user.id, is_selling=is_selling)
        records = await work.bots.of(user.id)
        if trading := await _trading(work, records):
            raise StillTrading([record.name for record in trading])
        await _forget(work, user, records)
        await work.commit()
    return user


async def _refuse_while_charged(work: Work, user_id: UserId, *, is_selling: bool) -> None:
    """Nobody could end what goes on being charged to somebody who is gone; whichever product it is."""
    if is_selling and any(it.will_be_charged for it in await work.subscriptions.of(user_id)):
        raise StillCharged


async def _forget(work: Work, user: User, records: tuple[BotRecord, ...]) -> None:
    for record in records:
        await work.bots.remove(record.bot.id)
    for account in await work.accounts.of(user.id):
        await work.accounts.remove(account.id)
    await work.users.remove(user.id)


async def _trading(work: Work, records: tuple[BotRecord, ...]) -> list[BotRecord]:
    """Return the bots of which something is open, or will be: what an engine may still be busy with."""
    waiting = {request.bot_id for request in await work.requests.waiting()}
    unsettled = {intent.bot_id for intent in await work.intents.unsettled([it.bot.id for it in records])}
    return [
        record
        for record in records
        if record.bot.deal is not None or record.bot.phase is not Phase.STOPPED or record.bot.id in waiting | unsettled
    ]
