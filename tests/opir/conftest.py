"""What the restorer's tests share: a tiny model that changes its input, and what it made of a photo."""

from dataclasses import replace

import pytest
import torch

from opir.config import OPIRConfig
from opir.inference.restorer import Restoration, Restorer
from opir.model import OPIR
from tests.conftest import TINIEST

TINY = replace(TINIEST, encoder_blocks=(1, 1), decoder_blocks=(1, 2), conditioned_predictor=True)
"""Deep enough for a halo that crosses tiles, and told the embedding everywhere."""


def random_model(config: OPIRConfig = TINY) -> OPIR:
    """A model that changes its input: the layers that start at zero do something too."""
    torch.manual_seed(0)
    model = OPIR(config)
    predictor = model.kernel_predictor
    torch.nn.init.normal_(predictor.head.weight)
    with torch.no_grad():
        offsets = (
            predictor(random_photo(64, 64)[None], torch.zeros(1, config.embedding_dim)).kernels
            - predictor.identity[:, None, None]
        )
        predictor.head.weight *= 0.05 / offsets.std()
    if predictor.condition is not None:
        torch.nn.init.normal_(predictor.condition.weight, std=0.1)
    for modulator in model.task_modulators:
        torch.nn.init.normal_(modulator.output.weight, std=0.3)
    return model


def random_photo(height: int, width: int) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(random_model(), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def restoration(restorer: Restorer) -> Restoration:
    return restorer.restore(random_photo(45, 70), levels=(0,), scale_weights=True)
