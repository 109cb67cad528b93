"""What all tests share: a tiny model with random weights, seeded pictures, and golden files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.reliability.model import TINIEST
from opir.config import OPIRConfig
from opir.model import OPIR, save_model

GOLDEN_FOLDER = Path(__file__).parent / "golden"
TINY = replace(TINIEST, width=8, embedding_dim=6, modulator_width=6, cell_extremes=True)
"""A few thousand parameters, and still every part. `TINIEST`, half as wide, is for what only has to run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-golden", action="store_true", help="write golden outputs instead of comparing")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def tiny_config() -> OPIRConfig:
    """`TINY`."""
    return TINY


@pytest.fixture
def tiny_model(tiny_config: OPIRConfig) -> OPIR:
    """That model with every parameter drawn at random, so that no part is the identity."""
    return randomise(OPIR(tiny_config)).eval()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with weights of `TINIEST` that leave a photo as it is; no test writes beside it."""
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_model(OPIR(TINIEST), path, {})
    return path


def randomise(model: OPIR, seed: int = 0, spread: float = 0.15) -> OPIR:
    """Shift every parameter by seeded noise."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(spread * drawn + (0 if parameter.ndim > 1 else 0.1))
    return model


@pytest.fixture
def picture() -> Tensor:
    """A smooth, coloured, odd-sized picture, (1, 3, 45, 61) in [0, 1]."""
    return make_picture(45, 61)


def make_picture(height: int, width: int, seed: int = 0) -> Tensor:
    """Draw waves and a few edges: (1, 3, H, W) in [0, 1]."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(3):
        frequency, phase = random.uniform(0.05, 0.4, 2), random.uniform(0, 6, 2)
        wave = np.sin(frequency[0] * rows + phase[0]) * np.cos(frequency[1] * columns + phase[1])
        planes.append(0.5 + 0.3 * wave + 0.15 * ((rows // 9 + columns // 13) % 2))
    return torch.from_numpy(np.clip(np.stack(planes), 0, 1)).float()[None]
