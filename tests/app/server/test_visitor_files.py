"""Visitors' files: bounded, short-lived, and gone at the end."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.running.results import new_folder
from app.server import visitor_files
from app.server.visitor_files import LEAST_BYTES, PREFIX, SWEEPS_PER_LIFETIME, VisitorFiles
from tests.app.server.raw import API, Raw, named, png


def test_files_die_by_themselves_and_the_pages_own_stay(tmp_path: Path) -> None:
    files = VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=0.4)
    upload = files.folder / "0a1b" / "photo.jpg"
    own = files.folder / "2c3d" / "example.jpg"
    broken_off = files.folder / "tmp12345"
    for path in (upload, own, broken_off):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"pixels")
    os.utime(upload, (0, 2e9))  # what a photo says about its own time does not matter
    files.page_files = {str(own)}
    files.start_sweeping()
    until = time.monotonic() + 20
    while (upload.exists() or broken_off.exists() or upload.parent.exists()) and time.monotonic() < until:
        time.sleep(0.02)
    assert [path for path in files.folder.rglob("*") if path.is_file()] == [own]
    assert not upload.parent.exists()
    files.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("written", [0, 1, 60, 179])
def test_no_file_gets_older_than_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    """However long after a sweep it was written, in seconds."""
    files = VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=3600)
    path = files.folder / "0a1b" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(b"pixels")
    sweeps = range(3600 // SWEEPS_PER_LIFETIME, 3601, 3600 // SWEEPS_PER_LIFETIME)
    for number, at in enumerate(sweeps):
        pass_time(monkeypatch, at - written)
        files.sweep()
        assert path.exists() or number > 10, "a visitor has time to fetch a result"
        if not path.exists():
            return
    raise AssertionError("the file is still there")


def test_an_upload_and_its_result_are_all_the_files_of_a_restoration(page_url: str, uploads: VisitorFiles) -> None:
    raw = Raw(page_url)
    there = set(uploads.folder.rglob("*"))
    path = raw.uploaded("street.png", png(90, 60, "navy"))
    message = raw.restore(path, orig_name="street.png")
    made = {file for file in uploads.folder.rglob("*") if file.is_file()} - there
    assert {str(file) for file in made} == {path, message["output"]["data"][0]["path"]}
    again = raw.uploaded("street.png", png(90, 60, "navy"))
    assert again == path


def test_of_a_visit_nothing_is_left_after_an_hour(
    page_url: str, uploads: VisitorFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads, results and what is shown of them, through the server; the page's own files stay."""
    raw = Raw(page_url)
    path = raw.uploaded("street.png", png(90, 60, "olive"))
    message = raw.restore(path, orig_name="street.png")
    result = message["output"]["data"][0]["path"]
    assert Path(path).is_file()
    assert Path(result).is_file()
    pass_time(monkeypatch, 3600)
    assert uploads.sweep() >= 2
    assert {str(left) for left in uploads.folder.rglob("*") if left.is_file()} <= set(uploads.page_files)
    assert all(Path(kept).is_file() for kept in uploads.page_files)
    assert raw.join([named(path), "auto", 1.0, "auto"]).status_code == 410
    assert raw.http.get(f"{API}/file={result}").status_code in (403, 404)


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let only those who sweep believe that so much time has passed."""
    monkeypatch.setattr(visitor_files, "time", SimpleNamespace(time=lambda: time.time() + seconds))


def test_room_is_bounded_and_counts_every_file(tmp_path: Path) -> None:
    files = VisitorFiles(str(tmp_path), max_bytes=10 * LEAST_BYTES, lifetime_seconds=60)
    assert files.has_room(10 * LEAST_BYTES)
    (files.folder / "a").write_bytes(bytes(6 * LEAST_BYTES))
    assert files.used_bytes() == 6 * LEAST_BYTES
    assert files.has_room(4 * LEAST_BYTES)
    assert not files.has_room(4 * LEAST_BYTES + 1)


def test_many_empty_files_take_room_too(tmp_path: Path) -> None:
    files = VisitorFiles(str(tmp_path), max_bytes=10 * LEAST_BYTES, lifetime_seconds=60)
    for number in range(10):
        (files.folder / f"{number}").mkdir()
        (files.folder / f"{number}" / "empty.png").touch()
    assert not files.has_room(1)


def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = tmp_path / f"{PREFIX}killed" / "visitors" / "0a1b"
    killed.mkdir(parents=True)
    (killed / "photo.jpg").write_bytes(b"pixels")
    foreign = tmp_path / "holiday"
    foreign.mkdir()
    (foreign / "photo.jpg").write_bytes(b"pixels")
    VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=60).remove()
    assert (killed / "photo.jpg").exists(), "a server that still runs keeps its visitors' files"
    pass_time(monkeypatch, 3600)
    VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=60).remove()
    assert [path.name for path in tmp_path.iterdir()] == ["holiday"]


def test_nobody_can_guess_where_a_result_lies() -> None:
    folders = {new_folder() for _ in range(20)}
    assert len(folders) == 20
    assert all(len(folder.name) == 32 and folder.stat().st_mode & 0o077 == 0 for folder in folders)
