"""Between rows and records: sessions, links, mail, API tokens, preferences."""

from __future__ import annotations

from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._identity_rows import (
    ApiTokenRow,
    MailLinkRow,
    OutboxRow,
    PreferencesRow,
    SessionRow,
)
from dcacore.adapters.sqlalchemy._session import Values
from dcacore.adapters.sqlalchemy._texts import told_of, told_to_text
from dcacore.domain.ids import UserId
from dcacore.ports.identity import (
    ApiToken,
    ApiTokenId,
    Digest,
    LinkKind,
    MailLink,
    Preferences,
    QueuedMail,
    Scope,
    SessionId,
    Theme,
    UserSession,
)
from dcacore.ports.mail import Mail


def session_values(session: UserSession) -> Values:
    """Return the columns of a session."""
    return {
        "key": session.key,
        "id": session.id,
        "user_id": session.user_id,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "address": session.address,
        "agent": session.agent,
    }


def session_of(row: SessionRow) -> UserSession:
    """Return the session that was stored."""
    return UserSession(
        id=SessionId(row.id),
        key=Digest(row.key),
        user_id=UserId(row.user_id),
        created_at=row.created_at,
        seen_at=row.seen_at,
        address=row.address,
        agent=row.agent,
    )


def link_values(link: MailLink) -> Values:
    """Return the columns of a link."""
    return {
        "user_id": link.user_id,
        "kind": link.kind.value,
        "key": link.key,
        "email": link.email,
        "expires_at": link.expires_at,
        "used_at": link.used_at,
    }


def link_of(row: MailLinkRow) -> MailLink:
    """Return the link that was stored."""
    with making_sense_of("a link"):
        return MailLink(
            key=Digest(row.key),
            user_id=UserId(row.user_id),
            kind=LinkKind(row.kind),
            email=row.email,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )


def mail_values(queued: QueuedMail) -> Values:
    """Return the columns of a mail."""
    mail = queued.mail
    return {
        "key": mail.key,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "link": mail.link,
        "queued_at": queued.queued_at,
        "due_at": queued.due_at,
        "attempts": queued.attempts,
        "sent_at": queued.sent_at,
        "failed_at": queued.failed_at,
    }


def mail_of(row: OutboxRow) -> QueuedMail:
    """Return the mail that was stored."""
    with making_sense_of("a mail"):
        return QueuedMail(
            mail=Mail(to=row.to, subject=row.subject, text=row.text, html=row.html, key=row.key, link=row.link),
            queued_at=row.queued_at,
            due_at=row.due_at,
            attempts=row.attempts,
            sent_at=row.sent_at,
            failed_at=row.failed_at,
        )


def token_values(token: ApiToken) -> Values:
    """Return the columns of an API token."""
    return {
        "key": token.key,
        "id": token.id,
        "user_id": token.user_id,
        "name": token.name,
        "scope": token.scope.value,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }


def token_of(row: ApiTokenRow) -> ApiToken:
    """Return the API token that was stored."""
    with making_sense_of("an API token"):
        return ApiToken(
            id=ApiTokenId(row.id),
            key=Digest(row.key),
            user_id=UserId(row.user_id),
            name=row.name,
            scope=Scope(row.scope),
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )


def preferences_values(user_id: UserId, preferences: Preferences) -> Values:
    """Return the columns of a user's preferences."""
    return {
        "user_id": user_id,
        "theme": preferences.theme.value,
        "currency_digits": preferences.currency_digits,
        "time_zone": preferences.time_zone,
        "display_currency": preferences.display_currency,
        "told": told_to_text(preferences.told),
    }


def preferences_of(row: PreferencesRow) -> Preferences:
    """Return the preferences that were stored."""
    with making_sense_of("a user's preferences"):
        return Preferences(
            theme=Theme(row.theme),
            currency_digits=row.currency_digits,
            time_zone=row.time_zone,
            display_currency=row.display_currency,
            told=told_of(row.told),
        )
