"""A simulated exchange: a synchronous matching core, and a thin asynchronous adapter of the exchange port over it."""

from dcacore.adapters.simulated.matching import MatchingCore
from dcacore.adapters.simulated.path import Path, turning_points
from dcacore.adapters.simulated.wallet import UNLIMITED, Wallet

__all__ = ["UNLIMITED", "MatchingCore", "Path", "Wallet", "turning_points"]
