"""Restoring the photos of a folder: what is asked of each, and what is reported of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from opir import inspection
from opir.cli.jobs import Job
from opir.files import make_folder, written_whole
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.inference.tiled_level import Progress
from opir.photo.photo import Photo, load_photo


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
            levels=self.levels,
            progress=progress,
        )

    def write(self, job: Job, restoration: Restoration) -> dict[str, Any]:
        """Write the result and its maps; the result comes last, so that one that is there is complete.

        Returns:
            The photo's task, size, levels, mean uncertainty and time, and the files of the maps.
        """
        make_folder(job.output.parent)
        written = []
        for name, picture in inspection.pictures(restoration, self.maps).items():
            path = job.output.with_name(f"{job.output.name}.{name.replace(' ', '')}.png")
            with written_whole(path) as file:
                picture.save(file, "PNG")
            written.append(str(path))
        restoration.save(job.output, self.strength)
        return {
            "task": restoration.task,
            "task_probabilities": restoration.task_probabilities,
            "width": restoration.width,
            "height": restoration.height,
            "mean_uncertainty": float(restoration.uncertainty.mean()),
            "levels": [level.to_dict() for level in restoration.levels],
            "tiles": restoration.tiles,
            "seconds": round(restoration.seconds, 3),
            "maps": written,
        }

    def do(self, restorer: Restorer, job: Job) -> dict[str, Any]:
        """Read, restore and write one photo."""
        return self.write(job, self.restore(restorer, self.read(job)))
