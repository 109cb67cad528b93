"""A quick look at a model during training: PSNR per task under fixed weather, and harm to plain pictures."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from opir.data.pairs import list_photos
from opir.degradations import degrade
from opir.degradations.haze import haze_over_distance
from opir.evaluation.metrics import UNCHANGED_PSNR, psnr
from opir.model import OPIR
from opir.photo.photo import load_rgb8
from opir.tasks import Task
from opir.training.pack import DEPTH_UNIT

_NUM_PHOTOS = 8
_SIDE = 256
_HARMED_BELOW = 38.0  # dB


def _psnrs(restored: Tensor, clean: Tensor) -> list[float]:
    """Return the PSNR of each picture (B, 3, H, W) in dB; equal ones count as `UNCHANGED_PSNR`."""
    return [min(psnr(one, truth), UNCHANGED_PSNR) for one, truth in zip(restored, clean, strict=True)]


def validation_of(folder: str | Path, device: torch.device) -> "Validation":
    """Validate on some photos of a folder."""
    paths = list_photos(folder)
    step = max(1, len(paths) // _NUM_PHOTOS)
    return Validation([(load_rgb8(path), None) for path in paths[::step]], [], device)


class Validation:
    """Central crops of a few photos, degraded once; rain, snow and clean ones at half their size too."""

    def __init__(
        self, photos: Sequence[tuple[Tensor, Tensor | None]], plain: Sequence[Tensor], device: torch.device
    ) -> None:
        """Cut and degrade.

        Args:
            photos: (3, H, W) uint8 with a depth (1, h, w) uint8 or None; the first eight are taken.
            plain: pictures to be left alone, (3, H, W) uint8.
            device: where to measure.
        """
        crops, depths = [], []
        for photo, depth in photos[:_NUM_PHOTOS]:
            height, width = photo.shape[-2:]
            top, left = (max(0, (side - _SIDE) // 2) for side in (height, width))
            window = (..., slice(top, top + _SIDE), slice(left, left + _SIDE))
            crops.append(photo[window].float() / 255)
            if depth is not None:
                whole = F.interpolate(depth[None].float(), size=(height, width), mode="bilinear")
                depths.append(whole[0][window] * DEPTH_UNIT / 255)
        clean = torch.stack(crops)
        self._clean = {task.label: clean.to(device) for task in Task}
        self._degraded = {
            task.label: torch.cat([degrade(crop[None], task, seed) for seed, crop in enumerate(crops)]).to(device)
            for task in Task
        }
        if len(depths) == len(crops):
            generator = Generator().manual_seed(0)
            seen, possible = haze_over_distance(clean, generator, torch.stack(depths))
            self._degraded["distance"], self._clean["distance"] = seen.to(device), possible.to(device)
        self._plain = [(picture[None].float() / 255).to(device) for picture in plain]

    def measure(self, model: OPIR, device: torch.device) -> dict[str, float]:
        """Return PSNR by kind after each stage and before, the share of recognised tasks, and harm to plain ones."""
        values: dict[str, float] = {}
        right = []
        with torch.inference_mode():
            for kind, degraded in self._degraded.items():
                clean = self._clean[kind]
                result = model(degraded)
                for index, stage in enumerate(result.stages, start=1):
                    values[f"{kind}/stage{index}"] = fmean(_psnrs(stage.restored, clean))
                if kind != Task.CLEAN.label:
                    values[f"{kind}/input"] = fmean(_psnrs(degraded, clean))
                if result.embedding is not None:
                    task = Task.HAZE if kind == "distance" else Task.parse(kind)
                    right.append((model.task_probabilities(result.embedding).argmax(dim=1) == task).float().mean())
                if kind == Task.CLEAN.label:
                    values["clean/worst"] = min(_psnrs(result.final.restored, clean))
            harm = [_psnrs(model(picture).final.restored, picture)[0] for picture in self._plain]
        if right:
            values["recognised"] = float(torch.stack(right).mean())
        if harm:
            values |= {"plain/worst": min(harm), "plain/mean": sum(harm) / len(harm)}
            values["plain/harmed"] = float(sum(value < _HARMED_BELOW for value in harm))
        return values
