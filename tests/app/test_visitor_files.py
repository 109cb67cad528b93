"""Visitors' files: bounded, short-lived, and gone at the end."""

import os
import time
from pathlib import Path

import pytest

from app.results import new_folder
from app.visitor_files import PREFIX, VisitorFiles, remove_older


def test_files_die_by_themselves_and_the_pages_own_stay(tmp_path: Path) -> None:
    files = VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=0.4)
    upload = files.folder / "0a1b" / "photo.jpg"
    own = files.folder / "2c3d" / "example.jpg"
    broken_off = files.folder / "tmp12345"
    for path in (upload, own, broken_off):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"pixels")
    os.utime(upload, (0, 2e9))  # what a photo says about its own time does not matter
    files.keep = {str(own)}
    files.start_sweeping()
    until = time.monotonic() + 20
    while (upload.exists() or broken_off.exists() or upload.parent.exists()) and time.monotonic() < until:
        time.sleep(0.02)
    assert [path for path in files.folder.rglob("*") if path.is_file()] == [own]
    assert not upload.parent.exists()
    files.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_never_older_than_its_lifetime_when_it_goes(tmp_path: Path) -> None:
    files = VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=3600)
    path = files.folder / "0a1b" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(b"pixels")
    assert files.sweep() == 0
    assert remove_older(files.folder, seconds=-1) == 1


def test_room_is_bounded_and_counts_every_file(tmp_path: Path) -> None:
    files = VisitorFiles(str(tmp_path), max_bytes=1000, lifetime_seconds=60)
    assert files.has_room(1000)
    (files.folder / "a").write_bytes(b"x" * 600)
    assert files.used_bytes() == 600
    assert files.has_room(400)
    assert not files.has_room(401)


def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = tmp_path / f"{PREFIX}killed" / "visitors" / "0a1b"
    killed.mkdir(parents=True)
    (killed / "photo.jpg").write_bytes(b"pixels")
    foreign = tmp_path / "holiday"
    foreign.mkdir()
    (foreign / "photo.jpg").write_bytes(b"pixels")
    real = time.time
    VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=60).remove()
    assert (killed / "photo.jpg").exists(), "a server that still runs keeps its visitors' files"
    monkeypatch.setattr("app.visitor_files.time.time", lambda: real() + 3600)
    VisitorFiles(str(tmp_path), 1e6, lifetime_seconds=60).remove()
    assert [path.name for path in tmp_path.iterdir()] == ["holiday"]


def test_nobody_can_guess_where_a_result_lies() -> None:
    folders = {new_folder() for _ in range(20)}
    assert len(folders) == 20
    assert all(len(folder.name) == 32 and folder.stat().st_mode & 0o077 == 0 for folder in folders)
