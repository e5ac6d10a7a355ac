"""By what mail goes, as the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcacore.adapters.mail_log import LogMailer
from dcacore.adapters.mail_resend import ResendMailer
from dcacore.adapters.mail_smtp import SmtpMailer
from dcacore.bootstrap.app import open_app
from dcacore.bootstrap.fittings import fittings
from dcacore.bootstrap.mail import mail_way, mailer_of, try_mail
from dcacore.ports.mail import Mailer
from dcacore.settings import Settings
from tests.posts.resend import KEY, resend
from tests.unit.simulated.clock import ManualClock

FROM = {"MAIL_FROM": "DCA <dca@example.com>"}
RESEND = {"RESEND_API_KEY": "re_canary"}
SMTP = {"SMTP_URL": "smtp://anna:canary@mail.example.com"}


@pytest.mark.parametrize(
    ("given", "kind", "way"),
    [
        ({}, LogMailer, "the log"),
        (FROM, LogMailer, "the log"),
        ({**FROM, **RESEND}, ResendMailer, "Resend"),
        ({**FROM, **SMTP}, SmtpMailer, "SMTP, mail.example.com:587"),
        ({**FROM, **RESEND, **SMTP}, ResendMailer, "Resend"),
    ],
)
async def test_mail_goes_by_resend_else_by_a_server_else_to_the_log(
    given: dict[str, str], kind: type[Mailer], way: str
) -> None:
    chosen = Settings.from_env(given)
    assert mail_way(chosen) == way
    async with mailer_of(chosen, ManualClock()) as mailer:
        assert type(mailer) is kind
    assert "canary" not in repr(chosen)


async def test_an_application_says_by_what_its_mail_goes(tmp_path: Path) -> None:
    chosen = Settings.from_env({**FROM, **SMTP, "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"})
    async with open_app(chosen, may_create=True) as app:
        assert isinstance(app.mailer, SmtpMailer)
        assert (await fittings(app)).mail_way == "SMTP, mail.example.com:587"


async def test_two_tries_are_two_mails() -> None:
    async with resend() as service:
        given = {**FROM, "RESEND_API_KEY": KEY, "RESEND_API_URL": service.url}
        for _ in range(2):
            await try_mail(Settings.from_env(given), "anna@example.com")
        assert len(service.taken) == 2
