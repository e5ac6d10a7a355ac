"""People's accounts: coming, being let in, staying safe, leaving. One function a use case; `Means` is what all take."""

from __future__ import annotations

from dcacore.application.identity.api_tokens import Bearer, NewToken, find_token, make_token, revoke_token, tokens_of
from dcacore.application.identity.courier import Courier
from dcacore.application.identity.leaving import Left, OpenDeals, change_email, delete_account
from dcacore.application.identity.logging_in import login
from dcacore.application.identity.means import NOBODY, Client, Means
from dcacore.application.identity.passwords import change_password, forgot, look_at_reset, reset
from dcacore.application.identity.preferences import Changes, prefer, preferences_of, time_zones
from dcacore.application.identity.refusals import (
    AddressTaken,
    IdentityError,
    LinkUnusable,
    NotVerified,
    RegistrationClosed,
    StillCharged,
    StillTrading,
    TooManyTokens,
    TooManyTries,
    Unusable,
    WrongLogin,
    WrongPassword,
)
from dcacore.application.identity.registering import look_at_verification, register, resend, verify
from dcacore.application.identity.sessions import (
    Opened,
    SignedIn,
    find,
    logout,
    revoke,
    revoke_others,
    sessions_of,
)

__all__ = [
    "NOBODY",
    "AddressTaken",
    "Bearer",
    "Changes",
    "Client",
    "Courier",
    "IdentityError",
    "Left",
    "LinkUnusable",
    "Means",
    "NewToken",
    "NotVerified",
    "OpenDeals",
    "Opened",
    "RegistrationClosed",
    "SignedIn",
    "StillCharged",
    "StillTrading",
    "TooManyTokens",
    "TooManyTries",
    "Unusable",
    "WrongLogin",
    "WrongPassword",
    "change_email",
    "change_password",
    "delete_account",
    "find",
    "find_token",
    "forgot",
    "login",
    "logout",
    "look_at_reset",
    "look_at_verification",
    "make_token",
    "prefer",
    "preferences_of",
    "register",
    "resend",
    "reset",
    "revoke",
    "revoke_others",
    "revoke_token",
    "sessions_of",
    "time_zones",
    "tokens_of",
    "verify",
]
