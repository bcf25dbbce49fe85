"""A file that is replaced is whole, private where it was asked for, and alone in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.disk import replace


def test_replace__where_the_folder_is_none__leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        replace(tmp_path / "no folder" / "file", b"new")
    assert list(tmp_path.iterdir()) == []


def test_replace__of_a_file_and_of_what_a_cut_off_write_left__is_the_new_content_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    (tmp_path / ".file.new").write_bytes(b"half")
    replace(file, b"new", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)
