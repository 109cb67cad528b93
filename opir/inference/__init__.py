"""Restores photos of any size, in parts that fit the memory, and computes the operators of single pixels."""

from opir.inference.compact import compacted
from opir.inference.error_bounds import Calibration
from opir.inference.level_choice import read_levels
from opir.inference.levels import Level, LevelWork, carried_up
from opir.inference.mixing import DOUBTFUL_FROM
from opir.inference.pixel import OperatorField, PixelInspection, StageOperator, StageOperators
from opir.inference.restoration import Restoration
from opir.inference.restorer import Restorer
from opir.inference.thorough import WAYS, restore_thoroughly
from opir.inference.tiled_level import Progress

__all__ = [
    "DOUBTFUL_FROM",
    "WAYS",
    "Calibration",
    "Level",
    "LevelWork",
    "OperatorField",
    "PixelInspection",
    "Progress",
    "Restoration",
    "Restorer",
    "StageOperator",
    "StageOperators",
    "carried_up",
    "compacted",
    "read_levels",
    "restore_thoroughly",
]
