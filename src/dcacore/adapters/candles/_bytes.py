"""From a path to the bytes inside: plain, out of gzip, out of a zip with one member."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import Final

import attrs

from dcacore.ports.errors import BadFile

_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_GZIP: Final = b"\x1f\x8b"
_MOST_WRAPPINGS: Final = 3


@attrs.frozen(kw_only=True)
class Content:
    """What is inside a file.

    Attributes:
        file: the file's name as the user gave it, for messages.
        member: the name that may say what is inside: the zip member's, else the file's own.
        data: the bytes, unpacked.
    """

    file: str
    member: str
    data: bytes


def file_bytes(file: str) -> bytes:
    """Return all bytes of *file*.

    Raises:
        BadFile: it is missing, a directory, empty or may not be read.
    """
    path = Path(file)
    try:
        data = path.read_bytes()
    except FileNotFoundError as exc:
        raise BadFile(file, "there is no such file") from exc
    except IsADirectoryError as exc:
        raise BadFile(file, "is a directory, not a file") from exc
    except (OSError, ValueError) as exc:
        if path.is_dir():
            raise BadFile(file, "is a directory, not a file") from exc
        raise BadFile(file, f"cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
    if not data:
        raise BadFile(file, "is empty")
    return data


def unpack(file: str, data: bytes) -> Content:
    """Return the content of *data*, out of its gzip or zip wrapping if it has one.

    Raises:
        BadFile: the wrapping is damaged, or a zip does not hold exactly one file.
    """
    member = Path(file).name
    for _ in range(_MOST_WRAPPINGS):
        if data.startswith(_GZIP):
            data = _gunzip(file, data)
            member = member.removesuffix(".gz")
        elif data.startswith((_ZIP, _EMPTY_ZIP)):
            member, data = _unzip(file, data)
        else:
            break
    if not data.strip():
        raise BadFile(file, "holds nothing")
    return Content(file=file, member=member, data=data)


def _gunzip(file: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as exc:
        raise BadFile(file, "is damaged or cut short (gzip)") from exc


def _unzip(file: str, data: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) != 1:
                raise BadFile(file, f"the zip must hold one file and holds {len(members)}")
            return members[0].filename, archive.read(members[0])
    except (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, ValueError, OSError) as exc:
        # RuntimeError is how zipfile says that a member is encrypted.
        reason = (
            "is encrypted" if isinstance(exc, RuntimeError) and "encrypted" in str(exc) else "is damaged or cut short"
        )
        raise BadFile(file, f"{reason} (zip)") from exc
