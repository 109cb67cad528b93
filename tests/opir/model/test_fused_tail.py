"""The compiled tail gives what the tensor operations give, for every model, size and part of a photo."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from opir.config import PRESETS, OPIRConfig
from opir.model import OPIR, fused_tail
from opir.model.inverse_operator import Strip
from opir.ops.compiled import _exp, _log
from opir.ops.window import Window
from opir.tasks import Task
from tests.conftest import TINY, make_picture, randomise


@pytest.fixture(autouse=True)
def _small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opir.model.inverse_operator._FUSED_STRIP_PIXELS", 3000)


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def joined(strips: list[Strip]) -> dict[str, Tensor]:
    names = ("restored", "uncertainty", "scale_weights")
    return {name: torch.cat([getattr(strip, name) for strip in strips], dim=2) for name in names}


def compare(model: OPIR, photo: Tensor, inner: Window | None = None) -> None:
    embedding = model.embed(photo)
    with torch.inference_mode():
        fused = list(model.stage_strips(0, photo, embedding, inner=inner))
        plain = list(model.stage_strips(0, photo, embedding, inner=inner, fused=False))
    bottom = 0
    for strip in fused:
        assert strip.top == bottom
        bottom += strip.restored.shape[2]
    for name, values in joined(plain).items():
        difference = (joined(fused)[name] - values).abs() - 1e-5 * values.abs()
        assert difference.max() < 1e-5, name


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"kernel_channels": 1},
        {"task_aware": False},
        {"scales": (3,)},
        {"scales": (1, 2, 3, 4, 6)},
        {"width": 6, "modulator_width": 5},
        {"smooth_maps": True},
        {"smooth_maps": True, "width": 6, "kernel_channels": 1},
    ],
    ids=["tiny", "shared kernel", "no TAM", "one scale", "five scales", "odd widths", "smooth", "smooth, odd width"],
)
def test_every_model_gets_the_same_result(switches: dict[str, object]) -> None:
    config = dataclasses.replace(TINY, **switches)  # type: ignore[arg-type]
    compare(randomise(OPIR(config)).eval(), make_picture(64, 96))


@pytest.mark.parametrize("size", [(4, 4), (4, 1204), (520, 12), (132, 516)])
def test_every_size_gets_the_same_result(size: tuple[int, int], tiny_model: OPIR, two_threads: None) -> None:
    compare(tiny_model, make_picture(*size))


def test_a_part_of_a_photo_gets_the_same_result(tiny_model: OPIR) -> None:
    compare(tiny_model, make_picture(96, 128), Window(20, 44, 68, 120))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_shipped_preset_gets_the_same_result(precision: torch.dtype) -> None:
    model = randomise(OPIR(PRESETS["lite"]), spread=0.03).eval()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
        compare(model, make_picture(64, 80))


def test_extreme_kernels_and_weights_stay_finite(tiny_config: OPIRConfig) -> None:
    model = randomise(OPIR(tiny_config), spread=3.0).eval()
    with torch.inference_mode():
        strips = list(model.stage_strips(0, make_picture(32, 32), model.prototype(Task.RAIN)))
    for values in joined(strips).values():
        assert bool(values.isfinite().all())
    torch.testing.assert_close(joined(strips)["scale_weights"].sum(dim=1), torch.ones(1, 32, 32))


def test_where_numba_is_missing_tensor_operations_do_it(tiny_model: OPIR, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the compiled tail was used")

    monkeypatch.setattr(fused_tail.FusedTail, "__call__", refuse)
    photo, embedding = make_picture(32, 32), tiny_model.prototype(Task.RAIN)
    with torch.inference_mode():
        with pytest.raises(AssertionError, match="was used"):
            list(tiny_model.stage_strips(0, photo, embedding))
        monkeypatch.setattr("opir.model.inverse_operator.is_available", lambda: False)
        assert list(tiny_model.stage_strips(0, photo, embedding))


def test_exponentials_and_logarithms_are_those_of_numpy() -> None:
    import numba

    @numba.njit  # type: ignore[untyped-decorator]
    def of_all(function, values, results):  # type: ignore[no-untyped-def]
        for index in range(len(values)):
            results[index] = function(values[index])

    values = np.linspace(-60, 60, 5001).astype(np.float32)
    exponentials, logarithms = np.empty_like(values), np.empty_like(values)
    of_all(_exp, values, exponentials)
    of_all(_log, np.exp(values), logarithms)
    np.testing.assert_allclose(exponentials, np.exp(values.astype(float)), rtol=1e-6)
    np.testing.assert_allclose(logarithms, np.log(np.exp(values).astype(float)), rtol=1e-6, atol=1e-6)
