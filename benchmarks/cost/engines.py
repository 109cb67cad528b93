"""`lite` in every engine that is installed, on one thread: time, and PSNR of the result against eager float32.

OpenVINO is no dependency of this project; install it with `pip install openvino` for a comparison. For int8, ONNX
Runtime quantizes the convolutions, calibrated on other crops; OpenVINO runs the same graph.

H height, W width.
"""

import importlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.cost.timing import interleaved, with_ratios
from benchmarks.report.provenance import ROOT
from opir.devices import computing_in
from opir.evaluation import psnr
from opir.inference import Restorer
from opir.model import OPIR, export_model, load_model
from opir.photo import load_photo

Run = Callable[[Tensor], Tensor]
"""Restores one photo (1, 3, H, W) in [0, 1] to (1, 3, H, W) in [0, 1]."""
CPU = torch.device("cpu")
REFERENCE = "eager float32"
EXAMPLES = ROOT / "assets" / "examples"
SIDE, QUICK_SIDE, CALIBRATION_SIDE = 512, 128, 256
PHOTOS = ("palace-rain", "bridge-snow", "bridge-rain", "neuschwanstein-snow")
CALIBRATION_PHOTOS = ("canyon-haze", "castle", "coast", "pagoda", "village-rain-mist")


def measure_engines(quick: bool) -> dict[str, Any]:
    """Time engines in turn on one crop, and compare their results on several with those of eager float32."""
    torch.set_num_threads(1)
    side = QUICK_SIDE if quick else SIDE
    crops = [example_crop(name, side) for name in (PHOTOS[:2] if quick else PHOTOS)]
    with tempfile.TemporaryDirectory() as folder:
        engines, absent = available_engines(Path(folder), side, quick)
        expected = [engines[REFERENCE](crop) for crop in crops]
        found: dict[str, dict[str, Any]] = {}
        for name, run in engines.items():
            scores = [_psnr(run(crop), wanted) for crop, wanted in zip(crops, expected, strict=True)]
            found[name] = {"psnr": None if name == REFERENCE else {"mean": _mean(scores), "least": min(scores)}}
        times = interleaved({name: partial(run, crops[0]) for name, run in engines.items()}, 2 if quick else 7)
    for name, row in with_ratios(times, REFERENCE).items():
        found[name] |= row
    return {"side": side, "threads": 1, "photos": len(crops), "engines": found, "absent": absent}


def example_crop(name: str, side: int) -> Tensor:
    """Return the middle (1, 3, side, side) of one of the page's examples, less where it is smaller."""
    rgb = load_photo(EXAMPLES / f"{name}.jpg").rgb
    height, width = (min(size, side) // 16 * 16 for size in rgb.shape[1:])
    top, left = (rgb.shape[1] - height) // 2, (rgb.shape[2] - width) // 2
    return rgb[None, :, top : top + height, left : left + width].contiguous()


def available_engines(folder: Path, side: int, quick: bool) -> tuple[dict[str, Run], dict[str, str]]:
    """Return what can be run here, and why the others can not.

    Args:
        folder: for graphs; it has to stay as long as the engines are used.
        side: of the photos that will be restored.
        quick: leaves out what takes a minute to prepare.
    """
    engines: dict[str, Run] = {
        REFERENCE: partial(_forward, load_model("lite")[0].eval(), torch.contiguous_format, torch.float32)
    }
    for title, precision in (("channels last", torch.float32), ("channels last, bf16", torch.bfloat16)):
        engines[title] = partial(_forward, _channels_last_model(), torch.channels_last, precision)
    for title, name in (("strips, float32", "fp32"), ("strips, bf16", "bf16")):
        engines[title] = partial(_restore, Restorer(load_model("lite")[0], "cpu", name, fused=False))
    absent: dict[str, str] = {}
    for title, name in (("compiled tail, float32", "fp32"), ("compiled tail, bf16", "bf16")):
        with _noted(title, absent):
            importlib.import_module("numba")
            engines[title] = partial(_restore, Restorer(load_model("lite")[0], "cpu", name))
    if quick:
        absent["strips, network by torch.compile"] = "left out of a quick run"
    else:
        with _noted("strips, network by torch.compile", absent):
            engines["strips, network by torch.compile"] = _compiled(side)
    graph, small, model = folder / "lite-level.onnx", folder / "lite-int8.onnx", load_model("lite")[0].eval()
    with _noted("ONNX", absent):
        export_model("lite", "onnx", folder)
        with _noted("ONNX Runtime float32", absent):
            engines["ONNX Runtime float32"] = _onnx_runtime(graph, model)
        with _noted("ONNX Runtime int8", absent):
            quantize(graph, small, model)
            engines["ONNX Runtime int8"] = _onnx_runtime(small, model)
    for title, file, hint in (("float32", graph, "f32"), ("bf16", graph, "bf16"), ("int8", small, "f32")):
        with _noted(f"OpenVINO {title}", absent):
            engines[f"OpenVINO {title}"] = _openvino(file, hint, side, model)
    return engines, absent


@contextmanager
def _noted(name: str, absent: dict[str, str]) -> Iterator[None]:
    """Go on without an engine that is missing or fails, and note why."""
    try:
        yield
    except ImportError as error:
        absent[name] = f"{error.name} is not installed"
    except Exception as error:
        absent[name] = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def _channels_last_model() -> torch.nn.Module:
    return load_model("lite")[0].eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@torch.inference_mode()
def _forward(model: torch.nn.Module, layout: torch.memory_format, precision: torch.dtype, photo: Tensor) -> Tensor:
    with computing_in(precision, CPU):
        restored: Tensor = model(photo.contiguous(memory_format=layout)).final.restored
    return restored.float().clamp(0, 1)


def _restore(restorer: Restorer, photo: Tensor) -> Tensor:
    return restorer.restore(photo, levels=(0,), tile=0).restored_rgb[None].float()


def _compiled(side: int) -> Run:
    restorer = Restorer(load_model("lite")[0], "cpu", "fp32", fused=False)
    predictor = restorer.model.kernel_predictor
    predictor.features = torch.compile(predictor.features)  # type: ignore[method-assign]
    run = partial(_restore, restorer)
    run(torch.rand(1, 3, side, side))  # the first call compiles, or fails
    return run


def _inputs(photo: Tensor, model: OPIR) -> dict[str, NDArray[np.float32]]:
    """Return what the graph of a level takes; the embedding is PyTorch's in every engine."""
    with torch.inference_mode():
        own = model.embed(photo)
        assert own is not None
        embedding = model.choose_task_embedding(own)
    return {"picture": photo.numpy(), "embedding": embedding.numpy()}


def _onnx_runtime(graph: Path, model: OPIR) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda photo: torch.from_numpy(session.run(["restored"], _inputs(photo, model))[0]).clamp(0, 1)


def _openvino(graph: Path, hint: str, side: int, model: OPIR) -> Run:
    import openvino

    if not graph.is_file():
        raise FileNotFoundError(f"there is no {graph.name} to run")
    core = openvino.Core()
    network = core.read_model(graph)
    network.reshape({"picture": [1, 3, side, side]})
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": 1}
    request = core.compile_model(network, "CPU", settings).create_infer_request()
    return lambda photo: torch.from_numpy(np.array(request.infer(_inputs(photo, model))["restored"])).clamp(0, 1)


def quantize(graph: Path, output: Path, model: OPIR) -> None:
    """Write a graph with convolutions in 8 bits, weights by channel, calibrated on a few examples."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Examples(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            crops = (example_crop(name, CALIBRATION_SIDE) for name in CALIBRATION_PHOTOS)
            self.photos = iter([_inputs(crop, model) for crop in crops])

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self.photos, None)

    quantize_static(
        graph,
        output,
        Examples(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _psnr(result: Tensor, wanted: Tensor) -> float:
    """Return dB of photos (1, 3, H, W), not rounded to 8 bits, at most 120."""
    return round(min(psnr(result[0], wanted[0], rounded=False), 120.0), 2)


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 2)
