"""A larger model begins with what a smaller one computes."""

from dataclasses import replace

import pytest
import torch

from opir.model import OPIR
from opir.training.growing import grow_into
from tests.conftest import TINY, make_picture, randomise

SMALL = replace(TINY, conditioned_predictor=True, max_width=12)


def results(model: OPIR) -> torch.Tensor:
    with torch.no_grad():
        return model(make_picture(40, 48)).final.restored


@pytest.mark.parametrize("smooth", [False, True])
def test_a_wider_model_computes_the_same(smooth: bool) -> None:
    small = randomise(OPIR(replace(SMALL, smooth_maps=smooth))).eval()
    large = OPIR(replace(small.config, width=12, max_width=24)).eval()
    assert (results(large) - results(small)).abs().max() > 1e-2
    grow_into(large, small)
    torch.testing.assert_close(results(large), results(small), rtol=0, atol=1e-5)


def test_what_was_added_learns() -> None:
    small = randomise(OPIR(SMALL))
    large = OPIR(replace(SMALL, width=12, max_width=24))
    grow_into(large, small)
    large(make_picture(32, 32)).final.restored.square().sum().backward()
    gradient = large.kernel_predictor.head.weight.grad
    assert gradient is not None
    assert (gradient[:, SMALL.width :] != 0).any()


def test_a_larger_model_does_not_fit_into_a_smaller_one() -> None:
    with pytest.raises(ValueError, match="must not be larger than the run's"):
        grow_into(OPIR(SMALL), OPIR(replace(SMALL, width=12)))


def test_other_blocks_do_not_fit() -> None:
    with pytest.raises(ValueError, match="must have the blocks of the run's"):
        grow_into(OPIR(replace(SMALL, middle_blocks=0)), OPIR(SMALL))
