"""Pictures of a restoration: their size, their fixed scales, and what they say where nothing happens."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from opir.inference.error_bounds import ANY_TASK, Calibration, ErrorCurve
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.inspection.maps import (
    UNCERTAINTY_SCALE,
    WEIGHT_SCALE,
    ColourScale,
    change_picture,
    effective_reach,
    error_bound_picture,
    heatmap,
    pictures,
    scale_pictures,
    trust_pair,
    uncertainty_picture,
)
from opir.model import OPIR
from tests.conftest import TINIEST

SMALL = replace(TINIEST, scales=(1, 2, 4))


@pytest.fixture(scope="module")
def restoration() -> Restoration:
    torch.manual_seed(0)
    restorer = Restorer(OPIR(SMALL), device="cpu", precision="fp32")
    return restorer.restore(torch.rand(3, 40, 300), levels=(0,), scale_weights=True)


def test_all_maps_have_the_width_of_the_photo(restoration: Restoration) -> None:
    drawn = pictures(restoration, ["stage1", "change", "uncertainty", "scales"])
    assert list(drawn) == ["stage1", "change", "uncertainty", "reach", "scale 1", "scale 2", "scale 4"]
    assert {picture.width for picture in drawn.values()} == {300}
    assert drawn["stage1"].size == drawn["change"].size == (300, 40)
    assert list(pictures(restoration, ["uncertainty"])) == ["uncertainty"]


def test_untouched_pixels_read_1_and_no_change_is_grey(restoration: Restoration) -> None:
    np.testing.assert_allclose(restoration.uncertainty, 1, atol=1e-5)
    colours = np.asarray(uncertainty_picture(restoration))[:40].reshape(-1, 3)
    darkest = np.asarray(heatmap(np.zeros((1, 1)), ColourScale("", 0, 1, ()), colour_bar=False))[0, 0]
    np.testing.assert_allclose(colours, np.broadcast_to(darkest, colours.shape), atol=2)
    np.testing.assert_allclose(np.asarray(change_picture(restoration)), 128, atol=1)


def test_a_change_is_drawn_enlarged(restoration: Restoration) -> None:
    brighter = replace(restoration, restored_rgb=restoration.stage1_rgb + 0.02)
    np.testing.assert_allclose(np.asarray(change_picture(brighter)), round(255 * (0.5 + 8 * 0.02)), atol=1)


def test_the_same_value_has_the_same_colour_in_every_map() -> None:
    calm, wild = np.full((2, 2), 1.8), np.array([[1.8, 9.0], [-3.0, 1.8]])
    first = np.asarray(heatmap(calm, UNCERTAINTY_SCALE, colour_bar=False))
    second = np.asarray(heatmap(wild, UNCERTAINTY_SCALE, colour_bar=False))
    np.testing.assert_array_equal(first[0, 0], second[0, 0])
    np.testing.assert_array_equal(first[0, 0], second[1, 1])


def test_brightness_rises_with_the_value() -> None:
    ramp = np.linspace(UNCERTAINTY_SCALE.low, UNCERTAINTY_SCALE.high, 50)[None]
    grey = np.asarray(heatmap(ramp, UNCERTAINTY_SCALE, colour_bar=False).convert("L"), np.int16)[0]
    assert (np.diff(grey) >= -1).all()
    assert grey[-1] - grey[0] > 150


@pytest.mark.parametrize("size", [(1, 1), (30, 500), (500, 30)])
def test_the_bar_is_added_below_and_leaves_the_map_alone(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(size) * 2
    plain, framed = (np.asarray(heatmap(values, UNCERTAINTY_SCALE, bar)) for bar in (False, True))
    assert framed.shape[0] > size[0]
    np.testing.assert_array_equal(framed[: size[0], : size[1]], plain)
    assert len(np.unique(framed[size[0] :].reshape(-1, 3), axis=0)) > 100


def test_an_open_end_says_so() -> None:
    assert [UNCERTAINTY_SCALE.label(tick) for tick in UNCERTAINTY_SCALE.ticks] == [
        "1",
        "1.5",
        "2",
        "2.5",
        "3+",
    ]


def test_the_reach_is_the_weighted_mean_of_the_scales() -> None:
    weights = np.zeros((3, 1, 3), np.float16)
    weights[0, 0, 0] = weights[2, 0, 1] = 1
    weights[:2, 0, 2] = 0.5
    np.testing.assert_allclose(effective_reach(weights, (1, 2, 4)), [[1, 4, 1.5]])


def test_a_single_scale_can_be_drawn() -> None:
    restorer = Restorer(OPIR(replace(SMALL, scales=(1,))), device="cpu", precision="fp32")
    assert list(scale_pictures(restorer.restore(torch.rand(3, 8, 8), levels=(0,), scale_weights=True))) == [
        "reach",
        "scale 1",
    ]


def test_trust_is_drawn_in_grey_values_where_there_is_a_calibration(restoration: Restoration) -> None:
    without = replace(restoration, calibration=None)
    curve = ErrorCurve((1.0, 3.0), (2.0, 40.0))
    bounded = replace(restoration, calibration=Calibration("", 0.9, restoration.stages, {ANY_TASK: curve}))
    pictures_of_doubt = {uncertainty_picture(without).tobytes(), error_bound_picture(bounded).tobytes()}
    assert len(pictures_of_doubt) == 2
    for one, drawn in ((without, uncertainty_picture), (bounded, error_bound_picture)):
        certain, doubt = trust_pair(one)
        assert doubt.tobytes() == drawn(one).tobytes()
        assert certain.crop((0, 0, one.width, one.height)).tobytes() == one.image.tobytes()
        below = (0, one.height, certain.width, certain.height)
        assert certain.crop(below).tobytes() == doubt.crop(below).tobytes()


def test_what_can_not_be_drawn_is_refused(restoration: Restoration) -> None:
    with pytest.raises(
        ValueError, match=r'unknown map "error": use some of stage1, change, uncertainty, error_bound, spread, scales'
    ):
        pictures(restoration, ["stage1", "error"])
    without = replace(restoration, keeps_scale_weights=False)
    with pytest.raises(ValueError, match=r"no scale weights to draw: restore with scale_weights=True"):
        pictures(without, ["scales"])


def test_the_strip_below_a_line_stays_small() -> None:
    drawn = heatmap(np.zeros((1, 60_000), np.float32), WEIGHT_SCALE)
    assert drawn.width >= 60_000
    assert drawn.height < 100
