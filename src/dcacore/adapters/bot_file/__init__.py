"""Bot files: TOML in, checked parameters out."""

from dcacore.adapters.bot_file._read import bot_of_tables, bot_of_text, read_bot
from dcacore.ports.bot_file import BotFile

__all__ = ["BotFile", "bot_of_tables", "bot_of_text", "read_bot"]
