"""All that a venue keeps, as records by key: whoever has the last one of each key has the venue.

    rate:BNB:USDT  pair:BTCUSDT  price:BTCUSDT  account:NAME  order:NAME:17  transfer:NAME:0  taken

Values are what JSON can carry. An account counts the resets of the exchange: what was before the last one is void.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.books import KeptOrder, Transfer
from dcacore.adapters.simulated.floor import PairState
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.simulated.wire import pack, unpack
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Fees
from dcacore.domain.money import ZERO
from dcacore.ports.exchange import Balance

Record = tuple[str, Any]
Records = Mapping[str, Any]
_MOVING: Final = ("price", "trades")  # of a market, what changes all the time


def markets(venue: SimulatedVenue) -> Iterator[Record]:
    """Yield a venue's markets, and what it counts."""
    yield "taken", venue.orders_taken
    for (asset, quote), rate in venue.rates.items():
        yield f"rate:{asset}:{quote}", str(rate)
    for pair in venue.pairs:
        state = pack(venue.pair(pair))
        yield f"price:{pair}", {name: state.pop(name) for name in _MOVING}
        yield f"pair:{pair}", state


class Stand(NamedTuple):
    """How an account stands: all that its record says, and how many transfers it has; soon compared."""

    fees: Fees
    pays_with: str | None
    is_revoked: bool
    is_disabled: bool
    free: Mapping[str, Decimal]
    locked: Mapping[str, Decimal]
    resets: int
    transfers: int


def stand(held: Account) -> Stand:
    """Return how an account stands now; what happens to it later does not change it."""
    free, locked = held.wallet.amounts()
    return Stand(
        held.fees, held.pays_with, held.is_revoked, held.is_disabled, free, locked, held.resets, len(held.transfers)
    )


def account(name: AccountId, stood: Stand) -> Record:
    """Return an account without its orders and transfers."""
    assets = sorted({*stood.free, *stood.locked})
    kept = {
        "fees": pack(stood.fees),
        "pays_with": stood.pays_with,
        "is_revoked": stood.is_revoked,
        "is_disabled": stood.is_disabled,
        "balances": {
            asset: pack(Balance(stood.free.get(asset, ZERO), stood.locked.get(asset, ZERO))) for asset in assets
        },
        "resets": stood.resets,
    }
    return f"account:{name}", kept


def order(held: Account, kept: KeptOrder) -> Record:
    """Return one order of an account."""
    return f"order:{held.name}:{kept.venue_order_id}", {"resets": held.resets, "order": pack(kept)}


def transfers(held: Account, since: int = 0) -> Iterator[Record]:
    """Yield what was brought into an account and taken out, without the first *since*."""
    for number, one in enumerate(held.transfers[since:], since):
        yield f"transfer:{held.name}:{number}", {"resets": held.resets, "transfer": pack(one)}


def dump(venue: SimulatedVenue) -> Iterator[Record]:
    """Yield all of a venue."""
    yield from markets(venue)
    for name in venue.accounts:
        held = venue.account(name)
        yield account(name, stand(held))
        yield from transfers(held)
        for kept in held.orders:
            yield order(held, kept)


def load(venue: SimulatedVenue, records: Records) -> None:
    """Bring a venue that has just been built to where *records* say; nobody hears of it.

    Raises:
        ValueError: they are not those of a venue.
        LookupError: likewise.
    """
    orders: defaultdict[str, list[tuple[int, KeptOrder]]] = defaultdict(list)
    brought: defaultdict[str, list[tuple[int, Transfer]]] = defaultdict(list)
    accounts: dict[str, Any] = {}
    for key, value in records.items():
        kind, _, rest = key.partition(":")
        name, _, number = rest.rpartition(":")
        match kind:
            case "taken":
                venue.orders_taken = value
            case "rate":
                venue.set_rate(name, number, Decimal(value))
            case "pair":
                venue.restore_pair(unpack({**value, **records[f"price:{rest}"]}, PairState))
            case "account":
                accounts[rest] = value
            case "order" if value["resets"] == records[f"account:{name}"]["resets"]:
                orders[name].append((int(number), unpack(value["order"], KeptOrder)))
            case "transfer" if value["resets"] == records[f"account:{name}"]["resets"]:
                brought[name].append((int(number), unpack(value["transfer"], Transfer)))
            case _:
                pass
    for name, value in accounts.items():
        held = Account(
            name=AccountId(name),
            fees=unpack(value["fees"], Fees),
            pays_with=value["pays_with"],
            is_revoked=value["is_revoked"],
            is_disabled=value["is_disabled"],
            resets=value["resets"],
        )
        balances = {asset: unpack(balance, Balance) for asset, balance in value["balances"].items()}
        venue.restore_account(held, _sorted(orders[name]), _sorted(brought[name]), balances)


def _sorted(numbered: list[tuple[int, Any]]) -> list[Any]:
    return [one for _, one in sorted(numbered, key=lambda pair: pair[0])]
