"""What `opir` offers by name, and that the page and the measurements come in by the rooms' faces."""

import ast
import subprocess
import sys
from pathlib import Path

import opir
from opir.tasks import TASK_NAMES

ROOT = Path(__file__).parents[2]
PUBLIC = [
    "OPIR",
    "CheckpointError",
    "ImageError",
    "OPIRConfig",
    "Photo",
    "PixelInspection",
    "Restoration",
    "Restorer",
    "Task",
    "load_photo",
    "save_photo",
]
TAKEN_APART = ("opir.degradations.", "opir.model.", "opir.ops.", "opir.training.")
"""What measurements look into: weather of a size, variants of the networks, and where time goes."""


def test_the_public_names_are_these_and_there() -> None:
    assert opir.__all__ == PUBLIC
    assert all(getattr(opir, name).__module__.startswith("opir.") for name in PUBLIC)


def test_what_the_documentation_promises_of_a_result_is_there(tmp_path: Path) -> None:
    restorer = opir.Restorer(opir.OPIR(opir.OPIRConfig(width=8, scales=(1, 2))), device="cpu", precision="fp32")
    photo = opir.load_photo(ROOT / "assets" / "examples" / "pagoda.jpg")
    out = restorer.restore(photo.rgb[:, :40, :56], task="auto", scale_weights=True)
    assert isinstance(out, opir.Restoration)
    assert out.image.size == out.stage1.size == (56, 40)
    assert out.uncertainty.shape == (40, 56)
    assert out.error_bound is None  # these weights have no calibration
    assert out.scale_weights is not None
    assert out.scale_weights.shape == (2, 40, 56)
    assert out.task in TASK_NAMES
    assert set(out.task_probabilities) == set(TASK_NAMES)
    assert out.embedding is not None
    assert isinstance(out.inspect(3, 4), opir.PixelInspection)
    out.save(tmp_path / "out.png")
    assert opir.load_photo(tmp_path / "out.png").size == (56, 40)


def test_the_page_and_the_measurements_come_in_by_the_faces_of_rooms() -> None:
    files = [file for folder in ("app", "benchmarks", "assets") for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 80
    for file in files:
        looks_inside = TAKEN_APART if file.is_relative_to(ROOT / "benchmarks") else ()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("opir."):
                module = str(node.module)
                assert module.count(".") == 1 or module.startswith(looks_inside), f"{file}: {module}"


def test_what_few_need_is_not_loaded_before_it_is_asked_for() -> None:
    """So that `opir --help` answers soon."""
    late = {"accelerate", "gradio", "matplotlib", "numba", "onnx", "onnxruntime", "pillow_heif", "ray", "sklearn"}
    program = "import sys, opir.cli.commands; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert late.isdisjoint(done.stdout.split())
