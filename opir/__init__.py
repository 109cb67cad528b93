"""OPIR: task-aware inverse operators for rainy, snowy and hazy photographs."""

from opir.config import OPIRConfig
from opir.errors import ImageError
from opir.inference import PixelInspection, Restoration, Restorer
from opir.model import OPIR, CheckpointError
from opir.photo import Photo, load_photo, save_photo
from opir.tasks import Task

__version__ = "0.1.0"

__all__ = [
    "OPIR",
    "CheckpointError",
    "ImageError",
    "OPIRConfig",
    "Photo",
    "PixelInspection",
    "Restoration",
    "Restorer",
    "Task",
    "load_photo",
    "save_photo",
]
