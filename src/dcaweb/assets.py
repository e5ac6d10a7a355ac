"""The files of the front end, which the package's build has made: their names bear a hash of what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from dcacore.domain.errors import DcaError

FOLDER: Final = Path(__file__).parent / "static"
URL: Final = "/static"


class AssetsMissing(DcaError):
    """The front end has not been built, so no page could be shown as it should be."""

    def __init__(self) -> None:
        super().__init__(
            "the front end has not been built: install the package again (`make setup` or `pip install .`)"
        )


@attrs.frozen
class Assets:
    """What was built.

    Attributes:
        names: by the plain name (app.js) the one with the hash.
    """

    names: Mapping[str, str]

    def url(self, name: str) -> str:
        """Return where a file is served.

        Raises:
            KeyError: there is none of that name; a template is wrong.
        """
        return f"{URL}/{self.names[name]}"


def built(folder: Path = FOLDER) -> Assets:
    """Return what the build has left in *folder*.

    Raises:
        AssetsMissing: there is nothing, or nothing whole.
    """
    try:
        names = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise AssetsMissing from None
    if not isinstance(names, dict) or not all((folder / str(name)).is_file() for name in names.values()):
        raise AssetsMissing
    return Assets(names)
