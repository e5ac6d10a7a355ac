"""What a decision did and why, in sentences for people."""

from __future__ import annotations

from enum import Enum


class Level(Enum):
    """How much a line wants to be seen."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
