"""Mail by Resend (https://resend.com): one request a mail, which the service takes only once, by its key."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from dcacore.ports.clock import Clock
from dcacore.ports.errors import MailHeld, MailRefused, PortError, Unavailable
from dcacore.ports.mail import Mail, Mailer

__all__ = ["ResendMailer"]

TIMEOUT_S: Final = 15.0
"""How long a mail may take, from the first byte that is sent to the last one that is read."""
_CONNECT_S: Final = 5.0
_LONGEST_KEY: Final = 256
_MOST_READ: Final = 64 * 1024
_ASKS_NOT_LATER_THAN: Final = datetime.timedelta(hours=1)
_USUAL_PAUSE: Final = datetime.timedelta(minutes=1)
_MISSET_PAUSE: Final = datetime.timedelta(minutes=5)
_OK, _CONFLICT, _TOO_MANY, _FAILED = 200, 409, 429, 500
_NEVER: Final = frozenset({400, 413, 422, 451})
"""These say that this mail is wrong."""
_LATER: Final = frozenset({408, 425})
_SENDER: Final = "invalid_from_address"
_IN_FLIGHT: Final = "concurrent_idempotent_requests"
_OTHER_MAIL: Final = "invalid_idempotent_request"
_NAME: Final = re.compile(r"[a-z_]{1,60}")


class ResendMailer(Mailer):
    """Hands mail to Resend. What is tried again under its key within a day is sent once, whatever became of the answer.

    Proxies of the environment are not used, and no redirect is followed: the key goes to where the settings say.
    """

    def __init__(self, *, key: str, sender: str, url: str, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        """Take what the settings say; nothing is asked yet.

        Args:
            key: the API key.
            sender: whom mails come from: an address, or `name <address>`.
            url: where Resend is, without a slash at the end.
            clock: time.
            timeout_s: how long a mail may take.
        """
        self._key = key
        self._sender = sender
        self._url = url
        self._clock = clock
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def send(self, mail: Mail) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):  # an answer that trickles would never be silent
                status, headers, body = await self._ask(mail)
        except (TimeoutError, httpx.RequestError) as exc:
            raise Unavailable(f"Resend has not answered ({type(exc).__name__})") from exc
        name = _name_in(body)
        if status != _OK:
            raise self._failure(status, name, headers.get("retry-after", ""))
        if not isinstance(body.get("id"), str):
            raise Unavailable("the answer is not one of Resend's: something else may have given it")

    async def _ask(self, mail: Mail) -> tuple[int, Mapping[str, str], Mapping[str, Any]]:
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers={"User-Agent": "dcabot", "Accept": "application/json"},
                timeout=httpx.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s)),
                follow_redirects=False,
                trust_env=False,
            )
        request = self._client.build_request(
            "POST",
            f"{self._url}/emails",
            headers={"Authorization": f"Bearer {self._key}", "Idempotency-Key": _header_of(mail.key)},
            json={
                "from": self._sender,
                "to": [mail.to],
                "subject": mail.subject,
                "text": mail.text,
                "html": mail.html,
                "headers": {"Auto-Submitted": "auto-generated"},
            },
        )
        response = await self._client.send(request, stream=True)
        try:
            return response.status_code, response.headers, await _body_of(response)
        finally:
            await response.aclose()

    def _failure(self, status: int, name: str, retry_after: str) -> PortError:
        said = f"{status} {name}".strip()
        if status == _TOO_MANY:
            quota = name.endswith("quota_exceeded")
            pause = _ASKS_NOT_LATER_THAN if quota else self._pause(retry_after)
            why = "the quota of mails is used up" if quota else "too many requests"
            return MailHeld(f"Resend wants to be asked later: {why} ({said})", self._clock.now() + pause)
        if status == _CONFLICT:
            if name == _OTHER_MAIL:
                return MailRefused(f"Resend has got another mail under this key ({said})")
            return Unavailable(f"Resend still deals with this mail ({said})")
        if status >= _FAILED or status in _LATER:
            return Unavailable(f"Resend has failed ({said})")
        if status in _NEVER and name != _SENDER:
            return MailRefused(f"Resend does not take this mail ({said})")
        return MailHeld(
            f"Resend refuses us ({said}): look at RESEND_API_KEY, RESEND_API_URL, and whether the domain of MAIL_FROM"
            " is verified there",
            self._clock.now() + _MISSET_PAUSE,
            is_misset=True,
        )

    def _pause(self, retry_after: str) -> datetime.timedelta:
        """Return how long to wait by that header: seconds, or a date."""
        if retry_after.isascii() and retry_after.isdigit():
            return datetime.timedelta(seconds=min(int(retry_after[:9]), _ASKS_NOT_LATER_THAN.total_seconds()))
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return _USUAL_PAUSE
        if until.tzinfo is None:
            return _USUAL_PAUSE
        return min(max(until - self._clock.now(), datetime.timedelta(0)), _ASKS_NOT_LATER_THAN)


def _header_of(key: str) -> str:
    """Return *key* as a header can have it."""
    if key.isascii() and len(key) <= _LONGEST_KEY:
        return key
    return hashlib.sha256(key.encode()).hexdigest()


async def _body_of(response: httpx.Response) -> Mapping[str, Any]:
    """Return the object in the body; an empty one where there is none, as of a page that a proxy has made."""
    import json

    read = b""
    async for part in response.aiter_bytes():
        read += part
        if len(read) > _MOST_READ:
            return {}
    try:
        body = json.loads(read)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _name_in(body: Mapping[str, Any]) -> str:
    """Return what the service calls its error, if that is a word: nothing else of an answer is shown or logged."""
    name = body.get("name")
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""
