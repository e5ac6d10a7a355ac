"""Billing by Polar (polar.sh), over its HTTP interface and the webhooks that it sends."""

from __future__ import annotations

from dcacore.adapters.polar._access import Patience, PolarAccess
from dcacore.adapters.polar._billing import PolarBilling
from dcacore.adapters.polar._hooks import PolarHooks

__all__ = ["Patience", "PolarAccess", "PolarBilling", "PolarHooks"]
