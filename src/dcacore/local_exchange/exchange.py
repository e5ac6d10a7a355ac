"""The local exchange itself: the simulated venue, and all that Binance's wire tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.floor import PairState
from dcacore.adapters.simulated.hands import Staff
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price, exact
from dcacore.local_exchange.clock import ServerClock
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.feed import Feed
from dcacore.local_exchange.filters import MOST_ORDERS, rules_of
from dcacore.local_exchange.keys import KeyRing
from dcacore.local_exchange.limits import Limits
from dcacore.local_exchange.market.tape import Tape

BALANCE: Final[Mapping[str, Decimal]] = {"USDT": Decimal(10_000)}
TRADING: Final = "TRADING"
STATUSES: Final = frozenset({TRADING, "HALT", "BREAK", "CANCEL_ONLY", "END_OF_DAY"})


@attrs.frozen(kw_only=True)
class Options:
    """How an exchange is set up.

    Attributes:
        balance: what a new account holds, by asset.
        fees: what a new account pays.
        pays_with: an asset such as BNB that pays fees first, at a discount; None for none.
        secrets: keys whose secret is known from the start.
        has_limits: whether it refuses those who ask too much.
    """

    balance: Mapping[str, Decimal] = BALANCE
    fees: Fees = attrs.field(factory=Fees)
    pays_with: str | None = None
    secrets: Mapping[str, str] = attrs.field(factory=dict)
    has_limits: bool = True


class LocalExchange:
    """One exchange with its accounts.

    Attributes:
        options: how it is set up.
        clock: its own.
        venue: where orders are matched: the simulated exchange of paper trading and of backtests.
        keys: the secrets of API keys.
        limits: how much everybody has asked.
        tape: the trades of its markets.
        feed: the events of its accounts.
        offered: markets that are opened when somebody first asks for them, by symbol.
        price_of_new: returns where a market begins that is opened; None where the next price tells.
        by_chance: markets that follow no real one though others do; they are kept.
    """

    def __init__(
        self, options: Options | None = None, clock: ServerClock | None = None, venue: SimulatedVenue | None = None
    ) -> None:
        self.options = options or Options()
        self.clock = clock or ServerClock()
        self.venue = venue or SimulatedVenue(self.clock.now)
        self.keys = KeyRing(self.options.secrets)
        self.limits = Limits(self.options.has_limits)
        self.tape = Tape(self.venue, self.clock)
        self.feed = Feed(self.venue, self.tape, self.clock, self.limits)
        self.offered: Mapping[str, Market] = {}
        self.price_of_new: Callable[[Market], Price | None] = _unknown
        self.by_chance: set[str] = set()
        self._statuses: dict[str, str] = {}

    def attach_all(self) -> None:
        """Tell of the accounts of books that were kept, too."""
        for account in self.venue.accounts:
            self.feed.attach(self.venue.account(account))

    # ---------------------------------------------------------------------------------------------------- the markets

    def list_pair(self, market: Market, price: Price | None = None) -> None:
        """Open a market, or change the rules of one."""
        self.venue.list_pair(market, price, most_open=MOST_ORDERS)
        self.tape.of(market.pair)

    def pair(self, symbol: str) -> PairState:
        """Return a market; one that is offered is opened.

        Raises:
            ApiError: -1121, there is none of that name.
        """
        if symbol not in self.venue.pairs:
            if symbol not in self.offered:
                raise error(-1121)
            self.list_pair(self.offered[symbol], self.price_of_new(self.offered[symbol]))
        return self.venue.pair(symbol)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets that are open, and then those that are offered."""
        return (*self.venue.pairs, *(symbol for symbol in self.offered if symbol not in self.venue.pairs))

    def standing(self, symbol: str) -> PairState:
        """Return how a market stands; one that is offered is not opened.

        Raises:
            ApiError: -1121.
        """
        if symbol in self.offered and symbol not in self.venue.pairs:
            return PairState(market=self.offered[symbol], most_open=MOST_ORDERS)
        return self.pair(symbol)

    def move(self, symbol: str, price: Price) -> None:
        """Let the market jump to *price*; orders that it reaches fill at their own limits.

        Raises:
            ApiError: -1121.
            ValueError: it is no price.
        """
        self.pair(symbol)
        self.venue.move(symbol, price)

    def status(self, symbol: str) -> str:
        """Return the status of a symbol, as `exchangeInfo` has it."""
        if symbol in self.offered and symbol not in self.venue.pairs:
            return TRADING
        if not self.pair(symbol).is_halted:
            return TRADING
        kept = self._statuses.get(symbol, TRADING)
        return "BREAK" if kept == TRADING else kept

    @property
    def statuses(self) -> Mapping[str, str]:
        """The statuses that were set, by symbol."""
        return self._statuses

    def restore_statuses(self, statuses: Mapping[str, str]) -> None:
        """Take up statuses that were kept; whether a market trades, its books say."""
        self._statuses.update(statuses)

    def set_status(self, symbol: str, status: str) -> None:
        """Let a symbol trade, or not: then it takes no orders and fills none, and cancels work.

        Raises:
            ApiError: -1121 for the symbol, -1130 for the status.
        """
        self.pair(symbol)
        if status not in STATUSES:
            raise error(-1130, name="status")
        self._statuses[symbol] = status
        staff = Staff(self.venue)
        if status == TRADING:
            staff.resume(symbol)
        else:
            staff.halt(symbol)

    def set_filters(self, symbol: str, filters: dict[str, dict[str, Any]]) -> None:
        """Let a symbol have other filters than usual, by type; all that were set before are off.

        Raises:
            ApiError: -1121.
        """
        state = self.pair(symbol)
        state.filters = filters
        state.most_open = int(rules_of(state)["MAX_NUM_ORDERS"]["maxNumOrders"])

    # --------------------------------------------------------------------------------------------------- the accounts

    def account(self, key: str) -> Account:
        """Return the account of an API key, opened when the key is first used."""
        name = AccountId(key)
        if name not in self.venue.accounts:
            options = self.options
            self.venue.open_account(name, options.balance, options.fees, pays_with=options.pays_with)
            self.feed.attach(self.venue.account(name))
        return self.venue.account(name)

    def uid(self, key: str) -> int:
        """Return the number of an account."""
        return self.venue.accounts.index(AccountId(key)) + 1

    def transfer(self, key: str, asset: str, change: Decimal) -> None:
        """Bring *change* of an asset into an account; below zero it is taken out.

        Raises:
            InsufficientBalance: that much is not free.
        """
        account = self.account(key)
        account.transfer(asset, change, self.clock.now())
        self.feed.transferred(account, asset, change)

    @exact
    def set_free(self, key: str, asset: str, free: Decimal) -> None:
        """Bring in or take out what makes *free* of an asset free."""
        change = free - self.account(key).wallet.free(asset)
        if change:
            self.transfer(key, asset, change)

    def wipe(self) -> None:
        """Empty the exchange as a testnet is: orders and trades vanish without a word, accounts begin anew."""
        Staff(self.venue).reset(dict.fromkeys(self.venue.accounts, self.options.balance))
        self.feed.forget()

    def reset(self) -> None:
        """Begin anew: accounts as they were opened, markets that trade where they stand, no counts, no tape."""
        self.wipe()
        for symbol in self.venue.pairs:
            self.set_status(symbol, TRADING)
            self.venue.pair(symbol).found = None
        for account in self.venue.accounts:
            held = self.venue.account(account)
            held.is_disabled = held.is_revoked = False
        self.limits.forget()
        self.tape.forget()
        self.clock.skew_ms = 0


def _unknown(_: Market) -> None:
    """Return None: where a market stands is told by its first price."""
