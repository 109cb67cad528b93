"""Results in a file: made beforehand, so that a visitor's first click on an example shows one at once.

What is stored are the changes to the photo, as JPEG: a restored photo differs little from its input, so they take
a tenth of the room. They come back within a grey value or two. Maps are stored at half the width and height.

C colours, H height, W width, S scales.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from opir.inference import Calibration, Level, LevelWork, Restoration, carried_up
from opir.model import OPIR
from opir.ops import build_pyramid, in_grey_values, in_unit
from opir.photo import Photo, load_photo
from opir.tasks import AUTO

_FORMAT = "opir-example-5"
_UNCERTAINTY_TOP = 4.0  # the largest that is stored
_NO_CHANGE, _LARGEST = 128, 127  # grey values of a stored change


def save(result: Restoration, photo: Path, weights_sha256: str, path: Path) -> None:
    """Write what the page needs of a result made with scale weights.

    Args:
        result: of both stages, all on its own.
        photo: the file that it was made from.
        weights_sha256: of the weights that made it.
        path: of an .npz file.
    """
    pyramid = build_pyramid(result.photo.compact_rgb[None], len(result.levels))
    stored: dict[str, Any] = {}
    facts: list[dict[str, Any]] = []
    for level in result.levels:
        stored[f"{level.number}_embedding"] = np.asarray(level.embedding)
        steps = [] if level.work is None else _store_work(stored, level, level.work, pyramid[level.number][0])
        facts.append(
            {
                "number": level.number,
                "width": level.width,
                "height": level.height,
                "probabilities": level.probabilities,
                "change": level.change,
                "tiles": 0 if level.work is None else level.work.tiles,
                "steps": steps,
            }
        )
    stored["decisive"] = np.asarray(result.embedding)
    stored["facts"] = json.dumps(
        {
            "format": _FORMAT,
            "weights_sha256": weights_sha256,
            "photo_sha256": _digest(photo),
            "seconds": round(result.seconds, 2),
            "levels": facts,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **stored)


def _store_work(stored: dict[str, Any], level: Level, work: LevelWork, before: torch.Tensor) -> list[int]:
    """Add what a level did to what is stored; returns how many grey values a step of its changes is."""
    assert work.scale_weights is not None
    states = [_grey_values(rgb) for rgb in (before, work.first, work.restored)]
    changes = [after - before for before, after in pairwise(states)]
    steps = [max(1, -(-int(np.abs(change).max()) // _LARGEST)) for change in changes]
    for number, (change, step) in enumerate(zip(changes, steps, strict=True), start=1):
        stored[f"{level.number}_change{number}"] = _jpeg(_NO_CHANGE + change / step)
    uncertainty = work.uncertainty.numpy().astype(np.float32)
    stored[f"{level.number}_uncertainty"] = _jpeg(_halved(255 * uncertainty / _UNCERTAINTY_TOP))
    weights = [_halved(255 * weight.astype(np.float32)) for weight in work.scale_weights.numpy()]
    stored[f"{level.number}_scale_weights"] = _jpeg(np.concatenate(weights), quality=80)
    return steps


def load(
    path: Path, photo: Path, model: OPIR, precision: torch.dtype, calibration: Calibration | None = None
) -> Restoration:
    """Read a result; raises ValueError for any other file.

    Args:
        path: what `save` wrote.
        photo: the file that it was made from.
        model: the one that made it, to look at single pixels again.
        precision: what it computes in.
        calibration: of the weights, for the error bound.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return replace(_restoration(dict(stored), load_photo(photo), model, precision), calibration=calibration)
    except (KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: expected the result of an example; run make examples ({error})") from error


def _restoration(stored: dict[str, Any], photo: Photo, model: OPIR, precision: torch.dtype) -> Restoration:
    facts = _facts(stored)
    restored = photo.compact_rgb
    pyramid = build_pyramid(restored[None], len(facts["levels"]))
    levels = tuple(_level(stored, level, pyramid[level["number"]][0], model) for level in facts["levels"])
    for level in levels:  # the finest that worked is the last
        if level.work is not None:
            made = carried_up(pyramid[0][0], level.number, level.work.restored)
            restored = made.clamp(0, 1) if made.is_floating_point() else made
    return Restoration(
        photo=photo,
        levels=levels,
        restored_rgb=restored,
        asked=AUTO,
        seconds=facts["seconds"],
        model=model,
        precision=precision,
        keeps_scale_weights=True,
    )


def _level(stored: dict[str, Any], facts: dict[str, Any], before: torch.Tensor, model: OPIR) -> Level:
    number, size = facts["number"], (facts["height"], facts["width"])
    own, work = stored[f"{number}_embedding"], None
    if facts["steps"]:
        states = [_grey_values(before)]
        for index, step in enumerate(facts["steps"], start=1):
            states.append(states[-1] + step * (_picture(stored[f"{number}_change{index}"]) - _NO_CHANGE))
        first, restored = (_colours(state, before) for state in states[1:])
        uncertainty = _grown(_picture(stored[f"{number}_uncertainty"]), size) * (_UNCERTAINTY_TOP / 255)
        maps = np.split(_picture(stored[f"{number}_scale_weights"]), len(model.config.scales))
        weights = np.maximum(np.stack([_grown(one, size) for one in maps]), 1e-3)
        weights = (weights / weights.sum(axis=0)).astype(np.float16)
        work = LevelWork(
            own, first, restored, torch.from_numpy(uncertainty), torch.from_numpy(weights), facts["tiles"]
        )
    return Level(number, size[1], size[0], facts["probabilities"], own, facts["change"], work)


def embedding(path: Path) -> NDArray[np.float32]:
    """Return the embedding by which the photo that a file holds the result of was restored, (D,)."""
    with np.load(path, allow_pickle=False) as stored:
        return np.asarray(stored["decisive"])


def fits(path: Path, photo: Path, weights_sha256: str) -> bool:
    """Say whether a file holds the result of this photo with these weights."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            facts = _facts(stored)
    except (KeyError, OSError, ValueError, zipfile.BadZipFile):
        return False
    return bool(facts["weights_sha256"] == weights_sha256 and facts["photo_sha256"] == _digest(photo))


def _facts(stored: Any) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(str(stored["facts"]))
    if facts.get("format") != _FORMAT:
        raise ValueError(f"expected format {_FORMAT}, got {facts.get('format')}")
    return facts


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _grey_values(rgb: torch.Tensor) -> NDArray[np.int16]:
    """Return colours (3, H, W) in [0, 1] as whole grey values (H, W, 3)."""
    return in_grey_values(in_unit(rgb)).permute(1, 2, 0).numpy().astype(np.int16)


def _colours(grey_values: NDArray[Any], before: torch.Tensor) -> torch.Tensor:
    """Return grey values (H, W, 3) as colours (3, H, W), kept as those before are."""
    kept = torch.from_numpy(grey_values.clip(0, 255).astype(np.uint8)).permute(2, 0, 1).contiguous()
    return kept if before.dtype == torch.uint8 else in_unit(kept)


def _jpeg(values: NDArray[Any], quality: int = 95) -> NDArray[np.uint8]:
    """Return a picture (H, W[, 3]) of 0 to 255 as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    picture = Image.fromarray(values.round().clip(0, 255).astype(np.uint8))
    picture.save(buffer, "JPEG", quality=quality, subsampling=0)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def _picture(stored: NDArray[np.uint8]) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(stored.tobytes()))).astype(np.int16)


def _halved(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return a map (H, W) of half the width and height, rounded up."""
    height, width = values.shape
    return np.asarray(Image.fromarray(values).resize((-(-width // 2), -(-height // 2)), Image.Resampling.BOX))


def _grown(values: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a map at the size (H, W) of its photo."""
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize(size[::-1], Image.Resampling.BILINEAR))
