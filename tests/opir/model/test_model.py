"""Laws of the whole model: identity at the start, any size, tiles, tasks, and the switches of Table 5."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from opir.config import PRESETS, OPIRConfig
from opir.model import OPIR, count_gmacs, count_parameters
from opir.model.blocks import BLOCKS
from opir.model.task_encoder import TaskEncoder, small_copy
from opir.tasks import Task
from opir.training.losses import whole_change_loss
from tests.conftest import GOLDEN_FOLDER, make_picture, randomise

PAPER_GMACS_AT_224 = 47.0


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_untrained_model_returns_its_input(preset: str) -> None:
    picture = make_picture(33, 47)
    with torch.no_grad():
        restored = OPIR(PRESETS[preset])(picture).final.restored
    torch.testing.assert_close(restored, picture, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (16, 16), (45, 61)])
def test_results_have_the_size_of_the_photo(tiny_model: OPIR, shape: tuple[int, int]) -> None:
    with torch.no_grad():
        result = tiny_model(make_picture(*shape))
    final = result.final
    assert final.restored.shape == (1, 3, *shape)
    assert final.kernels.shape == final.modulated_kernels.shape == (1, 27, *shape)
    assert final.scale_weights.shape == (1, 2, *shape)
    assert final.uncertainty.shape == (1, 1, *shape)
    assert len(result.stages) == 2
    assert result.embedding is not None


def test_scale_weights_sum_to_one(tiny_model: OPIR, picture: Tensor) -> None:
    with torch.no_grad():
        weights = tiny_model(picture).first.scale_weights
    assert weights.min() >= 0
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(1, 45, 61))


def test_modulated_kernels_are_the_product(tiny_model: OPIR, picture: Tensor) -> None:
    with torch.no_grad():
        stage = tiny_model(picture).final
    assert stage.modulation is not None
    assert 0 <= stage.modulation.min() < stage.modulation.max() <= 4
    assert (stage.modulation - 1).abs().max() > 0.1
    torch.testing.assert_close(stage.modulated_kernels, stage.kernels * stage.modulation)


@pytest.mark.parametrize("block", sorted(BLOCKS))
def test_nothing_beyond_the_halo_matters(tiny_config: OPIRConfig, block: str) -> None:
    config = dataclasses.replace(tiny_config, block=block)
    model = randomise(OPIR(config)).eval()
    side = 2 * model.halo + model.stride
    photo = make_picture(side, side)
    embedding = model.prototype(Task.RAIN)
    inner = slice(model.halo, model.halo + model.stride)
    changed = photo.clone()
    changed[..., :2, :] = 1 - changed[..., :2, :]
    tile = photo.clone()
    with torch.no_grad():
        whole = model.run_stage(0, photo, embedding).restored[..., inner, inner]
        other = model.run_stage(0, changed, embedding).restored[..., inner, inner]
        bigger = torch.cat([torch.rand_like(tile), tile], dim=-1)
        shifted = model.run_stage(0, bigger, embedding).restored[..., inner, side:][..., inner]
    torch.testing.assert_close(other, whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(shifted, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_halo_covers_the_receptive_field(preset: str) -> None:
    config = dataclasses.replace(PRESETS[preset], width=4, encoder_width=4, embedding_dim=4)
    model = randomise(OPIR(config), spread=0.3).eval()
    side = 2 * model.halo + 3 * model.stride
    photo = make_picture(side, side).requires_grad_()
    centre = side // 2
    stage = model.run_stage(0, photo, model.prototype(Task.RAIN))
    stage.restored[0, :, centre, centre].sum().backward()
    assert photo.grad is not None
    touched = photo.grad[0].abs().sum(dim=0).nonzero()
    assert (touched - centre).abs().max() <= model.halo


@pytest.mark.parametrize("size", [(32, 32), (33, 70), (100, 45), (251, 333)])
@pytest.mark.parametrize("precision", [torch.float32, torch.float16])
def test_thesmall_copy_of_a_large_photo_is_made_row_by_row(
    size: tuple[int, int], precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opir.model.task_encoder._BY_ROWS_FROM_PIXELS", 1)
    photo = (1.4 * make_picture(*size) - 0.2).to(precision)
    expected = torch.nn.functional.adaptive_avg_pool2d(photo.float().clamp(0, 1), 128)
    torch.testing.assert_close(small_copy(photo), expected)


def test_the_embedding_can_tell_how_much_light_the_weather_adds(tiny_config: OPIRConfig) -> None:
    torch.manual_seed(0)
    encoder = TaskEncoder(tiny_config)
    photos = torch.cat([0.6 * make_picture(64, 64, seed) for seed in range(6)])
    share = torch.linspace(0, 0.9, 6)[:, None, None, None]
    hazy = photos * (1 - share) + 0.9 * share
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.003)
    losses = []
    for _ in range(60):
        loss = whole_change_loss(encoder.whole_change(encoder(hazy)), hazy, photos)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_an_embedding_in_bfloat16_is_that_of_float32() -> None:
    """Fine detail is what is left of a pixel without its surroundings: their mean has to be exact."""
    torch.manual_seed(0)
    encoder = TaskEncoder(PRESETS["lite"])
    photo = 0.7 + 0.01 * torch.randn(1, 3, 96, 128)
    with torch.inference_mode():
        exact = encoder(photo)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = encoder(photo)
    assert coarse.dtype == torch.float32
    assert (coarse - exact).norm() < 0.02 * exact.norm()


def test_the_coarsest_features_are_told_what_is_darkest_and_brightest(tiny_config: OPIRConfig) -> None:
    predictor = randomise(OPIR(tiny_config), spread=0.3).kernel_predictor
    photo, embedding = make_picture(32, 32), torch.zeros(1, tiny_config.embedding_dim)
    with torch.no_grad():
        predictor.intro.weight.zero_()  # nothing but the extremes gets through
        shuffled = photo.reshape(3, 32 // predictor.stride, predictor.stride, -1).flip(2).reshape(photo.shape)
        changed = photo.clone()
        changed[..., 5, 7] = 0
        seen, same, other = (predictor.features(image, embedding) for image in (photo, shuffled, changed))
    torch.testing.assert_close(seen, same)
    assert not torch.allclose(seen, other)


def test_named_task_uses_its_prototype(tiny_model: OPIR, picture: Tensor) -> None:
    both = torch.cat([picture, picture])
    with torch.no_grad():
        named = tiny_model(picture, Task.SNOW)
        mixed = tiny_model(both, torch.tensor([Task.SNOW, -1]))
        own = tiny_model(picture)
    prototype = tiny_model.prototype(Task.SNOW)
    assert prototype is not None
    torch.testing.assert_close(named.embedding, prototype)
    torch.testing.assert_close(mixed.final.restored[:1], named.final.restored, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(mixed.final.restored[1:], own.final.restored, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(named.final.restored, own.final.restored)


def test_probabilities_follow_the_nearest_prototype(tiny_model: OPIR) -> None:
    for task in Task:
        prototype = tiny_model.prototype(task)
        assert prototype is not None
        probabilities = tiny_model.task_probabilities(prototype)
        torch.testing.assert_close(probabilities.sum(), torch.tensor(1.0))
        assert probabilities.argmax() == task


def test_stage_two_filters_stage_one_under_its_uncertainty(tiny_model: OPIR) -> None:
    photo = make_picture(16, 16)
    with torch.no_grad():
        result = tiny_model(photo)
        by_hand = tiny_model.run_stage(1, result.first.restored, result.embedding, result.first.uncertainty)
        seen = result.first.restored * result.first.uncertainty
        guided = tiny_model.kernel_predictor(seen, result.embedding)
    torch.testing.assert_close(by_hand.restored, result.final.restored)
    torch.testing.assert_close(guided.kernels, result.final.kernels)


@pytest.mark.parametrize(
    "switches",
    [
        {"num_stages": 1, "task_aware": False, "scales": (1,)},
        {"num_stages": 1, "scales": (1,)},
        {"num_stages": 1, "task_aware": False},
        {"num_stages": 1},
        {"uncertainty_guided": False},
        {},
        {"kernel_channels": 1},
    ],
    ids=["a", "b", "c", "d", "e", "f", "shared-kernel"],
)
def test_every_row_of_table_5_learns(tiny_config: OPIRConfig, switches: dict[str, object]) -> None:
    torch.manual_seed(0)
    model = OPIR(dataclasses.replace(tiny_config, **switches))  # type: ignore[arg-type]
    photo = make_picture(32, 32)
    veiled = 0.5 * photo + 0.4
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    losses = []
    for _ in range(25):
        loss = (model(veiled).final.restored - photo).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_cost_of_the_presets() -> None:
    assert count_gmacs(PRESETS["paper"], 224) == pytest.approx(PAPER_GMACS_AT_224, rel=0.05)
    assert count_gmacs(PRESETS["lite"], 256) < 8
    assert count_parameters(OPIR(PRESETS["lite"])) * 4 < 20e6


def test_unaware_model_recognises_nothing(tiny_config: OPIRConfig) -> None:
    model = OPIR(dataclasses.replace(tiny_config, task_aware=False))
    assert model.embed(make_picture(16, 16)) is None
    with pytest.raises(ValueError, match="recognises no weather"):
        model.task_probabilities(torch.zeros(1, 6))


def test_golden_output(tiny_model: OPIR, picture: Tensor, request: pytest.FixtureRequest) -> None:
    with torch.no_grad():
        result = tiny_model(picture)
    outputs = torch.cat([result.first.restored, result.final.restored, result.first.uncertainty], dim=1)[
        ..., ::4, ::4
    ].contiguous()
    path = GOLDEN_FOLDER / "tiny_model.safetensors"
    if request.config.getoption("--renew-golden"):
        path.parent.mkdir(exist_ok=True)
        save_file({"outputs": outputs}, path)
    torch.testing.assert_close(outputs, load_file(path)["outputs"], rtol=1e-4, atol=1e-4)


def test_stages_are_told_of_haze_by_how_sure_it_is(tiny_model: OPIR) -> None:
    hazy, clean, rainy = (tiny_model.prototype(task) for task in (Task.HAZE, Task.CLEAN, Task.RAIN))
    assert hazy is not None
    assert clean is not None
    assert rainy is not None
    shares = torch.linspace(0, 1, 101)[:, None]
    embeddings = clean + shares * (hazy - clean)
    told = tiny_model.choose_task_embedding(embeddings)
    probabilities = tiny_model.task_probabilities(embeddings)
    haze, likeliest = probabilities[:, Task.HAZE], probabilities.argmax(dim=1)
    sure, left = haze > 0.9, likeliest != Task.HAZE
    assert left.any()
    torch.testing.assert_close(told[sure], hazy.expand_as(told[sure]))
    torch.testing.assert_close(told[left], embeddings[left])
    doubtful = (likeliest == Task.HAZE) & (haze > 0.5) & (haze < 0.74)
    nearer_to_clean = (told[doubtful] - clean).norm(dim=1) < (embeddings[doubtful] - clean).norm(dim=1)
    assert nearer_to_clean.all()
    torch.testing.assert_close(tiny_model.choose_task_embedding(rainy), rainy)
