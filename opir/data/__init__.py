"""Photos to train and measure on: folders, pairs, layouts of published sets, depths."""

from opir.data.pairs import Pair, check_sizes, list_photos, pair_photos
from opir.data.published import LAYOUTS, PairFolders, find_folders, find_pairs
from opir.data.readers import DEPTH_UNIT, read_depth

__all__ = [
    "DEPTH_UNIT",
    "LAYOUTS",
    "Pair",
    "PairFolders",
    "check_sizes",
    "find_folders",
    "find_pairs",
    "list_photos",
    "pair_photos",
    "read_depth",
]
