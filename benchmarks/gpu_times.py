"""Measures how long a GPU takes for a photo of 1080p, 12 and 48 megapixels, with all stages, after a warm-up.

python -m benchmarks.gpu_times [--checkpoint lite]
"""

import argparse
import statistics
import time

import numpy as np
import torch

from opir import Restorer

_SIZES = {"1080p": (1080, 1920), "12 megapixels": (3000, 4000), "48 megapixels": (6000, 8000)}
_REPEATS = 3


def main() -> None:
    """Print the median of a few runs for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    restorer = Restorer.from_pretrained(arguments.checkpoint, device=arguments.device)
    random = np.random.default_rng(0)
    for name, (height, width) in _SIZES.items():
        photo = random.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        seconds = []
        for _ in range(_REPEATS + 1):
            started = time.perf_counter()
            restorer.restore(photo, task="rain")
            if restorer.device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started)
        print(f"{name}: {statistics.median(seconds[1:]):.3f} s")


if __name__ == "__main__":
    main()
