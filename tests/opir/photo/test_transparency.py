"""What is hidden decides nothing, and comes back as it was."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.reliability.odd_tiffs import levels, unit
from opir.photo import load_photo, save_photo
from opir.photo.pixels.transparency import extended
from tests.opir.photo.pictures import noise


def cut_out(hidden: int | None, bits: int = 8, channels: int = 4) -> np.ndarray:
    """A picture with a hole in it and one at its edge, over black, white, noise or its own colours."""
    pixels = levels(unit(channels, 90, 120), bits)
    pixels[..., -1] = 2**bits - 1
    for hole in (np.s_[20:60, 30:70], np.s_[70:, :25]):
        pixels[hole][..., -1] = 0
        if hidden is not None:
            pixels[hole][..., :-1] = hidden
    return pixels


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_the_network_sees_the_same_whatever_is_hidden(bits: int, channels: int) -> None:
    first, *others = (load_photo(cut_out(hidden, bits, channels)).rgb for hidden in (0, 2**bits - 1, None, 7))
    for other in others:
        torch.testing.assert_close(first, other, rtol=0, atol=0)


def test_the_fill_continues_what_is_seen() -> None:
    ramp = torch.linspace(0.2, 0.8, 64).expand(3, 48, 64).contiguous()
    is_seen = torch.ones(48, 64, dtype=torch.bool)
    is_seen[10:30, 20:40] = False
    filled = extended(torch.where(is_seen, ramp, torch.full((), 7.0)), is_seen)
    assert float(filled.max()) < 0.801
    assert float((filled - ramp).abs().max()) < 0.06
    torch.testing.assert_close(filled[:, is_seen], ramp[:, is_seen], rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (33, 2)])
def test_a_picture_of_which_nothing_is_seen_is_grey(shape: tuple[int, int]) -> None:
    filled = extended(torch.rand(3, *shape), torch.zeros(shape, dtype=torch.bool))
    assert torch.equal(filled, torch.full((3, *shape), 0.5))


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("hidden", [0, 255, None])
def test_what_was_hidden_comes_back(ending: str, hidden: int | None, tmp_path: Path) -> None:
    pixels = cut_out(hidden)
    Image.fromarray(pixels).save(tmp_path / f"in{ending}", lossless=True, exact=True)
    save_photo(load_photo(tmp_path / f"in{ending}"), tmp_path / f"out{ending}")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / f"out{ending}")), pixels)


def test_a_very_large_photo_is_filled_in_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opir.photo.photo.LARGE_FROM_PIXELS", 90 * 120)
    black, white = (load_photo(cut_out(hidden)) for hidden in (0, 255))
    assert black.compact_rgb.dtype == torch.uint8
    assert torch.equal(black.rgb, white.rgb)


def test_what_is_seen_through_keeps_its_colour() -> None:
    pixels = noise(40, 50, 4)
    pixels[..., 3] = np.maximum(pixels[..., 3], 1)
    photo = load_photo(pixels)
    assert photo.hidden is None
    np.testing.assert_allclose(photo.rgb.numpy().transpose(1, 2, 0) * 255, pixels[..., :3], atol=1e-4)
