"""Which exchange keys are taken: those that may trade, and cannot carry coins away."""

from __future__ import annotations

from dcacore.application.refusals import UnfitKey
from dcacore.ports.errors import BadCredentials, RateLimited, Unavailable
from dcacore.ports.keys import KeyRights, Keys
from dcacore.ports.records import Environment
from dcacore.ports.secrets import ApiKey


async def looked_at(keys: Keys, environment: Environment, key: ApiKey) -> tuple[str, ...]:
    """Return what the key's owner should be warned of, one sentence each, after its exchange was asked about it.

    Raises:
        UnfitKey: it is not taken, for the reason given: the exchange refuses it, or it may do too little or too much.
        Unavailable: the exchange cannot be asked now.
    """
    try:
        rights = await keys.rights(environment, key)
    except BadCredentials as exc:
        raise UnfitKey(
            f"{environment.value} does not accept this key: it is wrong, revoked, of another environment, or not"
            f" allowed from this address; the exchange says: {exc}"
        ) from None
    except RateLimited:
        raise
    except Unavailable as exc:
        raise Unavailable(
            f"{environment.value} cannot be asked what this key may do, so it is not stored: {exc}"
        ) from exc
    return warnings_of(rights)


def warnings_of(rights: KeyRights) -> tuple[str, ...]:
    """Return what a key's owner should be warned of.

    Raises:
        UnfitKey: a key with these rights is not taken.
    """
    if rights.may_withdraw:
        raise UnfitKey(
            "this key may withdraw coins, and a bot never needs to: take that right from it, or make another"
        )
    if not rights.may_trade:
        raise UnfitKey("this key may not trade: allow spot trading for it, or see whether the account is restricted")
    if rights.is_bound is False:
        return ("this key works from any address: restrict it to the address of this machine",)
    return ()
