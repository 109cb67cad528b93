"""What the shipped weights make of three of the examples stays as it was; renewed by `--renew-golden` alone."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from opir import Restorer
from tests.conftest import GOLDEN_FOLDER

EXAMPLES = Path(__file__).parents[3] / "assets" / "examples"
STEP = 13
"""Every so many rows and columns are kept: a prime, so that they fall everywhere in the blocks of a JPEG."""


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer.from_pretrained("lite", device="cpu", precision="fp32")


@pytest.mark.parametrize(
    ("name", "task"), [("bridge-rain", "rain"), ("bridge-snow", "snow"), ("canyon-haze", "haze")]
)
def test_golden_results_of_the_shipped_weights(
    restorer: Restorer, name: str, task: str, request: pytest.FixtureRequest
) -> None:
    levels = "auto" if task == "haze" else (0,)  # as the paper does; haze goes by the whole scene
    out = restorer.restore(EXAMPLES / f"{name}.jpg", levels=levels)
    assert out.task == task
    operator = out.inspect(out.width // 3, out.height // 2).stages[-1]
    got: dict[str, Tensor] = {
        "restored": out.restored_rgb[:, ::STEP, ::STEP].half().contiguous(),
        "uncertainty": torch.from_numpy(out.uncertainty[::STEP, ::STEP]).half().contiguous(),
        "modulated_kernels": torch.from_numpy(operator.modulated_kernels).contiguous(),
        "scale_weights": torch.from_numpy(operator.scale_weights).contiguous(),
    }
    path = GOLDEN_FOLDER / f"lite_{name}.safetensors"
    if request.config.getoption("--renew-golden"):
        save_file(got, path)
    # Half a grey value for the colours: processors add up in other orders, and half precision rounds what is kept.
    torch.testing.assert_close(got, load_file(path), rtol=2e-3, atol=2e-3)
