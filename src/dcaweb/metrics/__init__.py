"""What watches over the program is told, in the form that Prometheus reads. Nothing in it is about any one user."""

from __future__ import annotations

from dcaweb.metrics.facts import facts_text
from dcaweb.metrics.http import Meter, Metering

__all__ = ["Meter", "Metering", "facts_text"]
