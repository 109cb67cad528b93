"""The pyramid through the restorer: what the model's loop does, in tiles too, and told level by level."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from opir.inference import Level, LevelWork, Restoration, Restorer
from opir.model import OPIR
from opir.ops.pyramid import change_of, changed, down
from opir.tasks import Task
from tests.conftest import make_picture
from tests.opir.conftest import TINY, random_model, random_photo

EXAMPLES = Path(__file__).parents[3] / "assets" / "examples"
ALL = (0, 1, 2)


@pytest.mark.parametrize("size", [(1, 1), (45, 70), (97, 131)])
@pytest.mark.parametrize("task", ["auto", "haze"])
def test_the_restorer_climbs_as_the_model_does(restorer: Restorer, size: tuple[int, int], task: str) -> None:
    photo = make_picture(*size)[0]
    out = restorer.restore(photo, task, levels=ALL)
    with torch.no_grad():
        expected = restorer.model(photo[None], None if task == "auto" else Task.parse(task), num_levels=3)
    torch.testing.assert_close(out.restored_rgb, expected.final.restored[0].clamp(0, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.stage1_rgb, expected.first.restored[0].clamp(0, 1), atol=1e-5, rtol=0)
    assert [level.number for level in out.levels] == [2, 1, 0]
    for made, wanted in zip(out.levels, expected.levels, strict=True):
        assert made.work is not None
        assert (made.height, made.width) == wanted.picture.shape[-2:]
        np.testing.assert_allclose(made.work.uncertainty, wanted.stages[0].uncertainty[0, 0], atol=1e-5)
        difference = 255 * (wanted.stages[-1].restored - wanted.picture).abs().mean()
        if made.number:
            assert made.change == pytest.approx(float(difference), rel=1e-4)


def test_tiles_give_the_whole_at_every_level_for_many_sizes(restorer: Restorer) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        height, width = (int(side) for side in random.integers(1, 300, 2))
        photo, tile = make_picture(height, width)[0], int(random.integers(24, 80))
        whole, tiled = (restorer.restore(photo, levels=ALL, tile=size) for size in (0, tile))
        told = f"{width}x{height} in tiles of {tile}"
        np.testing.assert_allclose(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0, err_msg=told)
        np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5, rtol=0, err_msg=told)


def test_a_level_that_is_passed_by_hands_on_what_came_to_it(restorer: Restorer) -> None:
    photo = make_picture(90, 61)[0]
    out = restorer.restore(photo, levels=(2,))
    coarse = down(down(photo[None]))
    with torch.no_grad():
        change = change_of(coarse, restorer.model(coarse).final.restored)
        level1 = changed(down(photo[None]), change)
    change = type(change)(
        *(torch.nn.functional.interpolate(part, scale_factor=2.0, mode="bilinear") for part in change)
    )
    change = type(change)(*(part[..., : level1.shape[2], : level1.shape[3]] for part in change))
    expected = changed(photo[None], change)[0].clamp(0, 1)
    torch.testing.assert_close(out.restored_rgb, expected, atol=1e-5, rtol=0)
    assert [level.worked for level in out.levels] == [True, False, False]
    assert out.decisive_level is out.levels[0]
    torch.testing.assert_close(
        out.stage1_rgb, restorer.restore(photo, levels=(2,), stages=1).restored_rgb, atol=1e-5, rtol=0
    )


def test_where_nothing_works_the_photo_is_left_alone(restorer: Restorer) -> None:
    photo = random_photo(300, 310)
    out = restorer.restore(photo, "clean", scale_weights=True)
    assert torch.equal(out.restored_rgb, photo)
    assert torch.equal(out.stage1_rgb, photo)
    assert [level.to_dict()["worked"] for level in out.levels] == [False, False]
    assert (out.task, out.tiles) == ("clean", 0)
    np.testing.assert_array_equal(out.embed_stage1(), out.embedding)
    assert (out.uncertainty == 1).all()
    assert out.scale_weights is not None
    assert (out.scale_weights[0] == 1).all()
    pixel = out.inspect(100, 200)
    assert (pixel.level, pixel.worked) == (0, False)
    assert "nothing was done there" in pixel.describe()


@pytest.fixture(scope="module")
def climbed(restorer: Restorer) -> Restoration:
    return restorer.restore(random_photo(97, 131), levels=ALL, scale_weights=True)


def work_of(level: Level) -> LevelWork:
    assert level.work is not None
    return level.work


@pytest.mark.parametrize("number", ALL)
@pytest.mark.parametrize("at", [(0, 0), (130, 96), (65, 31), (7, 90)])
def test_a_pixel_can_be_looked_at_on_every_level(
    restorer: Restorer, climbed: Restoration, number: int, at: tuple[int, int]
) -> None:
    x, y = at
    pixel = climbed.inspect(x, y, level=number)
    with torch.no_grad():
        expected = restorer.model(climbed.photo.rgb[None], num_levels=3).levels[2 - number]
    row, column = y >> number, x >> number
    for operator, stage in zip(pixel.stages, expected.stages, strict=True):
        for name in ("kernels", "modulated_kernels", "scale_weights", "restored"):
            full = getattr(stage, name)[0, :, row, column].numpy()
            np.testing.assert_allclose(getattr(operator, name).ravel(), full, atol=1e-5)
    np.testing.assert_allclose(pixel.before, expected.picture[0, :, row, column].clamp(0, 1), atol=1e-5)
    np.testing.assert_allclose(pixel.after, expected.stages[-1].restored[0, :, row, column].clamp(0, 1), atol=1e-5)
    assert pixel.scales == tuple(scale * 2**number for scale in TINY.scales)
    assert (pixel.level, pixel.to_dict()["level"]) == (number, number)


def test_the_level_that_changed_a_pixel_most_is_looked_at_first(climbed: Restoration) -> None:
    for x, y in ((0, 0), (65, 31), (7, 90), (100, 50)):
        changes = {}
        for number in ALL:
            pixel = climbed.inspect(x, y, level=number)
            changes[number] = np.abs(pixel.stages[-1].restored.clip(0, 1) - pixel.before).mean()
        chosen = climbed.inspect(x, y).level
        assert changes[chosen] == pytest.approx(max(changes.values()), abs=1e-4)
    with pytest.raises(ValueError, match="expected a level from 0 to 2 of this photo, got 3"):
        climbed.inspect(0, 0, level=3)


def test_maps_of_several_levels_are_put_together(climbed: Restoration) -> None:
    assert climbed.scales == (1, 2, 4, 8)
    assert climbed.scale_weights is not None
    np.testing.assert_allclose(climbed.scale_weights.astype(np.float32).sum(axis=0), 1, atol=3e-3)
    finest = work_of(climbed.levels[-1]).uncertainty.numpy()
    assert climbed.uncertainty.shape == finest.shape
    assert (climbed.uncertainty >= finest).all()
    assert climbed.uncertainty.max() == pytest.approx(
        max(float(work_of(level).uncertainty.max()) for level in climbed.levels), rel=0.2
    )


def test_a_result_tells_what_it_holds_in_memory(climbed: Restoration) -> None:
    fresh = replace(climbed)
    held = fresh.nbytes
    pictures = fresh.photo.pixels.nbytes + 2 * fresh.restored_rgb.nbytes * (1 + 1 / 4 + 1 / 16)
    assert pictures < held < 2 * pictures
    assert fresh.stage1_rgb.shape == fresh.photo.rgb.shape
    assert fresh.uncertainty.nbytes + held == fresh.nbytes


def test_very_large_photos_climb_in_half_precision(restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    grey_values = np.random.default_rng(0).integers(100, 156, (90, 130, 3), dtype=np.uint8)
    whole = restorer.restore(grey_values, levels=(1, 2))
    assert whole.stage1_rgb.dtype == torch.float32
    monkeypatch.setattr("opir.photo.photo.LARGE_FROM_PIXELS", 90 * 130)
    out = restorer.restore(grey_values, levels=(1, 2), tile=32)
    assert (out.restored_rgb.dtype, work_of(out.levels[0]).restored.dtype) == (torch.uint8, torch.uint8)
    for made, wanted in ((out.restored_rgb, whole.restored_rgb), (out.stage1_rgb, whole.stage1_rgb)):
        assert (made / 255 - wanted).abs().mean() < 2 / 255  # coarser results are rounded, and their contrast raised
    assert out.inspect(50, 40, level=0).before == pytest.approx(whole.inspect(50, 40, level=0).before, abs=0.06)


def test_gradients_reach_every_level_and_photos_stay_apart() -> None:
    model = random_model(TINY)
    photos = torch.cat([random_photo(40, 56)[None], random_photo(40, 56)[None].flip(3)])
    result = model(photos, num_levels=2)
    coarse, fine = result.levels
    assert not torch.equal(fine.picture, photos)
    gradient = torch.autograd.grad(result.final.restored[0].sum(), coarse.stages[-1].restored)[0]
    assert gradient[0].abs().max() > 0
    assert gradient[1].abs().max() == 0
    alone = model(photos[:1], num_levels=2)
    torch.testing.assert_close(result.final.restored[:1], alone.final.restored, atol=1e-5, rtol=1e-4)


def test_an_untrained_model_gives_the_photo_back_on_every_level() -> None:
    photo = random_photo(30, 41)
    with torch.no_grad():
        torch.testing.assert_close(OPIR(TINY)(photo[None], num_levels=4).final.restored[0], photo, atol=1e-6, rtol=0)


def test_the_shipped_weights_find_weather_at_its_size() -> None:
    restorer = Restorer.from_pretrained("lite", "cpu")
    out = restorer.restore(EXAMPLES / "canyon-haze.jpg")
    assert out.task == "haze"
    assert out.levels[0].worked
    assert out.levels[0].probabilities["haze"] > 0.9
    clear = restorer.restore(EXAMPLES / "castle.jpg")
    assert not clear.working_levels
