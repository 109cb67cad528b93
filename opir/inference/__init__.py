"""Photo in, restoration out: at any size, in parts that fit the memory, and one pixel"s operator looked at."""

from opir.inference.error_bounds import Calibration
from opir.inference.operator_scales import OPERATOR_SCALES
from opir.inference.pixel import PixelInspection, StageOperator
from opir.inference.restoration import Restoration
from opir.inference.restorer import Progress, Restorer

__all__ = [
    "OPERATOR_SCALES",
    "Calibration",
    "PixelInspection",
    "Progress",
    "Restoration",
    "Restorer",
    "StageOperator",
]
