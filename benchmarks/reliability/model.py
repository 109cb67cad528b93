"""The tiny model of fuzzing and of all tests: every part is there, each as small as it can be."""

from pathlib import Path

import torch

from opir.config import OPIRConfig
from opir.model import OPIR, save_model

TINIEST = OPIRConfig(
    block="residual",
    width=4,
    encoder_blocks=(1,),
    middle_blocks=1,
    decoder_blocks=(1,),
    scales=(1, 2),
    embedding_dim=4,
    encoder_width=4,
    modulator_width=4,
)


def write_tiny_model(folder: Path) -> Path:
    """Write a checkpoint of seeded random weights that change a photo a little; returns its path."""
    torch.manual_seed(0)
    model = OPIR(TINIEST)
    torch.nn.init.normal_(model.kernel_predictor.head.weight, std=0.002)
    path = folder / "tiny.safetensors"
    save_model(model, path, {})
    return path
