"""What a GPU has to do as a processor does; skipped where there is none (`benchmarks/gpu_run.sh` runs it)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from opir import Restorer
from opir.cli import main
from tests.conftest import make_picture

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


def a_photo(height: int, width: int) -> NDArray[np.float32]:
    return make_picture(height, width)[0].permute(1, 2, 0).numpy()


def restored(restorer: Restorer, photo: NDArray[np.float32], tile: int = 0) -> NDArray[np.float64]:
    return np.asarray(restorer.restore(photo, task="rain", tile=tile).image, np.float64) / 255


@pytest.fixture(scope="module")
def on_gpu() -> Restorer:
    return Restorer.from_pretrained("lite", device="cuda", precision="fp32")


def test_a_gpu_restores_as_a_processor_does(on_gpu: Restorer) -> None:
    photo = a_photo(301, 417)
    expected = restored(Restorer.from_pretrained("lite", device="cpu", precision="fp32"), photo)
    rounded = restored(Restorer.from_pretrained("lite", device="cuda", precision="bf16"), photo)
    assert np.abs(restored(on_gpu, photo) - expected).max() < 1.01 / 255
    assert np.abs(rounded - expected).max() < 5.01 / 255
    assert np.abs(rounded - expected).mean() < 1e-3


def test_tiles_on_a_gpu_give_the_whole(on_gpu: Restorer) -> None:
    photo = a_photo(700, 900)
    assert np.abs(restored(on_gpu, photo) - restored(on_gpu, photo, tile=256)).max() < 1.01 / 255


def test_where_memory_runs_out_parts_are_halved(on_gpu: Restorer) -> None:
    photo = a_photo(2000, 3000)
    expected = restored(on_gpu, photo, tile=512)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 1.2e9) / total)
    try:
        result = restored(on_gpu, photo)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert np.abs(result - expected).max() < 1.01 / 255


def test_the_command_line_takes_a_gpu(tmp_path: Path) -> None:
    given, made = tmp_path / "photo.png", tmp_path / "out.png"
    Image.fromarray((255 * a_photo(120, 160)).astype(np.uint8)).save(given)
    with pytest.raises(SystemExit) as ended:
        main(["restore", str(given), "-o", str(made), "--device", "cuda"])
    assert not ended.value.code
    with Image.open(made) as opened:
        assert opened.size == (160, 120)
