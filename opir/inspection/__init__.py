"""What a restoration shows of itself, as pictures with stated scales."""

from opir.inspection.maps import (
    BOUND_SCALE,
    MAPS,
    UNCERTAINTY_SCALE,
    change_picture,
    error_picture,
    heatmap,
    pictures,
    scale_pictures,
    trust_pair,
    uncertainty_picture,
)

__all__ = [
    "BOUND_SCALE",
    "MAPS",
    "UNCERTAINTY_SCALE",
    "change_picture",
    "error_picture",
    "heatmap",
    "pictures",
    "scale_pictures",
    "trust_pair",
    "uncertainty_picture",
]
