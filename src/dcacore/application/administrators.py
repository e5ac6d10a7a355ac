"""Somebody has to be able to look after users: the last administrator stays one."""

from __future__ import annotations

from dcacore.application.refusals import UseCaseError
from dcacore.domain.ids import UserId
from dcacore.ports.records import User
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
    if leaving is not None and not (any(map(_can_sign_in, others)) or (others and not _can_sign_in(leaving))):
        raise LastAdministrator


def _can_sign_in(user: User) -> bool:
    return user.verified_at is not None and bool(user.password_hash)  # who was invited may never choose a password
