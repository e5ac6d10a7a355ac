"""Files for spreadsheets go out in pieces that are worth sending."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dcaweb.pages.exports import pieces


@pytest.mark.parametrize("count", [0, 1, 500])
async def test_nothing_is_lost_between_pieces(count: int) -> None:
    lines = [f"{number},{'x' * 70}\r\n" for number in range(count)]

    async def source() -> AsyncIterator[str]:
        for line in lines:
            yield line

    found = [it async for it in pieces(source())]
    assert "".join(found) == "".join(lines)
    assert len(found) <= 1 + len("".join(lines)) // 2**13
