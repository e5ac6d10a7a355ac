"""What the tests of people's accounts work with: everything in memory, secrets in a row, and mail that can be read."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from dcacore.adapters.letters import TemplateLetters
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.adapters.memory import MemoryStore
from dcacore.application import identity
from dcacore.application.identity import Client, Courier, Means, Opened
from dcacore.ports.identity import Registration
from dcacore.ports.mail import Mail
from dcacore.ports.records import User
from dcacore.ports.secrets import Draws
from dcacore.ports.store import Store
from tests.unit.application.office import CountedIds, ReversedPasswords
from tests.unit.simulated.clock import ManualClock

ANNA = "anna@example.com"
BERT = "bert@example.com"
GOOD = "Correct7Horse"
OTHER = "Battery8Staple"
HERE = Client(address="192.0.2.1", agent="Firefox")


class CountedDraws(Draws):
    """Secrets in a row, as long as real ones."""

    def __init__(self) -> None:
        self.count = 0

    def secret(self) -> str:
        self.count += 1
        return f"{self.count:043}"


class WatchedPasswords(ReversedPasswords):
    """Counts how often it was made to work: what takes a quarter of a second each time in earnest.

    Attributes:
        hashed: how often it hashed.
        checked: how often it checked, nobody's included.
        meanwhile: happens while it checks.
    """

    def __init__(self) -> None:
        self.hashed = 0
        self.checked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def hash(self, password: str) -> str:
        self.hashed += 1
        return super().hash(password)

    def check(self, password: str, stored: str) -> bool:
        self.checked += 1
        self.meanwhile()
        return super().check(password, stored)

    def check_nobody(self, password: str) -> None:
        self.checked += 1


@attrs.define
class Hall:
    """The ports, and short ways to what a test begins with."""

    clock: ManualClock = attrs.field(factory=ManualClock)
    passwords: WatchedPasswords = attrs.field(factory=WatchedPasswords)
    mailer: MemoryMailer = attrs.field(factory=MemoryMailer)
    store: Store | None = None
    registration: Registration = Registration.OPEN
    means: Means = attrs.field(init=False)
    courier: Courier = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        store = self.store or MemoryStore(self.clock)
        self.means = Means(
            store=store,
            clock=self.clock,
            ids=CountedIds(),
            draws=CountedDraws(),
            passwords=self.passwords,
            letters=TemplateLetters(),
            base_url="https://dca.example.com",
            registration=self.registration,
        )
        self.courier = Courier(store, self.mailer, self.clock)

    async def mails(self, to: str) -> list[Mail]:
        """Return the mails to this address so far, sent by now."""
        while await self.courier.send_due():
            pass
        return [mail for mail in self.mailer.sent if mail.to == to]

    async def secret(self, to: str) -> str:
        """Return what stands in the link of the newest mail."""
        link = (await self.mails(to))[-1].link
        assert link
        return link.rpartition("/")[2]

    async def user(self, email: str = ANNA, password: str = GOOD) -> User:
        """Return somebody who has registered and confirmed the address."""
        await identity.register(self.means, email=email, password=password)
        return await identity.verify(self.means, await self.secret(email))

    async def login(self, email: str = ANNA, password: str = GOOD, old: str | None = None) -> Opened:
        """Return a new session."""
        return await identity.login(self.means, email=email, password=password, client=HERE, old_session=old)
