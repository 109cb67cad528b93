"""The laws of the metrics, and their agreement with other implementations."""

import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from opir.evaluation.metrics import ause, block_means, luma, psnr, rank_correlation, sparsification_curve, ssim


def picture(seed: int, height: int = 40, width: int = 52) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(3, height, width, generator=generator) * 255).round() / 255


def noisy(clean: torch.Tensor, size: float) -> torch.Tensor:
    return clean + size * (picture(9, *clean.shape[1:]) - 0.5)


@pytest.mark.parametrize("space", ["rgb", "y"])
def test_equal_pictures_are_perfect(space) -> None:
    assert psnr(picture(0), picture(0), space) == math.inf
    assert ssim(picture(0), picture(0), space) == pytest.approx(1)


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize("space", ["rgb", "y"])
def test_more_noise_is_worse_and_order_does_not_matter(metric, space) -> None:
    clean = picture(0)
    scores = [metric(noisy(clean, size), clean, space) for size in (0.1, 0.3, 0.9)]
    assert scores == sorted(scores, reverse=True)
    assert metric(noisy(clean, 0.3), clean, space) == pytest.approx(metric(clean, noisy(clean, 0.3), space))


def test_one_level_everywhere_is_known() -> None:
    grey = torch.full((3, 16, 16), 100 / 255)
    assert psnr(grey + 1 / 255, grey) == pytest.approx(20 * math.log10(255))


def test_what_8_bits_can_not_hold_does_not_count() -> None:
    clean = picture(0)
    assert psnr(clean + 0.4 / 255, clean) == math.inf
    white = torch.ones(3, 16, 16)
    assert psnr(white * 1.5, white) == math.inf


def test_unrounded_psnr_sees_what_no_file_holds() -> None:
    clean = torch.full((3, 4, 4), 0.5)
    assert psnr(clean + 1e-3, clean, rounded=False) == pytest.approx(60, abs=1e-3)


def test_psnr_agrees_with_torchmetrics() -> None:
    restored = ((noisy(picture(0), 0.2).clamp(0, 1) * 255).round() / 255).double()
    expected = peak_signal_noise_ratio(restored, picture(0).double(), data_range=1.0)
    assert psnr(restored, picture(0)) == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize("space", ["rgb", "y"])
def test_ssim_agrees_with_torchmetrics_away_from_the_border(space) -> None:
    levels = [(p.double().clamp(0, 1) * 255).round() for p in (noisy(picture(0), 0.2), picture(0))]
    if space == "y":
        levels = [luma(level) for level in levels]
    _, full = structural_similarity_index_measure(
        levels[0][None], levels[1][None], data_range=255.0, return_full_image=True
    )
    expected = full[..., 5:-5, 5:-5].mean().item()
    assert ssim(noisy(picture(0), 0.2), picture(0), space) == pytest.approx(expected, abs=1e-9)


def test_luma_is_that_of_rgb2ycbcr() -> None:
    colours = {
        (0, 0, 0): 16.0,
        (255, 255, 255): 235.0,
        (255, 0, 0): 81.481,
        (0, 255, 0): 144.553,
        (0, 0, 255): 40.966,
    }
    levels = torch.tensor(list(colours), dtype=torch.float64).T[:, None]
    np.testing.assert_allclose(luma(levels)[0, 0], list(colours.values()), atol=1e-9)


def test_wrong_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"same shape \(3, H, W\), got \(3, 40, 52\) and \(3, 40, 51\)"):
        psnr(picture(0), picture(0)[..., :-1])
    with pytest.raises(ValueError, match=r"same shape \(3, H, W\), got \(1, 40, 52\) and"):
        psnr(picture(0)[:1], picture(0)[:1])
    with pytest.raises(ValueError, match=r'unknown space "ycbcr": use one of rgb, y'):
        psnr(picture(0), picture(0), "ycbcr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"SSIM needs at least 11x11 pixels, got \(10, 52\)"):
        ssim(picture(0, 10), picture(0, 10))


def test_block_means_are_those_of_whole_blocks() -> None:
    values = np.arange(9 * 7, dtype=np.float64).reshape(9, 7)
    expected = [values[row : row + 3, column : column + 3].mean() for row in (0, 3, 6) for column in (0, 3)]
    np.testing.assert_allclose(block_means(values, 3), expected)
    with pytest.raises(ValueError, match=r"expected at least 8x8 pixels, got \(9, 7\)"):
        block_means(values)


def test_rank_correlation_only_asks_for_the_order() -> None:
    error = np.random.default_rng(0).random((64, 64))
    means = np.kron(block_means(error).reshape(8, 8), np.ones((8, 8)))
    assert rank_correlation(np.exp(5 * means), error) == pytest.approx(1)
    assert rank_correlation(-means, error) == pytest.approx(-1)
    assert rank_correlation(np.ones_like(error), error) == 0
    assert abs(rank_correlation(np.random.default_rng(1).random((256, 256)), np.kron(error, np.ones((4, 4))))) < 0.15


def test_rank_correlation_agrees_with_scipy_on_ties() -> None:
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(2)
    first, second = random.integers(0, 5, (2, 12, 12))
    expected = stats.spearmanr(first.ravel(), second.ravel()).statistic
    assert rank_correlation(first, second, block=1) == pytest.approx(expected)


def test_sparsification_of_four_blocks_by_hand() -> None:
    error = np.array([[4.0, 1.0], [3.0, 2.0]])
    np.testing.assert_allclose(sparsification_curve(error, error, block=1), [1, 1.5, 2, 2.5])
    np.testing.assert_allclose(sparsification_curve(-error, error, block=1), [4, 3.5, 3, 2.5])
    np.testing.assert_allclose(sparsification_curve(np.ones((2, 2)), error, block=1), [2.5] * 4)


def test_ause_is_0_for_the_error_itself_and_1_for_chance() -> None:
    error = np.random.default_rng(0).random((80, 80)) ** 3
    assert ause(error, error) == 0
    assert ause(np.ones_like(error), error) == pytest.approx(1)
    assert ause(-error, error) > 1.5
    by_chance = [ause(np.random.default_rng(seed).random((80, 80)), error) for seed in range(30)]
    assert np.mean(by_chance) == pytest.approx(1, abs=0.1)
    assert ause(error, np.ones_like(error)) == 0
