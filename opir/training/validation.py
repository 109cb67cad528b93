"""Validation during training: PSNR for each task under fixed weather, and harm to plain pictures."""

from collections.abc import Sequence
from statistics import fmean

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from opir.data.readers import DEPTH_UNIT
from opir.degradations import degrade
from opir.degradations.haze import haze_over_distance
from opir.evaluation.metrics import UNCHANGED_PSNR, psnr
from opir.model import OPIR
from opir.tasks import TASK_NAMES, Task

_SIDE = 256
_HARMED_BELOW = 38.0  # dB


def _psnrs(restored: Tensor, clean: Tensor) -> list[float]:
    """Return the PSNR of each picture (B, 3, H, W) in dB; equal ones count as `UNCHANGED_PSNR`."""
    return [min(psnr(one, truth), UNCHANGED_PSNR) for one, truth in zip(restored, clean, strict=True)]


class Validation:
    """Central crops of a few photos, degraded once."""

    def __init__(
        self, photos: Sequence[tuple[Tensor, Tensor | None]], plain: Sequence[Tensor], device: torch.device
    ) -> None:
        """Cut and degrade.

        Args:
            photos: (3, H, W) uint8 with a depth (1, h, w) uint8 or None, at least one.
            plain: pictures to be left alone, (3, H, W) uint8.
            device: where to measure.
        """
        side = min(_SIDE, *(min(photo.shape[-2:]) for photo, _ in photos))
        crops, depths = [], []
        for photo, depth in photos:
            height, width = photo.shape[-2:]
            top, left = (height - side) // 2, (width - side) // 2
            window = (..., slice(top, top + side), slice(left, left + side))
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

    def measure(self, model: OPIR) -> dict[str, float]:
        """Return PSNR by weather before and after each stage, the share of recognised tasks, harm to plain ones."""
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
                own = model.embed(degraded)
                if own is not None:
                    task = Task.HAZE if kind == "distance" else Task.parse(kind)
                    right.append((model.task_probabilities(own).argmax(dim=1) == task).float().mean())
                if kind == Task.CLEAN.label:
                    values["clean/worst"] = min(_psnrs(result.final.restored, clean))
            harm = [_psnrs(model(picture).final.restored, picture)[0] for picture in self._plain]
        if right:
            values["recognised"] = float(torch.stack(right).mean())
        if harm:
            values |= {"plain/worst": min(harm), "plain/mean": sum(harm) / len(harm)}
            values["plain/harmed"] = float(sum(value < _HARMED_BELOW for value in harm))
        return values

    def picture(self, model: OPIR) -> Tensor:
        """Return a row of pictures for each weather: the first photo, its restoration, the truth; (3, H, W) uint8."""
        rows = []
        with torch.inference_mode():
            for task in Task:
                if task is Task.CLEAN:
                    continue
                given = self._degraded[task.label][:1]
                row = [given, model(given).final.restored, self._clean[task.label][:1]]
                rows.append(torch.cat(row, dim=3)[0])
        return (torch.cat(rows, dim=1).clamp(0, 1) * 255).round().byte().cpu()


def summarise(metrics: dict[str, float]) -> str:
    """Return a line for a validation: PSNR in dB before and after for each weather, and that of clean photos."""
    last = max(name.partition("/")[2] for name in metrics if "/stage" in name)
    changes = [
        f"{kind} {metrics[f'{kind}/input']:.1f} → {metrics[f'{kind}/{last}']:.1f}"
        for kind in (*TASK_NAMES, "distance")
        if f"{kind}/input" in metrics
    ]
    return ", ".join([*changes, f"clean {metrics[f'clean/{last}']:.1f}"]) + " dB"
