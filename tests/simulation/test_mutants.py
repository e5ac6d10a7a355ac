"""Whoever takes a safeguard out of the order protocol is found out: each by the first story that did."""

from __future__ import annotations

from enum import Enum
from typing import Final

import attrs
import pytest

from dcacore.adapters.simulated.faults import Fault, Plan
from tests.simulation.faults import MachineFault
from tests.simulation.gate import Crash, Moment
from tests.simulation.mutants import MUTANTS
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.stage import Told, tell

LOSSY: Final[dict[Enum, float]] = {
    Fault.LOST_REPLY: 0.3,
    Fault.FAILED_AFTER: 0.2,
    Fault.LOST_REQUEST: 0.1,
    Fault.LATE_REQUEST: 0.2,
    Fault.HIDDEN_ORDER: 0.5,
}
DEAF: Final[dict[Enum, float]] = {
    Fault.EVENT_DROPPED: 0.7,
    Fault.EVENT_TWICE: 0.7,
    Fault.LAGGING_TRADES: 0.5,
    Fault.OLDER_STATE: 0.3,
    Fault.SLOW_REPLY: 0.3,
}
FORGETFUL: Final[dict[Enum, float]] = {MachineFault.COMMIT_FAILED: 0.2, MachineFault.COMMIT_UNSURE: 0.1}
POOR: Final[dict[Enum, float]] = {Fault.BALANCE_REFUSAL: 0.4}
PLAIN: Final[dict[Enum, float]] = {}


@attrs.frozen
class Proof:
    """What finds a mutant out.

    Attributes:
        finds: what the first thing begins with that it finds.
        scenario: the story.
        plan: what goes wrong in it.
        seed: decides when.
        call: the process dies in the first call whose name holds this; empty is nowhere.
        moment: when in that call.
    """

    finds: str
    scenario: str
    plan: dict[Enum, float] = PLAIN
    seed: str = ""
    call: str = ""
    moment: Moment = Moment.LATER

    def tell(self) -> Told:
        """Tell the story."""
        script, plan, seed = SCENARIOS[self.scenario], Plan(self.plan), self.seed
        if not self.call:
            return tell(self.scenario, script, plan=plan, seed=seed)
        names = tell(self.scenario, script, plan=plan, seed=seed).names
        at = next(number for number, name in enumerate(names) if self.call in name)
        return tell(self.scenario, script, Crash(at, self.moment), plan=plan, seed=seed)


PROOFS: Final[dict[str, Proof]] = {
    "no_mark_before_the_wire": Proof("I6", "two_bots", call=" place "),
    "believed_at_once": Proof("I6", "two_bots", LOSSY, "1"),
    "ends_without_fills": Proof("I6", "two_bots", DEAF, "2"),
    "no_recovery": Proof("I6", "base_order", call=" place "),
    "silence_is_a_no": Proof("I6", "two_bots", LOSSY, "1"),
    "silence_is_retried": Proof("I1", "two_bots", LOSSY, "1"),
    "fills_count_twice": Proof("logged: bot=", "two_bots", DEAF, "1"),
    "events_only": Proof("I6", "two_bots", DEAF, "1"),
    "gross_is_sold": Proof("I9", "base_order"),
    "cancel_is_believed": Proof("I6", "two_bots", DEAF, "1"),
    "failed_commit_is_believed": Proof("I7", "two_bots", FORGETFUL, "0"),
    "planned_is_sent_blindly": Proof("I1", "two_bots", call=" place "),
    "sent_before_stored": Proof("I1", "base_order", call=" place ", moment=Moment.AFTER),
    "troubles_stay": Proof("I7", "halt"),
    "buys_are_not_tried_again": Proof("I7", "two_bots", POOR, "0"),
}


def test_every_mutant_has_a_proof() -> None:
    assert PROOFS.keys() == MUTANTS.keys()


@pytest.mark.parametrize("name", PROOFS)
def test_a_missing_safeguard_is_found_out(name: str) -> None:
    with MUTANTS[name]():
        violations = PROOFS[name].tell().violations
    assert violations
    assert violations[0].startswith(PROOFS[name].finds)


@pytest.mark.parametrize("name", PROOFS)
def test_with_the_safeguard_nothing_is_found(name: str) -> None:
    assert PROOFS[name].tell().violations == ()
