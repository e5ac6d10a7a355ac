"""A quicker `attrs.evolve` for the state of a bot: a decision makes ten to thirty of them.

It needs a class whose instances keep their fields in a `__dict__` (`attrs.frozen(slots=False)`) and that has neither
converters nor validators: a copy of the dictionary then is all there is to do, at a tenth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["evolve"]

if TYPE_CHECKING:
    from attrs import evolve  # type checkers know how to check the changes against the class
else:

    def evolve(instance, **changes):
        """Return a copy of *instance* with *changes*."""
        changed = object.__new__(instance.__class__)
        object.__setattr__(changed, "__dict__", instance.__dict__ | changes)
        return changed
