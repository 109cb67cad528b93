"""What a file may ask for is checked by its header, before it takes time or memory."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.reliability.containers import moving_pictures
from benchmarks.reliability.sizes import jpeg_of_scans
from opir.photo import ImageError, load_photo
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
    picture = Image.fromarray(np.zeros((40, 60, 3), np.uint8))
    picture.save(tmp_path / "photo.jpg", progressive=True)
    assert load_photo(tmp_path / "photo.jpg").rgb.shape == (3, 40, 60)


@pytest.mark.parametrize("dpi", [None, 72, (72,), (0, 0), (float("inf"), 72), (72, 65536)])
def test_odd_resolutions_are_none(dpi: object) -> None:
    assert sound_resolution(dpi) is None
    assert sound_resolution((72, 300.5)) == (72, 300.5)
