"""Muon's updates keep their directions and have a set size."""

import pytest
import torch

from opir.training.muon import Muon, orthogonalise


def test_orthogonal_updates_keep_the_directions_and_level_their_sizes() -> None:
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(6, 20), full_matrices=False)
    sizes = torch.tensor([1.0, 0.7, 0.5, 0.3, 0.2, 0.1])
    levelled = left.T @ orthogonalise(left @ sizes.diag() @ right) @ right.T
    assert 0.6 < levelled.diag().min() < levelled.diag().max() < 1.3
    assert (levelled - levelled.diag().diag()).abs().max() < 1e-4
    torch.testing.assert_close(orthogonalise(torch.eye(3, 5).T), orthogonalise(torch.eye(3, 5)).T)


def test_muon_moves_convolutions_by_a_set_size_and_the_rest_like_adam() -> None:
    torch.manual_seed(0)
    inner = torch.nn.Parameter(torch.randn(4, 4, 3, 3))
    bias = torch.nn.Parameter(torch.zeros(4))
    optimizer = Muon([("inner", inner), ("bias", bias)], lr=0.01, matrix_lr=0.1)
    before = inner.detach().clone()
    (inner * torch.randn(4, 4, 3, 3)).sum().backward()
    bias.grad = torch.tensor([1.0, -2.0, 3.0, -4.0])
    optimizer.step()
    assert torch.linalg.matrix_norm((inner - before).detach().flatten(1), ord=2) == pytest.approx(
        0.1 * 0.2 * 6, rel=0.3
    )
    torch.testing.assert_close(bias.detach(), torch.tensor([-0.01, 0.01, -0.01, 0.01]), rtol=1e-4, atol=1e-6)
    assert inner.grad is not None
