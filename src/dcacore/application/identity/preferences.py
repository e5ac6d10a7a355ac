"""How a user wants to see things, and what to be told."""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Mapping
from typing import Final

import attrs

from dcacore.application.identity.means import Means
from dcacore.application.refusals import NotFound
from dcacore.application.zones import NO_PLACES
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.identity import Channels, Occasion, Preferences, Theme, usual_channels

MOST_DIGITS: Final = 8
_ASSET: Final = re.compile(r"[A-Z0-9]{2,20}", re.ASCII)


@attrs.frozen(kw_only=True)
class Changes:
    """What is to be another way; None leaves it.

    Attributes:
        theme: how pages look.
        currency_digits: decimals of money, 0 to 8.
        shows_all_digits: whether money is shown with as many decimals as its asset is traded in.
        time_zone: a name such as Europe/Berlin.
        display_currency: an asset such as USDT.
        told: by which ways of what; occasions that are not in it stay.
    """

    theme: Theme | None = None
    currency_digits: int | None = None
    shows_all_digits: bool = False
    time_zone: str | None = None
    display_currency: str | None = None
    told: Mapping[Occasion, Channels] = attrs.field(factory=dict)


async def preferences_of(means: Means, user_id: UserId) -> Preferences:
    """Return the user's preferences; the usual ones where nothing has been said."""
    async with means.store.begin(reads_only=True) as work:
        return await work.wishes.get(user_id) or Preferences()


async def prefer(means: Means, user_id: UserId, changes: Changes) -> Preferences:
    """Store what a user wants another way, and return all as it is then.

    Raises:
        InvalidParameter: a value cannot be one.
        NotFound: there is no such user.
    """
    _check(changes)
    async with means.store.begin() as work:
        if await work.users.hold(user_id) is None:
            raise NotFound("user", user_id)
        now = await work.wishes.get(user_id) or Preferences()
        digits = now.currency_digits if changes.currency_digits is None else changes.currency_digits
        wanted = Preferences(
            theme=changes.theme or now.theme,
            currency_digits=None if changes.shows_all_digits else digits,
            time_zone=changes.time_zone or now.time_zone,
            display_currency=changes.display_currency or now.display_currency,
            told={**usual_channels(), **now.told, **changes.told},
        )
        await work.wishes.put(user_id, wanted)
        await work.commit()
    return wanted


def _check(changes: Changes) -> None:
    digits, asset, zone = changes.currency_digits, changes.display_currency, changes.time_zone
    if digits is not None and not 0 <= digits <= MOST_DIGITS:
        raise InvalidParameter("currency_digits", digits, f"must be 0 to {MOST_DIGITS}")
    if asset is not None and not _ASSET.fullmatch(asset):
        raise InvalidParameter("display_currency", None, "must be an asset such as USDT")
    if zone is not None and zone not in time_zones():
        raise InvalidParameter("time_zone", None, "must be a name such as Europe/Berlin")


@functools.cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(zoneinfo.available_timezones()) - NO_PLACES
