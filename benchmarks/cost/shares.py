"""Measures the parts of the time of restoring a photo, and compares the tail with the bandwidth of the memory."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cost.timing import interleaved, median_and_iqr
from opir.devices import computing_in
from opir.inference import Restorer
from opir.model import load_model
from opir.ops.window import Window
from opir.photo import load_photo

WIDTH, HEIGHT = 1920, 1080
QUICK_SIDE = 512
_COPIED = 64_000_000  # floats


def measure_shares(quick: bool) -> dict[str, Any]:
    """Time the parts of restoring one photo with `lite`, and the tail against reading and writing its memory once.

    The tail is all that a stage does at full resolution: head, modulation, uncertainty, filtering and fusion. Its
    floor is the time of reading its features and image and of writing its image and uncertainty, once. Its
    multiply-adds are those of the tensor operations; compiled, it needs fewer.
    """
    restorer = Restorer(load_model("lite")[0], "cpu")
    model, predictor = restorer.model, restorer.model.kernel_predictor
    width, height = (QUICK_SIDE, QUICK_SIDE) if quick else (WIDTH, HEIGHT)
    width, height = width // model.stride * model.stride, height // model.stride * model.stride
    photo = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    features = torch.rand(1, model.config.width, height // 2, width // 2).to(
        restorer.precision, memory_format=torch.channels_last
    )
    whole = Window(0, 0, height, width)
    floor_bytes = 4 * (2 * photo.numel() + photo[:, :1].numel()) + features.nbytes
    computing = computing_in(restorer.precision, restorer.device)
    block, target = torch.rand(_COPIED), torch.empty(_COPIED)

    @torch.inference_mode()
    def tail(fused: bool = restorer.fused) -> None:
        run = predictor.decode
        try:
            predictor.decode = lambda *_: (features, whole)  # type: ignore[method-assign]
            for _ in model.stage_strips(0, photo, embedding, fused=fused):
                pass
        finally:
            predictor.decode = run  # type: ignore[method-assign]

    with torch.inference_mode(), computing, tempfile.TemporaryDirectory() as folder:
        embedding = model.embed(photo)
        file = Path(folder) / "photo.jpg"
        Image.fromarray((photo[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)).save(file, quality=95)
        result = restorer.restore(file, tile=0)
        planes = photo.contiguous(memory_format=torch.channels_last)
        parts: dict[str, Callable[[], object]] = {
            "embedding": lambda: model.embed(photo),
            "network": lambda: predictor.decode(planes, embedding),
            "tail": tail,
            "tail, as tensor operations": partial(tail, False),
            "reading the file": lambda: load_photo(file),
            "writing the file": lambda: result.save(file.with_name("out.jpg")),
            "copying 256 MB": lambda: target.copy_(block),
        }
        times = {name: median_and_iqr(seconds) for name, seconds in interleaved(parts, 2 if quick else 7).items()}
        gmacs = {name: _gmacs(parts[name]) for name in ("embedding", "network")}
        gmacs |= dict.fromkeys(("tail", "tail, as tensor operations"), _gmacs(partial(tail, False)))
    bytes_per_ms = 2 * 4 * _COPIED / times.pop("copying 256 MB")["median_ms"]
    floor = floor_bytes / bytes_per_ms
    return {
        "width": width,
        "height": height,
        "threads": torch.get_num_threads(),
        "times_each_stage_runs": dict.fromkeys(gmacs, 2) | {"embedding": 1},
        "precision": str(restorer.precision).removeprefix("torch."),
        "parts": times,
        "gmacs": gmacs,
        "copy_gb_per_s": round(bytes_per_ms / 1e6, 2),
        "tail_floor_ms": round(floor, 2),
        "tail_share_of_floor": round(floor / times["tail"]["median_ms"], 3),
    }


def _gmacs(run: Callable[[], object]) -> float:
    """Return the multiply-adds (in 10⁹) of a part's convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        run()
    return round(float(counter.get_total_flops()) / 2e9, 3)
