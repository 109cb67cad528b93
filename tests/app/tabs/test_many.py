"""A batch: a status for every photo, files of all that is done, and cancelling."""

import codecs
import csv
import re
import unicodedata
import zipfile
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.look import words
from app.tabs.clean_actions import Actions
from app.tabs.many import ManyPhotos, add_folder, compare
from opir.inference.restorer import Restorer
from opir.tasks import AUTO


@pytest.fixture
def many(actions: Actions) -> ManyPhotos:
    return ManyPhotos(actions.runner, actions.visitors)


@pytest.fixture
def several(photos: Path, not_a_photo: Path) -> list[str]:
    return [str(photos / "street 0.png"), str(not_a_photo), str(photos / "street 1.png")]


def read_list(update: dict) -> list[dict]:
    with open(update["value"], newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_a_bad_photo_is_told_and_skipped(many: ManyPhotos, several: list[str], restorer: Restorer, tmp_path) -> None:
    *steps, (table, gallery, archive, listed, pairs) = many.restore_all(several, AUTO)
    assert len(steps) == 3
    assert [pair is None for pair in pairs] == [False, True, False]
    assert table.count("data-row") == 2
    assert re.search(r"2 photos restored in \d+ s: .+\. 1 was not\.", table)
    assert table.count("<tr class") == 3
    assert "expected a JPEG, PNG" in table
    assert "&lt;b&gt;notes.jpg" in table
    assert [caption for _, caption in gallery] == ["street 0.png", "street 1.png"]
    rows = read_list(listed)
    assert [row["status"] for row in rows] == [words.DONE, words.FAILED, words.DONE]
    result = restorer.restore(several[0])
    assert rows[0]["task"] == result.task
    assert float(rows[0]["confidence"]) == pytest.approx(result.task_probabilities[result.task], abs=1e-3)
    assert float(rows[0]["uncertainty_p95"]) == pytest.approx(np.percentile(result.uncertainty, 95), abs=1e-3)
    assert float(rows[0]["seconds"]) >= 0
    assert 0 <= float(rows[0]["doubtful"]) <= 1
    assert Path(listed["value"]).read_bytes().startswith(codecs.BOM_UTF8), "Excel takes it for another code without"
    with zipfile.ZipFile(archive["value"]) as written:
        assert written.namelist() == ["street 0_opir.png", "street 1_opir.png", "opir.csv"]
        written.extractall(tmp_path)
    result.save(tmp_path / "expected.png")
    got, expected = (np.asarray(Image.open(tmp_path / name)) for name in ("street 0_opir.png", "expected.png"))
    np.testing.assert_array_equal(got, expected)


def test_photos_of_one_name_do_not_overwrite_each_other(many: ManyPhotos, photo: Path, tmp_path: Path) -> None:
    other = tmp_path / photo.name
    Image.new("RGB", (30, 20), "teal").save(other)
    *_, (_, _, archive, *_) = many.restore_all([str(photo), str(other)], AUTO, words.FAST)
    with zipfile.ZipFile(archive["value"]) as written:
        assert written.namelist()[:2] == ["street 0_opir.png", "street 0_opir-2.png"]


def test_names_that_some_system_takes_for_one_stay_apart(many: ManyPhotos, photo: Path, tmp_path: Path) -> None:
    names = ("Caf\u00e9.png", "cafe\u0301.png", "CAF\u00c9.PNG", "what?.png", "what|.png", "street.jpeg")
    for number, name in enumerate(names):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / name).write_bytes(photo.read_bytes())
    paths = [str(tmp_path / f"{number}" / name) for number, name in enumerate(names)]
    *_, (_, _, archive, *_) = many.restore_all(paths, AUTO, words.FAST)
    with zipfile.ZipFile(archive["value"]) as written:
        stored = written.namelist()
    assert len(stored) == len(names) + 1
    plain = {unicodedata.normalize("NFC", name).casefold() for name in stored}
    assert len(plain) == len(stored)
    assert not any(set(name) & set('<>:"/|?*') for name in stored)


def test_a_row_shows_its_own_photo_before_and_after(many: ManyPhotos, several: list[str]) -> None:
    *_, (*_, pairs) = many.restore_all(several, AUTO)
    before, after = compare(pairs, gr.EventData(None, {"row": 2}))
    assert Image.open(before).size == Image.open(after).size == (96, 72)
    shown = np.asarray(Image.open(before), dtype=float)
    assert np.abs(shown - np.asarray(Image.open(several[2]).convert("RGB"), dtype=float)).mean() < 2
    for row in ({"row": 1}, {"row": 9}, {"row": -1}, {"row": "0"}, {}, None, [0]):
        with pytest.raises(gr.Error, match=words.NO_PAIR_TO_COMPARE):
            compare(pairs, gr.EventData(None, row))
    with pytest.raises(gr.Error, match=words.NO_PAIR_TO_COMPARE):
        compare(None, gr.EventData(None, {"row": 0}))


def test_a_cancelled_batch_keeps_what_is_done(many: ManyPhotos, several: list[str]) -> None:
    many.begin(several)
    steps = many.restore_all([several[0], several[2], several[0]], AUTO)
    next(steps)
    next(steps)  # the first photo is done, the second about to start
    many.cancel()
    *_, (table, gallery, archive, listed, _) = steps
    assert words.CANCELLED_ONE in table
    assert len(gallery) == 1
    assert [row["status"] for row in read_list(listed)] == [words.DONE, words.CANCELLED_ONE, words.CANCELLED_ONE]
    assert zipfile.ZipFile(archive["value"]).namelist() == ["street 0_opir.png", "opir.csv"]


def test_a_batch_that_breaks_off_keeps_what_is_done(
    many: ManyPhotos, several: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = many.restore_all([several[0], several[2]], AUTO)
    next(steps)
    next(steps)  # the first photo is done
    monkeypatch.setattr(many, "_restore", lambda *_: 1 / 0)
    *_, (table, gallery, archive, listed, _) = steps
    assert words.BROKEN_OFF in table
    assert len(gallery) == 1
    assert [row["status"] for row in read_list(listed)] == [words.DONE, words.FAILED]
    assert zipfile.ZipFile(archive["value"]).namelist() == ["street 0_opir.png", "opir.csv"]


def test_a_folder_adds_every_photo_that_can_be_read_and_names_the_rest(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(gr, "Info", told.append)
    Image.open(photo).convert("RGB").save(tmp_path / "camera.jfif", "JPEG")
    (tmp_path / "no ending").write_bytes(photo.read_bytes())
    for name in ("b.JPG", "notes.txt", "a.heic", "c.avif", "d", "e.mov", "<f>", "g.mp3", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).write_text("something")
    chosen = [str(path) for path in tmp_path.iterdir()]
    named = [Path(path).name for path in add_folder([str(tmp_path / "z.png")], chosen)]
    assert named == ["z.png", "a.heic", "b.JPG", "c.avif", "camera.jfif", "no ending"]
    assert told == ["Left out, as they are no photos or too large to send: &lt;f&gt;, d, e.mov and 2 more."]
    with pytest.raises(gr.Error, match="no photos in that folder"):
        add_folder(None, [str(tmp_path / "notes.txt")])


def test_what_nobody_expected_skips_one_photo_too(
    many: ManyPhotos, several: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(many.runner, "restore", fail)
    *_, (table, _, archive, *_) = many.restore_all(several, AUTO)
    assert table.count(words.UNEXPECTED) == 3
    assert archive["interactive"] is False


def test_without_photos_a_line_says_what_to_do(many: ManyPhotos) -> None:
    with pytest.raises(gr.Error, match=words.NO_PHOTOS):
        many.begin(None)


def test_names_that_a_spreadsheet_would_run_are_quoted(many: ManyPhotos, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "=1+1.png").write_bytes(photo.read_bytes())
    *_, (_, _, _, listed, _) = many.restore_all([str(tmp_path / "=1+1.png")], AUTO)
    assert read_list(listed)[0]["name"] == "'=1+1.png"
