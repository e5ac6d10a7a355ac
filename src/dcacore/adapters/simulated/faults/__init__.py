"""What goes wrong between a program and an exchange, by name, with chances that a seed decides."""

from dcacore.adapters.simulated.faults.exchange import FaultyExchange
from dcacore.adapters.simulated.faults.gate import Gate
from dcacore.adapters.simulated.faults.kinds import Dice, Fault, Plan
from dcacore.adapters.simulated.faults.mischief import Mischief
from dcacore.adapters.simulated.faults.prices import FaultyPrices

__all__ = ["Dice", "Fault", "FaultyExchange", "FaultyPrices", "Gate", "Mischief", "Plan"]
