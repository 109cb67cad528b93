"""The exported graphs give what PyTorch gives, at any size, and the example in docs/ runs the whole pyramid."""

import dataclasses
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from opir import Restorer
from opir.model import OPIR
from opir.model.checkpoint import load_model, save_model
from opir.model.onnx_export import LEVEL_OUTPUTS, export_model
from opir.ops.pyramid import change_of, changed, down, enlarged
from tests.conftest import TINY, make_picture, randomise

SIZES = [(16, 16), (16, 208), (64, 64), (96, 160), (112, 432)]
EXAMPLE = Path(__file__).parents[3] / "docs" / "onnx_example.py"
PHOTO = Path(__file__).parents[3] / "assets" / "examples" / "village-rain-mist.jpg"
UNEVEN = {"encoder_blocks": (1, 1), "decoder_blocks": (1, 2), "max_width": 12}  # as in the preset "lite"


def export(folder: Path, **change: object) -> tuple[OPIR, tuple[Path, ...]]:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = randomise(OPIR(dataclasses.replace(TINY, **change)), spread=0.1)
    save_model(model, folder / "tiny.safetensors", {})
    return model.eval(), export_model(folder / "tiny.safetensors", "onnx", folder)


def graph_in(paths: tuple[Path, ...], part: str) -> Path:
    return next(path for path in paths if path.stem.endswith(f"-{part}"))


@pytest.mark.parametrize(
    "change",
    [
        *({}, {"block": "nafnet"}, {"task_aware": False}, {"num_stages": 1}, {"kernel_channels": 1}),
        *(
            {"scales": (2, 5)},
            {"conditioned_predictor": True, **UNEVEN},
            {"cell_extremes": True, "smooth_maps": True},
        ),
    ],
)
def test_the_graph_of_a_level_is_the_model(change: dict[str, object], tmp_path: Path) -> None:
    import onnxruntime

    model, paths = export(tmp_path, **change)
    session = onnxruntime.InferenceSession(graph_in(paths, "level"), providers=["CPUExecutionProvider"])
    for size in SIZES:
        picture = make_picture(*size)
        with torch.no_grad():
            result = model(picture)
        given = {"picture": picture.numpy()}
        if result.embedding is not None:
            given["embedding"] = result.embedding.numpy()
        first, final = result.first, result.final
        expected = final.restored, first.restored, first.uncertainty, final.scale_weights
        for name, got, wanted in zip(LEVEL_OUTPUTS, session.run(LEVEL_OUTPUTS, given), expected, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-4, rtol=0, err_msg=f"{name} at {size}")


def test_the_graph_of_the_embedding_is_the_model(tmp_path: Path) -> None:
    import onnxruntime

    model, paths = export(tmp_path)
    session = onnxruntime.InferenceSession(graph_in(paths, "embedding"), providers=["CPUExecutionProvider"])
    assert (
        session.get_modelmeta().custom_metadata_map["opir_weights_sha256"]
        == load_model(tmp_path / "tiny.safetensors")[1].sha256
    )
    for size in ((3, 200), (45, 61), (64, 96), (130, 431), (96, 600)):
        photo = make_picture(*size)
        with torch.no_grad():
            embedding = model.embed(photo)
            assert embedding is not None
            expected = model.choose_task_embedding(embedding), model.task_probabilities(embedding)
        for got, wanted in zip(
            session.run(["embedding", "probabilities"], {"picture": photo.numpy()}), expected, strict=True
        ):
            np.testing.assert_allclose(got, wanted, atol=1e-5, rtol=0)


def test_a_model_that_knows_no_task_has_no_graph_of_an_embedding(tmp_path: Path) -> None:
    _, paths = export(tmp_path, task_aware=False)
    assert [path.name for path in paths] == [f"tiny-{part}.onnx" for part in ("level", "down", "change", "begin")]


@pytest.mark.parametrize("size", [(33, 50), (64, 64), (1, 7), (130, 131)])
def test_the_graphs_of_the_pyramid_are_its_functions(size: tuple[int, int], tmp_path: Path) -> None:
    import onnxruntime

    _, paths = export(tmp_path)
    down_, change_, begin_ = (
        onnxruntime.InferenceSession(graph_in(paths, part)) for part in ("down", "change", "begin")
    )
    finer = make_picture(*size)
    coarser = down(finer)
    np.testing.assert_allclose(down_.run(None, {"image": finer.numpy()})[0], coarser, atol=1e-6, rtol=0)
    restored = (0.6 * coarser + 0.3).flip(3)
    change = change_of(coarser, restored)
    got = change_.run(None, {"before": coarser.numpy(), "restored": restored.numpy()})
    for made, wanted in zip(got, change, strict=True):
        np.testing.assert_allclose(made, wanted, atol=1e-4, rtol=0)
    given = {"finer": finer.numpy(), **{name: value.numpy() for name, value in change._asdict().items()}}
    expected = changed(finer, change), *enlarged(change, *size)
    for made, wanted in zip(begin_.run(None, given), expected, strict=True):
        np.testing.assert_allclose(made, wanted, atol=1e-5, rtol=0)


def test_the_graphs_are_of_plain_operations(tmp_path: Path) -> None:
    """Sequences and loops run in ONNX Runtime, and other programs refuse them."""
    import onnx

    _, paths = export(tmp_path)
    for path in paths:
        kinds = {node.op_type for node in onnx.load(path).graph.node}
        assert ("Conv" in kinds) == (path.stem.split("-")[1] in ("embedding", "level"))
        assert not [kind for kind in kinds if "Sequence" in kind or kind in ("Loop", "If", "Scan")]


def test_the_example_restores_as_the_restorer_does(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    export_model("lite", "onnx", tmp_path)
    photo, result = tmp_path / "photo.png", tmp_path / "result.png"
    with Image.open(PHOTO) as opened:  # of an odd size, and with two levels
        opened.resize((415, 277)).save(photo)
    arguments = [sys.executable, EXAMPLE, tmp_path / "lite", photo, result]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = Restorer.from_pretrained("lite", "cpu", "fp32").restore(photo)
    example = runpy.run_path(str(EXAMPLE))
    example["restore"].__globals__["graphs"] = {
        part: onnxruntime.InferenceSession(tmp_path / f"lite-{part}.onnx") for part in example["PARTS"]
    }
    with Image.open(photo) as opened:
        given = np.asarray(opened, np.float32).transpose(2, 0, 1)[None] / 255
    np.testing.assert_allclose(example["restore"](given)[0], expected.restored_rgb, atol=1e-3, rtol=0)
    assert expected.working_levels
    told = [f"level {level.number}: rain or snow" for level in expected.working_levels]
    assert [line[: len(told[0])] for line in done.stdout.splitlines()] == told
    difference = np.abs(np.asarray(Image.open(result), np.int16) - np.asarray(expected.image, np.int16))
    assert difference.max() <= 1  # both are rounded, and 1e-3 is a quarter of a grey value
    assert (difference > 0).mean() < 0.01


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='unknown format "tflite": use onnx'):
        export_model("lite", "tflite", tmp_path)


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match=r'exporting needs onnx: install it with pip install "opir\[onnx\]"'):
        export_model("lite", "onnx", tmp_path)
