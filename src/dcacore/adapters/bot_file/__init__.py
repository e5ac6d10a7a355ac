"""Bot files: TOML in, checked parameters out."""

from dcacore.adapters.bot_file._read import read_bot

__all__ = ["read_bot"]
