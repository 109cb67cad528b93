"""Photos through the restorer: tiles equal the whole, results keep their promises, options are checked."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.config import PRESETS, OPIRConfig
from opir.images import load_photo
from opir.model import OPIR
from opir.operator_scales import SCENE_SIDE, scene_scale
from opir.ops import filter_multiscale
from opir.restorer import Restoration, Restorer
from opir.tasks import TASK_NAMES, Task

TINY = OPIRConfig(
    block="residual",
    width=4,
    encoder_blocks=(1, 1),
    middle_blocks=1,
    decoder_blocks=(1, 2),
    embedding_dim=4,
    encoder_width=4,
    modulator_width=4,
    scales=(1, 2),
    conditioned_predictor=True,
)


def random_model(config: OPIRConfig = TINY) -> OPIR:
    """A model that changes its input: the layers that start at zero do something too."""
    torch.manual_seed(0)
    model = OPIR(config)
    predictor = model.kernel_predictor
    torch.nn.init.normal_(predictor.head.weight)
    with torch.no_grad():
        offsets = (
            predictor(random_photo(64, 64)[None], torch.zeros(1, config.embedding_dim)).kernels
            - predictor.identity[:, None, None]
        )
        predictor.head.weight *= 0.05 / offsets.std()
    if predictor.condition is not None:
        torch.nn.init.normal_(predictor.condition.weight, std=0.1)
    for modulator in model.task_modulators:
        torch.nn.init.normal_(modulator.output.weight, std=0.3)
    return model


def random_photo(height: int, width: int) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(random_model(), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def restoration(restorer: Restorer) -> Restoration:
    return restorer.restore(random_photo(45, 70), scale_weights=True)


@pytest.mark.parametrize("size", [(97, 150), (33, 250)])
@pytest.mark.parametrize("tile", [24, 64])
def test_tiles_give_the_result_of_the_whole(restorer: Restorer, size: tuple[int, int], tile: int) -> None:
    photo = random_photo(*size)
    whole = restorer.restore(photo, tile=0, scale_weights=True)
    tiled = restorer.restore(photo, tile=tile, scale_weights=True)
    assert tiled.tiles > 1
    torch.testing.assert_close(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0)
    torch.testing.assert_close(tiled.stage1_rgb, whole.stage1_rgb, atol=1e-5, rtol=0)
    np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5)
    np.testing.assert_allclose(tiled.scale_weights, whole.scale_weights, atol=1e-3)


def test_tiles_give_the_whole_for_many_sizes(restorer: Restorer) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        height, width = (int(side) for side in random.integers(1, 130, 2))
        tile = int(random.integers(32, 100))
        photo = random_photo(height, width)
        whole, tiled = restorer.restore(photo, tile=0), restorer.restore(photo, tile=tile)
        told = f"{width}x{height} in tiles of {tile}"
        np.testing.assert_allclose(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0, err_msg=told)
        np.testing.assert_allclose(tiled.stage1_rgb, whole.stage1_rgb, atol=1e-5, rtol=0, err_msg=told)
        np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5, rtol=0, err_msg=told)


@pytest.mark.parametrize(("preset", "sizes"), [("lite", 50), ("paper", 6)])
def test_tiles_of_every_preset_give_the_whole(preset: str, sizes: int) -> None:
    """Its blocks and scales as they are, few features in each: how far a stage looks stays the same."""
    narrow = {"width": 4, "max_width": 12, "embedding_dim": 4, "encoder_width": 4, "modulator_width": 4}
    model = random_model(replace(PRESETS[preset], **narrow))
    restorer = Restorer(model, device="cpu", precision="fp32")
    random = np.random.default_rng(0)
    for _ in range(sizes):
        height, width = int(random.integers(1, 60)), int(random.integers(2 * model.halo, 4 * model.halo))
        tile = int(random.integers(2 * model.stride, model.halo))
        photo = random_photo(height, width)
        whole, tiled = restorer.restore(photo, tile=0), restorer.restore(photo, tile=tile)
        assert tiled.tiles > 1
        told = f"{width}x{height} in tiles of {tile}"
        np.testing.assert_allclose(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0, err_msg=told)
        np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5, rtol=0, err_msg=told)


@pytest.mark.parametrize("factor", [1, 2, 4])
@pytest.mark.parametrize("size", [(45, 70), (1, 9), (64, 64)])
def test_an_identity_stays_one_on_upsampled_operators(factor: int, size: tuple[int, int]) -> None:
    photo = random_photo(*size)
    out = Restorer(OPIR(TINY), device="cpu", precision="fp32").restore(photo, operator_scale=factor)
    torch.testing.assert_close(out.restored_rgb, photo, atol=1e-6, rtol=0)
    np.testing.assert_allclose(out.uncertainty, 1, atol=1e-6)
    assert out.operator_scale == factor


@pytest.mark.parametrize("factor", [2, 4])
def test_upsampled_operators_are_as_exact_in_tiles(restorer: Restorer, factor: int) -> None:
    photo = random_photo(197, 270)
    whole = restorer.restore(photo, tile=0, operator_scale=factor, scale_weights=True)
    tiled = restorer.restore(photo, tile=96, operator_scale=factor, scale_weights=True)
    assert tiled.tiles > 1
    torch.testing.assert_close(tiled.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0)
    np.testing.assert_allclose(tiled.uncertainty, whole.uncertainty, atol=1e-5)
    np.testing.assert_allclose(tiled.scale_weights, whole.scale_weights, atol=1e-3)


def test_upsampled_operators_are_close_to_native_ones_on_smooth_haze() -> None:
    """With a model that predicts the same operator everywhere: a random one's differ from pixel to pixel."""
    model = random_model()
    head = model.kernel_predictor.head
    torch.nn.init.zeros_(head.weight)
    assert head.bias is not None
    with torch.no_grad():
        drawn = torch.randn(len(head.bias) // 4, generator=torch.Generator().manual_seed(0))
        head.bias.copy_(drawn.repeat_interleave(4))
    restorer = Restorer(model, device="cpu", precision="fp32")
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 128), torch.linspace(0, 1, 160), indexing="ij")
    transmission = 0.9 - 0.5 * rows
    scene = torch.stack([0.2 + 0.3 * columns, 0.3 + 0.2 * rows, 0.4 - 0.2 * columns])
    haze = scene * transmission + 0.9 * (1 - transmission)
    native = restorer.restore(haze, task="haze")
    reduced = restorer.restore(haze, task="haze", operator_scale=2)
    assert (native.restored_rgb - haze).abs().mean() > 0.02
    assert (reduced.restored_rgb - native.restored_rgb).abs().mean() < 0.01


def test_the_operator_scale_goes_by_the_size_of_the_photo(
    restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opir.operator_scales.PREDICTED_PIXELS", 400)
    scales = [restorer.restore(random_photo(*size), operator_scale="auto").operator_scale for size in
              ((20, 20), (20, 21), (40, 40), (40, 41), (100, 100))]  # fmt: skip
    assert scales == [1, 2, 2, 4, 4]


def test_a_pixel_has_no_operator_of_its_own_on_a_reduced_copy(restorer: Restorer) -> None:
    out = restorer.restore(random_photo(20, 30), operator_scale=2)
    with pytest.raises(ValueError, match="to look at a pixel, restore with operator_scale=1, not 2"):
        out.inspect(3, 4)


def test_parts_are_halved_where_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    restorer = Restorer(random_model(), device="cpu", precision="fp32")
    photo = random_photo(150, 210)
    whole = restorer.restore(photo, tile=0)
    stage_strips, largest = restorer.model.stage_strips, 150 * 150
    failures = []

    def run_short_of_memory(index: int, image: torch.Tensor, *rest: object) -> object:
        if image.shape[-2] * image.shape[-1] > largest:
            failures.append(index)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return stage_strips(index, image, *rest)

    monkeypatch.setattr(restorer.model, "stage_strips", run_short_of_memory)
    counts: list[tuple[int, int]] = []
    out = restorer.restore(photo, tile=0, progress=lambda done, total: counts.append((done, total)))
    assert out.tiles > 1
    assert set(failures) == {0}  # stage 2 starts with the tiles that fitted
    assert counts[-1] == (2 * out.tiles, 2 * out.tiles)
    torch.testing.assert_close(out.restored_rgb, whole.restored_rgb, atol=1e-5, rtol=0)

    largest = 0
    with pytest.raises(torch.OutOfMemoryError):
        restorer.restore(photo, tile=0)


def test_tiles_fit_the_free_memory(restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = random_photo(300, 400)
    monkeypatch.setattr("opir.restorer.free_memory", lambda device: None)
    assert restorer.restore(photo).tiles == 1
    monkeypatch.setattr("opir.restorer.free_memory", lambda device: 10_000_000)
    assert restorer.restore(photo).tiles > 1


@pytest.mark.parametrize("is_grey", [False, True])
def test_a_very_large_photo_is_kept_in_half_precision(
    restorer: Restorer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_grey: bool
) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (90, 130) if is_grey else (90, 130, 3), dtype=np.uint8)
    whole = restorer.restore(levels)
    monkeypatch.setattr("opir.images.COMPACT_FROM_PIXELS", 90 * 130)
    assert load_photo(levels).rgb.dtype == torch.float32  # unless it is asked for
    out = restorer.restore(levels, tile=64)
    assert {out.photo.rgb.dtype, out.stage1_rgb.dtype, out.restored_rgb.dtype} == {torch.float16}
    np.testing.assert_allclose(out.inspect(50, 40).stage1, whole.inspect(50, 40).stage1, atol=2e-3)
    assert out.uncertainty.dtype == np.float16
    assert (out.restored_rgb - whole.restored_rgb).abs().max() < 1 / 255 / 2
    np.testing.assert_allclose(out.stage2_change, whole.stage2_change, atol=2e-3)
    for name, options in (("full", {}), ("half", {"strength": 0.5}), ("kept", {"protect": True})):
        out.save(tmp_path / f"{name}.png", **options)
        saved, expected = (np.asarray(picture, np.int16) for picture in (
            Image.open(tmp_path / f"{name}.png").convert("RGB"), whole.blend(**options)))  # fmt: skip
        assert np.abs(saved - expected).max() <= 1
    deep = restorer.restore(levels.astype(np.uint16) * 257)
    assert deep.restored_rgb.dtype == torch.float32


@pytest.mark.parametrize("tile", [64, 120])
def test_no_seam_can_be_seen_in_bfloat16(tile: int) -> None:
    restorer = Restorer(random_model(), device="cpu", precision="bf16")
    photo = random_photo(130, 210)
    whole, tiled = restorer.restore(photo, tile=0), restorer.restore(photo, tile=tile)
    assert tiled.tiles > 1
    assert (tiled.restored_rgb - whole.restored_rgb).abs().max() <= 1 / 255


def test_strips_give_what_the_stage_gives(restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With operators of a reduced copy too: interpolated at once, as the equation says."""
    monkeypatch.setattr("opir.model.inverse_operator._STRIP_PIXELS", 900)
    model, photo = restorer.model, random_photo(64, 96)[None]
    embedding = model.prototype(Task.RAIN)
    with torch.no_grad():
        for factor in (1, 2, 4):
            stage = model.run_stage(0, torch.nn.functional.avg_pool2d(photo, factor), embedding)
            kernels, weights = (
                torch.nn.functional.interpolate(values, scale_factor=factor, mode="bilinear")
                for values in (stage.modulated_kernels, stage.scale_weights)
            )
            expected = filter_multiscale(photo, kernels, weights, tuple(factor * s for s in model.config.scales))
            strips = list(model.stage_strips(0, photo, embedding, operator_scale=factor))
            assert len(strips) > 1
            restored = torch.cat([strip.restored for strip in strips], dim=2)
            torch.testing.assert_close(restored, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("task", ["auto", *TASK_NAMES])
def test_the_restorer_does_what_the_model_does(restorer: Restorer, task: str) -> None:
    photo = random_photo(37, 50)
    out = restorer.restore(photo, task=task)
    with torch.no_grad():
        expected = restorer.model(photo[None], None if task == "auto" else Task.parse(task))
    torch.testing.assert_close(out.restored_rgb, expected.final.restored[0].clamp(0, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.stage1_rgb, expected.first.restored[0].clamp(0, 1), atol=1e-5, rtol=0)
    np.testing.assert_allclose(out.uncertainty, expected.first.uncertainty[0, 0], atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (16, 16), (17, 3)])
def test_any_size_comes_back_at_its_size(restorer: Restorer, size: tuple[int, int]) -> None:
    out = restorer.restore(random_photo(*size), scale_weights=True)
    assert out.image.size == out.stage1.size == (size[1], size[0]) == (out.width, out.height)
    assert out.uncertainty.shape == size
    assert out.scale_weights is not None
    assert out.scale_weights.shape == (2, *size)


def test_a_result_says_what_it_is(restoration: Restoration) -> None:
    assert restoration.task == max(
        restoration.task_probabilities, key=lambda name: restoration.task_probabilities[name]
    )
    assert tuple(restoration.task_probabilities) == TASK_NAMES
    assert sum(restoration.task_probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert restoration.embedding is not None
    assert restoration.stage2_embedding is not None
    assert restoration.embedding.shape == restoration.stage2_embedding.shape == (4,)
    assert restoration.uncertainty.dtype == np.float32
    assert restoration.scale_weights is not None
    assert restoration.scale_weights.dtype == np.float16
    np.testing.assert_allclose(restoration.scale_weights.astype(np.float32).sum(axis=0), 1, atol=2e-3)
    assert (restoration.stages, restoration.tiles) == (2, 1)
    assert restoration.seconds > 0
    expected = (restoration.restored_rgb - restoration.stage1_rgb).numpy()
    np.testing.assert_array_equal(restoration.stage2_change, expected)


def test_the_embedding_is_the_photos_own_whatever_task_is_asked_for(restorer: Restorer) -> None:
    photo = random_photo(40, 40)
    named, auto = restorer.restore(photo, task="snow"), restorer.restore(photo)
    assert named.task == "snow"
    assert named.task_probabilities == auto.task_probabilities
    np.testing.assert_array_equal(named.embedding, auto.embedding)
    assert (named.restored_rgb - auto.restored_rgb).abs().max() > 1e-4


def test_one_stage_is_the_first_of_two(restorer: Restorer, restoration: Restoration) -> None:
    fast = restorer.restore(random_photo(45, 70), stages=1)
    torch.testing.assert_close(fast.restored_rgb, restoration.stage1_rgb)
    assert fast.stage2_embedding is None
    assert not fast.stage2_change.any()


def test_an_untrained_model_returns_the_photo() -> None:
    photo = random_photo(30, 41)
    out = Restorer(OPIR(TINY), device="cpu", precision="fp32").restore(photo)
    torch.testing.assert_close(out.restored_rgb, photo, atol=1e-6, rtol=0)


def test_a_model_without_the_task_module_takes_no_task() -> None:
    restorer = Restorer(random_model(replace(TINY, task_aware=False)), device="cpu", precision="fp32")
    out = restorer.restore(random_photo(20, 20))
    assert (out.task, out.task_probabilities, out.embedding) == ("auto", {}, None)
    assert out.inspect(3, 4).stages[0].modulation.min() == 1
    with pytest.raises(ValueError, match=r'takes no task: use "auto", got "rain"'):
        restorer.restore(random_photo(20, 20), task="rain")


def test_progress_counts_the_tiles_of_all_stages(restorer: Restorer) -> None:
    calls: list[tuple[int, int]] = []
    out = restorer.restore(random_photo(64, 64), tile=32, progress=lambda done, total: calls.append((done, total)))
    assert out.tiles == 4
    assert calls == [(done, 8) for done in range(1, 9)]


def test_blending_goes_from_the_photo_to_the_restoration(restoration: Restoration) -> None:
    photo = np.asarray(restoration.blend(0.0), np.int16)
    np.testing.assert_array_equal(photo, (restoration.photo.rgb * 255).round().permute(1, 2, 0))
    restored = np.asarray(restoration.image, np.int16)
    assert np.abs(np.asarray(restoration.blend(1.0), np.int16) - restored).max() <= 1
    half = np.asarray(restoration.blend(0.5), np.int16)
    assert np.abs(half - (photo + restored) / 2).max() <= 1


def test_protecting_keeps_the_photo_where_the_uncertainty_is_high(restoration: Restoration) -> None:
    uncertainty = np.ones_like(restoration.uncertainty)
    uncertainty[:20] = 10
    doubted = replace(restoration, uncertainty=uncertainty)
    kept = np.asarray(doubted.blend(1.0, protect=True))
    np.testing.assert_array_equal(kept[:20], np.asarray(doubted.blend(0.0))[:20])
    np.testing.assert_array_equal(kept[20:], np.asarray(doubted.blend(1.0))[20:])


def test_saving_keeps_the_kind_of_photo(restorer: Restorer, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (20, 30), dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    out = restorer.restore(tmp_path / "in.png")
    out.save(tmp_path / "out.png")
    saved = load_photo(tmp_path / "out.png")
    assert (saved.bits, saved.is_grey) == (16, True)
    torch.testing.assert_close(saved.rgb, out.restored_rgb, atol=1e-5, rtol=0)
    out.save(tmp_path / "same.png", strength=0)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "same.png")), pixels)


@pytest.mark.parametrize("at", [(0, 0), (69, 44), (31, 17), (69, 0)])
@pytest.mark.parametrize("task", ["auto", "haze"])
def test_a_pixel_looked_at_alone_equals_the_full_run(restorer: Restorer, at: tuple[int, int], task: str) -> None:
    photo = random_photo(45, 70)
    out = restorer.restore(photo, task=task)
    x, y = at
    pixel = out.inspect(x, y)
    with torch.no_grad():
        expected = restorer.model(photo[None], None if task == "auto" else Task.parse(task))
    for operator, stage in zip(pixel.stages, expected.stages, strict=True):
        for name in ("kernels", "modulation", "modulated_kernels", "scale_weights", "restored"):
            full = getattr(stage, name)[0, :, y, x].numpy()
            np.testing.assert_allclose(getattr(operator, name).ravel(), full, atol=1e-5)
        assert operator.uncertainty == pytest.approx(stage.uncertainty[0, 0, y, x].item(), abs=1e-5)
        np.testing.assert_allclose(operator.gain, operator.modulated_kernels.sum(axis=(1, 2)))
    np.testing.assert_array_equal(pixel.before, photo[:, y, x])
    np.testing.assert_allclose(pixel.stage1, out.stage1_rgb[:, y, x], atol=1e-5)
    np.testing.assert_allclose(pixel.after, out.restored_rgb[:, y, x], atol=1e-5)


def test_a_pixel_outside_the_photo_is_refused(restoration: Restoration) -> None:
    for x, y in ((70, 0), (0, 45), (-1, 0)):
        with pytest.raises(ValueError, match=rf"expected a pixel inside the photo of 70x45, got x={x}, y={y}"):
            restoration.inspect(x, y)


def test_a_result_can_be_sent_between_processes(restoration: Restoration) -> None:
    copy = pickle.loads(pickle.dumps(restoration))
    torch.testing.assert_close(copy.restored_rgb, restoration.restored_rgb)
    assert copy.inspect(3, 3).stages[1].uncertainty == restoration.inspect(3, 3).stages[1].uncertainty


BAD_OPTIONS = [
    ({"task": "fog"}, r'unknown task "fog": use one of rain, snow, haze, clean, or "auto"'),
    ({"tile": 3}, r'tile must be "auto", 0 for the whole photo, or at least 8 pixels, got 3'),
    ({"tile": "big"}, r"tile must be .* got 'big'"),
    ({"operator_scale": 3}, r'operator_scale must be one of 1, 2, 4 or "auto", got 3'),
    ({"stages": 3}, r"stages must be 1 to 2 for this model, got 3"),
    ({"stages": 0}, r"stages must be 1 to 2 for this model, got 0"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_options_out_of_range_are_refused(restorer: Restorer, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        restorer.restore(random_photo(8, 8), **options)


def test_strength_out_of_range_is_refused(restoration: Restoration) -> None:
    with pytest.raises(ValueError, match=r"strength must be between 0 \(the photo\) and 1 .*, got 1.5"):
        restoration.blend(1.5)


def test_unknown_devices_and_precisions_are_refused() -> None:
    with pytest.raises(ValueError, match=r'unknown device "gpu": use "auto", "cpu" or "cuda"'):
        Restorer(OPIR(TINY), device="gpu")
    with pytest.raises(ValueError, match=r'this machine has no device "cuda:99": use "cpu" or "auto"'):
        Restorer(OPIR(TINY), device="cuda:99")
    with pytest.raises(ValueError, match=r'unknown precision "half": use one of auto, fp32, bf16'):
        Restorer(OPIR(TINY), precision="half")


def test_bfloat16_stays_close_to_float32(restorer: Restorer, restoration: Restoration) -> None:
    out = Restorer(random_model(), device="cpu", precision="bf16").restore(random_photo(45, 70))
    assert out.restored_rgb.dtype == torch.float32
    assert (out.restored_rgb - restoration.restored_rgb).abs().mean() < 0.02


def test_stage_one_sees_hazy_photos_from_afar(restorer: Restorer) -> None:
    photo = random_photo(3 * SCENE_SIDE, 2 * SCENE_SIDE)
    hazy, rainy = (restorer.restore(photo, task=task, tile=0) for task in ("haze", "rain"))
    assert (hazy.operator_scales, rainy.operator_scales) == ((2, 1), (1, 1))
    torch.testing.assert_close(
        hazy.stage1_rgb, restorer.restore(photo, task="haze", tile=0, operator_scale=2, stages=1).restored_rgb
    )
    tiled = restorer.restore(photo, task="haze", tile=128)
    torch.testing.assert_close(tiled.restored_rgb, hazy.restored_rgb, rtol=0, atol=1e-5)
    for x, y in ((0, 0), (2 * SCENE_SIDE - 1, 3 * SCENE_SIDE - 1), (101, 222)):
        pixel = hazy.inspect(x, y)
        np.testing.assert_allclose(pixel.stage1, hazy.stage1_rgb[:, y, x], atol=1e-5)
        np.testing.assert_allclose(pixel.after, hazy.restored_rgb[:, y, x], atol=1e-5)
        assert pixel.stages[0].uncertainty == pytest.approx(float(hazy.uncertainty[y, x]), abs=1e-5)


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(1, 1, 1), (359, 500, 1), (500, 500, 2), (1920, 1080, 4), (4000, 3000, 16)]
)
def test_a_scene_is_reduced_to_at_least_its_least_side(width: int, height: int, scale: int) -> None:
    assert scene_scale(width, height) == scale
