"""The errors of the domain: a rule was broken, and trying again cannot help.

    DcaError
      DomainError
        InvalidParameter     a parameter that is missing, unknown, no number or out of range
        NotNow               what a user asks for cannot be done as the bot stands
        IllegalTransition    a step that the state tables do not list: a bug, never a user's fault

Errors of the outside (files, exchanges, databases) hang below `dcacore.ports.errors.PortError`.
"""

from __future__ import annotations

from decimal import Decimal


class DcaError(Exception):
    """The root of every error this library raises on purpose; its text is one clear line."""


class DomainError(DcaError):
    """A rule of the domain was broken."""


class InvalidParameter(DomainError):
    """A parameter breaks its rule.

    Attributes:
        name: the parameter, as the bot file spells it.
        value: what was given, as text; None when nothing was.
        rule: what must hold.
    """

    def __init__(self, name: str, value: object, rule: str) -> None:
        self.name = name
        self.value = None if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)
        self.rule = rule
        given = name if value is None else f"{name} = {self.value}"
        super().__init__(f"{given}: {rule}")


class NotNow(DomainError):
    """What a user asks of a bot cannot be done as it stands, and nothing has changed; its text tells the user why."""


class IllegalTransition(DomainError):
    """A step that the transition table does not list for this state.

    Attributes:
        state: the state in which the step came.
        step: the step that is not listed for it.
    """

    def __init__(self, state: str, step: str) -> None:
        self.state = state
        self.step = step
        super().__init__(f"{step} is not possible while {state}")
