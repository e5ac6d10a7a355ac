"""A word about what was just done, shown on the page that comes next.

The browser carries only the word's key from one page to the next: no text of anybody's can be put on a page that way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import attrs
from litestar import Request
from litestar.datastructures import Cookie, State
from litestar.response import Redirect

COOKIE: Final = "flash"
_LIVES_S: Final = 60


class Flash(StrEnum):
    """What may be said."""

    WELCOME = "welcome"
    SIGNED_OUT = "signed_out"
    SIGN_IN_FIRST = "sign_in_first"
    VERIFIED = "verified"
    ADDRESS_CHANGED = "address_changed"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # a key of a sentence
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # likewise
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_STOPPING = "account_stopping"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    SAVED = "saved"
    PAPER_ADDED = "paper_added"
    KEY_ADDED = "key_added"
    KEY_REPLACED = "key_replaced"
    ACCOUNT_REMOVED = "account_removed"
    USER_INVITED = "user_invited"
    USER_SIGNED_OUT = "user_signed_out"
    USER_REMOVED = "user_removed"
    PASSWORD_LINK_SENT = "password_link_sent"  # noqa: S105  # a key of a sentence
    BOT_MADE = "bot_made"
    BOT_DELETED = "bot_deleted"
    BACKTEST_DELETED = "backtest_deleted"
    PLAN_ENDS = "plan_ends"
    PLAN_GOES_ON = "plan_goes_on"


_TEXTS: Final = {
    Flash.WELCOME: "Welcome. You are signed in.",
    Flash.SIGNED_OUT: "You are signed out.",
    Flash.SIGN_IN_FIRST: "Please sign in first.",
    Flash.VERIFIED: "Your address is confirmed. You can sign in now.",
    Flash.ADDRESS_CHANGED: "Your new address is confirmed.",
    Flash.PASSWORD_RESET: "Your new password is set. Every browser was signed out, and API tokens have ended.",
    Flash.PASSWORD_CHANGED: "Your password is changed. Your other browsers were signed out.",
    Flash.ACCOUNT_DELETED: "Your account and everything in it is deleted.",
    Flash.ACCOUNT_STOPPING: "Your bots are stopping. When they have stopped, delete the account once more.",
    Flash.SESSION_ENDED: "That browser is signed out.",
    Flash.SESSIONS_ENDED: "All other browsers are signed out.",
    Flash.SAVED: "Saved.",
    Flash.PAPER_ADDED: "Your paper account is there. It trades with play money.",
    Flash.KEY_ADDED: "The exchange has accepted the key, and it is stored, encrypted.",
    Flash.KEY_REPLACED: "The new key is stored. Bots that waited for one go on within a minute.",
    Flash.ACCOUNT_REMOVED: "The account and its key are removed.",
    Flash.USER_INVITED: "The user is made, and the invitation is on its way by mail.",
    Flash.USER_SIGNED_OUT: "The user is signed out everywhere, and API tokens have ended.",
    Flash.USER_REMOVED: "The user and everything of the user's is removed.",
    Flash.PASSWORD_LINK_SENT: "A link to choose a password is on its way by mail.",
    Flash.BOT_MADE: "The bot is made. It does nothing until you start it.",
    Flash.BOT_DELETED: "The bot and its history are deleted.",
    Flash.BACKTEST_DELETED: "The backtest is deleted.",
    Flash.PLAN_ENDS: "Your subscription ends with what is paid, and is not renewed.",
    Flash.PLAN_GOES_ON: "Your subscription is renewed as before.",
}
_ERRORS: Final = frozenset({Flash.SIGN_IN_FIRST})


@attrs.frozen
class Said:
    """A word to be shown.

    Attributes:
        text: the sentence.
        kind: info or error.
    """

    text: str
    kind: str


def redirect(path: str, flash: Flash | None = None) -> Redirect:
    """Return the way to another page of this site, with a word to be shown there."""
    response = Redirect(path, status_code=303)
    if flash is not None:
        response.set_cookie(key=COOKIE, value=flash.value, max_age=_LIVES_S, httponly=True, samesite="lax")
    return response


def said(request: Request[Any, Any, State]) -> Said | None:
    """Return the word that the page before has left; None when it has left none that is known."""
    try:
        flash = Flash(request.cookies.get(COOKIE, ""))
    except ValueError:
        return None
    return Said(_TEXTS[flash], "error" if flash in _ERRORS else "info")


FORGOTTEN: Final = Cookie(key=COOKIE, value="", max_age=0, httponly=True, samesite="lax")
"""What a page sets that has shown the word."""
