"""The reference pages have every command, option, key and known pair."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import click
import pytest

import dcacore
from dcacli.main import COMMANDS, main
from dcacore.adapters.known_markets import known_markets
from dcacore.domain.market import Fees, Market
from dcacore.domain.strategy import Strategy

BOT_FILE = Path("docs/reference/bot-file.md").read_text(encoding="utf-8")
LIBRARY = Path("docs/reference/library.md").read_text(encoding="utf-8")
COMMAND_LINE = Path("docs/reference/command-line.md").read_text(encoding="utf-8")


def below(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for part in command.commands.values():
            yield from below(part, f"{name} {part.name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    section = COMMAND_LINE.split(f"## `dca {name}`")[1].split("\n## ")[0]
    for path, part in below(command, name):
        assert f"dca {path}" in COMMAND_LINE
        options = [option.opts[0] for option in part.params if isinstance(option, click.Option)]
        assert [option for option in options if f"`{option}" not in section] == []


@pytest.mark.parametrize("kind", [Strategy, Market, Fees])
def test_every_key(kind: type[attrs.AttrsInstance]) -> None:
    assert all(f"| `{field.name}` |" in BOT_FILE for field in attrs.fields(kind))


def test_every_known_pair() -> None:
    listed = BOT_FILE.split("Known pairs: ")[1].split(".")[0].split(",")
    assert [pair.strip() for pair in listed] == sorted(known_markets())


@pytest.mark.parametrize("name", dcacore.__all__)
def test_every_name_of_the_library_is_used_in_an_example(name: str) -> None:
    examples = "".join(re.findall(r"```python\n(.*?)```", LIBRARY, re.DOTALL))
    assert re.search(rf"\b{name}\b", examples)
