"""Time of `lite` and `paper` against two yardsticks, all in turn in one process on one thread.

The yardsticks and `paper` have random weights: only their time is measured.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cost.efderain import EfDeRain
from benchmarks.cost.nafnet import NAFNet
from benchmarks.cost.timing import interleaved, with_ratios
from opir.devices import choose_precision, computing_in
from opir.inference import Restorer
from opir.model import OPIR, count_gmacs, count_parameters, load_model

SIDE = 256
CPU = torch.device("cpu")
UNIT = "NAFNet-w32, eager"
YARDSTICKS: dict[str, type[nn.Module]] = {"NAFNet-w32": NAFNet, "EfDeRain": EfDeRain}


def measure_ratio(quick: bool) -> dict[str, Any]:
    """Time each model eagerly in float32, and by the engine that is the default on this processor.

    Eager is the plain call of the model. The default of ours is `Restorer.restore`: channels last, its precision
    and its strips; that of a yardstick has channels last and the same precision, so the engines are equal. The
    photo's own level is named, because left to choose, the engine passes a photo without weather by.
    """
    torch.set_num_threads(1)
    photo = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    precision = choose_precision("auto", CPU)
    engines: dict[str, Callable[[], object]] = {}
    models: dict[str, dict[str, float | int]] = {}
    for name, build in YARDSTICKS.items():
        engines[f"{name}, eager"] = partial(_run, build().eval(), photo[None], torch.float32)
        last, planes = _channels_last(build().eval()), photo[None].contiguous(memory_format=torch.channels_last)
        engines[f"{name}, default"] = partial(_run, last, planes, precision)
        models[name] = {"gmacs": round(yardstick_gmacs(build), 2), "parameters": count_parameters(build())}
    for name in ("lite", "paper"):
        eager = _ours(name)
        engines[f"{name}, eager"] = partial(_run, eager, photo[None], torch.float32)
        engines[f"{name}, default"] = partial(Restorer(_ours(name), "cpu").restore, photo, levels=(0,))
        models[name] = {"gmacs": round(count_gmacs(eager.config, SIDE), 2), "parameters": count_parameters(eager)}
    return {
        "side": SIDE,
        "threads": 1,
        "default_precision": str(precision).removeprefix("torch."),
        "models": models,
        "engines": with_ratios(interleaved(engines, 2 if quick else 9), UNIT),
    }


def yardstick_gmacs(build: type[nn.Module]) -> float:
    """Return the multiply-adds (in 10⁹) of a yardstick's layers for one 256×256 photo."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        build()(torch.zeros(1, 3, SIDE, SIDE))
    return float(counter.get_total_flops() / 2e9)


def _ours(name: str) -> OPIR:
    """Return a new model for each engine, because a `Restorer` changes the layout of the model that it gets."""
    from opir.config import PRESETS

    return load_model(name)[0].eval() if name == "lite" else OPIR(PRESETS[name]).eval()


def _channels_last(model: nn.Module) -> nn.Module:
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@torch.inference_mode()
def _run(model: nn.Module, photo: Tensor, precision: torch.dtype) -> None:
    with computing_in(precision, CPU):
        model(photo)
