"""How a trained variant is scored: fixed weather on the validation photos, by the metrics of `opir.evaluation`.

Rain is judged on Y, snow, haze and clean photos on RGB. Nothing is chosen by these figures.

H height, W width.
"""

from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opir.data import list_photos, pair_photos
from opir.degradations import degrade
from opir.evaluation import UNCHANGED_PSNR, Space, ause, evaluate, rank_correlation
from opir.inference import Restorer
from opir.model import OPIR
from opir.photo import load_photo, to_picture
from opir.tasks import Task

SPACES: dict[Task, Space] = {Task.RAIN: "y", Task.SNOW: "rgb", Task.HAZE: "rgb", Task.CLEAN: "rgb"}
WEATHER = (Task.RAIN, Task.SNOW, Task.HAZE)
"""What the paper's mean PSNR is over."""


def write_validation(clean: Path, folder: Path, side: int) -> None:
    """Degrade the photos of a folder once for all variants; photo n gets seed n, in 8 bits.

    Args:
        clean: folder of photos that nothing is trained on.
        folder: where `<task>/input` and `<task>/target` go; left as it is if they are there already.
        side: of the central square that is kept, in pixels; 0 keeps the photos whole.
    """
    marker = folder / "complete"
    if marker.is_file():
        return
    for seed, path in enumerate(list_photos(clean)):
        photo = _centre(load_photo(path).rgb, side)
        for task in Task:
            pair = {"input": degrade(photo[None], task, seed)[0], "target": photo}
            for kind, picture in pair.items():
                target = folder / task.label / kind / f"{seed:03d}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                to_picture(picture).save(target)
    marker.touch()


def _centre(photo: Tensor, side: int) -> Tensor:
    height, width = photo.shape[-2:]
    if not side:
        return photo
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    return photo[:, top : top + side, left : left + side]


class _Restored(NamedTuple):
    """What is kept of one photo."""

    rgb: Tensor
    uncertainty: NDArray[Any]


class _RestoringModel:
    """A model as `evaluate` calls it; keeps its results with their uncertainty maps."""

    def __init__(self, model: OPIR, device: torch.device, pyramid: bool) -> None:
        self._model, self._device = model, device
        self._restorer = Restorer(model, str(device), precision="fp32") if pyramid else None
        self.results: list[_Restored] = []

    def __call__(self, photo: Tensor) -> Tensor:
        if self._restorer is not None:
            found = self._restorer.restore(photo)
            self.results.append(_Restored(found.restored_rgb, found.uncertainty))
            return found.restored_rgb
        with torch.inference_mode():
            result = self._model(photo[None].to(self._device))
        restored: Tensor = result.final.restored[0].float().clamp(0, 1).cpu()
        self.results.append(_Restored(restored, result.first.uncertainty[0, 0].float().cpu().numpy()))
        return restored


def measure(
    model: OPIR, folder: Path, device: torch.device, uncertainty: bool = False, pyramid: bool = False
) -> dict[str, Any]:
    """Restore every photo of `write_validation` blindly and compare it with the truth.

    Args:
        model: in any mode of training; on `device`.
        folder: that `write_validation` filled.
        device: where the model is.
        uncertainty: whether UM is compared with the error too.
        pyramid: restore with the levels that the model chooses; else at the photo's own size alone, as in the paper.

    Returns:
        "psnr" and "ssim", means over rain, snow and haze; "tasks" with the means over photos of each task.
    """
    was_training = model.training
    model.eval()
    tasks = {
        task.label: _measure_task(model, folder / task.label, task, device, uncertainty, pyramid) for task in Task
    }
    model.train(was_training)
    means = {kind: fmean(tasks[task.label][kind] for task in WEATHER) for kind in ("psnr", "ssim", "input_psnr")}
    return {"tasks": tasks, **{kind: round(value, 4) for kind, value in means.items()}}


def _measure_task(
    model: OPIR, folder: Path, task: Task, device: torch.device, uncertainty: bool, pyramid: bool
) -> dict[str, Any]:
    pairs = pair_photos(folder / "input", folder / "target")
    restore = _RestoringModel(model, device, pyramid)
    report = evaluate(restore, pairs, SPACES[task])
    scores = {
        "psnr": fmean(min(image.psnr, UNCHANGED_PSNR) for image in report.images),
        "ssim": report.ssim,
        "input_psnr": fmean(min(image.input_psnr, UNCHANGED_PSNR) for image in report.images),
    }
    if uncertainty:
        errors = [_error(result.rgb, pair.clean) for result, pair in zip(restore.results, pairs, strict=True)]
        maps = [result.uncertainty for result in restore.results]
        scores["rank_correlation"] = fmean(map(rank_correlation, maps, errors))
        scores["ause"] = fmean(map(ause, maps, errors))
    return {"space": SPACES[task], **{name: round(float(value), 4) for name, value in scores.items()}}


def _error(restored: Tensor, target: Path) -> NDArray[np.float32]:
    error: NDArray[np.float32] = (restored - load_photo(target).rgb).abs().mean(dim=0).numpy()
    return error
