"""What an uncertainty means in grey values: curves that `opir calibrate` made for one set of weights.

They lie beside the weights as `*_calibration.json` and name the weights' SHA-256, so they are used for exactly these
weights and not, for example, for those of a later training run.

H height, W width.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SUFFIX = "_calibration.json"
ANY_TASK = "any"
"""The name of the curve for tasks that have none of their own."""


@dataclass(frozen=True)
class ErrorCurve:
    """A rising line from uncertainty to a bound on the error."""

    uncertainty: tuple[float, ...]
    """UM at the line's corners, rising."""
    error: tuple[float, ...]
    """The bound there in grey values, nowhere falling."""

    def __post_init__(self) -> None:
        rising = all(b > a for a, b in pairwise(self.uncertainty))
        falling = any(b < a for a, b in pairwise(self.error))
        if not self.uncertainty or len(self.uncertainty) != len(self.error) or not rising or falling:
            raise ValueError(f"expected rising uncertainties and as many errors that never fall, got {self}")

    def at(self, uncertainty: NDArray[Any]) -> NDArray[np.float32]:
        """Return the bound for each uncertainty, of its shape; constant beyond the ends."""
        return np.asarray(np.interp(uncertainty, self.uncertainty, self.error), dtype=np.float32)


@dataclass(frozen=True)
class Calibration:
    """The error that a share of the pixels stays below, by task and uncertainty, for one set of weights."""

    weights_sha256: str
    share: float
    """How many pixels stay below their bound, 0.9 for nine of ten."""
    stages: int
    """How many stages were run when it was made; results of fewer have other errors."""
    curves: dict[str, ErrorCurve]
    """By task, and `ANY_TASK` for the others."""
    made_from: dict[str, Any] = field(default_factory=dict)
    """Photos, seeds, and the share of pixels below their bound on other photos."""

    def __post_init__(self) -> None:
        if ANY_TASK not in self.curves:
            raise ValueError(
                f'expected a curve "{ANY_TASK}" among those by task, got {", ".join(self.curves) or "none"}'
            )

    def bound(self, uncertainty: NDArray[Any], task: str) -> NDArray[np.float32]:
        """Return the error that `share` of the pixels stay below.

        Args:
            uncertainty: UM of stage 1, (H, W).
            task: the task named or recognised; one without a curve of its own takes the common one.

        Returns:
            Mean |restored - clean| over colours, (H, W), in grey values.
        """
        return self.curves.get(task, self.curves[ANY_TASK]).at(uncertainty)

    def save(self, path: str | Path) -> None:
        """Write the calibration as JSON."""
        Path(path).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read what `save` wrote; raises ValueError for any other file."""
        try:
            stored = json.loads(Path(path).read_text())
            curves = {
                task: ErrorCurve(tuple(curve["uncertainty"]), tuple(curve["error"]))
                for task, curve in stored.pop("curves").items()
            }
            return cls(curves=curves, **stored)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path} is no calibration ({error}): make one with opir calibrate") from None


def beside(weights: Path) -> Path:
    """Return where the calibration of a weights file belongs."""
    return weights.with_name(weights.stem + SUFFIX)


def find_calibration(weights_sha256: str, folders: Iterable[Path]) -> Calibration | None:
    """Return the calibration of these weights, or None if no file in the folders is for them.

    Raises:
        ValueError: if a file named as a calibration is none.
    """
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            found = Calibration.load(path)
            if found.weights_sha256 == weights_sha256:
                return found
    return None
