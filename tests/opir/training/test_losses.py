"""What training minimises: least at the truth, in proportion to the weather, stage by stage."""

import pytest
import torch

from opir.model import OPIR, OPIRResult
from opir.tasks import Task
from opir.training.losses import (
    EmbeddingOutputs,
    LossWeights,
    edge_loss,
    embedding_loss,
    frequency_loss,
    photo_weights,
    restoration_loss,
    uncertainty_loss,
    whole_change_loss,
)
from tests.conftest import make_picture


def test_the_task_term_takes_the_shares_out_of_the_scores() -> None:
    photo = make_picture(32, 32)
    shares = torch.tensor([0.7, 0.1, 0.1, 0.1])
    nothing, task = (torch.zeros(1, 3), torch.zeros(1, 3)), torch.tensor([Task.CLEAN])
    by_chance, corrected = (
        embedding_loss(EmbeddingOutputs(logits, nothing), photo, photo, task, shares, LossWeights())[1]
        for logits in (torch.zeros(1, 4), -shares.log()[None])
    )
    assert float(by_chance["task"]) == pytest.approx(-torch.tensor(0.1).log().item(), abs=1e-5)
    assert float(corrected["task"]) == pytest.approx(torch.tensor(4.0).log().item(), abs=1e-5)


def test_the_first_of_two_stages_can_count_less(tiny_model: OPIR) -> None:
    photo, clean = make_picture(32, 32), make_picture(32, 32, 1)
    result = tiny_model(photo)

    @torch.no_grad()
    def loss(weight: float, result: OPIRResult = result) -> float:
        weights = LossWeights(uncertainty=0, first_stage=weight)
        return float(restoration_loss(result, photo, clean, weights)[0])

    alone = tiny_model(photo, num_stages=1)
    assert loss(0.5) == pytest.approx(loss(1) - 0.5 * loss(1, alone), rel=1e-5)
    assert loss(0, alone) == loss(1, alone)  # the only stage is the last


def test_losses_vanish_only_at_the_truth() -> None:
    clean = make_picture(24, 24)
    assert float(edge_loss(clean, clean)) == pytest.approx(1e-3)
    assert float(frequency_loss(clean, clean)) == 0
    assert float(edge_loss(clean + 0.1, clean)) == pytest.approx(1e-3, rel=1e-2)
    assert float(frequency_loss(clean + 0.1, clean)) > 0


def test_an_error_counts_in_proportion_to_the_weather() -> None:
    clean = make_picture(32, 32).expand(3, -1, -1, -1) * 0.5
    change = torch.tensor([0.4, 0.04, 0.0])[:, None, None, None]
    heavy, light, none = photo_weights(clean + change, clean).tolist()
    assert none > light > heavy > 0
    assert light / heavy == pytest.approx(((0.4 + 0.02) / (0.04 + 0.02)) ** 0.5, rel=1e-3)


def test_uncertainty_loss_is_least_where_the_map_tells_the_error() -> None:
    clean = torch.zeros(1, 3, 4, 4)
    restored = clean + 0.08
    told = uncertainty_loss(torch.full((1, 1, 4, 4), 2.0), restored, clean)
    for wrong in (0.7, 1.4, 2.8, 5.0):
        assert told < uncertainty_loss(torch.full((1, 1, 4, 4), wrong), restored, clean)


def test_what_is_told_of_the_whole_counts_in_tenths_of_light_and_by_contrast() -> None:
    clean = make_picture(32, 32)
    hazy = 0.5 * clean + 0.3
    mean = (clean - hazy).mean(dim=(2, 3))
    spread = ((clean.std(dim=(2, 3)) + 0.02) / (hazy.std(dim=(2, 3)) + 0.02)).log()
    assert bool((spread > 0.4).all())
    assert float(whole_change_loss((mean, spread), hazy, clean)) == pytest.approx(0, abs=1e-6)
    assert float(whole_change_loss((mean + 0.05, spread), hazy, clean)) == pytest.approx(0.5, rel=1e-4)
    assert float(whole_change_loss((mean, spread - 0.2), hazy, clean)) == pytest.approx(0.2, rel=1e-4)


def test_total_sums_over_the_stages(tiny_model: OPIR) -> None:
    clean = make_picture(32, 32)
    with torch.no_grad():
        result = tiny_model(clean * 0.5 + 0.3)
        weights = LossWeights(edge=0, frequency=0, task=0, uncertainty=0)
        total, parts = restoration_loss(result, clean, clean * 0.5 + 0.3, weights)
    weight = photo_weights(clean * 0.5 + 0.3, clean)[0]
    torch.testing.assert_close(total, weight * (parts["stage1"] + parts["stage2"]))
