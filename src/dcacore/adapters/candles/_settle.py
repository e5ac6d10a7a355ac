"""How a save of many months happens whole or not at all, wherever it is interrupted.

1. Each month that changes is written to a name in waiting: `.BTCUSDT-1m-2021-04.parquet.next`.
2. The new manifest is written likewise, and renamed into its place. With that the save has happened.
3. The months are renamed into theirs.

The manifest has the checksum of every month, so what an interruption left behind tells by itself what to do with it:
a waiting month with the checksum that the manifest gives is renamed into its place (the save had happened), and any
other is removed (it had not). That is `settle`. It is step 3, and it comes before everything else that uses a shelf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from dcacore.adapters.candles._files import Disk, alone, written
from dcacore.adapters.candles._manifest import NAME, Month, manifest_bytes, read_manifest
from dcacore.adapters.candles._shelf import Shelf
from dcacore.ports.errors import BadFile


def change(shelf: Shelf, disk: Disk, months: Mapping[str, bytes], entries: Mapping[str, Month]) -> None:
    """Let *shelf* hold *months*, files by name, and a manifest of *entries*: both or, when interrupted, neither.

    Whoever calls it is `alone` with the shelf.

    Raises:
        BadFile: the disk refused it.
    """
    manifest = shelf.folder / NAME
    try:
        with written(shelf.folder):
            for month, data in months.items():
                disk.write(shelf.waiting(month), data)
            disk.write(shelf.waiting_manifest, manifest_bytes(shelf.pair, shelf.interval, entries))
            disk.sync(shelf.folder)  # a power cut must not keep the manifest and lose the months
            disk.rename(shelf.waiting_manifest, manifest)
            disk.sync(shelf.folder)
    finally:
        settle(shelf, disk)


def settle(shelf: Shelf, disk: Disk) -> None:
    """Finish a save of *shelf* that has happened, undo one that has not.

    Whoever calls it is `alone` with the shelf.

    Raises:
        BadFile: the disk refused it.
    """
    happened = _happened(shelf)
    with written(shelf.folder):
        for month in shelf.months_waiting():
            if month in happened:
                disk.rename(shelf.waiting(month), shelf.path(month))
            else:
                disk.remove(shelf.waiting(month))
        disk.remove(shelf.waiting_manifest)
        if happened:
            disk.sync(shelf.folder)


def settle_to_read(shelf: Shelf, disk: Disk) -> None:
    """Finish a save of *shelf* that has happened. A save under way, before its manifest, is left in peace.

    Raises:
        BadFile: the disk refused it.
    """
    if _happened(shelf):
        with alone(shelf.folder):
            settle(shelf, disk)


def _happened(shelf: Shelf) -> frozenset[str]:
    waiting = shelf.months_waiting()
    if not waiting:
        return frozenset()
    try:
        manifest = read_manifest(shelf.folder)
    except BadFile:
        return frozenset()
    return frozenset(
        month for month in waiting if month in manifest and _sha256(shelf, month) == manifest[month].sha256
    )


def _sha256(shelf: Shelf, month: str) -> str:
    try:
        return hashlib.sha256(shelf.waiting(month).read_bytes()).hexdigest()
    except OSError:  # whoever saves has just renamed it
        return ""
