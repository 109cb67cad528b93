"""What every variant of a comparison gets: the same steps, crops, seeds, photos and network."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opir.config import OPIRConfig
from opir.training.config import DataConfig

PROTOCOL = 2
"""Raised when the way of training or measuring changes so that older figures no longer compare."""


@dataclass(frozen=True)
class Budget:
    """What one run may take; equal for all variants."""

    name: str
    steps: int
    crop: int
    batch: int
    seeds: int
    width: int
    ema_decay: float
    precision: str
    side: int
    """Of the central square of each validation photo that is measured, in pixels; 0 measures whole photos."""
    warmup_steps: int = 50
    learning_rate: float = 1e-3
    matrix_learning_rate: float = 2e-3

    @property
    def network(self) -> OPIRConfig:
        """The full model (Table 5, row f) at this budget: a U-Net with two resolutions, of the budget's width."""
        return OPIRConfig(
            block="residual",
            width=self.width,
            encoder_blocks=(1, 1),
            middle_blocks=2,
            decoder_blocks=(1, 1),
            encoder_width=16,
            modulator_width=16,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {**asdict(self), "protocol": PROTOCOL}


BUDGETS: dict[str, Budget] = {
    budget.name: budget
    for budget in (
        Budget("trial", 4, 32, 4, 2, 8, 0.9, "fp32", 64),
        Budget("small", 1200, 64, 8, 3, 16, 0.99, "fp32", 256),
        Budget("gpu", 30_000, 128, 16, 3, 24, 0.999, "auto", 0, warmup_steps=200),
    )
}
"""trial only tests that the commands run; small takes two cores an evening; gpu needs a GPU."""


def training_data(folder: Path) -> DataConfig:
    """Return what all variants are trained on: the paper's three kinds of weather in equal parts, and clean photos.

    Args:
        folder: holds `train/clean`; what else `lite` was trained on is used if it exists in `train/`.

    Raises:
        ValueError: without `train/clean`.
    """
    train = folder / "train"
    if not (train / "clean").is_dir():
        raise ValueError(f"expected clean photos to train on in {train / 'clean'}: name their folder with --data")
    pairs, depth = train / "derain_pairs", train / "depth"
    rooms = [depth / name for name in ("marigold", "kitchen7s", "slambook2")]

    def if_there(path: Path) -> str:
        return str(path) if path.is_dir() else ""

    return DataConfig(
        photos=(
            (str(train / "clean"), if_there(depth / "estimated" / "clean")),
            *((str(room / "rgb"), str(room / "depth")) for room in rooms if room.is_dir()),
        ),
        pairs=(("rain", str(pairs / "input"), str(pairs / "target")),) if pairs.is_dir() else (),
        streaks=if_there(train / "rain_streaks"),
        fields=if_there(depth / "outdoor_fields"),
        rain=1.0,
        snow=1.0,
        haze=1.0,
        untouched=0.4,
    )


def digest(values: Any) -> str:
    """Return a short name for plain values: the same for the same values, whatever machine or folder."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
