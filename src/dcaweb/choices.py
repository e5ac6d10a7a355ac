"""Which deals a page or a file is about, as its address says: the same words for analytics and for exports."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Final

import attrs
from litestar.params import QueryParameter

from dcacore.application.analytics import Choice
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.records import Environment

Text = Annotated[str, QueryParameter(max_length=100)]
_DAY: Final = datetime.timedelta(days=1)
PERIODS: Final[Mapping[str, str]] = {
    "today": "Today",
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "year": "This year",
    "all": "All time",
}
"""What can be chosen without typing days. Days that are typed win over these."""


def choice_of(
    *,
    environment: Text = "",
    quote_asset: Text = "",
    bot: Text = "",
    pair: Text = "",
    first: Text = "",
    last: Text = "",
) -> Choice:
    """Return what a form has chosen, where an empty field means that it does not matter.

    Raises:
        InvalidParameter: there is no such environment, or a day is none.
    """
    return Choice(
        environment=environment_of(environment),
        quote_asset=quote_asset or None,
        bot=bot or None,
        pair=pair or None,
        first=day_of("first day", first),
        last=day_of("last day", last),
    )


def environment_of(text: str) -> Environment | None:
    """Return the environment of that name; None where nothing was chosen.

    Raises:
        InvalidParameter: there is none.
    """
    try:
        return Environment(text) if text else None
    except ValueError:
        raise InvalidParameter("environment", None, "must be one of the choices") from None


def day_of(name: str, text: str) -> datetime.date | None:
    """Return the day that was typed; None where none was.

    Raises:
        InvalidParameter: it is no day.
    """
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidParameter(name, None, "must be a day such as 2025-03-31") from None


def within(choice: Choice, period: str, today: datetime.date) -> Choice:
    """Return *choice* with the days of a period that ends today, unless days were typed.

    Raises:
        InvalidParameter: there is no such period.
    """
    if choice.first is not None or choice.last is not None:
        return choice
    if period not in PERIODS:
        raise InvalidParameter("period", None, f"must be one of {', '.join(PERIODS)}")
    if period == "all":
        return choice
    if period == "today":
        return attrs.evolve(choice, first=today)
    if period == "year":
        return attrs.evolve(choice, first=today.replace(month=1, day=1))
    return attrs.evolve(choice, first=today - (int(period) - 1) * _DAY)
