"""Where the dashboard cannot listen, it says so in a sentence."""

from __future__ import annotations

import pytest

from dcaweb.serving import CannotListen, listening


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..b", "192.0.2.1"])
def test_a_host_that_is_none_of_ours_is_told(host: str) -> None:
    with pytest.raises(CannotListen, match=r"^cannot listen on "), listening(host, 0):
        pass


def test_a_port_that_is_taken_is_told() -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as told, listening("127.0.0.1", port):
            pass
    assert (told.value.host, told.value.port) == ("127.0.0.1", port)
