"""What the environment sets: read once, checked by name, passed down."""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, TypeVar
from urllib.parse import urlsplit

import attrs

from dcacore.domain.entitlement import LONGEST_GRACE
from dcacore.domain.errors import DcaError, InvalidParameter
from dcacore.ports.hook_secret import checked_hook_secret
from dcacore.ports.identity import Registration
from dcacore.ports.mail import checked_sender
from dcacore.ports.records import Tier
from dcacore.ports.smtp import SmtpServer

_KEY_BYTES: Final = 32
_SHORTEST_SECRET: Final = 32
_DATABASES: Final = ("sqlite", "sqlite+aiosqlite", "postgresql", "postgres", "postgresql+psycopg")

E = TypeVar("E", bound=Enum)


class BadSetting(DcaError):
    """A variable of the environment has a value that cannot be used. The value itself is not repeated.

    Attributes:
        name: the variable.
        rule: what must hold.
    """

    def __init__(self, name: str, rule: str) -> None:
        self.name = name
        self.rule = rule
        super().__init__(f"{name} {rule}")


class LogFormat(Enum):
    """How a line of the log looks."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(Enum):
    """From which weight on a line is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@attrs.frozen(kw_only=True)
class Settings:
    """The settings. What is secret never shows in a representation.

    Attributes:
        encryption_key: ENCRYPTION_KEY: Fernet keys, separated by commas, the first encrypts; empty when there is none.
        database_url: DATABASE_URL.
        data_dir: DATA_DIR, the folder of the candle store.
        default_tier: DEFAULT_TIER, the tier of new users.
        base_url: BASE_URL, where people find this, for the links in mails.
        mail_from: MAIL_FROM, whom mails come from, such as `DCA <dca@example.com>`; empty where none are sent.
        resend_api_key: RESEND_API_KEY, by which Resend takes mail; empty where it does not.
        resend_api_url: RESEND_API_URL, where Resend is.
        smtp_url: SMTP_URL, the mail server that mail goes by where it does not go by Resend; empty where there is none.
        registration: REGISTRATION, whether people may register themselves.
        secret_key: SECRET_KEY, what signs that which browsers bring back; empty where it follows from the first key of
            ENCRYPTION_KEY.
        trusted_proxies: TRUSTED_PROXIES, the addresses and networks whose forwarded headers count, separated by commas.
        log_format: LOG_FORMAT.
        log_level: LOG_LEVEL.
        binance_rest_url: BINANCE_REST_URL, where a custom exchange takes requests; empty when there is none.
        binance_stream_url: BINANCE_STREAM_URL, where its market streams are.
        binance_ws_api_url: BINANCE_WS_API_URL, where it takes requests over a websocket.
        paper_exchange_url: PAPER_EXCHANGE_URL, where the exchange of paper accounts is; empty where engines start one.
        binance_archive_url: BINANCE_ARCHIVE_URL, the public archive of candles.
        binance_klines_url: BINANCE_KLINES_URL, where newer candles are asked for.
        binance_testnet: BINANCE_TESTNET, whether a new account of which nothing else is said is one of the testnet;
            else it is live.
        polar_access_token: POLAR_ACCESS_TOKEN, by which Polar sells PRO; empty where nothing is sold.
        polar_webhook_secrets: POLAR_WEBHOOK_SECRET, what Polar signs with; several while it changes.
        polar_product_id: POLAR_PRODUCT_ID, what is sold.
        polar_server_url: POLAR_SERVER_URL, where Polar is; `/v1` follows.
        pro_grace: PRO_GRACE_DAYS, how long PRO lasts when a renewal cannot be charged.
    """

    encryption_key: str = attrs.field(default="", repr=False)
    database_url: str = attrs.field(default="sqlite:///./app.db", repr=False)  # it may hold a password
    data_dir: str = "./data"
    default_tier: Tier = Tier.FREE
    base_url: str = "http://127.0.0.1:8000"
    mail_from: str = ""
    resend_api_key: str = attrs.field(default="", repr=False)
    resend_api_url: str = "https://api.resend.com"
    smtp_url: str = attrs.field(default="", repr=False)  # it may hold a password
    registration: Registration = Registration.OPEN
    secret_key: str = attrs.field(default="", repr=False)
    trusted_proxies: str = ""
    log_format: LogFormat = LogFormat.CONSOLE
    log_level: LogLevel = LogLevel.INFO
    binance_rest_url: str = ""
    binance_stream_url: str = ""
    binance_ws_api_url: str = ""
    paper_exchange_url: str = ""
    binance_archive_url: str = "https://data.binance.vision"
    binance_klines_url: str = "https://data-api.binance.vision"
    binance_testnet: bool = True
    polar_access_token: str = attrs.field(default="", repr=False)
    polar_webhook_secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    polar_product_id: str = ""
    polar_server_url: str = "https://api.polar.sh"
    pro_grace: datetime.timedelta = datetime.timedelta(days=7)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """Return what *environment* sets; a variable that is empty counts as not set.

        Raises:
            BadSetting: a value cannot be used; it names the variable.
        """
        given: dict[str, object] = {}
        for name, (field, read) in _READERS.items():
            text = environment.get(name, "").strip()
            if text:
                given[field] = read(name, text)
        _refuse_half(given, _CUSTOM)
        _refuse_nameless(given)
        _refuse_binance_itself(given, _CUSTOM)
        _refuse_half(given, _POLAR)
        return cls(**given)  # type: ignore[arg-type]  # each reader returns what its field takes


def _keys(name: str, text: str) -> str:
    for number, key in enumerate(text.split(","), start=1):
        try:
            is_key = len(base64.b64decode(key.strip(), altchars=b"-_", validate=True)) == _KEY_BYTES
        except (binascii.Error, ValueError):
            is_key = False
        if not is_key:
            raise BadSetting(name, f"has no Fernet key in place {number}; `dca keys generate` makes one")
    return text


def _database(name: str, text: str) -> str:
    scheme, colon, rest = text.partition("://")
    if not colon or not rest or scheme not in _DATABASES:
        raise BadSetting(name, "must be like sqlite:///./app.db or postgresql://user:password@host/name")
    if scheme.startswith("p"):
        try:
            host = urlsplit(text)
            _ = host.port
        except ValueError:
            raise BadSetting(name, "must be like postgresql://user:password@host/name") from None
    return text


def _text(name: str, text: str) -> str:
    if not text.isprintable():
        raise BadSetting(name, "must be a text of printable characters")
    return text


def _url(*schemes: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        rule = f"must be like {schemes[0]}://host:port"
        if not text.isprintable() or " " in text:
            raise BadSetting(name, rule)
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise BadSetting(name, rule) from None
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise BadSetting(name, rule)
        return text.rstrip("/")

    return read


def _base(*schemes: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        parts = urlsplit(_url(*schemes)(name, text))
        if parts.path:
            raise BadSetting(name, f"must be like {schemes[0]}://host:port, without a path")
        return f"{parts.scheme}://{parts.netloc}"  # the scheme in lower case: cookies go by it

    return read


def _sender(name: str, text: str) -> str:
    try:
        return checked_sender(text)
    except InvalidParameter as error:
        raise BadSetting(name, error.rule) from None


def _key_of_a_service(name: str, text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise BadSetting(name, "must be a key as the service shows it: printable ASCII without spaces")
    return text


def _to_send_keys_to(name: str, text: str) -> str:
    url = _url("https", "http")(name, text)
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in _HERE:
        raise BadSetting(name, "must begin with https://, as keys are sent there; only this machine may have http://")
    return url


def _mail_server(name: str, text: str) -> str:
    try:
        SmtpServer.from_url(text)
    except InvalidParameter as error:
        raise BadSetting(name, error.rule) from None
    return text


def _refuse_nameless(given: Mapping[str, object]) -> None:
    """Refuse to send mail of which nobody knows whom it comes from."""
    for name, field in (("RESEND_API_KEY", "resend_api_key"), ("SMTP_URL", "smtp_url")):
        if field in given and "mail_from" not in given:
            raise BadSetting("MAIL_FROM", f"is not set: with {name} it says whom mails come from: DCA <a@b.org>")


def _secret(name: str, text: str) -> str:
    if len(text) < _SHORTEST_SECRET:
        raise BadSetting(name, f"must have {_SHORTEST_SECRET} characters or more")
    return text


def _word(name: str, text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise BadSetting(name, "must be one word of printable characters")
    return text


def _hook_secrets(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(checked_hook_secret(it.strip()) for it in text.split(","))
    except InvalidParameter as error:
        raise BadSetting(name, error.rule) from None


def _polar(name: str, text: str) -> str:
    return _url("https", "http")(name, text).removesuffix("/v1")


def _grace(name: str, text: str) -> datetime.timedelta:
    days = {str(it): it for it in range(LONGEST_GRACE.days + 1)}.get(text)
    if days is None:
        raise BadSetting(name, f"must be a whole number of days from 0 to {LONGEST_GRACE.days}")
    return datetime.timedelta(days=days)


def _networks(name: str, text: str) -> str:
    try:
        return ",".join(str(ipaddress.ip_network(it.strip())) for it in text.split(","))
    except ValueError:
        raise BadSetting(name, "must be addresses or networks such as 10.0.0.0/8, separated by commas") from None


def _truth(name: str, text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise BadSetting(name, "must be true or false") from None


def _refuse_half(given: Mapping[str, object], together: Mapping[str, str]) -> None:
    missing = [name for name, field in together.items() if field not in given]
    if 0 < len(missing) < len(together):
        raise BadSetting(missing[0], f"is not set: {', '.join(together)} are set together, or none of them")


def _refuse_binance_itself(given: Mapping[str, object], custom: Mapping[str, str]) -> None:
    """Refuse the live exchange by another name: what is looked at before real money is spent goes by the name."""
    for name, field in custom.items():
        host = urlsplit(str(given.get(field, ""))).hostname or ""
        if host == _BINANCE or host.endswith(f".{_BINANCE}"):
            raise BadSetting(name, f"names {_BINANCE} itself: such an account is live, and needs no address")


def _one_of(kind: type[E], fold: Callable[[str], str]) -> Callable[[str, str], E]:
    def read(name: str, text: str) -> E:
        try:
            return kind(fold(text))
        except ValueError:
            raise BadSetting(name, f"must be one of {', '.join(str(it.value) for it in kind)}") from None

    return read


_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_BINANCE: Final = "binance.com"
_CUSTOM: Final = {
    "BINANCE_REST_URL": "binance_rest_url",
    "BINANCE_STREAM_URL": "binance_stream_url",
    "BINANCE_WS_API_URL": "binance_ws_api_url",
}
"""The variables that make a custom exchange, and their fields."""
_POLAR: Final = {
    "POLAR_ACCESS_TOKEN": "polar_access_token",
    "POLAR_PRODUCT_ID": "polar_product_id",
    "POLAR_WEBHOOK_SECRET": "polar_webhook_secrets",
}
"""The variables that make billing, and their fields."""
_READERS: Final[Mapping[str, tuple[str, Callable[[str, str], object]]]] = {
    "ENCRYPTION_KEY": ("encryption_key", _keys),
    "BASE_URL": ("base_url", _base("https", "http")),
    "DATABASE_URL": ("database_url", _database),
    "DATA_DIR": ("data_dir", _text),
    "DEFAULT_TIER": ("default_tier", _one_of(Tier, str.upper)),
    "MAIL_FROM": ("mail_from", _sender),
    "RESEND_API_KEY": ("resend_api_key", _key_of_a_service),
    "RESEND_API_URL": ("resend_api_url", _to_send_keys_to),
    "SMTP_URL": ("smtp_url", _mail_server),
    "REGISTRATION": ("registration", _one_of(Registration, str.lower)),
    "SECRET_KEY": ("secret_key", _secret),
    "TRUSTED_PROXIES": ("trusted_proxies", _networks),
    "LOG_FORMAT": ("log_format", _one_of(LogFormat, str.lower)),
    "LOG_LEVEL": ("log_level", _one_of(LogLevel, str.lower)),
    "BINANCE_REST_URL": (_CUSTOM["BINANCE_REST_URL"], _url("https", "http")),
    "BINANCE_STREAM_URL": (_CUSTOM["BINANCE_STREAM_URL"], _url("wss", "ws")),
    "BINANCE_WS_API_URL": (_CUSTOM["BINANCE_WS_API_URL"], _url("wss", "ws")),
    "BINANCE_ARCHIVE_URL": ("binance_archive_url", _url("https", "http")),
    "BINANCE_KLINES_URL": ("binance_klines_url", _url("https", "http")),
    "BINANCE_TESTNET": ("binance_testnet", _truth),
    "PAPER_EXCHANGE_URL": ("paper_exchange_url", _base("http", "https")),
    "POLAR_ACCESS_TOKEN": (_POLAR["POLAR_ACCESS_TOKEN"], _word),
    "POLAR_PRODUCT_ID": (_POLAR["POLAR_PRODUCT_ID"], _word),
    "POLAR_WEBHOOK_SECRET": (_POLAR["POLAR_WEBHOOK_SECRET"], _hook_secrets),
    "POLAR_SERVER_URL": ("polar_server_url", _polar),
    "PRO_GRACE_DAYS": ("pro_grace", _grace),
}
"""By variable: the field it sets, and what reads it."""
