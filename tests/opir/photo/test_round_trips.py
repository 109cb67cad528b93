"""Photos of every format through `opir restore`, as people have them: turned, wide in colour, transparent, deep.

The model is untrained, so it returns its input: what differs was done to the file.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from opir.cli.commands import main
from opir.model import OPIR
from opir.model.checkpoint import save_model
from opir.ops.window import Window
from opir.photo import load_photo, save_photo
from opir.photo.beside.described import Described
from opir.photo.beside.properties import FileProperties
from opir.photo.codecs.jpeg_quality import estimate_quality
from opir.photo.headers import register_heif
from opir.photo.reading import read_file
from opir.photo.writing import write_file
from tests.conftest import TINIEST
from tests.opir.photo.pictures import DATE_TAKEN, DETAILS, GPS, ORIENTATION, noise, smooth, wide_profile

LOSSLESS = (".png", ".tif", ".bmp")
WITH_EXIF = (".jpg", ".png", ".tif", ".webp", ".avif", ".heic")
WITH_ALPHA = (".png", ".tif", ".webp", ".avif", ".heic")
WITH_GREY = (".jpg", ".png", ".tif", ".avif", ".heic", ".bmp")
TAKEN = "2024:05:06 07:08:09"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    register_heif()
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_model(OPIR(TINIEST), path, {})
    return path


def restored(photo: Path, checkpoint: Path, *options: str) -> Path:
    """Restore a file into a folder beside it; the result has its name."""
    out = photo.parent / "out"
    with pytest.raises(SystemExit) as caught:
        main(["restore", str(photo), "-o", str(out), "--checkpoint", str(checkpoint), "--device", "cpu", *options])
    assert not caught.value.code
    assert [path.name for path in out.iterdir()] == [photo.name]
    return out / photo.name


def metadata(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "Camera 7"
    exif[ORIENTATION] = orientation
    exif[DETAILS] = {DATE_TAKEN: TAKEN, 0x829A: 0.01}
    exif[GPS] = {1: "N", 2: (52.0, 31.0, 12.0), 5: b"\0", 6: 34.5}
    return exif.tobytes()


def levels(path: Path) -> np.ndarray[Any, Any]:
    """Pixels as a viewer shows them: upright, (H, W, C)."""
    return read_file(path, 1)[0].astype(int)


@pytest.mark.parametrize("suffix", WITH_EXIF)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_comes_back_upright_with_its_profile_and_date(
    suffix: str, orientation: int, checkpoint: Path, tmp_path: Path
) -> None:
    photo = tmp_path / f"Straße 7{suffix}"
    extra = {"quality": 95} if suffix not in LOSSLESS else {}
    picture = Image.fromarray(smooth())
    picture.save(photo, exif=metadata(orientation), icc_profile=wide_profile(), **extra)
    result = restored(photo, checkpoint)
    stored, shown = Image.open(photo), Image.open(result)
    assert shown.format == stored.format
    assert shown.size == ((24, 40) if orientation > 4 else (40, 24))
    assert np.abs(levels(result) - levels(photo)).max() <= (0 if suffix in LOSSLESS else 16)
    assert shown.info["icc_profile"] == wide_profile()
    exif = shown.getexif()
    assert exif.get(ORIENTATION, 1) == 1
    assert exif.get_ifd(DETAILS)[DATE_TAKEN] == TAKEN
    assert exif[0x0110] == "Camera 7"
    assert not exif.get_ifd(GPS)


@pytest.mark.parametrize("suffix", WITH_EXIF)
def test_the_location_stays_where_it_is_asked_for(suffix: str, checkpoint: Path, tmp_path: Path) -> None:
    photo = tmp_path / f"photo{suffix}"
    Image.fromarray(smooth()).save(photo, exif=metadata())
    position = Image.open(restored(photo, checkpoint, "--keep-location")).getexif().get_ifd(GPS)
    assert position[1] == "N"
    assert [float(part) for part in position[2]] == [52, 31, 12]
    assert float(position[6]) == 34.5
    assert not load_photo(photo, keep_location=True).file.had_position


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_heic_of_ten_bits_keeps_them_with_its_profile_and_date(
    channels: int, checkpoint: Path, tmp_path: Path
) -> None:
    ramp = np.linspace(10_000, 14_000, 256 * 32).reshape(256, 32, 1)  # 16 levels of 8 bits, 62 of 10
    pixels = np.broadcast_to(ramp, (256, 32, channels)).astype(np.uint16).copy()
    photo = tmp_path / "photo.heic"
    write_file(photo, pixels, FileProperties(described=Described(icc=wide_profile()), exif=metadata()), 100)
    stored, properties = read_file(photo, 1)
    assert stored.dtype == np.uint16
    assert properties.icc == wide_profile()
    assert np.abs(stored.astype(int) - pixels).max() <= 128
    result = restored(photo, checkpoint)
    shown = Image.open(result)
    assert shown.info["bit_depth"] == 10
    assert shown.getexif().get_ifd(DETAILS)[DATE_TAKEN] == TAKEN
    assert len(np.unique(levels(result)[..., 0])) > 40
    assert np.abs(levels(result) - stored.astype(int)).max() <= 256  # one level of 8 bits


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_deep_photo_keeps_its_depth_profile_alpha_date_and_location(
    suffix: str, checkpoint: Path, tmp_path: Path
) -> None:
    photo = tmp_path / f"photo{suffix}"
    pixels = noise(18, 25, 4, high=65536)
    write_file(photo, pixels, FileProperties(described=Described(icc=wide_profile()), exif=metadata()))
    result = restored(photo, checkpoint, "--keep-location")
    assert read_file(result, 1)[0].dtype == np.uint16
    np.testing.assert_array_equal(levels(result)[..., 3], pixels[..., 3])
    assert np.abs(levels(result) - pixels.astype(int)).max() <= 8
    kept = load_photo(result, keep_location=True).file
    assert kept.icc == wide_profile()
    exif = Image.Exif()
    exif.load(kept.exif)
    assert exif.get_ifd(DETAILS)[DATE_TAKEN] == TAKEN
    assert exif.get_ifd(GPS)[1] == "N"


@pytest.mark.parametrize("suffix", WITH_ALPHA)
def test_transparency_is_left_alone(suffix: str, checkpoint: Path, tmp_path: Path) -> None:
    photo = tmp_path / f"photo{suffix}"
    alpha = np.linspace(0, 255, 24 * 40).astype(np.uint8).reshape(24, 40, 1)
    write_file(photo, np.concatenate([smooth(), alpha], axis=2), FileProperties())
    before, after = levels(photo)[..., 3], levels(restored(photo, checkpoint))[..., 3]
    assert np.abs(after - before).max() <= (0 if suffix in (*LOSSLESS, ".webp") else 2)


@pytest.mark.parametrize("suffix", WITH_GREY)
def test_a_grey_photo_stays_grey(suffix: str, checkpoint: Path, tmp_path: Path) -> None:
    photo = tmp_path / f"photo{suffix}"
    Image.fromarray(smooth()[..., 0]).save(photo)
    result = restored(photo, checkpoint)
    assert load_photo(result).is_grey
    assert np.abs(levels(result) - levels(photo)).max() <= (0 if suffix in LOSSLESS else 8)


@pytest.mark.parametrize(("mode", "suffix"), [("P", ".png"), ("1", ".png"), ("CMYK", ".jpg"), ("CMYK", ".tif")])
def test_palettes_and_print_colours_look_the_same(mode: str, suffix: str, checkpoint: Path, tmp_path: Path) -> None:
    photo = tmp_path / f"photo{suffix}"
    Image.fromarray(smooth()).convert(mode).save(photo)
    shown = [np.asarray(Image.open(path).convert("RGB"), int) for path in (photo, restored(photo, checkpoint))]
    assert np.abs(shown[0] - shown[1]).max() <= (0 if suffix in LOSSLESS else 16)


@pytest.mark.parametrize("quality", [60, 85, 92, 100])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_comes_back_as_fine_as_it_was_and_about_as_large(
    quality: int, subsampling: int, checkpoint: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    textured = np.clip(smooth(96, 144).astype(int) + noise(96, 144, 3) // 8, 0, 255).astype(np.uint8)
    Image.fromarray(textured).save(photo, quality=quality, subsampling=subsampling)
    result = restored(photo, checkpoint)
    with Image.open(result) as saved:
        assert estimate_quality(saved.quantization[0]) == {60: 80, 100: 98}.get(quality, quality)  # type: ignore[attr-defined]
    assert load_photo(result).file.chroma == {0: "4:4:4", 2: "4:2:0"}[subsampling]
    if quality > 80:
        assert 0.6 < result.stat().st_size / photo.stat().st_size < 1.4


@pytest.mark.parametrize("quality", [1, 25, 50, 75, 90, 95, 100])
def test_the_quality_of_a_jpeg_is_told(quality: int, tmp_path: Path) -> None:
    Image.fromarray(smooth()).save(tmp_path / "photo.jpg", quality=quality)
    with Image.open(tmp_path / "photo.jpg") as picture:
        table = picture.quantization[0]  # type: ignore[attr-defined]
    assert abs(estimate_quality(table) - quality) <= 1


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_very_large_photo_in_wide_colours_comes_back_from_half_precision(
    suffix: str, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opir.photo.photo.LARGE_FROM_PIXELS", 96 * 150)
    photo = tmp_path / f"photo{suffix}"
    Image.fromarray(noise(96, 150, 3)).save(photo, icc_profile=wide_profile(), quality=95, subsampling=0)
    assert load_photo(photo).compact_rgb.element_size() == 2
    result = restored(photo, checkpoint)
    difference = np.abs(levels(result) - levels(photo))
    assert difference.max() <= (1 if suffix == ".png" else 16)
    if suffix == ".png":
        assert difference.mean() < 1e-3
    assert load_photo(result).file.icc == wide_profile()


@pytest.mark.parametrize(("quality", "finer"), [(75, True), (88, False)])
def test_a_jpeg_comes_back_in_its_own_tables(quality: int, finer: bool, tmp_path: Path) -> None:
    steps = [min(3 + row * column // 2 + 90 - quality, 255) for row in range(8) for column in range(8)]
    coarse = [step * 4 for step in steps] if finer else steps
    Image.fromarray(smooth(120, 160)).save(tmp_path / "in.jpg", qtables=[coarse, steps], subsampling=0)
    photo = load_photo(tmp_path / "in.jpg")
    save_photo(photo, tmp_path / "out.jpg")
    before, after = (Image.open(tmp_path / name) for name in ("in.jpg", "out.jpg"))
    if not finer:
        assert list(after.quantization[0]) == list(before.quantization[0])
    assert estimate_quality(after.quantization[0]) >= 80
    assert np.abs(np.asarray(after, np.int16) - np.asarray(before, np.int16)).max() <= (6 if finer else 2)
    save_photo(photo, tmp_path / "asked.jpg", quality=60)
    assert estimate_quality(Image.open(tmp_path / "asked.jpg").quantization[0]) == 60


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("is_wide", [False, True])
def test_a_part_is_as_in_the_whole_and_own_colours_come_back(dtype: type, channels: int, is_wide: bool) -> None:
    values = noise(150, 40, channels).astype(dtype)
    pixels = values / np.float32(255) if dtype is np.float32 else values * np.iinfo(dtype).max // 255
    photo = load_photo(pixels.astype(dtype))
    if is_wide:
        photo = replace(photo, file=replace(photo.file, described=Described(icc=wide_profile())))
    part = Window(60, 7, 131, 30)
    torch.testing.assert_close(photo.rgb_of(part), part.of(photo.rgb), atol=1e-6, rtol=0)
    again = photo.with_rgb(photo.rgb)
    assert again.pixels.dtype == dtype
    tolerance = 1e-4 if dtype is np.float32 else 1 if dtype is np.uint16 else 0
    assert np.abs(again.pixels.astype(np.float64) - photo.pixels).max() <= tolerance
    darker = photo.with_rgb(photo.rgb * 0.5)
    assert abs(float(darker.rgb.mean()) - 0.5 * float(photo.rgb.mean())) < 0.01
