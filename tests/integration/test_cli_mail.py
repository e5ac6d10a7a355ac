"""`dca mail test`: what came of a letter is said, whatever it was."""

from __future__ import annotations

from tests.integration.live import Cli
from tests.posts.beside import beside
from tests.posts.resend import KEY, Fault, resend, said
from tests.posts.server import mail_server

FROM = "DCA <dca@example.com>"


def test_a_letter_goes_by_resend_and_faults_are_told(cli: Cli) -> None:
    with beside(resend()) as service:
        cli.environment |= {"RESEND_API_KEY": KEY, "RESEND_API_URL": service.url, "MAIL_FROM": FROM}
        told = cli.good("mail", "test", "Anna@Example.com")
        assert told.startswith("anna@example.com: taken by Resend;")
        (mail,) = service.taken.values()
        assert mail["subject"] == "This mail has arrived"
        assert mail["to"] == ["anna@example.com"]
        sent = cli.json("mail", "test", "anna@example.com")
        assert (sent["to"], sent["from"], sent["by"]) == ("anna@example.com", FROM, "Resend")
        assert sent["key"] in service.taken
        service.faults.extend([said(403, "invalid_api_key"), said(422, "validation_error"), Fault()])
        assert cli.refused("mail", "test", "a@b.org").startswith("Resend refuses us (403 invalid_api_key): look at")
        assert cli.refused("mail", "test", "a@b.org") == "Resend does not take this mail (422 validation_error)"
        assert cli.refused("mail", "test", "a@b.org") == "Resend has not answered (RemoteProtocolError)"


def test_a_letter_goes_by_a_mail_server(cli: Cli) -> None:
    with beside(mail_server()) as server:
        cli.environment |= {"SMTP_URL": f"smtp://127.0.0.1:{server.port}", "MAIL_FROM": FROM}
        told = cli.good("mail", "test", "anna@example.com")
    assert told.startswith(f"anna@example.com: taken by SMTP, 127.0.0.1:{server.port};")
    assert str(server.taken[0]["Subject"]) == "This mail has arrived"


def test_without_a_service_and_without_an_address_nothing_is_sent(cli: Cli) -> None:
    assert cli.refused("mail", "test", "anna@example.com").startswith("no mail is sent: neither RESEND_API_KEY nor")
    cli.environment |= {"RESEND_API_KEY": KEY}
    assert cli.refused("mail", "test", "anna@example.com").startswith("MAIL_FROM is not set: with RESEND_API_KEY")
    cli.environment |= {"MAIL_FROM": FROM}
    assert "must be an address" in cli.refused("mail", "test", "nobody")
