"""The recipes of CONTRIBUTING.md as small patches: made on a copy of the code, tried, and thrown away."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import make_picture

ROOT = Path(__file__).resolve().parents[1]


class Copy:
    """A copy of the code that may be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("opir", "benchmarks", "configs"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
        (folder / "photos").mkdir()
        for seed in range(3):
            pixels = (make_picture(80, 90, seed)[0].permute(1, 2, 0) * 255).byte().numpy()
            Image.fromarray(pixels).save(folder / "photos" / f"{seed}.png")

    def put(self, file: str, before: str, text: str) -> None:
        """Insert text before the first place where something stands, which must be there."""
        path = self.folder / file
        whole = path.read_text()
        assert before in whole, f"{file} has no {before!r}: the recipe has to change with the code"
        path.write_text(whole.replace(before, text + before, 1))

    def run(self, *words: str) -> str:
        """Run Python there; fails with what it printed."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        return ran.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


_TRAIN = ["-m", "opir", "train", "configs/lite.toml", "data.clean=photos", "steps=2", "data.plain=0", "output=run"]
_SMALL = ["phases=[{crop=16,batch=4}]", "model.width=4", "model.max_width=8", "precision=fp32"]


def test_a_new_block(copy: Copy) -> None:
    """A class and a line: it trains, is loaded again, and parts of a photo give the whole."""
    copy.put(
        "opir/model/blocks.py",
        "BLOCKS: dict",
        "class WideBlock(ResidualBlock):\n"
        "    def __init__(self, width: int) -> None:\n"
        "        super().__init__(width)\n"
        "        self.first = nn.Conv2d(width, width, 3, padding=3, dilation=3)\n\n\n",
    )
    copy.put("opir/model/blocks.py", '    "nafnet": NAFBlock,', '    "wide": WideBlock,\n')
    copy.run(*_TRAIN, *_SMALL, "model.block=wide")
    checked = (
        "import torch; from opir.model.checkpoint import load_model; from opir import Restorer\n"
        "model, info = load_model('run'); assert info.config.block == 'wide'\n"
        "torch.nn.init.normal_(model.kernel_predictor.head.weight, std=0.01)\n"
        "restorer = Restorer(model, 'cpu', precision='fp32')\n"
        "photo = torch.rand(3, 300, 290)\n"
        "whole, parts = (restorer.restore(photo, 'rain', tile=tile).restored_rgb for tile in (0, 128))\n"
        "assert (whole - photo).abs().max() > 0.01 and (whole - parts).abs().max() < 1e-4\n"
    )
    copy.run("-c", checked)


def test_a_new_comparison(copy: Copy) -> None:
    """A variant and a claim: it is trained and measured, and the claim is judged."""
    copy.put(
        "benchmarks/ablations/variants.py",
        '    Variant("residual", "residual head"',
        '    Variant("mine", "(f), scales 1 and 2", ("table5",), {"scales": (1, 2)}),\n',
    )
    copy.put(
        "benchmarks/ablations/claims.py",
        '    Claim("table7", "the task-aware module improves',
        '    Claim("table5", "four scales beat two", "f", "mine", None, False),\n',
    )
    for name in ("train", "validation"):
        shutil.copytree(copy.folder / "photos", copy.folder / "data" / name / "clean")
    made = copy.run(
        "-c",
        "from dataclasses import replace; from pathlib import Path\n"
        "from benchmarks.ablations.budget import BUDGETS; from benchmarks.ablations.claims import judge\n"
        "from benchmarks.ablations.running import make_jobs, run_jobs\n"
        "budget = replace(BUDGETS['trial'], steps=2, crop=16, side=32, width=4)\n"
        "rows = list(run_jobs(make_jobs(['mine', 'f'], budget, Path('data'), Path('work')), 1))\n"
        "print([finding.claim.text for finding in judge(rows)])",
    )
    assert "four scales beat two" in made


def test_a_new_loss(copy: Copy) -> None:
    """A function, a weight and a line: it counts, and is in the log of the run's settings."""
    copy.put(
        "opir/training/losses.py",
        "@dataclass(frozen=True)\nclass LossWeights",
        "def brightness_loss(restored: Tensor, clean: Tensor) -> Tensor:\n"
        "    return (restored.mean(dim=_PIXELS) - clean.mean(dim=_PIXELS)).abs().mean()\n\n\n",
    )
    copy.put("opir/training/losses.py", "    frequency: float = 0.1", "    brightness: float = 0.0\n")
    copy.put(
        "opir/training/losses.py",
        "    if task_logits is not None:",
        '    parts["brightness"] = brightness_loss(result.final.restored, clean)\n'
        '    total = total + weights.brightness * parts["brightness"]\n',
    )
    copy.run(*_TRAIN, *_SMALL, "loss.brightness=0.5")
    settings = (
        "from opir.model.checkpoint import load_model; print(load_model('run')[1].metadata['settings']['loss'])"
    )
    assert "'brightness': 0.5" in copy.run("-c", settings)


def test_a_new_published_set(copy: Copy) -> None:
    """A row of its layouts: it is found by name, trained on and scored."""
    copy.put(
        "opir/data/published.py",
        '    "ITS": Layout(',
        '    "MySnow": Layout(Task.SNOW, (("flakes", "clear"),)),\n',
    )
    for name in ("flakes", "clear"):
        shutil.copytree(copy.folder / "photos", copy.folder / "mine" / name)
    copy.run(*_TRAIN, *_SMALL, 'data.sets=[["MySnow", "mine"]]')
    told = copy.run("-m", "opir", "evaluate", "--set", "MySnow=mine", "--checkpoint", "run/model.safetensors")
    assert "3 pairs, 8-bit RGB: PSNR" in told
