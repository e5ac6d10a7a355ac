"""Whatever people do in whatever order: who is let in has shown that mail arrives, knows the password, and exists."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dcacore.application import identity, users
from dcacore.application.identity import Opened
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import UserId
from dcacore.ports.identity import Scope
from tests.unit.identity.hall import ANNA, BERT, GOOD, HERE, OTHER, Hall

T = TypeVar("T")
EMAILS = st.sampled_from([ANNA, BERT])
PASSWORDS = st.sampled_from([GOOD, OTHER])
PLACES = st.integers(0, 30)


class People(RuleBasedStateMachine):
    """Two addresses and two passwords, and everything that can be done with them."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.hall = Hall()
        self.opened: list[Opened] = []
        self.ended: set[str] = set()  # secrets of sessions that must not let anybody in again
        self.tokens: list[str] = []
        self.shown: set[str] = set()  # addresses at which a link was received and followed
        self.passwords: dict[str, str] = {}  # by address: who set which last
        self.gone: set[UserId] = set()
        self.spent: set[str] = set()  # links that have been used

    def do(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what came of *work*; None when it was refused."""
        try:
            return self.runner.run(work)
        except DcaError:
            return None

    def links(self, kind: str) -> list[tuple[str, str]]:
        """Return the address and the secret of each link that was mailed so far."""
        for email in (ANNA, BERT):
            self.runner.run(self.hall.mails(email))
        found = [mail for mail in self.hall.mailer.sent if f"/{kind}/" in mail.link]
        return [(mail.to, mail.link.rpartition("/")[2]) for mail in found]

    @initialize(logins=st.integers(0, 3))
    def begin(self, logins: int) -> None:
        """Let Anna be there already, or else hardly anything would ever come to pass."""
        if logins:
            self.register(ANNA, GOOD)
            self.verify(0)
            for _ in range(logins):
                self.login(ANNA, GOOD, rotates=False)
            assert len(self.opened) == logins

    @rule(email=EMAILS, password=PASSWORDS)
    def register(self, email: str, password: str) -> None:
        before = len(self.links("verify-email"))
        if self.do(identity.register(self.hall.means, email=email, password=password)) is None:
            return
        if len(self.links("verify-email")) > before:  # else it is somebody's, who has been told
            self.passwords[email] = password

    @rule(email=EMAILS)
    def ask_for_links(self, email: str) -> None:
        self.do(identity.resend(self.hall.means, email=email))
        self.do(identity.forgot(self.hall.means, email=email))

    @rule(place=PLACES)
    def verify(self, place: int) -> None:
        links = self.links("verify-email")
        if not links:
            return
        to, secret = links[-1 - place % len(links)]
        before = {one.id: one.email for one in self.runner.run(users.everyone(self.hall.means.store))}
        user = self.do(identity.verify(self.hall.means, secret))
        if user is None:
            return
        assert user.email == to
        self.spend(secret)
        self.shown.add(to)
        old = before.get(user.id, to)
        if old != to and old in self.passwords:  # another address of the same person
            self.passwords[to] = self.passwords.pop(old)

    @rule(place=PLACES, password=PASSWORDS)
    def reset(self, place: int, password: str) -> None:
        links = self.links("reset-password")
        if not links:
            return
        to, secret = links[-1 - place % len(links)]
        user = self.do(identity.reset(self.hall.means, secret, password=password))
        if user is None:
            return
        assert user.email == to
        self.spend(secret)
        self.shown.add(to)
        self.passwords[to] = password
        self.ended |= {one.secret for one in self.opened if one.user.id == user.id}

    def spend(self, secret: str) -> None:
        """Note that a link was used, which never was before."""
        assert secret not in self.spent
        self.spent.add(secret)

    @rule(email=EMAILS, password=PASSWORDS, rotates=st.booleans())
    def login(self, email: str, password: str, rotates: bool) -> None:
        old = self.opened[-1].secret if rotates and self.opened else None
        opened = self.do(identity.login(self.hall.means, email=email, password=password, client=HERE, old_session=old))
        if opened is None:
            return
        assert opened.user.email == email
        assert email in self.shown
        assert self.passwords[email] == password
        if old is not None:
            self.ended.add(old)
        self.opened.append(opened)

    @precondition(lambda self: self.opened)
    @rule(place=PLACES, current=PASSWORDS, password=PASSWORDS)
    def change_password(self, place: int, current: str, password: str) -> None:
        signed_in = self.signed_in(place)
        if signed_in is None:
            return
        change = identity.change_password(self.hall.means, signed_in, current=current, password=password)
        opened = self.do(change)
        if opened is not None:
            user = opened.user
            assert self.passwords[user.email] == current
            self.passwords[user.email] = password
            self.ended |= {one.secret for one in self.opened if one.user.id == user.id}
            self.opened.append(opened)

    def signed_in(self, place: int) -> identity.SignedIn | None:
        """Return who is let in by one of the sessions there were, as a request would be."""
        return self.do(identity.find(self.hall.means, self.opened[-1 - place % len(self.opened)].secret))

    @precondition(lambda self: self.opened)
    @rule(place=PLACES, email=EMAILS, password=PASSWORDS)
    def change_email(self, place: int, email: str, password: str) -> None:
        signed_in = self.signed_in(place)
        if signed_in is not None:
            self.do(identity.change_email(self.hall.means, signed_in, password=password, email=email))

    @precondition(lambda self: self.opened)
    @rule(place=PLACES, password=PASSWORDS)
    def delete(self, place: int, password: str) -> None:
        signed_in = self.signed_in(place)
        if signed_in is None:
            return
        if self.do(identity.delete_account(self.hall.means, signed_in, password=password)) is not None:
            self.gone.add(signed_in.user.id)
            del self.passwords[signed_in.user.email]
            self.shown.discard(signed_in.user.email)

    @precondition(lambda self: self.opened)
    @rule(place=PLACES)
    def logout(self, place: int) -> None:
        secret = self.opened[-1 - place % len(self.opened)].secret
        self.do(identity.logout(self.hall.means, secret))
        self.ended.add(secret)

    @precondition(lambda self: self.opened)
    @rule(place=PLACES)
    def make_token(self, place: int) -> None:
        signed_in = self.signed_in(place)
        if signed_in is not None:
            name = f"token {len(self.tokens)}"
            made = self.do(identity.make_token(self.hall.means, signed_in.user.id, name=name, scope=Scope.TRADE))
            if made is not None:
                self.tokens.append(made.secret)

    @rule(minutes=st.sampled_from([1, 20, 61, 25 * 60, 8 * 24 * 60]))
    def wait(self, minutes: int) -> None:
        self.hall.clock.pass_by(minutes * 60)
        self.do(self.hall.courier.tidy())

    @invariant()
    def who_is_let_in_may_be(self) -> None:
        for opened in self.opened:
            found = self.runner.run(identity.find(self.hall.means, opened.secret))
            if found is not None:
                assert opened.secret not in self.ended
                assert found.user.id == opened.user.id
                self.may_be_in(found.user)
        for secret in self.tokens:
            bearer = self.runner.run(identity.find_token(self.hall.means, secret))
            if bearer is not None:
                self.may_be_in(bearer.user)

    def may_be_in(self, user: Any) -> None:
        assert user.id not in self.gone
        assert user.verified_at is not None
        assert user.email in self.shown

    def teardown(self) -> None:
        self.runner.close()


People.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPeople = People.TestCase
