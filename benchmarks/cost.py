"""Measure what restoring costs, and write JSON: time against a yardstick, where it goes, whole files, memory.

    python -m benchmarks.cost --output benchmarks/results/cost.json [--quick] [--steps ratio shares files]

Steps that are not named keep what the file says of them. Run it on idle cores: `ratio` runs all engines in turn in
one process on one thread, `files` restores each JPEG in a process of its own on all cores.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.nafnet import NAFNet
from opir.checkpoints import load_model
from opir.config import PRESETS
from opir.export import export_model
from opir.images import load_photo
from opir.model import OPIR, count_gmacs, count_parameters
from opir.restorer import Restorer

STEPS = ("ratio", "shares", "files")
ALONE = (sys.executable, "-m", "benchmarks.cost")
SIDE = 256
FILES = {"2": (1920, 1080), "12": (4000, 3000), "48": (8000, 6000)}
"""Width and height by megapixels."""


def median_and_iqr(seconds: list[float]) -> dict[str, float]:
    """Return milliseconds."""
    low, middle, high = np.percentile(np.array(seconds) * 1e3, (25, 50, 75))
    return {"median_ms": round(float(middle), 2), "iqr_ms": round(float(high - low), 2)}


def interleaved(engines: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Time engines in turn, so that a disturbance meets all of them; the first round only warms up."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(repeats + 1):
        for name, run in engines.items():
            started = time.perf_counter()
            run()
            if turn:
                times[name].append(time.perf_counter() - started)
    return times


def measure_ratio(quick: bool) -> dict[str, Any]:
    """Time `lite` and `paper` against NAFNet-w32 at 256×256 on one thread, all in float32 unless named."""
    torch.set_num_threads(1)
    photo = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    nafnet = NAFNet().eval()
    lite, paper = load_model("lite")[0], OPIR(PRESETS["paper"]).eval()
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        NAFNet()(torch.zeros(1, 3, SIDE, SIDE))

    @torch.inference_mode()
    def yardstick() -> None:
        nafnet(photo[None])

    @torch.inference_mode()
    def eager(model: OPIR) -> None:
        model(photo[None])

    engines: dict[str, Callable[[], object]] = {"NAFNet-w32, eager": yardstick}
    for name, model in (("lite", lite), ("paper", paper)):
        restorer = Restorer(model, "cpu", "fp32")
        engines[f"{name}, eager"] = partial(eager, model)
        engines[f"{name}, default"] = partial(restorer.restore, photo)
    engines |= exported_engines(photo.numpy()[None])
    times = interleaved(engines, 3 if quick else 15)
    unit = np.array(times["NAFNet-w32, eager"])
    gmacs = {"NAFNet-w32": counter.get_total_flops() / 2e9} | {n: count_gmacs(PRESETS[n], SIDE) for n in PRESETS}
    parameters = {
        "NAFNet-w32": count_parameters(nafnet),
        "lite": count_parameters(lite),
        "paper": count_parameters(paper),
    }
    return {
        "side": SIDE,
        "threads": 1,
        "models": {n: {"gmacs": round(gmacs[n], 2), "parameters": parameters[n]} for n in gmacs},
        "engines": {
            name: median_and_iqr(seconds) | {"ratio": round(float(np.median(np.array(seconds) / unit)), 4)}
            for name, seconds in times.items()
        },
    }


def exported_engines(photo: np.ndarray[Any, Any]) -> dict[str, Callable[[], object]]:
    """Return `lite` in the runtimes that are installed."""
    engines: dict[str, Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            graph = export_model("lite", "onnx", Path(folder) / "lite.onnx")
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            engines["lite, ONNX Runtime"] = lambda: session.run(["image"], {"photo": photo})
            import openvino

            model = openvino.Core().read_model(graph)
            model.reshape(photo.shape)
            for kind in ("f32", "bf16"):
                settings = {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": 1}
                request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
                engines[f"lite, OpenVINO {kind}"] = partial(request.infer, {0: photo})
        except (ImportError, ValueError) as error:
            print(f"left out: {error}", file=sys.stderr)
    return engines


def measure_shares(quick: bool) -> dict[str, Any]:
    """Time the parts of restoring one photo with `lite`, and the tail against reading and writing its memory once."""
    width, height = (512, 512) if quick else FILES["2"]
    height -= height % 16
    model = load_model("lite")[0].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    photo = torch.rand(1, 3, height, width)
    features = torch.rand(1, model.config.width, height // 2, width // 2).contiguous(
        memory_format=torch.channels_last
    )
    embedding = model.embed(photo)
    floats = photo.numel() * 2 + features.numel() + photo[:, :1].numel()  # image in, image and UM out, features in
    block, target = torch.rand(64_000_000), torch.empty(64_000_000)
    predictor = model.kernel_predictor

    @torch.inference_mode()
    def tail() -> None:
        run = predictor.features
        try:
            predictor.features = lambda image, task_embedding=None: features
            for _ in model.stage_strips(0, photo, embedding):
                pass
        finally:
            predictor.features = run

    with torch.inference_mode(), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        Image.fromarray((photo[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)).save(file, quality=95)
        restorer = Restorer(model, "cpu", "fp32")
        result = restorer.restore(file, tile=0)
        planes = photo.contiguous(memory_format=torch.channels_last)
        parts: dict[str, Callable[[], object]] = {
            "embedding": lambda: model.embed(photo),
            "network": lambda: predictor.features(planes, embedding),
            "tail": tail,
            "reading the file": lambda: load_photo(file),
            "writing the file": lambda: result.save(file.with_name("out.jpg")),
            "copying 256 MB": lambda: target.copy_(block),
        }
        times = {name: median_and_iqr(s) for name, s in interleaved(parts, 3 if quick else 9).items()}
    bytes_per_ms = 2 * 4 * len(block) / times.pop("copying 256 MB")["median_ms"]
    floor = 4 * floats / bytes_per_ms
    return {
        "width": width,
        "height": height,
        "threads": torch.get_num_threads(),
        "times_each_stage_runs": {"embedding": 2, "network": 2, "tail": 2},
        "parts": times,
        "tail_floor_ms": round(floor, 2),
        "tail_share_of_floor": round(floor / times["tail"]["median_ms"], 3),
    }


def measure_files(quick: bool) -> dict[str, Any]:
    """Restore JPEGs to JPEGs, each in a new process; weights loaded before the clock starts."""
    results = {}
    for name, (width, height) in FILES.items():
        if quick and name != "2":
            continue
        runs = [json.loads(_run_alone(width, height)) for _ in range(1 if quick or name == "48" else 3)]
        results[name] = median_and_iqr([run["seconds"] for run in runs]) | {
            "width": width,
            "height": height,
            "tiles": runs[0]["tiles"],
            "peak_mb": max(run["peak_mb"] for run in runs),
        }
    return {"threads": torch.get_num_threads(), "photos": results}


def _run_alone(width: int, height: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        # Made by a process of its own: a child's peak starts at its parent's.
        subprocess.run([*ALONE, "--make", str(file), str(width), str(height)], check=True)
        command = [*ALONE, "--restore", str(file)]
        return str(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def make_file(file: Path, width: int, height: int) -> None:
    """Write a JPEG with structure and noise."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    random = np.random.default_rng(0)
    picture = np.empty((height, width, 3), np.uint8)
    for colour in range(3):
        wave = 128 + 80 * np.sin(rows / (40 + 9 * colour)) * np.cos(columns / 60)
        picture[..., colour] = (wave + random.normal(0, 6, (height, width))).clip(0, 255)
    Image.fromarray(picture).save(file, quality=92)


def restore_file(file: Path) -> None:
    """Restore a JPEG, and print the time and the peak memory of this process."""
    restorer = Restorer.from_pretrained("lite", "cpu")
    restorer.restore(torch.rand(3, 64, 64))
    started = time.perf_counter()
    out = restorer.restore(file)
    out.save(file.with_name("restored.jpg"))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": round(peak), "tiles": out.tiles}))


def provenance() -> dict[str, Any]:
    """Return when, where and with what."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": date.today().isoformat(),
        "commit": commit,
        "weights_sha256": load_model("lite")[1].sha256,
        "processor": names[0].split(":")[1].strip() if names else platform.processor(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def main() -> None:
    """Run from the command line."""
    if sys.argv[1:2] == ["--make"]:
        return make_file(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    if sys.argv[1:2] == ["--restore"]:
        return restore_file(Path(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--quick", action="store_true", help="a few repeats, small photos: to see that it runs")
    options = parser.parse_args()
    report = json.loads(options.output.read_text()) if options.output.exists() else {}
    threads = torch.get_num_threads()
    for step in options.steps:
        torch.set_num_threads(threads)
        measured = {"ratio": measure_ratio, "shares": measure_shares, "files": measure_files}[step](options.quick)
        report[step] = provenance() | {"quick": options.quick} | measured
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
