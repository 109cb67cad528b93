"""Pure tensor functions of the paper's equations; no parameters live here."""

from opir.ops.colours import in_grey_values, in_unit
from opir.ops.filtering import filter_multiscale
from opir.ops.padding import crop, pad_to_multiple, reflect_pad
from opir.ops.pyramid import build_pyramid
from opir.ops.shuffle import mix_channels, shuffle_up
from opir.ops.uncertainty import uncertainty_map
from opir.ops.window import Window

__all__ = [
    "Window",
    "build_pyramid",
    "crop",
    "filter_multiscale",
    "in_grey_values",
    "in_unit",
    "mix_channels",
    "pad_to_multiple",
    "reflect_pad",
    "shuffle_up",
    "uncertainty_map",
]
