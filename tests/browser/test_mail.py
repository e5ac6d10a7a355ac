"""Links in mails, from the form to the mail service, and from the mail back into the browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import opened
from tests.browser.looks import overflow, ready
from tests.browser.site import Site
from tests.browser.trading import PASSWORD
from tests.posts.resend import Fault, Resend, said

ANNA = "anna@example.com"
ANOTHER = "Another-Horse-8"
_STEPS, _STEP_MS = 600, 50


def arrived(page: Page, service: Resend, subject: str) -> dict[str, Any]:
    """Return the mail with that subject once the service has taken it; the page goes on meanwhile."""
    for _ in range(_STEPS):
        found = [mail for mail in list(service.taken.values()) if mail["subject"] == subject]
        if found:
            return found[-1]
        page.wait_for_timeout(_STEP_MS)
    pytest.fail(f"no mail has come about: {subject}")


def link_in(page: Page, mail: dict[str, Any]) -> str:
    """Return the link of a mail's page, as somebody clicks on it who reads mail; the text has the same one."""
    assert mail["from"] == "DCA <dca@example.com>"
    program = page.context.new_page()  # a mail is no page of ours, and is shown without our rules
    program.set_content(mail["html"])
    assert overflow(program) <= 0
    link = program.get_by_role("link").first
    expect(link).to_be_visible()
    address = link.get_attribute("href")
    program.close()
    assert address is not None
    assert f"\n{address}\n" in mail["text"]
    return address


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("E-mail address").fill(ANNA)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_an_address_is_confirmed_and_a_password_set_by_the_links_in_mails(
    chromium: Browser, by_mail: tuple[Site, Resend], size: str
) -> None:
    site, service = by_mail
    with opened(chromium, site, size) as page, opened(chromium, site, size) as reader:
        ready(page, "/register")
        page.get_by_label("E-mail address").fill(ANNA)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_text("A mail is on its way to")).to_be_visible()
        expect(page.get_by_role("link", name="Open the link")).to_have_count(0)  # who has not the mail has no link
        mail = arrived(page, service, "Confirm your address")
        assert mail["to"] == [ANNA]
        reader.goto(link_in(reader, mail))  # looked at by a scanner of mails, say: nothing has happened yet
        page.goto(link_in(reader, mail))
        page.get_by_role("button", name="Confirm this address").click()
        expect(page.get_by_text("Your address is confirmed")).to_be_visible()
        sign_in(page, PASSWORD)
        ready(reader, "/forgot-password")
        reader.get_by_label("E-mail address").fill(ANNA)
        reader.get_by_role("button", name="Send the link").click()
        link = link_in(page, arrived(reader, service, "Set a new password"))
        reader.goto(link)
        reader.get_by_label("New password", exact=True).fill(ANOTHER)
        reader.get_by_role("button", name="Set the password").click()
        reader.wait_for_url(re.compile("/login"))
        sign_in(reader, ANOTHER)
        arrived(reader, service, "Your password has changed")
        page.goto(f"{site.url}/settings")
        page.wait_for_url(re.compile("/login"))  # every browser has been signed out
    assert len(service.taken) == 3


def test_somebody_can_register_while_the_mail_service_is_down(chromium: Browser, by_mail: tuple[Site, Resend]) -> None:
    site, service = by_mail
    service.faults.extend([said(429, "rate_limit_exceeded", retry_after="1"), Fault(status=502, body="<html>bad")])
    with opened(chromium, site, "desk") as page:
        ready(page, "/register")
        page.get_by_label("E-mail address").fill(ANNA)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_text("A mail is on its way to")).to_be_visible()
        for _ in range(_STEPS):
            if len(service.requests) == 2:
                break
            page.wait_for_timeout(_STEP_MS)
        assert [it["idempotency-key"] for it in service.requests] == [service.requests[0]["idempotency-key"]] * 2
        assert service.taken == {}
