"""Blocks are found by name, and how far they look is measured."""

import pytest
import torch
from torch import Tensor, nn

from opir.config import OPIRConfig
from opir.model import OPIR
from opir.model.blocks import BLOCKS, reach_of, working_copies
from tests.conftest import TINY


def test_an_unknown_block_is_told() -> None:
    with pytest.raises(ValueError, match='block must be .*nafnet or .*residual.*, got "dense"'):
        OPIR(OPIRConfig(block="dense"))


def test_reach_is_measured_wherever_a_model_is_built() -> None:
    reach_of.cache_clear()
    with torch.device("meta"), torch.inference_mode():
        assert [reach_of(name) for name in ("residual", "nafnet")] == [2, 1]
    before = torch.random.get_rng_state()
    reach_of.cache_clear()
    assert reach_of("residual") == 2
    assert torch.equal(before, torch.random.get_rng_state())


class _Wide(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, 3, padding=3, dilation=3)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.convolution(features)


class _Pooling(_Wide):
    def forward(self, features: Tensor) -> Tensor:
        return features + self.convolution(features).mean(dim=(2, 3), keepdim=True)


class _Unpadded(_Wide):
    def forward(self, features: Tensor) -> Tensor:
        return self.convolution(features)[..., 1:-1, 1:-1]


class _UnpaddedWithSkip(_Unpadded):
    def forward(self, features: Tensor) -> Tensor:
        return features + super().forward(features)


@pytest.mark.parametrize(
    ("block", "why"), [(_Unpadded, r"it returns \(1, 4, 31, 31\); pad"), (_UnpaddedWithSkip, "size of tensor")]
)
def test_a_block_that_changes_the_shape_is_told(
    block: type[nn.Module], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BLOCKS, "unpadded", block)
    with pytest.raises(ValueError, match=rf'"unpadded" must keep the shape of its features, .*33, 33\): .*{why}'):
        reach_of("unpadded")


def test_a_new_block_needs_nothing_but_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BLOCKS, "wide", _Wide)
    monkeypatch.setitem(BLOCKS, "pooling", _Pooling)
    assert reach_of("wide") == 3
    assert working_copies("wide", 4) >= max(working_copies(name, 4) for name in ("residual", "nafnet"))
    values = TINY.to_dict() | {"block": "wide"}
    assert OPIR(OPIRConfig.from_dict(values)).kernel_predictor.reach > OPIR(TINY).kernel_predictor.reach
    with pytest.raises(ValueError, match='"pooling" looks at all of its input'):
        OPIR(OPIRConfig.from_dict(values | {"block": "pooling"}))
