"""The file behind an exchange: whole lines only, one holder, and where it lies it stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dcacore.local_exchange.driving.journal import Entry, Journal, JournalInUse

ONE = Entry("2024-01-01T00:00:00+00:00", "kept", {"a": "1"})
TWO = Entry("2024-01-01T00:00:01+00:00", "kept", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def entries(file: Path) -> list[Entry]:
    journal = Journal(file)
    found = list(journal.replay())
    journal.close()
    return found


def test_a_line_that_was_not_written_whole_is_cut_off_and_the_next_one_stands_in_its_place(file: Path) -> None:
    journal = Journal(file)
    assert list(journal.replay()) == []
    journal.append(ONE)
    journal.close()
    with file.open("ab") as torn:
        torn.write(b'{"at": "2024')
    journal = Journal(file)
    assert list(journal.replay()) == [ONE]
    journal.append(TWO)
    journal.close()
    assert entries(file) == [ONE, TWO]


def test_a_journal_has_one_holder_also_after_it_was_written_anew(file: Path) -> None:
    journal = Journal(file)
    with pytest.raises(JournalInUse):
        Journal(file)
    journal.rewrite([ONE])
    with pytest.raises(JournalInUse):
        Journal(file)
    journal.close()
    journal.close()
    assert entries(file) == [ONE]


def test_f70_without_room_nothing_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(file)
    assert list(journal.replay()) == []
    journal.append(ONE)
    write = os.pwrite

    def half(handle: int, data: bytes, offset: int) -> int:
        if offset > journal.size:
            raise OSError(errno.ENOSPC, "no space left on device")
        return write(handle, data[:5], offset)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="no space"):
        journal.append(TWO)
    monkeypatch.undo()
    assert entries_beside(file) == [ONE]
    journal.append(TWO)
    journal.close()
    assert entries(file) == [ONE, TWO]


def entries_beside(file: Path) -> list[Entry]:
    """Return what another process would find, though this one holds the file."""
    copy = file.with_name("copy")
    copy.write_bytes(file.read_bytes())
    return entries(copy)


def test_a_link_to_a_journal_stays_a_link(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    journal = Journal(link)
    journal.rewrite([ONE])
    journal.close()
    assert link.is_symlink()
    assert entries(file) == [ONE]
