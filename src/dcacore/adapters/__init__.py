"""What implements the ports, one package a technology."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dcacore._lazy import lazy

if TYPE_CHECKING:
    from dcacore.adapters.billing_memory import MemoryBilling
    from dcacore.adapters.bot_file import read_bot
    from dcacore.adapters.candles import MemoryCandleStore, ParquetCandleStore, read_candle_files, read_candles
    from dcacore.adapters.fernet import FernetSecrets
    from dcacore.adapters.letters import TemplateLetters
    from dcacore.adapters.mail_log import LogMailer
    from dcacore.adapters.mail_memory import MemoryMailer
    from dcacore.adapters.mail_resend import ResendMailer
    from dcacore.adapters.mail_smtp import SmtpMailer
    from dcacore.adapters.memory import MemoryStore
    from dcacore.adapters.passwords import BcryptPasswords
    from dcacore.adapters.polar import PolarAccess, PolarBilling, PolarHooks
    from dcacore.adapters.simulated import MatchingCore, Wallet
    from dcacore.adapters.simulated.exchange import SimulatedExchange
    from dcacore.adapters.sqlalchemy import SqlStore, open_store, postgres_store, sqlite_store
    from dcacore.adapters.sqlalchemy.lock import EngineLock
    from dcacore.adapters.system import RandomIds, SystemClock, SystemDraws

__all__ = [
    "BcryptPasswords",
    "EngineLock",
    "FernetSecrets",
    "LogMailer",
    "MatchingCore",
    "MemoryBilling",
    "MemoryCandleStore",
    "MemoryMailer",
    "MemoryStore",
    "ParquetCandleStore",
    "PolarAccess",
    "PolarBilling",
    "PolarHooks",
    "RandomIds",
    "ResendMailer",
    "SimulatedExchange",
    "SmtpMailer",
    "SqlStore",
    "SystemClock",
    "SystemDraws",
    "TemplateLetters",
    "Wallet",
    "open_store",
    "postgres_store",
    "read_bot",
    "read_candle_files",
    "read_candles",
    "sqlite_store",
]

_HOMES: Final = {
    "BcryptPasswords": "dcacore.adapters.passwords",
    "EngineLock": "dcacore.adapters.sqlalchemy.lock",
    "FernetSecrets": "dcacore.adapters.fernet",
    "LogMailer": "dcacore.adapters.mail_log",
    "MatchingCore": "dcacore.adapters.simulated",
    "MemoryBilling": "dcacore.adapters.billing_memory",
    "MemoryCandleStore": "dcacore.adapters.candles",
    "MemoryMailer": "dcacore.adapters.mail_memory",
    "MemoryStore": "dcacore.adapters.memory",
    "ParquetCandleStore": "dcacore.adapters.candles",
    "PolarAccess": "dcacore.adapters.polar",
    "PolarBilling": "dcacore.adapters.polar",
    "PolarHooks": "dcacore.adapters.polar",
    "RandomIds": "dcacore.adapters.system",
    "ResendMailer": "dcacore.adapters.mail_resend",
    "SimulatedExchange": "dcacore.adapters.simulated.exchange",
    "SmtpMailer": "dcacore.adapters.mail_smtp",
    "SqlStore": "dcacore.adapters.sqlalchemy",
    "SystemClock": "dcacore.adapters.system",
    "SystemDraws": "dcacore.adapters.system",
    "TemplateLetters": "dcacore.adapters.letters",
    "Wallet": "dcacore.adapters.simulated",
    "open_store": "dcacore.adapters.sqlalchemy",
    "postgres_store": "dcacore.adapters.sqlalchemy",
    "read_bot": "dcacore.adapters.bot_file",
    "read_candle_files": "dcacore.adapters.candles",
    "read_candles": "dcacore.adapters.candles",
    "sqlite_store": "dcacore.adapters.sqlalchemy",
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
