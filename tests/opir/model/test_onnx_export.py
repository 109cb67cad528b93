"""The exported graph gives what PyTorch gives, at any size, and the example in docs/ runs as it stands."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir.model import OPIR, OPIRResult
from opir.model.checkpoint import load_model, save_model
from opir.model.onnx_export import OUTPUTS, _AnySize, export_model
from tests.conftest import TINY, make_picture, randomise

SIZES = [(1, 1), (3, 200), (45, 61), (64, 64), (96, 160), (97, 431)]
EXAMPLE = Path(__file__).parents[3] / "docs" / "onnx_example.py"


def outputs(result: OPIRResult) -> tuple[torch.Tensor, ...]:
    first, final = result.first, result.final
    return final.restored.clamp(0, 1), first.restored.clamp(0, 1), first.uncertainty, final.scale_weights


UNEVEN = {"encoder_blocks": (1, 1), "decoder_blocks": (1, 2), "max_width": 12}  # as in the preset "lite"


@pytest.mark.parametrize(
    "change",
    [
        *({}, {"block": "nafnet"}, {"task_aware": False}, {"num_stages": 1}, {"kernel_channels": 1}),
        *({"scales": (2, 5)}, {"conditioned_predictor": True}, {"conditioned_predictor": True, **UNEVEN}),
    ],
)
def test_what_is_exported_is_the_model(change: dict) -> None:
    model = randomise(OPIR(dataclasses.replace(TINY, **change)), spread=0.1).eval()
    with torch.no_grad():
        for size in SIZES:
            picture = make_picture(*size)
            for exported, expected in zip(_AnySize(model)(picture), outputs(model(picture)), strict=True):
                torch.testing.assert_close(exported, expected, atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    config = dataclasses.replace(TINY, conditioned_predictor=True, **UNEVEN)
    save_model(randomise(OPIR(config), spread=0.1), path, {})
    return path


@pytest.fixture(scope="module")
def graph(checkpoint: Path) -> Path:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return export_model(checkpoint, "onnx", checkpoint.with_suffix(".onnx"))


def test_the_graph_gives_what_pytorch_gives_at_any_size(checkpoint: Path, graph: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    model, info = load_model(checkpoint)
    assert session.get_modelmeta().custom_metadata_map["opir_weights_sha256"] == info.sha256
    for size in SIZES:
        picture = make_picture(*size)
        with torch.no_grad():
            expected = outputs(model(picture))
        for name, got, wanted in zip(
            OUTPUTS, session.run(OUTPUTS, {"photo": picture.numpy()}), expected, strict=True
        ):
            np.testing.assert_allclose(got, wanted, atol=1e-4, rtol=0, err_msg=f"{name} at {size}")


def test_the_graph_is_of_plain_operations(graph: Path) -> None:
    """Sequences and loops run in ONNX Runtime, and other programs refuse them."""
    import onnx

    kinds = {node.op_type for node in onnx.load(graph).graph.node}
    assert "Conv" in kinds
    assert not [kind for kind in kinds if "Sequence" in kind or kind in ("Loop", "If", "Scan")]


def test_the_example_runs_as_it_stands(checkpoint: Path, graph: Path, tmp_path: Path) -> None:
    photo, result = tmp_path / "photo.png", tmp_path / "result.png"
    levels = (make_picture(37, 50)[0].permute(1, 2, 0) * 255).byte().numpy()
    Image.fromarray(levels).save(photo)
    arguments = [sys.executable, EXAMPLE, graph, photo, result]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("mean uncertainty ")
    model, _ = load_model(checkpoint)
    with torch.no_grad():
        expected = outputs(model(torch.from_numpy(levels).permute(2, 0, 1)[None] / 255))[0]
    restored = np.asarray(Image.open(result), np.int16)
    assert np.abs(restored - (expected[0] * 255).round().permute(1, 2, 0).numpy()).max() <= 1


def test_an_unknown_format_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='unknown format "tflite": use onnx'):
        export_model(checkpoint, "tflite", tmp_path / "model.tflite")


def test_missing_packages_are_named(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match=r'exporting needs onnx: install it with pip install "opir\[onnx\]"'):
        export_model(checkpoint, "onnx", tmp_path / "model.onnx")
