"""What stands behind the question mark."""

from __future__ import annotations

import datetime
from typing import Annotated, Final

from litestar.params import FromPath, QueryParameter

from dcacore.domain.story import Level
from dcacore.ports.readings import DealState
from dcacore.ports.records import Environment

MOST: Final = 500

Named = FromPath[str]
"""A name or an id in an address."""
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="How many at most.")]
Skip = Annotated[int, QueryParameter(ge=0, le=1_000_000, description="How many to leave out first.")]
Before = Annotated[
    int | None, QueryParameter(ge=1, le=2**53, required=False, description="Only what comes behind this number.")
]
Day = Annotated[datetime.date | None, QueryParameter(required=False, description="By the time zone's clocks.")]
Standing = Annotated[DealState | None, QueryParameter(name="state", required=False, description="How they stand.")]
Loudness = Annotated[Level | None, QueryParameter(required=False, description="How much it wants to be seen.")]
Place = Annotated[Environment | None, QueryParameter(required=False, description="Where.")]
Name = Annotated[str | None, QueryParameter(required=False, max_length=100)]
Zone = Annotated[str, QueryParameter(max_length=100, description="Whose clocks, such as Europe/Berlin.")]
Asset = Annotated[str, QueryParameter(min_length=1, max_length=20, pattern="^[A-Za-z0-9]+$", description="An asset.")]
