from __future__ import annotations

import pytest

from tests.unit.identity.hall import Hall


@pytest.fixture
def hall() -> Hall:
    return Hall()
