"""What a user does with exchange accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from dcacore.application.key_rights import looked_at
from dcacore.application.refusals import NotFound, checked_name
from dcacore.domain.bot import Cure
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.ids import AccountId, DealId, UserId
from dcacore.domain.intents import Intent, IntentState
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import Conflict
from dcacore.ports.exchange import Balance
from dcacore.ports.keys import Keys
from dcacore.ports.records import Account, Environment
from dcacore.ports.secrets import ApiKey, Secrets
from dcacore.ports.store import Store, Work
from dcacore.ports.venues import Venues

_LONGEST_KEY: Final = 200


def _nobody(_: str) -> None:
    """Nobody wants to be warned."""


def refuse_unusable_key(key: ApiKey) -> None:
    """See that *key* can be one, without repeating any of it.

    Raises:
        InvalidParameter: a half is empty, too long, or has blanks or other characters that no key has.
    """
    for name, half in (("key", key.key), ("secret", key.secret)):
        if not half or len(half) > _LONGEST_KEY or not half.isascii() or not half.isprintable() or " " in half:
            raise InvalidParameter(name, None, f"must be 1 to {_LONGEST_KEY} letters and digits, without blanks")


async def add(
    store: Store,
    clock: Clock,
    ids: Ids,
    secrets: Secrets,
    *,
    user_id: UserId,
    name: str,
    environment: Environment,
    api_key: ApiKey | None = None,
    keys: Keys | None = None,
    warn: Callable[[str], None] = _nobody,
) -> Account:
    """Store a new account, its key encrypted; on paper there is none.

    Args:
        store: where to.
        clock: says when.
        ids: names the account.
        secrets: encrypts the key.
        user_id: the owner.
        name: what the account is called.
        environment: where it trades.
        api_key: its key.
        keys: asks the exchange what the key may do; None takes it unseen.
        warn: told of what the owner should know of the key, one sentence at a time.

    Raises:
        InvalidParameter: the name or the key cannot be one.
        Conflict: the user has an account of that name.
        UnfitKey: the exchange does not accept the key, or it may do too little or too much.
        Unavailable: the exchange cannot be asked about the key now.
        NoEncryptionKey: there is nothing to encrypt the key with.
    """
    name = checked_name("name", name)
    if (api_key is None) is not (environment is Environment.PAPER):
        raise InvalidParameter("key", None, "is for every account but one on paper")
    account_id = AccountId(ids.new())
    cipher = None
    if api_key is not None:
        refuse_unusable_key(api_key)
        cipher = secrets.encrypt(account_id, api_key)
        await _refuse_taken_name(store, user_id, name)  # before the exchange is asked for nothing
        await _look_at(keys, environment, api_key, warn)
    account = Account(
        id=account_id, user_id=user_id, name=name, environment=environment, api_key=cipher, created_at=clock.now()
    )
    async with store.begin() as work:
        if any(other.name == name for other in await work.accounts.of(user_id)):
            raise Conflict(f"there is an account {name} already")
        await work.accounts.add(account)
        await work.commit()
    return account


async def _refuse_taken_name(store: Store, user_id: UserId, name: str) -> None:
    if any(other.name == name for other in await of(store, user_id)):
        raise Conflict(f"there is an account {name} already")


async def _look_at(keys: Keys | None, environment: Environment, api_key: ApiKey, warn: Callable[[str], None]) -> None:
    if keys is not None:
        for warning in await looked_at(keys, environment, api_key):
            warn(warning)


async def replace_key(
    store: Store,
    venues: Venues,
    clock: Clock,
    secrets: Secrets,
    *,
    user_id: UserId,
    named: str,
    api_key: ApiKey,
    keys: Keys | None = None,
    warn: Callable[[str], None] = _nobody,
) -> Account:
    """Store another key of the account, in place of the one that it has; its bots go on with it by themselves.

    While deals are open the exchange is asked first: their orders must be known to the new key, so that a key of
    another account is refused. A deal no order of which the exchange has ever confirmed cannot be asked about.
    What the key may do is asked and warned of as by `add`.

    Raises:
        InvalidParameter: the key cannot be one, or the account is on paper and has none.
        NotFound: the user has no such account.
        NotNow: deals are open, and the key is another account's.
        UnfitKey: the exchange does not accept the key, or it may do too little or too much.
        PortError: deals are open, and the exchange does not take the key, or cannot be asked now.
        NoEncryptionKey: there is nothing to encrypt the key with.
    """
    refuse_unusable_key(api_key)
    async with store.begin(reads_only=True) as work:
        account = await account_of(work, user_id, named)
        last = await _last_confirmed(work, account)
    if account.api_key is None:
        raise InvalidParameter("key", None, f"is for every account but one on paper, as {account.name} is")
    await _look_at(keys, account.environment, api_key, warn)
    wanted = attrs.evolve(account, api_key=secrets.encrypt(account.id, api_key), keyed_at=clock.now())
    await _refuse_another_accounts(venues, wanted, [order for order in last.values() if order is not None])
    async with store.begin() as work:
        await work.accounts.hold(account.id)  # so that no base order is marked in between
        confirmed = {deal_id for deal_id, order in (await _last_confirmed(work, account)).items() if order is not None}
        if confirmed - {deal_id for deal_id, order in last.items() if order is not None}:
            raise NotNow("a deal has been opened in this moment, perhaps with the key so far: do it once more")
        await _refuse_while_opening(work, account)
        await work.accounts.save(wanted)
        await work.commit()
    return wanted


async def _last_confirmed(work: Work, account: Account) -> Mapping[DealId, Intent | None]:
    """Return by open deal of the account the last of its orders that the exchange has confirmed, if there is one."""
    last: dict[DealId, Intent | None] = {}
    for record in await work.bots.of(account.user_id):
        if record.account_id == account.id and (deal := record.bot.deal) is not None:
            confirmed = [it for it in await work.intents.of_deal(deal.id) if it.venue_order_id is not None]
            last[deal.id] = confirmed[-1] if confirmed else None
    return last


async def _refuse_while_opening(work: Work, account: Account) -> None:
    """See that no deal's first order is on its way with the key so far: the new key would not know it.

    Where the key so far does not work nobody ever hears of that order, and nothing is gained by waiting.
    """
    for record in await work.bots.of(account.user_id):
        deal, trouble = record.bot.deal, record.bot.trouble
        if record.account_id != account.id or deal is None or (trouble and trouble.cure is Cure.CREDENTIALS):
            continue
        intents = await work.intents.of_deal(deal.id)
        is_confirmed = any(it.venue_order_id is not None for it in intents)
        if not is_confirmed and any(it.state in {IntentState.SENDING, IntentState.UNKNOWN} for it in intents):
            raise NotNow(f"deal {deal.id} is being opened with the key so far: do it once more in half a minute")


async def _refuse_another_accounts(venues: Venues, account: Account, orders: Sequence[Intent]) -> None:
    if not orders:
        return
    try:
        exchange = await venues.exchange(account)
        answers = [await exchange.find(order.pair, venue_order_id=order.venue_order_id) for order in orders]
    finally:
        await venues.forget(account)
    if all(answer is None for answer in answers):
        raise NotNow(f"the key is another account's: it does not know the orders of {account.name}'s open deals")


async def of(store: Store, user_id: UserId) -> tuple[Account, ...]:
    """Return a user's accounts, by name."""
    async with store.begin(reads_only=True) as work:
        return await work.accounts.of(user_id)


async def find(store: Store, user_id: UserId, named: str) -> Account:
    """Return the user's account of that id or name.

    Raises:
        NotFound: the user has none.
    """
    async with store.begin(reads_only=True) as work:
        return await account_of(work, user_id, named)


async def check(store: Store, venues: Venues, *, user_id: UserId, named: str) -> Mapping[str, Balance]:
    """Return what the account holds, which shows that its exchange can be reached and takes its key.

    Raises:
        NotFound: the user has no such account.
        PortError: it cannot be used now; the error says why.
    """
    account = await find(store, user_id, named)
    exchange = await venues.exchange(account)
    return await exchange.balances()


async def remove(store: Store, *, user_id: UserId, named: str) -> Account:
    """Forget an account and its key.

    Raises:
        NotFound: the user has no such account.
        NotNow: bots belong to it.
    """
    async with store.begin() as work:
        account = await account_of(work, user_id, named)
        bots = [record.name for record in await work.bots.of(user_id) if record.account_id == account.id]
        if bots:
            raise NotNow(f"bots belong to {account.name}: {', '.join(bots)}; delete them first")
        await work.accounts.remove(account.id)
        await work.commit()
    return account


async def rotate_keys(store: Store, secrets: Secrets) -> int:
    """Encrypt every stored key anew under the first key, all or none; return how many there are.

    Raises:
        CannotDecrypt: one cannot be read with the keys that are set; nothing has changed.
    """
    async with store.begin() as work:
        kept = [account for account in await work.accounts.all() if account.api_key is not None]
        for account in kept:
            assert account.api_key is not None  # noqa: S101  # for the type checker
            await work.accounts.save(attrs.evolve(account, api_key=secrets.rotate(account.id, account.api_key)))
        await work.commit()
    return len(kept)


async def account_of(work: Work, user_id: UserId, named: str) -> Account:
    """Return the user's account of that id or name.

    Raises:
        NotFound: the user has none.
    """
    accounts = await work.accounts.of(user_id)
    for account in accounts:
        if account.id == named:
            return account
    for account in accounts:
        if account.name == named:
            return account
    hint = f"; there are {', '.join(it.name for it in accounts)}" if accounts else ": `dca account add` makes one"
    raise NotFound("account", named, hint)
