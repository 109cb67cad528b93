"""Weather is seeded, in range, and follows its equation."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Generator

from opir.degradations import degrade, jpeg, rain, snow
from opir.degradations.haze import airlight, haze_over_distance, imagined_depth, veil
from opir.degradations.particles import flake_shape, scatter, streak_shape
from opir.tasks import Task
from tests.conftest import make_picture

WEATHER = [task for task in Task if task is not Task.CLEAN]


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1)


@pytest.mark.parametrize("task", WEATHER)
def test_same_seed_same_weather(task: Task) -> None:
    photo = make_picture(40, 56)
    first, again, other = (degrade(photo, task, seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, photo)
    assert first.shape == photo.shape
    assert first.min() >= 0
    assert first.max() <= 1


@pytest.mark.parametrize("task", WEATHER)
@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (9, 64)])
def test_any_size(task: Task, shape: tuple[int, int]) -> None:
    assert degrade(make_picture(*shape), task, 0).shape == (1, 3, *shape)


def test_clean_is_left_alone() -> None:
    photo = make_picture(20, 20)
    assert torch.equal(degrade(photo, Task.CLEAN, 1), photo)


def test_rain_and_snow_only_brighten_a_black_scene() -> None:
    black = torch.zeros(4, 3, 48, 48)
    for weather in (rain, snow):
        result = weather(black, seeded())
        assert result.mean() > 0.001
        assert result.min() >= 0


def test_haze_follows_the_scattering_model() -> None:
    depth = torch.rand(1, 1, 24, 24) + 0.2
    scenes = [torch.full((1, 3, 24, 24), value) for value in (0.0, 0.5, 0.9)]
    black, grey, bright = (veil(scene, seeded(2), torch.full((1, 1, 1, 1), 0.8), depth) for scene in scenes)
    transmission = (grey - black) / 0.5
    torch.testing.assert_close((bright - black) / 0.9, transmission, rtol=0, atol=1e-5)
    order = depth.flatten().argsort()
    along_depth = transmission[:, 0].flatten()[order]
    assert bool((along_depth.diff() <= 1e-5).all())


def test_imagined_depth_is_positive_with_a_mean_of_one() -> None:
    depth = imagined_depth(torch.cat([make_picture(48, 60, seed) for seed in range(8)]), seeded())
    assert depth.shape == (8, 1, 48, 60)
    assert depth.min() > 0
    torch.testing.assert_close(depth.mean(dim=(2, 3)), torch.ones(8, 1))
    assert depth.std(dim=(2, 3)).min() > 0.05


def test_haze_over_distance_leaves_near_things_and_asks_for_no_more_than_can_be_had() -> None:
    photo, depth = make_picture(40, 60).expand(6, 3, 40, 60), torch.linspace(0, 1.7, 60).expand(6, 1, 40, 60)
    hazy, possible = haze_over_distance(photo, seeded(), depth)
    change = (hazy - photo).abs().mean(dim=1)
    assert change[..., :2].max() < 0.1
    assert (change[..., -10:].mean(dim=(1, 2)) > change[..., :10].mean(dim=(1, 2))).all()
    torch.testing.assert_close(possible[..., :10], photo[..., :10], atol=1e-6, rtol=0)
    dense = change[..., -10:].mean(dim=(1, 2)) > 0.25
    assert dense.any()


def test_recorded_streaks_brighten_half_of_the_photos() -> None:
    layers = torch.zeros(64, 1, 32, 32)
    layers[..., 10:20, 15:17] = 1
    plain, recorded = (rain(torch.zeros(64, 3, 32, 32), seeded(), layers=given) for given in (None, layers))
    assert recorded.shape == plain.shape
    assert 0 < (recorded - plain).abs().amax(dim=(1, 2, 3)).count_nonzero() <= 64


def test_airlight_is_a_colour() -> None:
    light = airlight(seeded(), 64)
    assert light.shape == (64, 3, 1, 1)
    assert 0.3 <= light.min() <= light.max() <= 1


def test_scattered_shapes_cover_what_was_asked() -> None:
    length, thickness, angle = column(12.0, 20.0), column(0.8, 1.2), column(0.0, 0.5)
    shape = streak_shape(96, 96, length, thickness, angle)
    torch.testing.assert_close(shape[:, 0, 0, 0], torch.ones(2))
    layers = scatter(seeded(), shape, column(0.03, 0.12))
    means = layers.mean(dim=(1, 2, 3))
    assert 0.005 < means[0] < 0.03
    assert 0.03 < means[1] < 0.12


def test_motion_stretches_a_flake() -> None:
    flake = flake_shape(32, 32, column(2.0), column(3.0), column(0.0), column(2.0))[0, 0]
    assert flake[5, 0] > 3 * flake[0, 5]


def test_jpeg_resembles_a_real_encoder() -> None:
    photo = make_picture(64, 80)
    pixels = (photo[0].permute(1, 2, 0) * 255).round().byte().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=70, subsampling=2)
    real = torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1)[None] / 255
    ours = jpeg(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255, column(70.0))
    loss_real = (real - photo).square().mean()
    assert (ours - real).square().mean() < 0.35 * loss_real


def test_weather_has_the_size_that_is_asked_for_and_haze_has_none() -> None:
    clean = torch.full((1, 3, 320, 400), 0.2)
    for task in (Task.RAIN, Task.SNOW):
        sharp = []
        for size in (2.0, 12.0):
            drawn = torch.cat([degrade(clean, task, seed, size=size) - clean for seed in range(6)])
            sharp.append(float((drawn[..., 1:] - drawn[..., :-1]).abs().sum() / drawn.abs().sum()))
        assert sharp[1] < sharp[0] / 2, "broad weather changes slowly from pixel to pixel"
    for size in (0.0, -3.0, 321.0):
        with pytest.raises(
            ValueError, match="size is a width in pixels above 0, and at most the photo's short side of 320"
        ):
            degrade(clean, Task.RAIN, seed=1, size=size)
    with pytest.raises(ValueError, match="rain and snow alone have a size, got 3 for haze; leave it out"):
        degrade(clean, Task.HAZE, seed=1, size=3.0)
