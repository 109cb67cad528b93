"""Photo in, restoration out: at any size, in parts that fit the memory, and one pixel's operator looked at."""

from opir.inference.error_bounds import Calibration
from opir.inference.levels import Level, LevelWork, carried_up
from opir.inference.mixing import DOUBTFUL_FROM, cut
from opir.inference.pixel import PixelInspection, StageOperator
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.inference.tiled_level import Progress

__all__ = [
    "DOUBTFUL_FROM",
    "Calibration",
    "Level",
    "LevelWork",
    "PixelInspection",
    "Progress",
    "Restoration",
    "Restorer",
    "StageOperator",
    "carried_up",
    "cut",
]
