"""The recipes of CONTRIBUTING.md as small patches: made on a copy of the code, tried, and thrown away."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import make_picture

ROOT = Path(__file__).resolve().parents[1]


class Copy:
    """A copy of the code that may be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        left_out = shutil.ignore_patterns("__pycache__", "results", "images", "golden")
        for name in ("opir", "app", "benchmarks", "configs", "docs", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=left_out)
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
        assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]  # pytest prints failures to stdout
        return ran.stdout

    def opir(self, *commands: Sequence[str], after: str = "") -> str:
        """Run command lines, and Python after them, in one process: importing all takes longer than most of it."""
        lines = [f"try: main({list(words)!r})\nexcept SystemExit as end: assert not end.code" for words in commands]
        return self.run("-c", "\n".join(["from opir.cli import main", *lines, after]))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


_TRAIN = ["train", "configs/lite.toml", "data.clean=photos", "steps=2", "data.plain=0", "output=run"]
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
    checked = (
        "import torch; from opir.model.checkpoint import load_model; from opir import Restorer\n"
        "model, info = load_model('run'); assert info.config.block == 'wide'\n"
        "torch.nn.init.normal_(model.kernel_predictor.head.weight, std=0.01)\n"
        "restorer = Restorer(model, 'cpu', precision='fp32')\n"
        "photo = torch.rand(3, 300, 290)\n"
        "whole, parts = (restorer.restore(photo, 'rain', tile=tile).restored_rgb for tile in (0, 128))\n"
        "assert (whole - photo).abs().max() > 0.01 and (whole - parts).abs().max() < 1e-4\n"
    )
    copy.opir([*_TRAIN, *_SMALL, "model.block=wide"], after=checked)


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
        "    return total, {name: value.detach()",
        '    parts["brightness"] = brightness_loss(result.final.restored, clean)\n'
        '    total = total + weights.brightness * parts["brightness"]\n',
    )
    settings = (
        "from opir.model.checkpoint import load_model; print(load_model('run')[1].metadata['settings']['loss'])"
    )
    assert "'brightness': 0.5" in copy.opir([*_TRAIN, *_SMALL, "loss.brightness=0.5"], after=settings)


def test_a_new_published_set(copy: Copy) -> None:
    """A row of its layouts: it is found by name, trained on and scored."""
    copy.put(
        "opir/data/published.py",
        '    "ITS": Layout(',
        '    "MySnow": Layout(Task.SNOW, (("flakes", "clear"),)),\n',
    )
    for name in ("flakes", "clear"):
        shutil.copytree(copy.folder / "photos", copy.folder / "mine" / name)
    trained = [*_TRAIN, *_SMALL, 'data.sets=[["MySnow", "mine"]]']
    told = copy.opir(trained, ["evaluate", "--set", "MySnow=mine", "--checkpoint", "run/model.safetensors"])
    assert "3 pairs, 8-bit RGB: PSNR" in told


_DUST = '''"""Dust: dark specks on the photo."""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


def dust(photo: Tensor, generator: Generator) -> Tensor:
    """Put specks on photos (B, 3, H, W)."""
    shape = (len(photo), 1, *photo.shape[-2:])
    specks = torch.rand(shape, generator=generator, device=photo.device) < 0.02
    return torch.where(F.max_pool2d(specks.float(), 3, 1, 1) > 0, 0.1 * photo, photo)
'''


def test_a_new_weather(copy: Copy) -> None:
    """It is drawn, trained on, recognised, named at every door, and has its words and colour on the page."""
    copy.put("opir/tasks.py", "\n    @property", "    DUST = 4\n")
    copy.put("opir/tasks.py", "Task.SNOW)\n", "Task.DUST, ")
    (copy.folder / "opir" / "degradations" / "dust.py").write_text(_DUST)
    imported = "from opir.degradations.dust import dust\n"
    copy.put("opir/degradations/__init__.py", "from opir.degradations.haze", imported)
    copy.put(
        "opir/degradations/__init__.py",
        "    if task is Task.HAZE:",
        "    if task is Task.DUST:\n        return dust(photo, generator)\n",
    )
    copy.put("opir/training/batches.py", "from opir.degradations.haze", imported)
    copy.put(
        "opir/training/batches.py",
        "        degraded, truth = zip(",
        "        dusty = _split(photos, counts)[Task.DUST]\n"
        "        if len(dusty):\n"
        "            pairs[Task.DUST] = dust(dusty, generator), dusty\n",
    )
    copy.put("opir/training/config.py", "    untouched: float", "    dust: float = 1.0\n")
    copy.put("app/look/theme.py", "    Task.CLEAN:", '    Task.DUST: "#7c5c3c",\n')
    copy.put("app/look/words.py", '    ("Nothing", ', '    ("Dust", Task.DUST.label),\n')
    copy.put("app/look/words.py", 'Task.CLEAN: "Clear"', 'Task.DUST: "Dust", ')
    copy.put(
        "app/look/sentences.py",
        '    Task.HAZE: ("a breath',
        '    Task.DUST: ("a little dust", "dust", "much dust"),\n',
    )
    copy.put("app/look/sentences.py", "Task.HAZE: (6.0", "Task.DUST: (1.0, 6.0), ")
    copy.put("app/look/sentences.py", "    Task.CLEAN:", '    Task.DUST: "Restored as dust",\n')
    copy.run("-m", "pytest", "-q", "tests/app/look/test_every_weather.py")
    seen = "from opir import Restorer; print(Restorer.from_pretrained('run').restore('dusty.png').task_probabilities)"
    told = copy.opir(
        [*_TRAIN, *_SMALL],
        ["degrade", "photos/0.png", "-o", "dusty.png", "--task", "dust", "--seed", "1"],
        ["restore", "dusty.png", "-o", "restored.png", "--task", "dust", "--checkpoint", "run"],
        after=seen,
    )
    assert "'dust'" in told


_SIZE_TAB = '''"""How large: a photo's width and height."""

import gradio as gr

from app.look import words
from app.running.runner import Runner
from app.tabs.parts import QUIET, photo_file


def build(runner: Runner) -> None:
    """Lay out the tab and join its events."""
    photo = photo_file(words.PHOTO, "size-photo")
    size = gr.HTML(elem_id="size")
    photo.upload(lambda path: "{} x {}".format(*runner.load(path).size), [photo], [size], **QUIET)
'''


def test_a_new_tab(copy: Copy) -> None:
    """A file, a name and two lines: it is on the page, and what it does is called by its event."""
    (copy.folder / "app" / "tabs" / "size.py").write_text(_SIZE_TAB)
    copy.put("app/look/words.py", "TAB_INSIDE =", 'TAB_SIZE = "How large"\n')
    copy.put("app/page.py", "from app.tabs import about", "from app.tabs import size\n")
    tab = "            with gr.Tab(words.TAB_SIZE):\n                size.build(actions.runner)\n"
    copy.put("app/page.py", "            with gr.Tab(words.TAB_ABOUT):", tab)
    told = copy.run(
        "-c",
        "from pathlib import Path; import gradio as gr\n"
        "from app import page; from app.examples.examples import Examples\n"
        "from app.tabs.clean_actions import Actions\n"
        "from opir import OPIR, OPIRConfig, Restorer\n"
        "restorer = Restorer(OPIR(OPIRConfig(width=8, scales=(1, 2))), 'cpu', precision='fp32')\n"
        "blocks = page.build(Actions(restorer, None, examples=Examples(Path('photos'), {})))\n"
        "tabs = [block.label for block in blocks.blocks.values() if isinstance(block, gr.Tab)]\n"
        "[size] = [block._id for block in blocks.blocks.values() if block.elem_id == 'size']\n"
        "[event] = [event for event in blocks.fns.values() if [out._id for out in event.outputs] == [size]]\n"
        "print(tabs, event.fn('photos/0.png'))",
    )
    assert "'How large'" in told
    assert "90 x 80" in told


_QOI = '''"""QOI by imagecodecs: 8 bits, nothing beside the pixels."""

import imagecodecs
import numpy as np

from opir.photo.raw import Raw


def read(data, allowed):
    """Decode."""
    allowed.check(*(int.from_bytes(data[at : at + 4], "big") for at in (4, 8)))
    if not data.endswith(bytes(7) + bytes([1])):
        raise ValueError("its end is missing")
    return Raw(pixels=imagecodecs.qoi_decode(data), lossless=True)


def write(file, pixels, properties, quality):
    """Encode; grey as RGB."""
    if pixels.shape[2] < 3:
        pixels = np.concatenate([pixels[..., :1].repeat(3, axis=2), pixels[..., 1:]], axis=2)
    file.write(imagecodecs.qoi_encode(np.ascontiguousarray(pixels)))
'''


def test_a_new_format(copy: Copy) -> None:
    """A row and a file: it is told by its bytes, keeps what its row claims, and stands in the documentation."""
    copy.put(
        "opir/photo/formats.py",
        '        Format(\n            name="BMP"',
        '        Format(name="QOI", endings=(".qoi",), is_it=lambda start: start[:4] == b"qoif", depths=(8,),\n'
        '            lossless="always", colours=(), exif=False, xmp=False, dpi=""),\n',
    )
    (copy.folder / "opir" / "photo" / "codecs" / "qoi.py").write_text(_QOI)
    copy.run("-m", "benchmarks.reliability.format_table")
    assert "| QOI | `.qoi` | 8 | always | yes |" in (copy.folder / "docs" / "files.md").read_text()
    copy.run("-m", "pytest", "-q", "tests/opir/photo/test_claims.py", "-k", "QOI or row or page or named")
    Image.open(copy.folder / "photos" / "0.png").save(copy.folder / "photo.qoi")
    copy.opir(["restore", "photo.qoi", "-o", "out", "--checkpoint", str(ROOT / "checkpoints" / "lite.safetensors")])
    assert (copy.folder / "out" / "photo.qoi").read_bytes().startswith(b"qoif")
