"""Files appear whole or not at all, and what a killed process left is cleared away."""

import errno
import io
import os
from pathlib import Path

import pytest
import torch

from opir.cli.jobs import written_to
from opir.errors import ImageError, printable
from opir.files import prepare_folders, written_whole
from opir.photo import load_photo, save_photo

ABANDONED = f".photo.png.{'a' * 32}.part"


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"old")
    with written_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    with pytest.raises(TypeError, match="bytes-like"), written_whole(path) as file:
        file.write("text")  # type: ignore[arg-type]
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"new"]


@pytest.mark.parametrize("name", ["x" * 255, "🌧" * 63, "日" * 85])
def test_the_longest_names_can_be_written(name: str, tmp_path: Path) -> None:
    with written_whole(tmp_path / name) as file:
        file.write(b"photo")
    assert (tmp_path / name).read_bytes() == b"photo"


def test_what_nobody_writes_any_more_is_removed(tmp_path: Path) -> None:
    kept = ["photo.png", ".photo.part", f".photo.{'a' * 31}.part", "film.part"]
    for name in [*kept, ABANDONED]:
        (tmp_path / name).touch()
    with written_whole(tmp_path / "other.png"):
        prepare_folders([tmp_path])
        assert len(list(tmp_path.iterdir())) == len(kept) + 1, "one is being written"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "other.png"])


def test_folders_are_made_and_told_where_they_can_not_be(tmp_path: Path) -> None:
    prepare_folders([tmp_path / "a" / "b", tmp_path / "a"])
    assert (tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match=r"can not be written \(.*\); choose a folder, not a place below a file"):
        prepare_folders([tmp_path / "file" / "out"])


def test_a_log_whose_last_line_was_cut_off_goes_on_in_a_new_one(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"input": "a.p')
    assert list(written_to(log, [{"input": "b.png"}, {"input": "c.png"}])) == [{"input": "b.png"}, {"input": "c.png"}]
    assert log.read_text().splitlines() == ['{"input": "a.p', '{"input": "b.png"}', '{"input": "c.png"}']


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("street 1.png: 日本 🌧", "street 1.png: 日本 🌧"),
        ("two\nlines  here", "two lines here"),
        ("\x1b[31mred\a", "\\x1b[31mred\\x07"),
        ("gnp.\u202eexe", "gnp.\\u202eexe"),
        ("lone\udc80", "lone\\udc80"),
    ],
)
def test_texts_are_shown_without_what_acts_on_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert str(ImageError(text)) == shown


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "free some space or choose another disk"),
        (errno.EDQUOT, "free some space or choose another disk"),
        (errno.EROFS, "choose a folder that you may write to"),
        (errno.EACCES, "choose a folder that you may write to"),
        (errno.ENOTDIR, "choose a folder, not a place below a file"),
        (errno.EIO, "check the folder"),
    ],
)
def test_what_a_disk_refuses_names_its_cure_and_leaves_nothing(number: int, cure: str, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"old")

    def write() -> None:
        with written_whole(tmp_path / "photo.png") as file:
            file.write(b"half a ph")
            raise OSError(number, os.strerror(number))

    with pytest.raises(ImageError, match=cure):
        write()
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"old"]


class FullDisk(io.FileIO):
    """A file on a disk that takes nothing more."""

    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
def test_a_disk_that_is_full_is_told_from_a_picture_that_can_not_be_encoded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opir.files.open", FullDisk, raising=False)
    with pytest.raises(ImageError, match="free some space or choose another disk"):
        save_photo(load_photo(torch.rand(3, 40, 60)), tmp_path / name)
    assert not list(tmp_path.iterdir())
