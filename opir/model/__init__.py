"""The model, one file for each box of the paper's Figure 3."""

from opir.model.inverse_operator import StageResult
from opir.model.opir import OPIR, OPIRResult, count_gmacs, count_parameters

__all__ = ["OPIR", "OPIRResult", "StageResult", "count_gmacs", "count_parameters"]
