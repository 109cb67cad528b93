"""Photo in, restoration out: at any size, in parts that fit the memory, and one pixel"s operator looked at."""

from opir.inference.error_bounds import Calibration
from opir.inference.operator_scales import OPERATOR_SCALES
from opir.inference.pixel import PixelInspection, StageOperator
from opir.inference.restoration import DOUBTFUL_FROM, Restoration
from opir.inference.restorer import Progress, Restorer

__all__ = [
    "DOUBTFUL_FROM",
    "OPERATOR_SCALES",
    "Calibration",
    "PixelInspection",
    "Progress",
    "Restoration",
    "Restorer",
    "StageOperator",
]
