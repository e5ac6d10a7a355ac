"""The dashboard: pages over the library's use cases, for phones and desks."""

from __future__ import annotations
