"""Where a results file comes from (its provenance), and figures with their spread."""

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch

from opir.inference import Restorer
from opir.training.commit import current_commit

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"
SHIPPED = ROOT / "checkpoints" / "lite.safetensors"
SOURCE = ("command", "date", "commit", "weights_sha256", "hardware")
"""The keys of a results file that say where a row comes from."""


def provenance(command: str, restorer: Restorer, seeds: Sequence[int], quick: bool = False) -> dict[str, Any]:
    """Return what a results file starts with: command, date, commit, weights' hash, hardware and seeds.

    Args:
        command: that makes the file.
        restorer: with weights from a file.
        seeds: all that chance was drawn with.
        quick: whether it was only a test, on too few photos to publish.
    """
    assert restorer.info is not None
    return {
        **made_by(command),
        "weights_sha256": restorer.info.sha256,
        "hardware": hardware(restorer.device),
        "seeds": list(seeds),
        **({"quick": True} if quick else {}),
    }


def made_by(command: str) -> dict[str, Any]:
    """Return which command made a results file, when and at which commit."""
    return {"command": command, "date": date.today().isoformat(), "commit": current_commit()}


def other_weights(report: dict[str, Any]) -> str:
    """Return a line for the head of a table that was made with other weights than the shipped ones, or nothing."""
    made = report.get("weights_sha256")
    shipped = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    if made in (None, shipped):
        return ""
    return f"*Of other weights (`{made[:12]}…`) than those that are shipped (`{shipped[:12]}…`).*\n\n"


def hardware(device: torch.device) -> str:
    """Return the processor, its usable cores and the GPU, if one computes."""
    text = f"{processor()}, {os.cpu_count()} cores"
    return f"{text}, {torch.cuda.get_device_name(device)}" if device.type == "cuda" else text


def processor() -> str:
    """Name the processor, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def spread(values: Sequence[float], digits: int = 4) -> dict[str, float | int]:
    """Return the mean of the finite values, their standard deviation and their number."""
    finite = [float(value) for value in values if np.isfinite(value)]
    if not finite:
        return {"count": 0}
    deviation = stdev(finite) if len(finite) > 1 else 0.0
    return {"mean": round(fmean(finite), digits), "sd": round(deviation, digits), "count": len(finite)}


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write a results file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def source_line(report: dict[str, Any], target: str) -> str:
    """Return the line under a table: when, from what, by which `make` target."""
    tried = " **Tried only, on a few small crops: these are no results yet.**" if report.get("quick") else ""
    return (
        f"Measured {report['date']} at commit `{report['commit'][:10]}`, weights `{report['weights_sha256'][:12]}…`, "
        f"on {report['hardware']}, by `make {target}`.{tried}"
    )
