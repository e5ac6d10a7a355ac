"""Forms that come back with what was typed and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from litestar.params import URLEncodedBody

from dcacore.application.identity.refusals import TooManyTries
from dcacore.application.refusals import PlanLimitReached
from dcacore.domain.errors import DcaError, InvalidParameter
from dcaweb.failures import sentence, status_of

Fields = Mapping[str, str]
"""What a browser sends: texts by the field's name. What they mean the use cases say."""
Form = URLEncodedBody[dict[str, str]]

_SECRET: Final = ("password", "current", "secret")


@attrs.frozen(kw_only=True)
class FormState:
    """A form as it is shown.

    Attributes:
        values: what was typed, but for secrets.
        errors: by field what is wrong; under "" what is not about one field.
        status: HTTP's.
        wait_s: in how many seconds it may be sent again; 0 for at once.
        may_upgrade: whether a larger plan would allow what was refused.
    """

    values: Fields = attrs.field(factory=dict)
    errors: Fields = attrs.field(factory=dict)
    status: int = 200
    wait_s: int = 0
    may_upgrade: bool = False

    def value(self, name: str) -> str:
        """Return what was typed into a field."""
        return self.values.get(name, "")

    def error(self, name: str = "") -> str:
        """Return what is wrong with a field; empty when nothing is."""
        return self.errors.get(name, "")


EMPTY: Final = FormState()


def refused(typed: Mapping[str, Any], error: DcaError) -> FormState:
    """Return the form with what was typed, and what *error* says at the field that it is about."""
    values = {name: str(value) for name, value in typed.items() if not name.startswith(_SECRET)}
    if isinstance(error, InvalidParameter):
        field, text = error.name, f"{label(error.name)} {error.rule}"
    else:
        field, text = "", str(error)
    return FormState(
        values=values,
        errors={field: sentence(text)},
        status=status_of(error),
        wait_s=error.wait_s if isinstance(error, TooManyTries) else 0,
        may_upgrade=isinstance(error, PlanLimitReached),
    )


def label(field: str) -> str:
    """Return what a field is called within a sentence."""
    return "the address" if field == "email" else f"the {field.replace('_', ' ')}"


def wrong_at(field: str, typed: Mapping[str, Any], error: DcaError) -> FormState:
    """Return the form with what was typed, and all that *error* says at *field*."""
    form = refused(typed, error)
    return FormState(values=form.values, errors={field: sentence(str(error))}, status=422)
