"""A ladder as a drawing: where each order, the average, the target and the stop loss stand against the price of now.

Coordinates are for the eye, in whole units of the drawing; the numbers themselves stand in the table beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import attrs

from dcacore.application.drafts import Outlook
from dcacore.domain.money import Quotient, exact
from dcacore.domain.preview import LadderRow
from dcaweb.formats import price_text

_TOP: Final = 14
_BOTTOM: Final = 30
_LEFT: Final = 12
_LETTER: Final = 8
_BARS: Final = 4
"""The dearest order's bar takes a quarter of the height."""
_TICKS: Final = 4


@attrs.frozen(kw_only=True)
class Path:
    """A line through the orders: what it is, and its points as SVG wants them."""

    kind: str
    points: str


@attrs.frozen(kw_only=True)
class Bar:
    """What an order costs, beside the others."""

    x: int
    y: int
    width: int
    height: int


@attrs.frozen(kw_only=True)
class Dot:
    """An order at its price."""

    x: int
    y: int
    title: str


@attrs.frozen(kw_only=True)
class Mark:
    """A text at an axis."""

    at: int
    text: str


@attrs.frozen(kw_only=True)
class Drawing:
    """A ladder, drawn.

    Attributes:
        width: of the drawing.
        height: likewise.
        left: where the plot begins.
        right: where it ends; prices stand behind it.
        base: the line that the bars stand on.
        now: at which height the price of now lies.
        paths: the lines.
        dots: the orders.
        bars: what they cost.
        prices: the axis of prices.
        orders: the axis of orders.
    """

    width: int
    height: int
    left: int
    right: int
    base: int
    now: int
    paths: tuple[Path, ...]
    dots: tuple[Dot, ...]
    bars: tuple[Bar, ...]
    prices: tuple[Mark, ...]
    orders: tuple[Mark, ...]


@exact
def drawing(outlook: Outlook, *, width: int, height: int) -> Drawing:
    """Return the ladder of *outlook* drawn into *width* times *height*."""
    rows = outlook.ladder.rows
    prices = [value for row in rows for value in (row.price, row.average_price, row.take_profit_price)]
    prices += [row.stop_loss_price for row in rows if row.stop_loss_price]
    low, high = min(prices), max(prices)
    span = high - low or Decimal(1)
    grid = Decimal(1).scaleb(span.adjusted() - 2)  # as many decimals as tell the marks apart
    marks = [Quotient(low * _TICKS + span * step, Decimal(_TICKS)).floor(grid) for step in range(_TICKS + 1)]
    texts = [price_text(value) for value in marks]
    right = width - max(len(text) for text in texts) * _LETTER - 8
    base = height - _BOTTOM

    def y_of(price: Decimal) -> int:
        return base - 8 - int((price - low) * (base - 8 - _TOP) // span)

    xs = _columns(len(rows), _LEFT, right)
    named = (("target", "take_profit_price"), ("average", "average_price"), ("stop", "stop_loss_price"))
    lines = [Path(kind="orders", points=_points(xs, [y_of(row.price) for row in rows]))]
    for kind, attribute in named:
        values = [getattr(row, attribute) for row in rows]
        if all(value is not None for value in values):
            lines.append(Path(kind=kind, points=_points(xs, [y_of(value) for value in values])))
    return Drawing(
        width=width,
        height=height,
        left=_LEFT,
        right=right,
        base=base,
        now=y_of(rows[0].price),
        paths=tuple(lines),
        dots=tuple([Dot(x=x, y=y_of(row.price), title=_title(row)) for x, row in zip(xs, rows, strict=True)]),
        bars=tuple(_bars(xs, rows, base)),
        prices=tuple([Mark(at=y_of(value), text=text) for value, text in zip(marks, texts, strict=True)]),
        orders=tuple(_orders(xs, right)),
    )


def _columns(count: int, left: int, right: int) -> list[int]:
    each = (right - left) // count
    return [left + each // 2 + each * index for index in range(count)]


def _points(xs: Sequence[int], ys: Sequence[int]) -> str:
    return " ".join(f"{x},{y}" for x, y in zip(xs, ys, strict=True))


def _title(row: LadderRow) -> str:
    return f"{row.order.capitalize()}: {price_text(row.price)}"


def _bars(xs: Sequence[int], rows: Sequence[LadderRow], base: int) -> Iterator[Bar]:
    dearest = max(row.cost for row in rows)
    each = xs[1] - xs[0] if len(xs) > 1 else 2 * _LEFT * 4
    width = max(2, min(48, each * 6 // 10))
    for x, row in zip(xs, rows, strict=True):
        height = max(1, int(row.cost * base // (_BARS * dearest)))
        yield Bar(x=x - width // 2, y=base - height, width=width, height=height)


def _orders(xs: Sequence[int], right: int) -> Iterator[Mark]:
    most = max(1, right // (3 * _LETTER))
    every = -(-len(xs) // most)
    for index, x in enumerate(xs):
        if index % every == 0:
            yield Mark(at=x, text=str(index) if index else "B")
