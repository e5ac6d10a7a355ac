"""Billing that sells for nothing, in memory: for tests, and to try out what is built on billing."""

from __future__ import annotations

from dcacore.adapters.billing_memory._billing import MemoryBilling
from dcacore.adapters.billing_memory._till import Charge, Holding, Purchase, Till

__all__ = ["Charge", "Holding", "MemoryBilling", "Purchase", "Till"]
