"""Maps are written as pictures or as the numbers behind them, and read back unchanged."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from opir.inference.restorer import Restoration, Restorer
from opir.inspection import MAP_FORMATS, arrays, map_files
from tests.opir.conftest import random_model, random_photo

NAMES = ("stage1", "change", "uncertainty", "scales")


@pytest.fixture(scope="module")
def restoration() -> Restoration:
    return Restorer(random_model(), device="cpu", precision="fp32").restore(random_photo(45, 70), scale_weights=True)


def written(restoration: Restoration, file_format: str) -> dict[str, io.BytesIO]:
    files = {}
    for name, save in map_files(restoration, NAMES, file_format).items():
        files[name] = io.BytesIO()
        save(files[name])
        files[name].seek(0)
    return files


def test_numbers_have_the_documented_shapes_and_ranges(restoration: Restoration) -> None:
    values = arrays(restoration, NAMES)
    assert {name: array.shape for name, array in values.items()} == {
        "stage1": (3, 45, 70),
        "change": (3, 45, 70),
        "uncertainty": (45, 70),
        "scales": (2, 45, 70),
    }
    assert all(array.dtype == np.float32 for array in values.values())
    assert 0 <= values["stage1"].min() <= values["stage1"].max() <= 1
    np.testing.assert_allclose(values["scales"].sum(axis=0), 1, atol=2e-3)
    np.testing.assert_allclose(values["change"] + values["stage1"], restoration.restored_rgb.numpy(), atol=1e-6)


def test_npy_and_tiff_hold_the_same_numbers(restoration: Restoration) -> None:
    values = arrays(restoration, NAMES)
    files = written(restoration, "npy")
    assert list(files) == [f"{name}.npy" for name in NAMES]
    for name in NAMES:
        np.testing.assert_array_equal(np.load(files[f"{name}.npy"]), values[name])
    for name, file in written(restoration, "tiff").items():
        with Image.open(file) as opened:
            pages = np.stack([np.asarray(page) for page in ImageSequence.Iterator(opened)])
        assert pages.dtype == np.float32
        np.testing.assert_array_equal(pages.squeeze(), values[name.removesuffix(".tiff")])


def test_pictures_are_the_usual_ones(restoration: Restoration) -> None:
    files = written(restoration, "png")
    assert {"stage1.png", "uncertainty.png", "reach.png", "scale1.png"} <= set(files)
    with Image.open(files["stage1.png"]) as opened:
        assert opened.size == (70, 45)


def test_what_can_not_be_had_is_told(restoration: Restoration) -> None:
    with pytest.raises(ValueError, match='unknown format of maps "gif": use one of png, npy, tiff'):
        map_files(restoration, NAMES, "gif")
    with pytest.raises(ValueError, match="has no error_bound: .* a calibration"):
        arrays(restoration, ["error_bound"])
    with pytest.raises(ValueError, match='unknown map "heat"'):
        arrays(restoration, ["heat"])
    assert MAP_FORMATS == ("png", "npy", "tiff")
