"""What a restoration shows of itself, as pictures with stated scales, and as numbers."""

from opir.inspection.files import MAP_FORMATS, arrays, map_files
from opir.inspection.maps import (
    BOUND_SCALE,
    MAPS,
    UNCERTAINTY_SCALE,
    change_picture,
    error_picture,
    heatmap,
    pictures,
    scale_pictures,
    spread_picture,
    taken_pictures,
    trust_pair,
    uncertainty_picture,
)

__all__ = [
    "BOUND_SCALE",
    "MAPS",
    "MAP_FORMATS",
    "UNCERTAINTY_SCALE",
    "arrays",
    "change_picture",
    "error_picture",
    "heatmap",
    "map_files",
    "pictures",
    "scale_pictures",
    "spread_picture",
    "taken_pictures",
    "trust_pair",
    "uncertainty_picture",
]
