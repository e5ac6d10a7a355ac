from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from dcacore.adapters.fernet import generate_key
from dcacore.ports.identity import Registration
from dcacore.ports.records import Tier
from dcacore.ports.smtp import SmtpServer
from dcacore.settings import _READERS, BadSetting, LogFormat, LogLevel, Settings


def test_without_an_environment_the_defaults_hold() -> None:
    settings = Settings.from_env({"LOG_LEVEL": "", "HOME": "/"})
    assert settings == Settings()
    assert (settings.database_url, settings.encryption_key) == ("sqlite:///./app.db", "")


def test_every_setting() -> None:
    key = f"{generate_key()},{generate_key()}"
    given = {
        "ENCRYPTION_KEY": key,
        "DATABASE_URL": "postgresql://anna:canary-word@host:5432/dca",
        "DATA_DIR": "/var/dca",
        "DEFAULT_TIER": "pro",
        "LOG_FORMAT": "JSON",
        "LOG_LEVEL": "warning",
        "BINANCE_REST_URL": "http://127.0.0.1:8000/",
        "BINANCE_STREAM_URL": "ws://127.0.0.1:8000",
        "BINANCE_WS_API_URL": "wss://host/ws-api/v3",
        "BINANCE_TESTNET": "False",
        "PAPER_EXCHANGE_URL": "http://paper:8100/",
        "BASE_URL": "https://dca.example.com/",
        "MAIL_FROM": "DCA <dca@example.com>",
        "RESEND_API_KEY": "re_canary",
        "RESEND_API_URL": "http://127.0.0.1:8001/",
        "SMTP_URL": "smtp://anna:canary@mail.example.com",
        "REGISTRATION": "Closed",
        "POLAR_ACCESS_TOKEN": "polar_oat_canary",
        "POLAR_PRODUCT_ID": "9d1e-42",
        "POLAR_WEBHOOK_SECRET": "whsec_canarycanary12, polar_whs_canarycanary",
        "POLAR_SERVER_URL": "https://sandbox-api.polar.sh/v1/",
        "PRO_GRACE_DAYS": "14",
    }
    settings = Settings.from_env(given)
    assert settings == Settings(
        encryption_key=key,
        database_url=given["DATABASE_URL"],
        data_dir="/var/dca",
        default_tier=Tier.PRO,
        log_format=LogFormat.JSON,
        log_level=LogLevel.WARNING,
        binance_rest_url="http://127.0.0.1:8000",
        binance_stream_url="ws://127.0.0.1:8000",
        binance_ws_api_url="wss://host/ws-api/v3",
        binance_testnet=False,
        paper_exchange_url="http://paper:8100",
        base_url="https://dca.example.com",
        mail_from="DCA <dca@example.com>",
        resend_api_key="re_canary",
        resend_api_url="http://127.0.0.1:8001",
        smtp_url="smtp://anna:canary@mail.example.com",
        registration=Registration.CLOSED,
        polar_access_token="polar_oat_canary",
        polar_webhook_secrets=("whsec_canarycanary12", "polar_whs_canarycanary"),
        polar_product_id="9d1e-42",
        polar_server_url="https://sandbox-api.polar.sh",
        pro_grace=datetime.timedelta(days=14),
    )
    assert "canary" not in repr(settings)
    assert generate_key()[:8] not in repr(settings)
    assert key[:8] not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("ENCRYPTION_KEY", "canary", "has no Fernet key in place 1; `dca keys generate` makes one"),
        ("ENCRYPTION_KEY", f"{'A' * 43}=,canary", "has no Fernet key in place 2"),
        ("ENCRYPTION_KEY", f"{'A' * 43}=,", "has no Fernet key in place 2"),
        ("ENCRYPTION_KEY", "canary-é", "has no Fernet key in place 1"),
        ("DATABASE_URL", "canary", "must be like sqlite:///./app.db or postgresql://"),
        ("DATABASE_URL", "mysql://canary@host/db", "must be like sqlite"),
        ("DATABASE_URL", "postgresql://canary@host:port/db", "must be like postgresql://"),
        ("DATA_DIR", "canary\x07", "must be a text of printable characters"),
        ("DEFAULT_TIER", "canary", "must be one of FREE, PRO"),
        ("LOG_FORMAT", "canary", "must be one of console, json"),
        ("LOG_LEVEL", "canary", "must be one of debug, info, warning, error"),
        ("BINANCE_REST_URL", "canary", "must be like https://host:port"),
        ("BINANCE_REST_URL", "wss://canary", "must be like https://host:port"),
        ("BINANCE_STREAM_URL", "https://canary", "must be like wss://host:port"),
        ("BINANCE_WS_API_URL", "wss://canary:port", "must be like wss://host:port"),
        ("BINANCE_WS_API_URL", "wss://anna:canary@host", "must be like wss://host:port"),
        ("BINANCE_WS_API_URL", "wss://ca nary", "must be like wss://host:port"),
        ("BASE_URL", "canary", "must be like https://host:port"),
        ("MAIL_FROM", "canary", "must be like a@b.org or Name <a@b.org>"),
        ("MAIL_FROM", "DCA <canary@example.com", "must be like a@b.org"),
        ("MAIL_FROM", "canary@example.com\r\nBcc: a@b.org", "must be like a@b.org"),
        ("MAIL_FROM", "a@b.org, canary@b.org", "must be like a@b.org"),
        ("RESEND_API_KEY", "re_canary re_other", "must be a key as the service shows it"),
        ("RESEND_API_KEY", "re_canary\u2028x", "must be a key as the service shows it"),
        ("RESEND_API_URL", "canary", "must be like https://host:port"),
        ("RESEND_API_URL", "http://canary.example.com", "must begin with https://, as keys are sent there"),
        ("SMTP_URL", "canary", "must be like smtp://user:password@host:587"),
        ("SMTP_URL", "https://canary", "must be like smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://canary:port", "must be like smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://host:0/?canary", "must be like smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://host/canary", "must be like smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://host#canary", "must be like smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://canary@host", "must have both a user and a password, or neither"),
        ("SMTP_URL", "smtp://host?tls=canary", "may end in ?tls=required, optional or none after smtp://"),
        ("SMTP_URL", "smtps://host?tls=none", "may end in ?tls=required, optional or none after smtp://"),
        ("REGISTRATION", "canary", "must be one of open, closed"),
        ("BINANCE_TESTNET", "canary", "must be true or false"),
        ("POLAR_ACCESS_TOKEN", "canary two", "must be one word of printable characters"),
        ("POLAR_PRODUCT_ID", "canary\x00", "must be one word of printable characters"),
        ("POLAR_WEBHOOK_SECRET", "canary", "must have 16 to 256 printable characters without spaces and commas"),
        ("POLAR_WEBHOOK_SECRET", "canary-canary-canary,", "must have 16 to 256 printable characters"),
        ("POLAR_WEBHOOK_SECRET", "whsec_canary%canary%", "must be base64 after whsec_"),
        ("POLAR_SERVER_URL", "canary", "must be like https://host:port"),
        ("PRO_GRACE_DAYS", "canary", "must be a whole number of days from 0 to 21"),
        ("PRO_GRACE_DAYS", "22", "must be a whole number of days from 0 to 21"),
        ("PRO_GRACE_DAYS", "-1", "must be a whole number of days from 0 to 21"),
        ("PRO_GRACE_DAYS", "7.5", "must be a whole number of days from 0 to 21"),
        ("PAPER_EXCHANGE_URL", "canary", "must be like http://host:port"),
        ("PAPER_EXCHANGE_URL", "ws://canary", "must be like http://host:port"),
        ("PAPER_EXCHANGE_URL", "http://host/canary", "must be like http://host:port, without a path"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_not_repeated(name: str, value: str, rule: str) -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_env({name: value})
    assert str(refused.value).startswith(f"{name} {rule}")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [("RESEND_API_KEY", "re_canary"), ("SMTP_URL", "smtp://127.0.0.1:25")])
def test_mail_comes_from_somebody(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^MAIL_FROM is not set: with {name} it says whom mails come from"):
        Settings.from_env({name: value})
    assert Settings.from_env({name: value, "MAIL_FROM": "a@b.org"}).mail_from == "a@b.org"
    assert Settings.from_env({"MAIL_FROM": "a@b.org"}).mail_from == "a@b.org"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer(host="mail.example.com", port=587)),
        (
            "smtp://anna%40b.org:p%40ss:word@mail.example.com:2525/",
            SmtpServer(host="mail.example.com", port=2525, user="anna@b.org", password="p@ss:word", upgrade=True),
        ),
        (
            "smtp://anna:word@mail.example.com?tls=optional",
            SmtpServer(host="mail.example.com", port=587, user="anna", password="word"),
        ),
        ("smtp://mail.example.com?tls=required", SmtpServer(host="mail.example.com", port=587, upgrade=True)),
        ("smtp://mail.example.com?tls=none", SmtpServer(host="mail.example.com", port=587, upgrade=False)),
        ("smtp://localhost:25", SmtpServer(host="localhost", port=25, upgrade=False)),
        (
            "smtp://anna:word@[::1]:25",
            SmtpServer(host="::1", port=25, user="anna", password="word", upgrade=False),
        ),
        (
            "smtps://anna:word@mail.example.com",
            SmtpServer(host="mail.example.com", port=465, user="anna", password="word", is_tls=True, upgrade=False),
        ),
    ],
)
def test_a_mail_server_is_named_by_a_url(url: str, server: SmtpServer) -> None:
    assert SmtpServer.from_url(url) == server
    assert "word" not in repr(SmtpServer.from_url(url))


def test_every_setting_is_described() -> None:
    described = Path("docs/reference/settings.md").read_text(encoding="utf-8")
    assert [name for name in _READERS if f"| `{name}` |" not in described] == []


@pytest.mark.parametrize("name", ["BINANCE_REST_URL", "BINANCE_STREAM_URL", "BINANCE_WS_API_URL"])
def test_a_custom_exchange_is_named_whole_or_not_at_all(name: str) -> None:
    scheme = "https" if name == "BINANCE_REST_URL" else "wss"
    rule = r"^BINANCE_\w+ is not set: BINANCE_REST_URL, BINANCE_STREAM_URL, BINANCE_WS_API_URL are set together"
    with pytest.raises(BadSetting, match=rule):
        Settings.from_env({name: f"{scheme}://host"})


@pytest.mark.parametrize("host", ["api.binance.com", "API.Binance.com:443", "stream.binance.com:9443", "binance.com"])
def test_the_live_exchange_is_no_custom_one(host: str) -> None:
    custom = {
        "BINANCE_REST_URL": f"https://{host}",
        "BINANCE_STREAM_URL": "wss://streams",
        "BINANCE_WS_API_URL": "wss://ws",
    }
    with pytest.raises(BadSetting, match=r"^BINANCE_REST_URL names binance\.com itself: such an account is live"):
        Settings.from_env(custom)
    other = Settings.from_env({**custom, "BINANCE_REST_URL": "https://notbinance.com"})
    assert other.binance_rest_url == "https://notbinance.com"


def test_cookies_go_by_the_scheme_of_the_address_however_it_is_written() -> None:
    assert Settings.from_env({"BASE_URL": "HTTPS://dca.example.com:8443/"}).base_url == "https://dca.example.com:8443"
    with pytest.raises(BadSetting, match=r"^BASE_URL must be like https://host:port, without a path"):
        Settings.from_env({"BASE_URL": "https://example.com/dca"})  # pages and cookies are the host's root's


POLAR = {
    "POLAR_ACCESS_TOKEN": "polar_oat_x",
    "POLAR_PRODUCT_ID": "9d1e",
    "POLAR_WEBHOOK_SECRET": "whsec_canarycanary12",
}


@pytest.mark.parametrize("name", POLAR)
def test_billing_is_set_whole_or_not_at_all(name: str) -> None:
    assert Settings.from_env(POLAR).polar_server_url == "https://api.polar.sh"
    rest = {other: value for other, value in POLAR.items() if other != name}
    rule = f"^{name} is not set: POLAR_ACCESS_TOKEN, POLAR_PRODUCT_ID, POLAR_WEBHOOK_SECRET are set together, or none"
    with pytest.raises(BadSetting, match=rule):
        Settings.from_env(rest)


@pytest.mark.parametrize("days", [0, 7, 21])
def test_grace_is_some_whole_days(days: int) -> None:
    assert Settings.from_env({"PRO_GRACE_DAYS": str(days)}).pro_grace == datetime.timedelta(days=days)
