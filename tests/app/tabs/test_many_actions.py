"""A batch: a status for every photo, files of all that is done, and cancelling."""

import csv
import zipfile
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.look import words
from app.tabs.clean_actions import Actions
from app.tabs.many_actions import ManyPhotos, add_folder
from opir.inference.restorer import Restorer
from opir.tasks import AUTO


@pytest.fixture
def many(actions: Actions) -> ManyPhotos:
    return ManyPhotos(actions.runner, actions.visitors)


@pytest.fixture
def several(photos: Path, not_a_photo: Path) -> list[str]:
    return [str(photos / "street 0.png"), str(not_a_photo), str(photos / "street 1.png")]


def read_list(update: dict) -> list[dict]:
    with open(update["value"], newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_bad_photo_is_told_and_skipped(many: ManyPhotos, several: list[str], restorer: Restorer, tmp_path) -> None:
    *steps, (table, gallery, archive, listed) = many.restore_all(several, AUTO)
    assert len(steps) == 3
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
    with zipfile.ZipFile(archive["value"]) as written:
        assert written.namelist() == ["street 0_opir.png", "street 1_opir.png", "opir.csv"]
        written.extractall(tmp_path)
    result.save(tmp_path / "expected.png")
    got, expected = (np.asarray(Image.open(tmp_path / name)) for name in ("street 0_opir.png", "expected.png"))
    np.testing.assert_array_equal(got, expected)


def test_photos_of_one_name_do_not_overwrite_each_other(many: ManyPhotos, photo: Path, tmp_path: Path) -> None:
    other = tmp_path / photo.name
    Image.new("RGB", (30, 20), "teal").save(other)
    *_, (_, _, archive, _) = many.restore_all([str(photo), str(other)], AUTO, words.FAST)
    with zipfile.ZipFile(archive["value"]) as written:
        assert written.namelist()[:2] == ["street 0_opir.png", "street 0_opir-2.png"]


def test_a_cancelled_batch_keeps_what_is_done(many: ManyPhotos, several: list[str]) -> None:
    many.begin()
    steps = many.restore_all([several[0], several[2], several[0]], AUTO)
    next(steps)
    next(steps)  # the first photo is done, the second about to start
    many.cancel()
    *_, (table, gallery, archive, listed) = steps
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
    *_, (table, gallery, archive, listed) = steps
    assert words.BROKEN_OFF in table
    assert len(gallery) == 1
    assert [row["status"] for row in read_list(listed)] == [words.DONE, words.FAILED]
    assert zipfile.ZipFile(archive["value"]).namelist() == ["street 0_opir.png", "opir.csv"]


def test_a_folder_adds_its_photos_and_leaves_the_rest(tmp_path: Path) -> None:
    chosen = [str(tmp_path / name) for name in ("b.JPG", "notes.txt", "a.heic", "c.avif", ".DS_Store")]
    named = [Path(path).name for path in add_folder([str(tmp_path / "z.png")], chosen)]
    assert named == ["z.png", "a.heic", "b.JPG", "c.avif"]
    with pytest.raises(gr.Error, match="no photos in that folder"):
        add_folder(None, [str(tmp_path / "notes.txt")])


def test_what_nobody_expected_skips_one_photo_too(
    many: ManyPhotos, several: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(many.runner, "restore", fail)
    *_, (table, _, archive, _) = many.restore_all(several, AUTO)
    assert table.count(words.UNEXPECTED) == 3
    assert archive["interactive"] is False


def test_without_photos_a_line_says_what_to_do(many: ManyPhotos) -> None:
    with pytest.raises(gr.Error, match=words.NO_PHOTOS):
        next(many.restore_all(None, AUTO))


def test_names_that_a_spreadsheet_would_run_are_quoted(many: ManyPhotos, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "=1+1.png").write_bytes(photo.read_bytes())
    *_, (_, _, _, listed) = many.restore_all([str(tmp_path / "=1+1.png")], AUTO)
    assert read_list(listed)[0]["name"] == "'=1+1.png"
