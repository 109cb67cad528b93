"""The script for a GPU runs through, goes on where it was, and gives back all that is needed, on a processor too."""

import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from opir.degradations.plain import draw_plain
from opir.model.checkpoint import load_model
from opir.training.config import load_training_config
from opir.training.pack import write_pack
from tests.conftest import TINIEST

ROOT = Path(__file__).resolve().parents[2]


def test_the_script_for_a_gpu_runs_through(tmp_path: Path) -> None:
    """Twice, from a pack of drawn pictures: the second call goes on from the state of the first."""
    pictures, config = tmp_path / "pictures", tmp_path / "short.toml"
    pictures.mkdir()
    for seed in range(3):
        Image.fromarray(draw_plain(seed, 64)).save(pictures / f"{seed}.png")
    folder = str(pictures)
    data = load_training_config(
        ROOT / "configs" / "lite.toml",
        [
            f'data.pairs=[["rain", "{folder}", "{folder}"]]',
            *(f"data.{name}={folder}" for name in ("clean", "streaks", "validation", "validation_plain")),
            "data.plain=2",
            "data.photos=[]",
            "data.fields=",
        ],
    ).data
    write_pack(data, tmp_path / "pack")
    model = "\n".join(f"{key} = {json.dumps(value)}" for key, value in TINIEST.to_dict().items())
    phase = "[[phases]]\ncrop = 16\nbatch = 4\nlarge_every = 2\nlevels_every = 2\n"
    config.write_text(
        f'base = "{ROOT / "configs" / "gpu.toml"}"\nstart_from = ""\nsteps = 1000\nprecision = "fp32"\n'
        f'[model]\n{model}\n[data]\npack = ["{tmp_path / "pack"}"]\n{phase}'
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, "CHECKS": "0"}
    environment |= {"CONFIG": str(config), "RUN": str(tmp_path / "run"), "OMP_NUM_THREADS": "1"}
    steps = []
    for _ in range(2):
        out = tmp_path / "out"
        command = ["bash", str(ROOT / "benchmarks" / "gpu_run.sh"), "0.05", str(out)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT)
        assert '"kind": "validation"' in ran.stdout
        _, info = load_model(out / "model.safetensors")
        steps.append(info.metadata["step"])
        state = b"".join(piece.read_bytes() for piece in sorted(out.glob("state.*")))
        assert state == (tmp_path / "run" / "state.safetensors").read_bytes()
    assert 0 < steps[0] < steps[1]
    assert info.metadata["data"].startswith("3 clean photos under synthetic weather, 3 pairs of rain, 2 plain")
