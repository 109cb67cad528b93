"""Restoring the photos of a folder: what is asked of each, and what is reported of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from opir import inspection
from opir.cli.jobs import Job
from opir.files import make_folder, written_whole
from opir.inference.restoration import Restoration
from opir.inference.restorer import Progress, Restorer
from opir.photo.photo import Photo, load_photo


@dataclass(frozen=True)
class RestoreOptions:
    """What `opir restore` was asked for, the same for every photo."""

    task: str
    tile: int | Literal["auto"]
    strength: float
    maps: tuple[str, ...]
    """Some of `opir.inspection.MAPS`."""
    operator_scale: int | Literal["auto"] = 1
    keep_location: bool = False
    maps_format: str = "png"
    """One of `opir.inspection.MAP_FORMATS`."""

    def read(self, job: Job) -> Photo:
        """Decode a photo; raises ImageError, a ValueError."""
        return load_photo(job.source, keep_location=self.keep_location, compact=True)

    def restore(self, restorer: Restorer, photo: Photo, progress: Progress | None = None) -> Restoration:
        """Run the model."""
        return restorer.restore(
            photo,
            self.task,
            tile=self.tile,
            scale_weights="scales" in self.maps,
            operator_scale=self.operator_scale,
            progress=progress,
        )

    def write(self, job: Job, restoration: Restoration) -> dict[str, Any]:
        """Write the result and its maps; the result comes last, so that one that is there is complete.

        Returns:
            The photo's task, size, mean uncertainty and time, and the files of the maps.
        """
        make_folder(job.output.parent)
        written = []
        for name, save in inspection.map_files(restoration, self.maps, self.maps_format).items():
            path = job.output.with_name(f"{job.output.name}.{name}")
            with written_whole(path) as file:
                save(file)
            written.append(str(path))
        restoration.save(job.output, self.strength)
        return {
            "task": restoration.task,
            "task_probabilities": restoration.task_probabilities,
            "width": restoration.width,
            "height": restoration.height,
            "mean_uncertainty": float(restoration.uncertainty.mean()),
            "tiles": restoration.tiles,
            "seconds": round(restoration.seconds, 3),
            "maps": written,
        }

    def do(self, restorer: Restorer, job: Job) -> dict[str, Any]:
        """Read, restore and write one photo."""
        return self.write(job, self.restore(restorer, self.read(job)))
