"""What can be made to go wrong on purpose."""

from dcacore.local_exchange.faults.desk import FaultDesk
from dcacore.local_exchange.faults.kinds import KINDS, BadFault, Fault, read_fault

__all__ = ["KINDS", "BadFault", "Fault", "FaultDesk", "read_fault"]
