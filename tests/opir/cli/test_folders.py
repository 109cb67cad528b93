"""Folders as people have them: side files, clashes, earlier results, dots in names, links, no endings."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from opir.cli.commands import main
from opir.cli.jobs import plan_jobs
from opir.inference import Restorer
from opir.photo import find_photos, load_photo, looks_like_photo


def photo(path: Path, seed: int = 0, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 28, 3), dtype=np.uint8))
    picture.save(path, **({"format": "JPEG"} | options))
    return path


def run(*arguments: object, checkpoint: Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(part) for part in ("restore", *arguments, "--checkpoint", checkpoint, "--device", "cpu")])
    return int(caught.value.code or 0)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


SIDE = ("._a.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", "@eaDir/a.jpg", ".thumbnails/1.jpg", "__MACOSX/a.jpg")


def test_what_systems_put_beside_photos_is_passed_over_in_silence(checkpoint: Path, tmp_path: Path, capsys) -> None:
    photo(tmp_path / "in" / "a.jpg")
    for name in SIDE:
        photo(tmp_path / "in" / name)
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--recursive", checkpoint=checkpoint) == 0
    assert names(tmp_path / "out") == ["a.jpg"]
    assert capsys.readouterr().err == ""


def test_everything_else_that_is_left_out_is_counted_and_told(checkpoint: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "in"
    photo(folder / "a.jpg")
    photo(folder / "below" / "b.jpg")
    for name in ("a.xmp", "b.xmp", "film.mp4", "raw.nef", "notes"):
        (folder / name).write_bytes(b"something")
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    (folder / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")
    assert run(folder, "-o", tmp_path / "out", checkpoint=checkpoint) == 0
    told = capsys.readouterr().err
    for part in (
        ".xmp files: 2 (a.xmp, b.xmp)",
        ".mp4 files: 1 (film.mp4)",
        "camera raw files: 1 (raw.nef)",
        "files that are no photos: 1 (notes)",
        "folders below, for --recursive: 1 (below)",
        "linked folders: 1 (linked)",
        "links to nothing: 1 (dangling.jpg)",
        "things that are no files: 1 (pipe.jpg)",
    ):
        assert part in told
    assert told.count("\n") == 8  # a line each
    assert run(folder, "-o", tmp_path / "out2", "--recursive", checkpoint=checkpoint) == 0
    assert names(tmp_path / "out2") == ["a.jpg", "below/b.jpg"]


def test_a_clash_stops_those_two_and_not_the_run(checkpoint: Path, tmp_path: Path, capsys) -> None:
    for name in ("a.jpg", "a.jpeg", "b.jpg"):
        photo(tmp_path / "in" / name)
    out = tmp_path / "out"
    assert run(tmp_path / "in", "-o", out, "--format", "png", "--json", checkpoint=checkpoint) == 2
    assert names(out) == ["b.png"]
    told = capsys.readouterr()
    records = {Path(record["input"]).name: record for record in json.loads(told.out)}
    assert "would both become" in records["a.jpg"]["error"]
    assert records["a.jpg"]["output"] is None
    assert records["b.jpg"]["output"] == str(out / "b.png")
    assert "opir: 1 of 3 photos are done, 2 failed: a.jpeg, a.jpg" in told.err


def test_photos_that_a_result_would_replace_stop_alone(checkpoint: Path, tmp_path: Path) -> None:
    one, two = photo(tmp_path / "one" / "a.jpg"), photo(tmp_path / "two" / "b.jpg", 1)
    before = one.read_bytes()
    assert run(one, two, "-o", tmp_path / "one", checkpoint=checkpoint) == 2
    assert one.read_bytes() == before
    assert (tmp_path / "one" / "b.jpg").exists()


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff"])
def test_own_results_are_known_on_a_second_run(ending: str, checkpoint: Path, tmp_path: Path, capsys) -> None:
    photo(tmp_path / "in" / "a.bmp", format="BMP")
    photo(tmp_path / "in" / "b.png", format="PNG")
    command = (tmp_path / "in", "-o", tmp_path / "in" / "new", "--format", ending, "--maps", "stage1,uncertainty")
    assert run(*command, checkpoint=checkpoint) == 0
    first = names(tmp_path / "in")
    assert run(*command, checkpoint=checkpoint) == 0
    assert names(tmp_path / "in") == first
    capsys.readouterr()
    assert run(tmp_path / "in", "-o", tmp_path / "other", "--recursive", checkpoint=checkpoint) == 0
    assert names(tmp_path / "other") == ["a.bmp", "b.png"]
    assert "results of an earlier run: 6" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".heic", ".avif", ".jpg", ".tif", ".png", ".webp"])
def test_every_result_with_exif_data_is_known(ending: str, checkpoint: Path, tmp_path: Path) -> None:
    restorer = Restorer.from_pretrained(str(checkpoint), "cpu")
    restorer.restore(photo(tmp_path / "a.jpg")).save(tmp_path / f"b{ending}")
    assert find_photos(tmp_path).photos == [tmp_path / "a.jpg"]
    assert len(find_photos(tmp_path, own_results=True).photos) == 2


def test_a_linked_photo_costs_no_other_its_result(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "b.png")
    for name in ("a.png", "c.png"):
        (folder / name).symlink_to(folder / "b.png")
    plan = plan_jobs([folder, folder / "b.png"], tmp_path / "out")
    assert [job.output.name for job in plan.jobs] == ["a.png", "b.png", "c.png"]
    assert not any(job.problem for job in plan.jobs)


def test_the_same_folder_and_another_format_twice(checkpoint: Path, tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    for _ in range(2):
        assert run(tmp_path, "-o", tmp_path, "--format", "png", checkpoint=checkpoint) == 0
    assert names(tmp_path) == ["a.jpg", "a.png"]


@pytest.mark.parametrize("name", ["Trip 12.05.2024/", "Trip 12.05.2024", "v1.0", "new.folder/", "out.png/"])
def test_a_folder_may_have_dots_in_its_name(name: str, tmp_path: Path) -> None:
    source = photo(tmp_path / "a.jpg")
    (job,) = plan_jobs([source], str(tmp_path / "x") + "/" + name).jobs
    assert job.output == tmp_path / "x" / name / "a.jpg"


@pytest.mark.parametrize("name", ["photo", "photo.jfif", "photo.jpe", "photo.JPG", "photo.backup", "no.txt"])
def test_photos_keep_their_names_whatever_these_are(name: str, checkpoint: Path, tmp_path: Path) -> None:
    photo(tmp_path / "in" / name)
    assert looks_like_photo(tmp_path / "in" / name)
    assert run(tmp_path / "in", "-o", tmp_path / "out", checkpoint=checkpoint) == 0
    assert names(tmp_path / "out") == [name]
    with Image.open(tmp_path / "out" / name) as picture:
        assert picture.format == "JPEG"


def test_a_png_called_jpg_stays_a_png(checkpoint: Path, tmp_path: Path) -> None:
    pixels = np.full((9, 9, 4), 128, np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels).save(tmp_path / "in" / "a.jpg", format="PNG")
    assert run(tmp_path / "in", "-o", tmp_path / "out", checkpoint=checkpoint) == 0
    assert load_photo(tmp_path / "out" / "a.jpg").file.file_format == "PNG"
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "a.jpg")), pixels)


def test_what_does_not_come_back_is_told_and_recorded(checkpoint: Path, tmp_path: Path, capsys) -> None:
    data = photo(tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data + bytes((0, 0, 0, 24)) + b"ftypmp42" + bytes(100))
    assert run(tmp_path / "a.jpg", "-o", tmp_path / "out", checkpoint=checkpoint) == 0
    assert "without the motion of a motion photo" in capsys.readouterr().out
    assert run(tmp_path / "a.jpg", "-o", tmp_path / "out", "--json", checkpoint=checkpoint) == 0
    assert json.loads(capsys.readouterr().out)[0]["left_out"] == ["the motion of a motion photo"]


def test_the_time_of_change_and_the_largest_size_can_be_set(checkpoint: Path, tmp_path: Path, capsys) -> None:
    os.utime(photo(tmp_path / "a.jpg"), (1_500_000_000, 1_500_000_000))
    assert run(tmp_path / "a.jpg", "-o", tmp_path / "b.jpg", "--keep-time", checkpoint=checkpoint) == 0
    assert (tmp_path / "b.jpg").stat().st_mtime == 1_500_000_000
    assert run(tmp_path / "a.jpg", "-o", tmp_path / "b.jpg", "--max-megapixels", 0.0005, checkpoint=checkpoint) == 2
    told = capsys.readouterr().err
    assert "at most 0.0005 megapixels, got 28x20" in told
    assert "make it smaller first, or allow more with --max-megapixels" in told


def test_a_map_that_can_not_be_written_costs_only_itself(checkpoint: Path, tmp_path: Path, capsys) -> None:
    name = "x" * 246 + ".png"  # with .uncertainty.png behind it, it is too long
    photo(tmp_path / name, format="PNG")
    photo(tmp_path / "b.png", format="PNG")
    maps = ("--maps", "uncertainty")
    assert run(tmp_path / name, tmp_path / "b.png", "-o", tmp_path / "out", *maps, checkpoint=checkpoint) == 0
    assert names(tmp_path / "out") == ["b.png", "b.png.uncertainty.png", name]
    assert "without the map uncertainty (" in capsys.readouterr().out


def test_a_folder_without_photos_is_told_with_what_helps(checkpoint: Path, tmp_path: Path, capsys) -> None:
    for name in ("raws", "empty", "above/below"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "raws" / "a.nef").write_bytes(b"something")
    photo(tmp_path / "above" / "below" / "b.jpg")
    told = {}
    for name in ("raws", "empty", "above"):
        assert run(tmp_path / name, "-o", tmp_path / "out", checkpoint=checkpoint) == 2
        told[name] = capsys.readouterr().err
    assert "(a.nef); export what the camera wrote as TIFF or JPEG first" in told["raws"]
    assert "--recursive looks into" in told["above"]
    assert "--recursive" not in told["raws"] + told["empty"]


def test_side_files_alone_are_no_fault(checkpoint: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "side" / "@eaDir").mkdir(parents=True)
    photo(tmp_path / "side" / "@eaDir" / "small.jpg")
    (tmp_path / "side" / "Thumbs.db").write_bytes(b"something")
    photo(tmp_path / "a.jpg")
    everything = (tmp_path / "a.jpg", *(tmp_path / "side").iterdir())  # as a shell names it for *
    assert run(*everything, "-o", tmp_path / "out", checkpoint=checkpoint) == 0
    assert run(tmp_path / "side", "--recursive", "-o", tmp_path / "none", checkpoint=checkpoint) == 0
    assert "left out: folders without photos: 1 (side)" in capsys.readouterr().err
    assert names(tmp_path / "out") == ["a.jpg"]
    assert not (tmp_path / "none").exists()
