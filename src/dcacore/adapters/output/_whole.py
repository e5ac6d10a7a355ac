"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from dcacore.ports.errors import BadFile


def refuse_unwritable(path: Path) -> None:
    """Refuse what cannot be written to *path*, before time is spent on making it.

    Raises:
        BadFile: its folder is missing or may not be written to, or a folder or a device has that name.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise BadFile(str(path), "cannot be written: it is no regular file")
    if path.is_dir():
        raise BadFile(str(path), "cannot be written: it is a folder")
    if not path.parent.is_dir():
        raise BadFile(str(path), f"cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise BadFile(str(path), f"cannot be written: the folder {path.parent} may not be written to")


def refuse_unwritable_folder(folder: Path) -> None:
    """Refuse a folder that no file can be written into, and that cannot be made.

    Raises:
        BadFile: it is a file, or may not be written to, or the folder around it is missing.
    """
    if folder.is_dir():
        refuse_unwritable(folder / "file")
    elif folder.exists():
        raise BadFile(str(folder), "cannot be written into: it is not a folder")
    else:
        refuse_unwritable(folder)


def write_whole(files: Mapping[Path, bytes]) -> None:
    """Write *files* so that a reader, now or after a crash, sees each as it was or as it should be.

    The folder of a file is made when it is missing. No file takes its place before all have been written; whatever
    goes wrong, Ctrl-C too, leaves no other file behind.

    Raises:
        BadFile: the disk refused one of them.
    """
    parts: dict[Path, Path] = {}
    made: list[Path] = []
    current = Path()
    try:
        for current, data in files.items():
            if not current.parent.exists():
                current.parent.mkdir()
                made.append(current.parent)
            refuse_unwritable(current)
            _write_part(current, data, parts)
        for current in files:
            parts[current].replace(current.resolve())
            del parts[current]
    except OSError as exc:
        raise BadFile(str(current), f"cannot be written: {exc.strerror or exc}") from exc
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()


def _write_part(path: Path, data: bytes, parts: dict[Path, Path]) -> None:
    """Write beside the file itself, which may be elsewhere than its name when that is a link."""
    place = path.resolve()
    part = place.with_name(f".{place.name[:100]}.{os.getpid()}.part")
    parts[path] = part
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    if place.exists():
        shutil.copymode(place, part)
