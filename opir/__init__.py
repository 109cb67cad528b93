"""OPIR: task-aware inverse operators for rainy, snowy and hazy photographs."""

from opir.restoration import Restoration
from opir.restorer import Restorer

__all__ = ["Restoration", "Restorer"]
