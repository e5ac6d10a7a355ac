"""Times, durations and lists of files, as they are typed."""

from __future__ import annotations

import click
import pytest

from dcacli.params import Duration, UtcTime, WebAddress, repeat_option

DAY_MS = 86_400_000
APRIL = 1_617_321_600_000  # 2021-04-02


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2021-04", APRIL - DAY_MS, APRIL + 29 * DAY_MS),
        ("2020-12", APRIL - 122 * DAY_MS, APRIL - 91 * DAY_MS),
        ("2021-04-02", APRIL, APRIL + DAY_MS),
        ("2021-04-02T00:00", APRIL, APRIL),
        ("2021-04-02 10:15", APRIL + 36_900_000, APRIL + 36_900_000),
        ("2021-04-02T10:15:01.5Z", APRIL + 36_901_500, APRIL + 36_901_500),
        ("2021-04-02T02:00+02:00", APRIL, APRIL),
    ],
)
def test_months_and_days_end_with_their_last_moment_and_a_time_with_itself(text: str, begins: int, ends: int) -> None:
    assert UtcTime(is_end=False).convert(text, None, None) == begins
    assert UtcTime(is_end=True).convert(text, None, None) == ends


@pytest.mark.parametrize("text", ["", "x", "2021-13", "2021-13-01", "2021-02-29", "２０２１-04-02", "1617321600000"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time such as 2021-04, 2021-04-02 or 2021-04-02T10:15"):
        UtcTime(is_end=True).convert(text, None, None)


def test_the_end_of_the_calendar_has_no_day_after_it() -> None:
    with pytest.raises(click.BadParameter, match="is too far away"):
        UtcTime(is_end=True).convert("9999-12-31", None, None)
    with pytest.raises(click.BadParameter, match="is too far away"):
        UtcTime(is_end=True).convert("9999-12", None, None)


@pytest.mark.parametrize(
    ("text", "length"), [("0", 0), ("90m", 5_400_000), ("6h", 21_600_000), ("1d", DAY_MS), ("30s", 30_000)]
)
def test_durations(text: str, length: int) -> None:
    assert Duration().convert(text, None, None) == length


@pytest.mark.parametrize("text", ["", "d", "1", "-1d", "1.5d", "1 d", "1w", "０", "0d", "1d\n"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no duration such as 90m, 6h or 1d, nor 0"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("bot.toml --data a", "bot.toml --data a"),
        ("bot.toml --data a b c", "bot.toml --data a --data b --data c"),
        ("bot.toml --data a b --json", "bot.toml --data a --data b --json"),
        ("bot.toml --data a --data b c", "bot.toml --data a --data b --data c"),
        ("--data a b bot.toml", "--data a --data b bot.toml"),
        ("--data a bot.toml b", "--data a bot.toml b"),
        ("bot.toml --data a b --deals 3", "bot.toml --data a --data b --deals 3"),
        ("bot.toml --data=a b", "bot.toml --data=a b"),
        ("bot.toml --data a -- b c", "bot.toml --data a -- b c"),
        ("bot.toml --data --json", "bot.toml --data --json"),
        ("", ""),
    ],
)
def test_an_option_takes_all_that_follow(typed: str, read: str) -> None:
    assert repeat_option("--data", typed.split()) == read.split()


@pytest.mark.parametrize("text", ["https://data.example", "http://127.0.0.1:8080/below/", "http://[::1]:80"])
def test_the_address_of_a_server(text: str) -> None:
    assert WebAddress().convert(text, None, None) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "data.example", "ftp://x", "http://", "http://[", "http://x y", "http://x\n", "http://x?y"),
        *("http://x#y", "http://x:y", "http://x:0", "http://x:99999", "http://user:password@x"),
    ],
)
def test_what_is_no_address_of_a_server(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no address such as https://host"):
        WebAddress().convert(text, None, None)
