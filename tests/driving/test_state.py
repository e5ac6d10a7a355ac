"""An exchange whose state is kept is the same after a restart, whenever it was killed."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import shutil
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dcacore.adapters.simulated import snapshot
from dcacore.adapters.simulated.books import Ticket
from dcacore.adapters.simulated.hands import Hand, Staff
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Side
from dcacore.local_exchange.driving import state as state_module
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.driving.journal import Journal, JournalInUse
from dcacore.local_exchange.driving.points import Series, candle_points
from dcacore.local_exchange.driving.resuming import noting, position
from dcacore.local_exchange.driving.state import BadState, VenueState
from dcacore.local_exchange.driving.stepper import Stepper
from dcacore.ports.errors import PortError
from tests.strategies import MARKET, NOON, candles

ANNA, BEN = AccountId("anna"), AccountId("ben:1")
WINDOW = datetime.timedelta(seconds=5)


def opened(file: Path) -> tuple[SimulatedVenue, VenueState]:
    """Return a venue over what *file* keeps."""
    venue = SimulatedVenue(lambda: NOON)
    return venue, VenueState(file, venue)


def begun(file: Path) -> tuple[SimulatedVenue, VenueState]:
    """Return a venue with a market and two accounts, one of which pays fees in a third asset."""
    venue, state = opened(file)
    venue.list_pair(MARKET, Price(Decimal(100)))
    venue.open_account(ANNA, {"XYZ": Decimal(10_000)})
    venue.open_account(BEN, {"XYZ": Decimal(500), "BNB": Decimal(1)}, Fees(fee_maker="0.002"), pays_with="BNB")
    venue.set_rate("BNB", "XYZ", Decimal(300))
    state.keep()
    return venue, state


def place(venue: SimulatedVenue, account: AccountId, order_id: str, side: Side, price: str | None) -> None:
    """Place an order for one coin."""
    limit = None if price is None else Price(Decimal(price))
    ticket = Ticket(order_id=OrderId(order_id), side=side, quantity=BaseQty(Decimal(1)), price=limit)
    venue.place(account, MARKET.pair, ticket, sent_at=NOON, recv_window=WINDOW)


def told(venue: SimulatedVenue) -> list[object]:
    """Return all that anybody can be told."""
    shown: list[object] = [venue.orders_taken, venue.pairs, venue.accounts]
    for pair in venue.pairs:
        shown += [venue.pair(pair), venue.best_orders(pair)]
    for account in venue.accounts:
        held = venue.account(account)
        shown += [venue.books(account), held.trades(MARKET.pair), held.fees, held.is_revoked, held.pays_with]
        shown += [order.told() for order in held.open.values()]
    return shown


def killed(file: Path) -> SimulatedVenue:
    """Return what a new process makes of the file as it is at this moment."""
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    venue, state = opened(copy)
    state.close()
    return venue


def act(venue: SimulatedVenue, chance: Random, number: int) -> None:
    """Do something, sensible or not."""
    account = chance.choice([ANNA, BEN])
    price = str(chance.randint(80, 120))
    match chance.randrange(9):
        case 0 | 1 | 2:
            place(venue, account, f"id{number}", chance.choice([*Side]), price)
        case 3:
            place(venue, account, f"id{number}", chance.choice([*Side]), None)
        case 4 | 5:
            venue.move(MARKET.pair, Price(Decimal(price)))
        case 6:
            resting = list(venue.account(account).open.values())
            if resting:
                Hand(venue, account).cancel(MARKET.pair, chance.choice(resting).venue_order_id)
        case 7:
            resting = list(venue.account(account).open.values())
            if resting:
                part = BaseQty(Decimal("0.25"))
                Staff(venue).fill_in_part(account, MARKET.pair, chance.choice(resting).venue_order_id, part)
        case _:
            Hand(venue, account).deposit("XYZ", Decimal(chance.randint(1, 50)))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_was_kept_is_there_after_a_kill_and_goes_on_alike(tmp_path: Path, seed: int) -> None:
    file, chance = tmp_path / "state", Random(seed)
    venue, state = begun(file)
    for number in range(120):
        try:
            act(venue, chance, number)
        except PortError:
            continue
        state.keep()
        if not number % 10:
            again = killed(file)
            assert told(again) == told(venue)
            for other in (again, killed(file)):
                for price in ("70", "130", "100"):
                    other.move(MARKET.pair, Price(Decimal(price)))
            untouched = killed(file)
            assert told(untouched) == told(venue)


def written(file: Path) -> dict[str, Any]:
    """Return the records of a file, the last one of each key."""
    records: dict[str, Any] = {}
    for line in file.read_text().splitlines():
        records.update(json.loads(line)["params"])
    return records


def as_json(venue: SimulatedVenue) -> dict[str, Any]:
    """Return all records of a venue, as a file has them."""
    told: dict[str, Any] = json.loads(json.dumps(dict(snapshot.dump(venue))))
    return told


def shake(venue: SimulatedVenue, chance: Random, number: int) -> None:
    """Do something that users or the staff do to an account."""
    staff, account = Staff(venue), chance.choice([ANNA, BEN])
    match chance.randrange(8):
        case 0:
            staff.revoke(account)
        case 1:
            staff.restore(account)
        case 2:
            staff.disable(account, is_disabled=bool(chance.randrange(2)))
        case 3 if not chance.randrange(10):
            staff.reset({ANNA: {"XYZ": Decimal(chance.randint(1, 2))}})
        case 4:
            Hand(venue, ANNA).deposit("XYZ", Decimal(0))
        case 5 if not chance.randrange(5):
            venue.open_account(AccountId(f"new{number}"), {"XYZ": Decimal(5)})
        case _:
            act(venue, chance, number)


@pytest.mark.parametrize("seed", range(3))
def test_only_what_has_changed_is_written_and_yet_the_file_says_all(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, chance = tmp_path / "state", Random(seed)
    venue, state = begun(file)
    append = Journal.append

    def full(journal: Journal, entry: Any, *, is_synced: bool = True) -> None:
        if not chance.randrange(4):
            raise OSError("no space left on device")
        append(journal, entry, is_synced=is_synced)

    monkeypatch.setattr(Journal, "append", full)
    for number in range(150):
        with contextlib.suppress(PortError):
            shake(venue, chance, number)
        try:
            state.keep()
        except OSError:
            continue  # and the next one writes it all the same
        says = written(file)
        now = as_json(venue)
        assert {key: says[key] for key in now} == now


def test_an_account_that_stands_as_it_stood_is_not_even_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venue, state = begun(tmp_path / "state")
    packed: list[AccountId] = []
    account = snapshot.account

    def noted(name: AccountId, stand: snapshot.Stand) -> snapshot.Record:
        packed.append(name)
        return account(name, stand)

    monkeypatch.setattr(snapshot, "account", noted)
    venue.move(MARKET.pair, Price(Decimal(99)))
    state.keep()
    assert packed == []
    place(venue, ANNA, "one", Side.BUY, "90")
    state.keep()
    state.keep()
    assert packed == [ANNA]


def test_a_restart_goes_on_from_there(tmp_path: Path) -> None:
    venue, state = begun(tmp_path / "state")
    place(venue, ANNA, "resting", Side.BUY, "90")
    state.note("secrets", {"anna": "secret"})
    state.close()
    venue, state = opened(tmp_path / "state")
    assert state.notes == {"secrets": {"anna": "secret"}}
    assert state.last_at == NOON
    venue.move(MARKET.pair, Price(Decimal(90)))
    state.close()
    venue, _ = opened(tmp_path / "state")
    (order,) = venue.books(ANNA).orders
    assert order.order.executed == 1
    assert venue.balances(ANNA)["ABC"].free == Decimal("0.999")
    assert venue.price(MARKET.pair) == 90


def test_a_reset_takes_what_was_before(tmp_path: Path) -> None:
    venue, state = begun(tmp_path / "state")
    place(venue, ANNA, "before", Side.BUY, "90")
    state.keep()
    Staff(venue).reset({ANNA: {"XYZ": Decimal(7)}})
    state.keep()
    again = killed(tmp_path / "state")
    assert told(again) == told(venue)
    assert not again.books(ANNA).orders


def test_a_line_that_was_cut_short_was_never_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "state"
    venue, state = begun(file)
    before = told(venue)
    place(venue, ANNA, "cut", Side.BUY, "90")
    state.close()
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    venue, _ = opened(file)
    assert told(venue) == before


def test_it_is_written_anew_at_the_start_and_when_it_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state"
    venue, state = begun(file)
    for number in range(500):
        venue.move(MARKET.pair, Price(Decimal(100 + number % 7)))
        state.keep()
    state.close()
    grown = file.stat().st_size
    venue, state = opened(file)
    assert file.stat().st_size < grown / 10
    monkeypatch.setattr(state_module, "LEAST_REWRITTEN", 5_000)
    for number in range(500):
        venue.move(MARKET.pair, Price(Decimal(100 + number % 7)))
        state.keep()
    assert file.stat().st_size < 20_000
    assert told(killed(file)) == told(venue)


def test_a_price_alone_is_not_synced_and_an_order_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venue, state = begun(tmp_path / "state")
    synced: list[bool] = []
    append = Journal.append

    def note(journal: Journal, entry: Any, *, is_synced: bool = True) -> None:
        synced.append(is_synced)
        append(journal, entry, is_synced=is_synced)

    monkeypatch.setattr(Journal, "append", note)
    venue.move(MARKET.pair, Price(Decimal(99)))
    state.keep()
    place(venue, ANNA, "one", Side.BUY, "90")
    state.keep()
    state.keep()
    assert synced == [False, True]


def test_two_exchanges_do_not_share_a_file_and_other_files_are_refused(tmp_path: Path) -> None:
    _, state = begun(tmp_path / "state")
    with pytest.raises(JournalInUse):
        opened(tmp_path / "state")
    state.close()
    for text in ("precious", "[general]\n", '{"at":"2024-01-01T00:00:00+00:00","name":"place","params":{}}\n'):
        other = tmp_path / "other"
        other.write_text(text)
        with pytest.raises(BadState, match="other is not the state of an exchange"):
            opened(other)
        assert other.read_text() == text


def test_a_file_that_is_written_anew_while_it_is_opened_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state"
    first = Journal(file)
    lock = fcntl.flock

    def late(fd: int, how: int) -> None:
        monkeypatch.undo()
        list(first.replay())
        first.rewrite([])
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(JournalInUse):
        Journal(file)
    first.close()


def test_candles_go_on_where_they_were_and_fill_what_had_been_left(tmp_path: Path) -> None:
    series = [Series(MARKET, candles([("100", "104", "95", "101"), ("98", "99", "90", "92")]))]
    alone = SimulatedVenue(lambda: NOON)
    alone.list_pair(MARKET)
    whole = Stepper(alone, ExchangeClock(lambda: NOON), candle_points(series))
    expected = [whole.step() for _ in range(8)]
    seen = []
    for _ in range(8):  # killed after every step
        clock = ExchangeClock(lambda: NOON)
        venue = SimulatedVenue(clock.now)
        state = VenueState(tmp_path / "state", venue)
        if not venue.pairs:
            venue.list_pair(MARKET)
        points = candle_points(series, after=position(state))
        stepper = Stepper(venue, clock, points, arrived=noting(state))
        seen.append(stepper.step())
        assert state.last_at == clock.now()
        state.close()
    assert seen == expected


def test_a_process_that_is_killed_loses_nothing_that_it_has_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "state"
    _, state = begun(file)
    state.close()
    command = [sys.executable, "-c", PROGRAM, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(25):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.endswith("\n"))])
    venue, _ = opened(file)
    names = {booked.order.order_id for booked in venue.books(ANNA).orders}
    assert names >= {f"order{number}" for number in range(1, acknowledged + 1)}
    assert len(names) <= acknowledged + 1


PROGRAM = """
import sys
from pathlib import Path
from tests.driving.test_state import ANNA, opened, place
from dcacore.domain.orders import Side
venue, state = opened(Path(sys.argv[1]))
for number in range(1, 100):
    place(venue, ANNA, f"order{number}", Side.BUY, "50")
    state.keep()
    print(number, flush=True)
"""
