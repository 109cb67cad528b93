"""Photos are found in folders and paired by name; pairs of two sizes are refused before any work."""

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import torch
from PIL import Image

from opir.data.pairs import list_photos, match_names, pair_photos
from opir.photo import load_photo, load_rgb8
from opir.photo.beside.exif import ORIENTATION
from opir.photo.headers import read_size, read_values
from tests.opir.photo.pictures import wide_profile


def write(path: Path, height: int = 20, width: int = 30, orientation: int = 1) -> None:
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(path, exif=exif)


def test_photos_of_phones_are_found_and_read(tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    for name in ("a.HEIC", "b.avif", "c.jpg"):
        write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no photo")
    found = list_photos(tmp_path)
    assert [path.name for path in found] == ["a.HEIC", "b.avif", "c.jpg"]
    for path in found:
        assert load_rgb8(path).shape == (3, 20, 30)
        assert abs(load_rgb8(path).float().mean() - 90) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
def test_sizes_are_those_of_the_upright_photo(tmp_path: Path, suffix: str, orientation: int) -> None:
    pillow_heif.register_heif_opener()
    path = tmp_path / f"photo{suffix}"
    write(path, orientation=orientation)
    assert read_size(path) == load_photo(path).size


def test_maps_are_read_as_they_are_stored(tmp_path: Path) -> None:
    metres = np.random.default_rng(0).integers(0, 65536, (9, 7)).astype(np.uint16)
    Image.fromarray(metres).save(tmp_path / "depth.png")
    np.testing.assert_array_equal(read_values(tmp_path / "depth.png"), metres)
    coloured = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    Image.fromarray(coloured).save(tmp_path / "depth.webp", lossless=True)
    np.testing.assert_array_equal(read_values(tmp_path / "depth.webp"), coloured[..., 0])
    (tmp_path / "cut.png").write_bytes((tmp_path / "depth.png").read_bytes()[:90])
    with pytest.raises(ValueError, match=r"cut\.png: expected a whole PNG file, but it is damaged or cut off"):
        read_values(tmp_path / "cut.png")


def test_folders_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        list_photos(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no photos in .*empty: expected files of a JPEG, PNG, "):
        list_photos(tmp_path / "empty")
    write(tmp_path / "clean" / "2.png")
    write(tmp_path / "input" / "7_rain.png")
    with pytest.raises(ValueError, match=r'no target for 7_rain.png in .*: expected "7_rain" or "7"'):
        pair_photos(tmp_path / "input", tmp_path / "clean")


def test_targets_may_be_named_by_the_part_before_the_underscore(tmp_path: Path) -> None:
    write(tmp_path / "input" / "2_rain.png")
    write(tmp_path / "clean" / "2.png")
    assert [pair.clean.name for pair in pair_photos(tmp_path / "input", tmp_path / "clean")] == ["2.png"]


def test_pairs_of_two_sizes_are_refused_at_the_start(tmp_path: Path) -> None:
    write(tmp_path / "input" / "1.jpg", 20, 30, orientation=6)
    write(tmp_path / "clean" / "1.png", 30, 20)
    (pair,) = pair_photos(tmp_path / "input", tmp_path / "clean")
    assert pair.read()[0].shape == pair.read()[1].shape == (3, 30, 20)
    write(tmp_path / "clean" / "1.png", 20, 30)
    with pytest.raises(
        ValueError, match=r"1\.jpg is 20x30 but its target 1\.png is 30x20: a pair must have one size"
    ):
        pair_photos(tmp_path / "input", tmp_path / "clean")
    assert len(match_names(tmp_path / "input", tmp_path / "clean")) == 1  # a depth map may have another size


def test_what_is_left_out_of_a_folder_is_told_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.png", "b.jpg", "._a.png"):
        write(tmp_path / name)
    (tmp_path / "b.jpg").rename(tmp_path / "no ending")
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "below").mkdir()
    assert [path.name for path in list_photos(tmp_path)] == ["a.png", "no ending"]
    told = caplog.text
    assert "left out: broken.jpg: expected a JPEG" in told
    assert "left out: empty.png: expected a JPEG" in told
    assert "folders below, for --recursive: 1 (below); .txt files: 1 (notes.txt)" in told
    assert "._a.png" not in told


@pytest.mark.parametrize("bits", [8, 16])
def test_photos_to_train_on_are_read_as_all_others(bits: int, tmp_path: Path) -> None:
    """Depth, profile and orientation: 16-bit grey was white, and wide colours were taken for sRGB."""
    grey = (np.linspace(0, 1, 600).reshape(20, 30) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert (
        load_rgb8(tmp_path / "grey.png")[0].float() - torch.linspace(0, 255, 600).reshape(20, 30)
    ).abs().max() <= 1
    wide = np.full((8, 8, 3), (250, 60, 40), np.uint8)
    Image.fromarray(wide).save(tmp_path / "wide.png", icc_profile=wide_profile())
    assert load_rgb8(tmp_path / "wide.png")[0].max() == 255
    assert load_rgb8(tmp_path / "wide.png")[1].max() < 60
