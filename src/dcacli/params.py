"""What users type, as values: times, durations, and an option that takes several files."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import click

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_LONGEST_MONTH: Final = datetime.timedelta(days=31)
_MONTH: Final = re.compile(r"\d{4}-\d{2}", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DURATION: Final = re.compile(r"([1-9]\d{0,8})([smhd])", re.ASCII)
_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class UtcTime(click.ParamType[int]):
    """A month, a day or a time of ISO 8601 as Unix milliseconds; without an offset it is UTC."""

    name = "time"

    def __init__(self, *, is_end: bool) -> None:
        """Read the end of a range when *is_end*: a day or month then means all of it, up to the next one's start."""
        self._is_end = is_end

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds."""
        if isinstance(value, int):
            return value
        text = str(value)
        try:
            moment = datetime.datetime.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=datetime.UTC)
            if self._is_end and _MONTH.fullmatch(text):
                moment = (moment + _LONGEST_MONTH).replace(day=1)
            if self._is_end and _DAY.fullmatch(text):
                moment += datetime.timedelta(days=1)
            return (moment - _EPOCH) // _MILLISECOND
        except OverflowError:
            self.fail(f"{text!r} is too far away", param, ctx)
        except ValueError:
            self.fail(f"{text!r} is no time such as 2021-04, 2021-04-02 or 2021-04-02T10:15", param, ctx)


class Duration(click.ParamType[int]):
    """A duration such as 90m, 6h or 1d as milliseconds; 0 is none."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds."""
        if isinstance(value, int):
            return value
        text = str(value)
        if text == "0":
            return 0
        parts = _DURATION.fullmatch(text)
        if parts is None:
            self.fail(f"{text!r} is no duration such as 90m, 6h or 1d, nor 0", param, ctx)
        return int(parts[1]) * _UNIT_MS[parts[2]]


def _is_root_of_server(address: str) -> bool:
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0
    except ValueError:  # a port that is no number, a bracket too many
        return False
    is_root = not (parts.query or parts.fragment or parts.username)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and has_port and is_root


class TakesFiles(click.Command):
    """A command whose option --data takes every file that follows it, up to the next option.

    Click's options take a fixed number of values, so the option is repeated before click looks. A bot file that
    follows is not taken for candles: its name ends in .toml.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what click leaves over."""
        return super().parse_args(ctx, repeat_option("--data", args))


def repeat_option(option: str, args: list[str]) -> list[str]:
    """Return *args* with *option* before each of the values that follow it."""
    repeated: list[str] = []
    is_open = False
    for place, arg in enumerate(args):
        if arg == "--":
            return repeated + args[place:]
        if arg.startswith("-") or arg.lower().endswith(".toml"):
            is_open = False
        elif is_open and repeated[-1] != option:
            repeated.append(option)
        repeated.append(arg)
        is_open = is_open or arg == option
    return repeated


class WebAddress(click.ParamType[str]):
    """The address of a web server."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address."""
        text = str(value)
        if not text.isprintable() or " " in text or not _is_root_of_server(text):
            self.fail(f"{text!r} is no address such as https://host or http://127.0.0.1:8080", param, ctx)
        return text


def in_data_dir(command: Callable[..., None]) -> Callable[..., None]:
    """Return *command* with the option --data-dir, which the environment may set as well."""
    option = click.option(
        "--data-dir",
        envvar="DATA_DIR",
        default="./data",
        show_default=True,
        show_envvar=True,
        metavar="DIR",
        help="Folder of the candle store.",
    )
    return option(command)
