"""The uncertainty map (Eq. 11)."""

import torch

from opir.ops import uncertainty_map


def test_identity_reads_one() -> None:
    kernels = torch.zeros(1, 27, 4, 5)
    kernels[:, 4::9] = 1
    assert torch.equal(uncertainty_map(kernels), torch.ones(1, 1, 4, 5))


def test_is_nine_times_the_mean_size_of_the_taps() -> None:
    kernels = torch.randn(2, 9, 3, 3)
    expected = sum(abs(kernels[1, tap, 2, 0]) for tap in range(9)) / 9 * 9
    torch.testing.assert_close(uncertainty_map(kernels)[1, 0, 2, 0], expected)
