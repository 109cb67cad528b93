"""What a file may ask for is checked by its header, before it takes time or memory."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.reliability.containers import moving_pictures
from benchmarks.reliability.odd_pngs import chunk, png
from benchmarks.reliability.sizes import jpeg_of_scans
from opir.photo import ImageError, load_photo
from opir.photo.codecs import jpeg
from opir.photo.codecs.png import SIGNATURE
from opir.photo.raw import Allowed
from opir.photo.reading import sound_resolution


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(ImageError, match="the picture: expected a photo, got 0x5 pixels"):
        load_photo(Image.new("RGB", (0, 5)))
    with pytest.raises(ImageError, match="at most 1 megapixels, got 2000x1000 = 2"):
        Allowed("a.png", 1).check(2000, 1000)


def test_pages_of_a_tiff_are_not_counted(tmp_path: Path) -> None:
    pages = {case.name: case.data for case in moving_pictures() if case.name.endswith("directories.tif")}
    assert len(pages) == 2
    for name, data in pages.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ImageError, match="expected a still picture, got several pages; export one of them"):
            load_photo(tmp_path / name)


def test_a_jpeg_of_endless_scans_is_refused_and_a_progressive_photo_is_not(tmp_path: Path) -> None:
    (tmp_path / "endless.jpg").write_bytes(jpeg_of_scans(500))
    with pytest.raises(ImageError, match=r"expected some ten scans in a JPEG of this size, got \d+; export it again"):
        load_photo(tmp_path / "endless.jpg")
    with Image.open(tmp_path / "endless.jpg") as opened, pytest.raises(ImageError, match="expected some ten scans"):
        load_photo(opened)
    picture = Image.fromarray(np.zeros((40, 60, 3), np.uint8))
    picture.save(tmp_path / "photo.jpg", progressive=True)
    assert load_photo(tmp_path / "photo.jpg").rgb.shape == (3, 40, 60)


@pytest.mark.parametrize("dpi", [None, 72, (72,), (0, 0), (float("inf"), 72), (72, 65536)])
def test_odd_resolutions_are_none(dpi: object) -> None:
    assert sound_resolution(dpi) is None
    assert sound_resolution((72, 300.5)) == (72, 300.5)


def test_libraries_print_nothing_about_damage(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 3, 0, 0, 0, 0)  # no PNG has 3 bits
    (tmp_path / "depth.png").write_bytes(
        SIGNATURE + chunk(b"IHDR", header) + png(np.zeros((8, 8, 1), np.uint8), 8, 0)[33:]
    )
    code = f"from opir.photo import load_photo; load_photo({str(tmp_path / 'depth.png')!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "expected a whole PNG file" in done.stderr
    assert "warning" not in done.stderr.lower()


@pytest.mark.parametrize("size", [(0, 8), (8, 0)])
def test_a_decoder_that_makes_no_pixels_of_a_damaged_file_is_no_photo(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    monkeypatch.setattr(jpeg, "array_of", lambda _: np.zeros((*size, 3), np.uint8))
    with pytest.raises(ImageError, match=r"the photo: expected a photo, got \dx\d pixels; export it again"):
        load_photo(file.getvalue())
