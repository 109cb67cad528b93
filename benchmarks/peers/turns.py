"""A program that restores one photo whenever it is told to: methods of different environments take turns.

    python -m benchmarks.peers.turns METHOD PHOTO WITH

METHOD is "OPIR" or "dark channel prior" (WITH: a checkpoint) or "MAXIM" (WITH: a folder of its npm package). Once it
is ready it prints the conditions (levels, tiles); then, for each line that it reads, the seconds of a restoration.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_TILES = 6
"""Of a large photo MAXIM restores so many tiles; the time of the others is estimated from them."""


def opir(photo: Path, checkpoint: str) -> tuple[Callable[[], float], dict[str, Any]]:
    """Return what restores a photo blindly, and at which levels it does."""
    from benchmarks.peers.sets import read_png
    from opir.inference import Restorer

    restorer, degraded = Restorer.from_pretrained(checkpoint, "cpu"), read_png(photo)
    out = restorer.restore(degraded)
    levels = [level.number for level in out.working_levels]
    return lambda: _seconds(lambda: restorer.restore(degraded)), {"levels": levels, "tiles": out.tiles}


def dark_channel_prior(photo: Path, _: str) -> tuple[Callable[[], float], dict[str, Any]]:
    """Return what takes haze out of a photo."""
    from benchmarks.peers.sets import read_png
    from opir.evaluation import dehaze_by_dark_channel

    degraded = read_png(photo)
    return lambda: _seconds(lambda: dehaze_by_dark_channel(degraded)), {}


def maxim(photo: Path, package: str) -> tuple[Callable[[], float], dict[str, Any]]:
    """Return what restores a photo by MAXIM, and of how many tiles."""
    from benchmarks.peers.maxim import Maxim, read_photo, tiles

    model, degraded = Maxim(Path(package)), read_photo(photo)
    parts = tiles(*degraded.shape[:2])
    timed = parts[:MOST_TILES]
    model.restore_whole(degraded[timed[0]])  # the first one of its size takes longer

    def run() -> float:
        if timed == parts:
            return _seconds(lambda: model.restore(degraded))
        seconds = _seconds(lambda: [model.restore_whole(degraded[part]) for part in timed])
        return seconds * len(parts) / len(timed)

    return run, {"tiles": len(parts), "timed_tiles": len(timed)}


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


METHODS = {"OPIR": opir, "dark channel prior": dark_channel_prior, "MAXIM": maxim}


def main() -> None:
    """Get ready, and take a turn for each line."""
    method, photo, using = sys.argv[1:]
    run, conditions = METHODS[method](Path(photo), using)
    print(json.dumps(conditions), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run()), flush=True)


if __name__ == "__main__":
    main()
