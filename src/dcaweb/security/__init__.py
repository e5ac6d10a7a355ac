"""Who may see what, and what a browser may do with it."""

from __future__ import annotations
