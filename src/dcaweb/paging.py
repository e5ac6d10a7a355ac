"""Lists in pages."""

from __future__ import annotations

from typing import Any, Final

import attrs
from litestar import Request
from litestar.datastructures import State

_MOST: Final = 1_000_000


@attrs.frozen(kw_only=True)
class Pages:
    """Which page of how many.

    Attributes:
        number: the page shown, from 1 on.
        per_page: rows of a page.
        total: rows in all.
    """

    number: int
    per_page: int
    total: int

    @property
    def count(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // self.per_page))

    @property
    def first(self) -> int:
        """The number of the first row shown, from 1 on; 0 without any."""
        return min(self.total, (self.number - 1) * self.per_page + 1)

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return min(self.total, self.number * self.per_page)


def page_number(request: Request[Any, Any, State], name: str = "page") -> int:
    """Return the page that the address asks for: 1 where it asks for none that could be."""
    text = request.query_params.get(name, "")
    return max(1, min(int(text), _MOST)) if text.isascii() and text.isdigit() and len(text) < len(str(_MOST)) else 1
