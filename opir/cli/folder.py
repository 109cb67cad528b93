"""Restoring the photos of a folder: what is asked of each, and what is reported of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from opir import inspection
from opir.cli.jobs import STANDARD, Job
from opir.errors import ImageError, TooLargeError, printable
from opir.files import make_folder, written_whole
from opir.inference import restore_thoroughly
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.inference.tiled_level import Progress
from opir.photo import Photo, load_photo
from opir.photo.folders import OWN_MARK


@dataclass(frozen=True)
class RestoreOptions:
    """What `opir restore` was asked for, the same for every photo."""

    task: str
    tile: int | Literal["auto"]
    strength: float
    maps: tuple[str, ...]
    """Some of `opir.inspection.MAPS`."""
    levels: tuple[int, ...] | Literal["auto"] = "auto"
    keep_location: bool = False
    keep_time: bool = False
    max_megapixels: float | None = None
    """None for what the memory allows."""
    maps_format: str = "png"
    """One of `opir.inspection.MAP_FORMATS`."""
    thorough: bool = False
    """Restore in four ways and average them."""

    def read(self, job: Job) -> Photo:
        """Decode a photo; raises ImageError, a ValueError."""
        source = sys.stdin.buffer if job.source == STANDARD else job.source
        try:
            return load_photo(source, self.max_megapixels, self.keep_location)
        except TooLargeError as error:
            raise ImageError(f"{error}, or allow more with --max-megapixels where there is memory for it") from error

    def restore(self, restorer: Restorer, photo: Photo, progress: Progress | None = None) -> Restoration:
        """Run the model."""
        run = partial(restore_thoroughly, restorer) if self.thorough else restorer.restore
        return run(
            photo,
            self.task,
            tile=self.tile,
            scale_weights="scales" in self.maps,
            levels=self.levels,
            progress=progress,
        )

    def restore_with_bar(self, restorer: Restorer, job: Job, photo: Photo) -> Restoration:
        """Run the model, and show how far it is where a terminal is."""
        with tqdm(desc=printable(job.source.name), unit="tile", leave=False, disable=None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return self.restore(restorer, photo, show)

    def write(self, job: Job, restoration: Restoration) -> dict[str, Any]:
        """Write the result and its maps; the result comes last, so that one that is there is complete.

        Returns:
            The photo's task, size, levels, mean uncertainty and time, and the files of the maps.
        """
        maps, left_out = self._write_maps(job, restoration)
        file_format = job.file_format or restoration.photo.file.file_format
        if job.output == STANDARD:
            left_out += restoration.write(sys.stdout.buffer, file_format, self.strength)
        else:
            make_folder(job.output.parent)
            left_out += restoration.save(job.output, self.strength, file_format=file_format, keep_time=self.keep_time)
        return {
            "task": restoration.task,
            "task_probabilities": restoration.task_probabilities,
            "width": restoration.width,
            "height": restoration.height,
            "mean_uncertainty": float(restoration.uncertainty.mean()),
            "levels": [level.to_dict() for level in restoration.levels],
            "tiles": restoration.tiles,
            "seconds": round(restoration.seconds, 3),
            "maps": maps,
            "left_out": list(left_out),
        }

    def _write_maps(self, job: Job, restoration: Restoration) -> tuple[list[str], tuple[str, ...]]:
        """Write what was asked for beside the result; one that can not be written is named, and stops nothing."""
        if job.output == STANDARD:
            return [], tuple(f"the map {name}, which needs a file" for name in self.maps)
        written, failed = [], []
        for name, save in inspection.map_files(restoration, self.maps, self.maps_format, OWN_MARK.decode()).items():
            path = job.output.with_name(f"{job.output.name}.{name}")
            try:
                make_folder(path.parent)
                with written_whole(path) as file:
                    save(file)
                written.append(str(path))
            except (OSError, ValueError) as error:
                failed.append(f"the map {Path(name).stem} ({printable(str(error))})")
        return written, tuple(failed)

    def read_restore_write(self, restorer: Restorer, job: Job) -> dict[str, Any]:
        """Do all three steps for one photo."""
        return self.write(job, self.restore(restorer, self.read(job)))
