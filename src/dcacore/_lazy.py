"""Names that a package offers and loads when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return a `__getattr__` and a `__dir__` for *package*, which offers the names of *homes*.

    Args:
        package: its full name.
        homes: by name, the module it is loaded from; a name that is that module's own means the module itself.
    """

    def load(name: str) -> object:
        home = homes.get(name)
        if home is None:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        module = importlib.import_module(home)
        return module if home == f"{package}.{name}" else getattr(module, name)

    return load, lambda: sorted(homes)
