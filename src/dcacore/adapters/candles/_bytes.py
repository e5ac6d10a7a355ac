"""From a path to the bytes inside: plain, out of gzip, out of a zip with one member."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import IO, Final

import attrs

from dcacore.ports.errors import BadFile

_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_GZIP: Final = b"\x1f\x8b"
_ENCRYPTED: Final = 1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_MOST_WRAPPINGS: Final = 3
_CHUNK: Final = 1 << 20
MOST_BYTES: Final = 2 << 30
"""What a file may hold, packed or unpacked: as text, twenty years of minutes with twelve fields are 1.3 GiB."""


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


def file_bytes(file: str, most: int = MOST_BYTES) -> bytes:
    """Return all bytes of *file*.

    Raises:
        BadFile: it is missing, a directory, empty, may not be read or has more than *most* bytes.
    """
    path = Path(file)
    try:
        with path.open("rb") as opened:
            data = _at_most(file, opened, most)
    except FileNotFoundError as exc:
        raise BadFile(file, "there is no such file") from exc
    except IsADirectoryError as exc:
        raise BadFile(file, "is a directory, not a file") from exc
    except (OSError, ValueError) as exc:
        raise BadFile(file, f"cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
    if not data:
        raise BadFile(file, "is empty")
    return data


def unpack(file: str, data: bytes, most: int = MOST_BYTES) -> Content:
    """Return the content of *data*, out of its gzip or zip wrapping if it has one.

    Raises:
        BadFile: the wrapping is damaged, a zip does not hold exactly one file, or more than *most* bytes come out.
    """
    member = Path(file).name
    for _ in range(_MOST_WRAPPINGS):
        if data.startswith(_GZIP):
            data = _gunzip(file, data, most)
            member = member.removesuffix(".gz")
        elif data.startswith((_ZIP, _EMPTY_ZIP)):
            member, data = _unzip(file, data, most)
        else:
            break
    if not data.strip():
        raise BadFile(file, "holds nothing")
    return Content(file=file, member=member, data=data)


class TooMuch(BadFile):
    """A file holds more than is taken."""


def too_much(file: str, most: int = MOST_BYTES) -> TooMuch:
    """Return the error that says that *file* holds more than *most* bytes."""
    return TooMuch(file, f"holds more than {most / (1 << 30):g} GiB: hand it in in pieces")


def _at_most(file: str, opened: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    taken = io.BytesIO()
    while chunk := opened.read(_CHUNK):
        if taken.tell() + len(chunk) > most:
            raise too_much(file, most)
        taken.write(chunk)
    return taken.getvalue()


def _gunzip(file: str, data: bytes, most: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as opened:
            return _at_most(file, opened, most)
    except (OSError, EOFError, zlib.error) as exc:
        raise BadFile(file, "is damaged or cut short (gzip)") from exc


def _unzip(file: str, data: bytes, most: int) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if not info.filename.endswith("/")]
            if len(members) != 1:
                raise BadFile(file, f"the zip must hold one file and holds {len(members)}")
            if members[0].flag_bits & _ENCRYPTED:
                raise BadFile(file, "is encrypted (zip)")
            if members[0].compress_type not in _METHODS:
                raise BadFile(file, "is not packed with deflate (zip)")
            with archive.open(members[0]) as opened:
                return members[0].filename, _at_most(file, opened, most)
    except (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, ValueError, OSError) as exc:
        raise BadFile(file, "is damaged or cut short (zip)") from exc
