"""Files are written whole or not at all, and spreadsheets find no formulas in them."""

from __future__ import annotations

import csv
import io
import os
from decimal import Decimal
from pathlib import Path

import pytest

from dcacore.adapters.output import csv_bytes, refuse_unwritable, refuse_unwritable_folder, write_whole
from dcacore.ports.errors import BadFile


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def test_cells_come_back() -> None:
    data = csv_bytes(["a", "b"], [[1, Decimal("-1.50")], [None, 'x,"y"\nz'], [Decimal("1E-8"), "ü"]])
    assert read(data) == [["a", "b"], ["1", "-1.5"], ["", 'x,"y"\nz'], ["0.00000001", "ü"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u00a0-", " \t@", "\uff1d", " \uff0b"])
def test_a_text_is_never_a_formula(start: str) -> None:
    assert read(csv_bytes(["a"], [[f"{start}1+1"]])) == [["a"], [f"'{start}1+1"]]


def test_files_take_their_places(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"old")
    write_whole({tmp_path / "one": b"1", tmp_path / "new" / "two": b"2"})
    assert (tmp_path / "one").read_bytes() == b"1"
    assert (tmp_path / "new" / "two").read_bytes() == b"2"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["new", "one", "two"]


def test_all_files_or_none(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"old")
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(BadFile, match=r"taken.two: cannot be written: "):
        write_whole({tmp_path / "one": b"1", tmp_path / "new" / "x": b"", tmp_path / "taken" / "two": b"2"})
    assert (tmp_path / "one").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["one", "taken"]


def test_what_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    refuse_unwritable(tmp_path / "report.html")
    refuse_unwritable(tmp_path / "file")
    refuse_unwritable_folder(tmp_path)
    refuse_unwritable_folder(tmp_path / "new")
    with pytest.raises(BadFile, match="it is a folder"):
        refuse_unwritable(tmp_path)
    with pytest.raises(BadFile, match="there is no folder"):
        refuse_unwritable(tmp_path / "missing" / "report.html")
    with pytest.raises(BadFile, match="it is not a folder"):
        refuse_unwritable_folder(tmp_path / "file")
    with pytest.raises(BadFile, match="there is no folder"):
        refuse_unwritable_folder(tmp_path / "missing" / "new")


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BadFile, match="it is no regular file"):
        refuse_unwritable(pipe)
    with pytest.raises(BadFile, match="it is no regular file"):
        write_whole({pipe: b"x"})
    assert pipe.is_fifo()


def test_a_link_stays_one_and_a_file_keeps_its_rights(tmp_path: Path) -> None:
    private, link = tmp_path / "private", tmp_path / "link"
    private.write_bytes(b"old")
    private.chmod(0o600)
    link.symlink_to(private)
    write_whole({link: b"new"})
    assert link.is_symlink()
    assert private.read_bytes() == b"new"
    assert private.stat().st_mode & 0o777 == 0o600
