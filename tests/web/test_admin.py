"""What administrators see and do; to everybody else it is not there."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import attrs
import pytest

from dcacore.adapters.mail_resend import ResendMailer
from dcacore.application import users
from dcacore.application.identity.courier import Courier
from dcacore.ports.identity import Registration
from dcacore.ports.records import Tier, User
from dcaweb.app import create_app
from tests.posts.resend import KEY, resend
from tests.posts.resend import said as faulty
from tests.web.desk import Desk
from tests.web.stage import ANNA, PASSWORD, Browser, Stage, client_of, said, stage_in

ROOT = "root@example.com"
PAGES = ["/admin", "/admin/health", "/admin/users/nobody"]


async def made(stage: Stage, email: str, *, is_admin: bool = False) -> User:
    return await users.create(
        *stage.app.means, stage.app.passwords, email=email, password=PASSWORD, is_admin=is_admin, is_verified=True
    )


@pytest.fixture
async def root(stage: Stage) -> Browser:
    """A browser in which an administrator is signed in; Anna is a user."""
    await made(stage, ROOT, is_admin=True)
    await made(stage, ANNA)
    await stage.browser.sign_in(ROOT)
    return stage.browser


async def anna(stage: Stage) -> User:
    return await users.find(stage.app.store, ANNA)


@pytest.mark.parametrize("path", PAGES)
async def test_it_is_there_for_administrators_alone(stage: Stage, path: str) -> None:
    await made(stage, ANNA)
    assert (await stage.browser.get(path)).headers["location"].startswith("/login")
    await stage.browser.sign_in()
    answer = await stage.browser.get(path)
    assert (answer.status_code, "There is nothing here" in said(answer)) == (404, True)
    assert 'href="/admin"' not in (await stage.browser.get("/dashboard")).text


@pytest.mark.parametrize("what", ["tier", "admin", "verify", "password-link", "sign-out", "remove"])
async def test_nobody_else_does_anything(stage: Stage, what: str) -> None:
    user = await made(stage, ANNA)
    await stage.browser.sign_in()
    form = {"tier": "PRO", "is_admin": "yes", "word": ANNA}
    assert (await stage.browser.post(f"/admin/users/{user.id}/{what}", form)).status_code == 404
    assert (await stage.browser.post("/admin/users", {"email": "a@b.org", "tier": "PRO"})).status_code == 404
    assert await users.everyone(stage.app.store) == (user,)


async def test_users_are_listed_and_found(stage: Stage, root: Browser) -> None:
    page = await root.get("/admin")
    assert all(text in said(page) for text in (ROOT, ANNA, "Administrator", "Confirmed", "2 users", "Registration is"))
    assert 'href="/admin"' in (await root.get("/dashboard")).text
    found = said(await root.get("/admin?text=ANNA"))
    assert (ANNA in found, "1 user." in found) == (True, True)
    assert "Nobody has an address like that" in said(await root.get("/admin?text=%00%FFnobody"))


async def test_many_users_are_paged(stage: Stage, root: Browser) -> None:
    async with stage.app.store.begin() as work:
        for number in range(30):
            await work.users.add(
                User(id=f"u{number}", email=f"u{number}@example.com", created_at=stage.app.clock.now())  # type: ignore[arg-type]  # any text
            )
        await work.commit()
    first = await root.get("/admin?text=example")
    assert "1 to 25 of 32" in said(first)
    assert "/admin?text=example&amp;page=2#users" in first.text
    assert "26 to 32 of 32" in said(await root.get("/admin?text=example&page=2"))


async def test_a_plan_is_changed(stage: Stage, root: Browser) -> None:
    path = f"/admin/users/{(await anna(stage)).id}"
    assert (await root.get(path)).status_code == 200
    assert (await root.post(f"{path}/tier", {"tier": "PRO"})).status_code == 303
    assert (await anna(stage)).tier is Tier.PRO
    wrong = await root.post(f"{path}/tier", {"tier": "GOLD"})
    assert (wrong.status_code, "must be one of the choices" in said(wrong)) == (422, True)
    assert (await root.post("/admin/users/nobody/tier", {"tier": "PRO"})).status_code == 404


async def test_the_last_administrator_stays_one(stage: Stage, root: Browser) -> None:
    me = await users.find(stage.app.store, ROOT)
    refused = await root.post(f"/admin/users/{me.id}/admin", {"is_admin": "no"})
    assert (refused.status_code, "last administrator" in said(refused)) == (409, True)
    gone = await root.post("/settings/delete", {"current": PASSWORD})
    assert (gone.status_code, "last administrator" in said(gone), "Your data" in said(gone)) == (409, True, True)
    own = await root.post(f"/admin/users/{me.id}/remove", {"word": ROOT})
    assert (own.status_code, "in the settings" in said(own)) == (422, True)
    await root.post(f"/admin/users/{(await anna(stage)).id}/admin", {"is_admin": "yes"})
    assert (await anna(stage)).is_admin
    left = await root.post(f"/admin/users/{me.id}/admin", {"is_admin": "no"})
    assert left.headers["location"] == "/dashboard"
    assert (await root.get("/admin")).status_code == 404


async def test_somebody_is_invited_where_registration_is_closed(tmp_path: Path) -> None:
    async with stage_in(tmp_path, registration=Registration.CLOSED) as stage:
        await made(stage, ROOT, is_admin=True)
        await stage.browser.sign_in(ROOT)
        assert "Registration is closed" in said(await stage.browser.get("/admin"))
        sent = await stage.browser.post("/admin/users", {"email": ANNA, "tier": "PRO"})
        assert (sent.status_code, sent.headers["location"].startswith("/admin/users/")) == (303, True)
        assert "not chosen yet" in said(await stage.browser.get(sent.headers["location"]))
        again = await stage.browser.post("/admin/users", {"email": ANNA, "tier": "PRO"})
        assert (again.status_code, "there is a user" in said(again).lower()) == (409, True)
        wrong = await stage.browser.post("/admin/users", {"email": "anna", "tier": "PRO"})
        assert (wrong.status_code, "The address must be" in said(wrong)) == (422, True)
        link = await stage.link()
        async with stage.another_browser() as browser:
            assert (
                await browser.post("/register", {"email": "b@example.com", "password": PASSWORD})
            ).status_code == 409
            assert (await browser.post(link, {"password": PASSWORD})).status_code == 303
            assert (await browser.sign_in()).status_code == 303
        assert (await anna(stage)).verified_at is not None


async def test_a_password_link_is_sent(stage: Stage, root: Browser) -> None:
    path = f"/admin/users/{(await anna(stage)).id}"
    assert (await root.post(f"{path}/password-link")).status_code == 303
    async with stage.another_browser() as browser:
        assert (await browser.get(await stage.link())).status_code == 200
    assert (await root.post("/admin/users/nobody/password-link")).status_code == 404


async def test_an_address_is_confirmed_by_hand(stage: Stage, root: Browser) -> None:
    await users.create(*stage.app.means, stage.app.passwords, email="bert@example.com", password=PASSWORD)
    bert = await users.find(stage.app.store, "bert@example.com")
    assert (await root.post(f"/admin/users/{bert.id}/verify")).status_code == 303
    assert (await users.find(stage.app.store, "bert@example.com")).verified_at is not None


async def test_somebody_is_signed_out_everywhere(stage: Stage, root: Browser) -> None:
    async with stage.another_browser() as browser:
        await browser.sign_in()
        assert (await root.post(f"/admin/users/{(await anna(stage)).id}/sign-out")).status_code == 303
        assert (await browser.get("/dashboard")).status_code == 303


async def test_somebody_is_removed_whose_name_was_typed(stage: Stage, root: Browser) -> None:
    path = f"/admin/users/{(await anna(stage)).id}/remove"
    wrong = await root.post(path, {"word": "anna"})
    assert (wrong.status_code, "must be the address" in said(wrong)) == (422, True)
    assert (await root.post(path, {"word": ANNA})).headers["location"] == "/admin"
    assert len(await users.everyone(stage.app.store)) == 1
    assert (await root.post(path, {"word": ANNA})).status_code == 404


async def test_whose_bots_trade_is_not_removed(desk: Desk) -> None:
    await desk.bot()
    await made(desk.stage, ROOT, is_admin=True)
    async with desk.stage.another_browser() as root:
        await root.sign_in(ROOT)
        refused = await root.post(f"/admin/users/{desk.anna.id}/remove", {"word": ANNA})
        assert (refused.status_code, "Calm" in said(refused)) == (409, True)
        health = await root.get("/admin/health")
        assert all(text in said(health) for text in ("Running", "In position", "SQLite", "Waiting", "Goes by"))


async def test_the_health_of_an_idle_program(root: Browser) -> None:
    health = await root.get("/admin/health")
    assert (health.status_code, "No engine runs" in said(health)) == (200, True)
    assert "does not run" in said(health)


async def test_why_mail_is_held_back_is_told(stage: Stage) -> None:
    await made(stage, ROOT, is_admin=True)
    async with resend() as service:
        service.faults.append(faulty(403, "invalid_api_key"))
        mailer = ResendMailer(key=KEY, sender="a@b.org", url=service.url, clock=stage.app.clock)
        async with aclosing(mailer):
            courier = Courier(stage.app.store, mailer, stage.app.clock)
            await stage.browser.post("/register", {"email": ANNA, "password": PASSWORD})
            await courier.send_due()
    async with client_of(create_app(attrs.evolve(stage.app, courier=courier))) as client:
        browser = Browser(client)
        await browser.sign_in(ROOT)
        health = said(await browser.get("/admin/health"))
    assert "Resend refuses us (403 invalid_api_key): look at RESEND_API_KEY" in health
    assert "canary" not in health
