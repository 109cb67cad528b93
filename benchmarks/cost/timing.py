"""Timing in turn, medians and spread, and where a results file was measured."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import torch

from benchmarks.report.provenance import processor
from opir.model import load_model
from opir.training.commit import current_commit


def median_and_iqr(seconds: list[float]) -> dict[str, float | int]:
    """Return the median and interquartile range in milliseconds, and the number of runs."""
    low, middle, high = np.percentile(np.array(seconds) * 1e3, (25, 50, 75))
    return {"median_ms": round(float(middle), 2), "iqr_ms": round(float(high - low), 2), "runs": len(seconds)}


def interleaved(engines: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Time engines in turn, so that a disturbance meets all of them; the first round only warms up."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(repeats + 1):
        for name, run in engines.items():
            started = time.perf_counter()
            run()
            if turn:
                times[name].append(time.perf_counter() - started)
    return times


def with_ratios(times: dict[str, list[float]], unit: str) -> dict[str, dict[str, float | int]]:
    """Return every engine's milliseconds and its time against `unit`: the median of the ratios of each turn."""
    against = np.array(times[unit])
    return {
        name: median_and_iqr(seconds) | {"ratio": round(float(np.median(np.array(seconds) / against)), 4)}
        for name, seconds in times.items()
    }


def origin(quick: bool) -> dict[str, Any]:
    """Return when, where and with what something was measured."""
    return {
        "date": date.today().isoformat(),
        "commit": current_commit(),
        "weights_sha256": load_model("lite")[1].sha256,
        "processor": processor(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "quick": quick,
    }
