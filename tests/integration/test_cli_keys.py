"""`dca keys`."""

from __future__ import annotations

from cryptography.fernet import Fernet

from tests.integration.exchange import served
from tests.integration.live import Cli


def test_a_key_is_new_each_time_and_needs_no_database(cli: Cli) -> None:
    first, second = cli.good("keys", "generate").strip(), cli.json("keys", "generate")["key"]
    assert first != second
    assert Fernet(first).encrypt(b"anything")
    assert list(cli.folder.iterdir()) == []


def test_rotation(ready: Cli) -> None:
    assert ready.good("keys", "rotate") == "0 exchange keys encrypted anew.\n"
    old, new = (ready.good("keys", "generate").strip() for _ in range(2))
    ready.environment |= {"ENCRYPTION_KEY": old, "DCA_API_KEY": "a-key", "DCA_API_SECRET": "a-secret"}
    with served() as exchange:
        ready.environment |= exchange.environment
        ready.good("account", "add", "custom")
    ready.environment["ENCRYPTION_KEY"] = f"{new},{old}"
    assert ready.good("keys", "rotate") == "1 exchange key encrypted anew.\n"
    ready.environment["ENCRYPTION_KEY"] = old
    assert "cannot be decrypted" in ready.refused("keys", "rotate")
    ready.environment["ENCRYPTION_KEY"] = new
    assert ready.json("keys", "rotate") == {"rotated": 1}
    ready.environment["ENCRYPTION_KEY"] = ""
    assert ready.refused("keys", "rotate").startswith("ENCRYPTION_KEY is not set")
