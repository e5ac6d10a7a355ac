"""Numbers and times as people read them: rounded by preference, with their sign, their exact value behind them.

Nothing is computed here. What a page shows rounded carries the exact number in `<data value>`, and a number that is not
zero never looks like one.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs
from jinja2 import pass_context
from jinja2.runtime import Context as Page
from markupsafe import Markup, escape

from dcacore.domain.money import plain
from dcacore.ports.identity import Preferences

NOTHING: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
_SPACE: Final = "\N{NO-BREAK SPACE}"
_SIGNIFICANT: Final = 2
_MOST_PLACES: Final = 8
_ROUNDING: Final = Context(prec=1_000, rounding=ROUND_HALF_EVEN)
_PLACES_FROM: Final = ((Decimal(1000), 2), (Decimal(1), 4), (Decimal("0.01"), 6))
"""How many decimals an average price is shown with, by how large it is."""
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@attrs.frozen(kw_only=True)
class Formats:
    """How a user wants to see numbers and times.

    Attributes:
        digits: decimals of money; None shows all there are.
        zone: the time zone.
        currency: in what sums over several assets are shown.
    """

    digits: int | None = 2
    zone: str = "UTC"
    currency: str = "USDT"

    @classmethod
    def of(cls, preferences: Preferences) -> Formats:
        """Return what the user's preferences say."""
        return cls(
            digits=preferences.currency_digits,
            zone=preferences.time_zone,
            currency=preferences.display_currency,
        )

    def amount(self, value: Decimal | None, *, signed: bool = False) -> str:
        """Return an amount of money without its unit."""
        places = _MOST_PLACES if self.digits is None else self.digits
        return number(value, places, signed=signed, keeps_zeros=self.digits is not None)

    def at(self, moment: datetime.datetime) -> datetime.datetime:
        """Return the moment by the user's clocks."""
        return moment.astimezone(ZoneInfo(self.zone))


USUAL: Final = Formats()


def number(value: Decimal | None, places: int, *, signed: bool = False, keeps_zeros: bool = True) -> str:
    """Return *value* half-even at *places* decimals, or at as many as show that it is not zero."""
    if value is None:
        return NOTHING
    if value and abs(value) <= Decimal(5).scaleb(-places - 1):
        places = min(-value.adjusted() + _SIGNIFICANT - 1, 2 * _MOST_PLACES)
        keeps_zeros = False
    text = f"{abs(value).quantize(Decimal(1).scaleb(-places), context=_ROUNDING):,f}"
    if not keeps_zeros and "." in text:
        text = text.rstrip("0").rstrip(".")
    if value < 0:
        return f"{MINUS}{text}"
    return f"+{text}" if signed and value > 0 else text


def price_text(value: Decimal | None) -> str:
    """Return a price: as it is, but an average, which may have more decimals than make sense, shorter."""
    if value is None:
        return NOTHING
    places = next((places for least, places in _PLACES_FROM if abs(value) >= least), _MOST_PLACES)
    text = number(value, places, keeps_zeros=False)
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}" if abs(value) >= 1 else text


def quantity_text(value: Decimal | None) -> str:
    """Return a quantity of coins, with all decimals that it has."""
    if value is None:
        return NOTHING
    whole, point, decimals = plain(value).partition(".")
    return f"{MINUS if whole.startswith('-') else ''}{int(whole.lstrip('-')):,}{point}{decimals}"


def percent_text(value: Decimal | None, *, signed: bool = False, places: int = 2) -> str:
    """Return a percentage, which is in percent already."""
    return NOTHING if value is None else f"{number(value, places, signed=signed)}{_SPACE}%"


def duration_text(seconds: float | None) -> str:
    """Return a time in its two largest units."""
    if seconds is None:
        return NOTHING
    left, parts = int(seconds), list[str]()
    for length, unit in _UNITS:
        count, left = divmod(left, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{_SPACE}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def tone_of(value: Decimal | None) -> str:
    """Return gain, loss or even, which colours a number beside its sign."""
    if not value:
        return "even"
    return "gain" if value > 0 else "loss"


def formats_of(page: Page) -> Formats:
    """Return the formats of the page that is being made; the usual ones where it has none."""
    found = page.get("formats")
    return found if isinstance(found, Formats) else USUAL


@pass_context
def money(page: Page, value: Decimal | None, asset: str = "", *, signed: bool = False, live: str = "") -> Markup:
    """Return an amount with its unit, which is set apart and smaller."""
    shown = formats_of(page).amount(value, signed=signed)
    return _data(value, shown, unit=asset, tone=tone_of(value) if signed else "", live=live)


@pass_context
def price(page: Page, value: Decimal | None, asset: str = "", *, live: str = "") -> Markup:  # noqa: ARG001
    """Return a price."""
    return _data(value, price_text(value), unit=asset, live=live)


def quantity(value: Decimal | None, asset: str = "", *, live: str = "") -> Markup:
    """Return a quantity of coins."""
    return _data(value, quantity_text(value), unit=asset, live=live)


def percent(value: Decimal | None, *, signed: bool = False, places: int = 2, live: str = "") -> Markup:
    """Return a percentage."""
    shown = percent_text(value, signed=signed, places=places)
    return _data(value, shown, tone=tone_of(value) if signed else "", live=live)


def fraction(value: Decimal | None) -> Markup:
    """Return a fraction as a percentage, with all decimals that it has."""
    shown = NOTHING if value is None else f"{plain(value.scaleb(2))}{_SPACE}%"
    return _data(value, shown)


def _data(value: Decimal | None, shown: str, *, unit: str = "", tone: str = "", live: str = "") -> Markup:
    marks = Markup(' data-live="{}"').format(live) if live else Markup("")
    if value is None and not live:
        return Markup('<span class="quiet" title="not known">{}</span>').format(shown)
    exact = "" if value is None else plain(value)
    if tone:
        marks += Markup(' data-tone="{}"').format(tone)
    number_ = Markup('<data class="num" value="{}"{}>{}</data>').format(exact, marks, shown)
    if not unit:
        return number_
    return Markup('<span class="money">{} <span class="unit">{}</span></span>').format(number_, unit)


@pass_context
def when(page: Page, moment: datetime.datetime | None, *, seconds: bool = False, day: bool = True) -> Markup:
    """Return a moment by the user's clocks."""
    if moment is None:
        return Markup('<span class="quiet" title="not known">{}</span>').format(NOTHING)
    formats = formats_of(page)
    local = formats.at(moment)
    clock = "%H:%M:%S" if seconds else "%H:%M"
    text = local.strftime(f"%-d %b %Y, {clock}" if day else clock)
    told = f"{local:%Y-%m-%d %H:%M:%S} {formats.zone}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), told, text)


def duration(seconds: float | None) -> str:
    """Return a time in its two largest units."""
    return duration_text(seconds)


def sentence(text: object) -> Markup:
    """Return a text with a capital at its beginning and a full stop at its end."""
    said = str(text)
    return escape(f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '!', '?')) else '.'}")


def words(text: object) -> str:
    """Return a name of the program's as words."""
    return str(text).replace("_", " ")


@pass_context
def rounded(page: Page, value: Decimal | None) -> str:
    """Return an amount of money as plain text."""
    return formats_of(page).amount(value)


def funds(value: Decimal | None) -> Markup:
    """Return what is held of an asset, whose name stands elsewhere."""
    return _data(value, price_text(value))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "money": money,
    "price": price,
    "quantity": quantity,
    "percent": percent,
    "fraction": fraction,
    "when": when,
    "duration": duration,
    "sentence": sentence,
    "words": words,
    "rounded": rounded,
    "funds": funds,
    "plain": plain,
}
"""What templates may use."""
