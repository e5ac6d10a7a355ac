"""Somebody has to be able to look after users: the last administrator stays one."""

from __future__ import annotations

from dcacore.application.refusals import UseCaseError
from dcacore.domain.ids import UserId
from dcacore.ports.store import Work


class LastAdministrator(UseCaseError):
    """Without this user nobody could administer the others."""

    def __init__(self) -> None:
        super().__init__("this is the last administrator who can sign in: make somebody else one first")


async def refuse_last(work: Work, user_id: UserId) -> None:
    """See that there is an administrator besides this user, who is about to be none any more.

    All administrators are held until *work* ends, so that of the last two not both can go at once. Nobody else may have
    been held in it before.

    Raises:
        LastAdministrator: there is none, or none who can sign in as this one can.
    """
    administrators = await work.users.hold_administrators()
    leaving = next((it for it in administrators if it.id == user_id), None)
    others = [it for it in administrators if it.id != user_id]
    can_sign_in = any(it.verified_at is not None for it in others)
    if leaving is not None and not (can_sign_in or (others and leaving.verified_at is None)):
        raise LastAdministrator
