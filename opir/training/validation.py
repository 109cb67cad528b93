"""A quick look at a model during training: PSNR per task on clean photos with fixed weather."""

from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from opir.data.pairs import list_photos
from opir.degradations import degrade
from opir.evaluation.metrics import UNCHANGED_PSNR, psnr
from opir.model import OPIR
from opir.photo.photo import load_photo
from opir.tasks import Task

_NUM_PHOTOS = 8
_SIDE = 256


def _mean_psnr(restored: Tensor, clean: Tensor) -> float:
    return fmean(min(psnr(*pair), UNCHANGED_PSNR) for pair in zip(restored, clean, strict=True))


class Validation:
    """Central crops of a few photos, degraded once."""

    def __init__(self, folder: str | Path) -> None:
        paths = list_photos(folder)
        step = max(1, len(paths) // _NUM_PHOTOS)
        crops = []
        for path in paths[::step][:_NUM_PHOTOS]:
            photo = load_photo(path).rgb
            top, left = (max(0, (side - _SIDE) // 2) for side in photo.shape[-2:])
            crops.append(photo[:, top : top + _SIDE, left : left + _SIDE])
        self._clean = torch.stack(crops)
        self._degraded = {
            task: torch.cat([degrade(crop[None], task, seed) for seed, crop in enumerate(crops)]) for task in Task
        }

    def measure(self, model: OPIR, device: torch.device) -> dict[str, float]:
        """Return PSNR after each stage and before, by task, and the share of recognised tasks."""
        values: dict[str, float] = {}
        right = 0
        with torch.inference_mode():
            for task, degraded in self._degraded.items():
                clean = self._clean.to(device)
                result = model(degraded.to(device))
                for index, stage in enumerate(result.stages, start=1):
                    values[f"{task.label}/stage{index}"] = _mean_psnr(stage.restored, clean)
                if task is not Task.CLEAN:
                    values[f"{task.label}/input"] = _mean_psnr(degraded.to(device), clean)
                if result.embedding is not None:
                    right += int((model.task_probabilities(result.embedding).argmax(dim=1) == task).sum())
        values["recognised"] = right / (len(Task) * len(self._clean))
        return values
