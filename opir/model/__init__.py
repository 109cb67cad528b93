"""The model, one file for each box of the paper's Figure 3; its files, and its graph for other programs."""

from opir.model.checkpoint import CheckpointError, CheckpointInfo, load_model, save_model
from opir.model.inverse_operator import StageResult
from opir.model.onnx_export import export_model
from opir.model.opir import OPIR, OPIRResult, count_gmacs, count_parameters
from opir.model.record import TrainingRecord, all_runs, training_record

__all__ = [
    "OPIR",
    "CheckpointError",
    "CheckpointInfo",
    "OPIRResult",
    "StageResult",
    "TrainingRecord",
    "all_runs",
    "count_gmacs",
    "count_parameters",
    "export_model",
    "load_model",
    "save_model",
    "training_record",
]
