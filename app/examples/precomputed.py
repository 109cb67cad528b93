"""Results in a file: made beforehand, so that a visitor's first click on an example shows one at once.

What is stored are the changes to the photo, as JPEG: a restored photo differs little from its input, so they take
a tenth of the room. They come back within a level or two of 255. Maps are stored at half the width and height.

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

from opir.inference import Calibration, Restoration
from opir.model import OPIR
from opir.photo import Photo, load_photo

_FORMAT = "opir-example-4"
_UNCERTAINTY_TOP = 4.0  # the largest that is stored
_NO_CHANGE, _LARGEST = 128, 127  # levels of a stored change


def save(result: Restoration, photo: Path, weights_sha256: str, path: Path) -> None:
    """Write what the page needs of a result made with scale weights.

    Args:
        result: of both stages, all on its own.
        photo: the file that it was made from.
        weights_sha256: of the weights that made it.
        path: of an .npz file.
    """
    assert result.scale_weights is not None
    states = [_levels(rgb) for rgb in (result.photo.rgb, result.stage1_rgb, result.restored_rgb)]
    changes = [after - before for before, after in pairwise(states)]
    steps = [max(1, -(-int(np.abs(change).max()) // _LARGEST)) for change in changes]
    stored: dict[str, Any] = {
        f"change{number}": _jpeg(_NO_CHANGE + change / step)
        for number, (change, step) in enumerate(zip(changes, steps, strict=True), start=1)
    }
    stored["uncertainty"] = _jpeg(_halved(255 * result.uncertainty / _UNCERTAINTY_TOP))
    weights = [_halved(255 * weight.astype(np.float32)) for weight in result.scale_weights]
    stored["scale_weights"] = _jpeg(np.concatenate(weights), quality=80)
    stored["embedding"] = np.asarray(result.embedding)
    stored["told"] = result.task_embedding
    stored["facts"] = json.dumps(
        {
            "format": _FORMAT,
            "weights_sha256": weights_sha256,
            "photo_sha256": _digest(photo),
            "steps": steps,
            "task": result.task,
            "task_probabilities": result.task_probabilities,
            "tiles": result.tiles,
            "predicted_scale": result.predicted_scale,
            "seconds": round(result.seconds, 2),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **stored)


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
    states = [_levels(photo.rgb)]
    for number, step in enumerate(facts["steps"], start=1):
        states.append(states[-1] + step * (_picture(stored[f"change{number}"]) - _NO_CHANGE))
    stage1, restored = (_colours(levels) for levels in states[1:])
    size = photo.height, photo.width
    maps = np.split(_picture(stored["scale_weights"]), len(model.config.scales))
    weights = np.maximum(np.stack([_grown(one, size) for one in maps]), 1e-3)
    return Restoration(
        photo=photo,
        stage1_rgb=stage1,
        restored_rgb=restored,
        uncertainty=_grown(_picture(stored["uncertainty"]), size) * (_UNCERTAINTY_TOP / 255),
        scale_weights=(weights / weights.sum(axis=0)).astype(np.float16),
        task=facts["task"],
        task_probabilities=facts["task_probabilities"],
        embedding=stored["embedding"],
        task_embedding=stored["told"],
        tiles=facts["tiles"],
        seconds=facts["seconds"],
        model=model,
        precision=precision,
        predicted_scale=facts["predicted_scale"],
    )


def embedding(path: Path) -> NDArray[np.float32]:
    """Return the embedding of the photo that a file holds the result of, (D,)."""
    with np.load(path, allow_pickle=False) as stored:
        return np.asarray(stored["embedding"])


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


def _levels(rgb: torch.Tensor) -> NDArray[np.int16]:
    """Return colours (3, H, W) in [0, 1] as whole levels (H, W, 3)."""
    return (rgb.permute(1, 2, 0).numpy() * 255).round().astype(np.int16)


def _colours(levels: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(levels.clip(0, 255).astype(np.float32) / 255).permute(2, 0, 1).contiguous()


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
