"""Bot files: TOML in, checked parameters out."""

from dcacore.adapters.bot_file._read import read_bot
from dcacore.ports.bot_file import BotFile

__all__ = ["BotFile", "read_bot"]
