"""A checkpoint as two ONNX graphs, for programs without PyTorch: what a picture's weather is, and one level's stages.

The graphs are traced from the model's own code. What depends on a photo's size is done outside of them: the levels of
its pyramid, which of them work, and padding; `docs/onnx_example.py` does it with numpy alone.

D embedding size, H height, W width, S scales, T tasks; the batch is always 1.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from opir.files import written_whole
from opir.model.checkpoint import load_model
from opir.model.level import restore_level
from opir.model.opir import OPIR

EXPORT_FORMATS = ("onnx",)
EMBEDDING_INPUTS, EMBEDDING_OUTPUTS = ("patches", "scene"), ("embedding", "probabilities")
LEVEL_INPUTS, LEVEL_OUTPUTS = ("picture", "embedding"), ("restored", "stage1", "uncertainty", "scale_weights")
_OPSET = 18


def export_model(name: str | Path, file_format: str, folder: Path) -> tuple[Path, ...]:
    """Write a checkpoint in another program's format.

    NAME-embedding.onnx: "patches", float32 (P, 3, 64, 64), cut from a picture as `native_patches` does, and "scene",
    (1, 3, 128, 128), its `small_copy`, become "embedding", (1, D), as the stages are told it, and "probabilities" of
    the tasks, (1, T). A model without the task-aware module has no such graph.

    NAME-level.onnx: "picture", float32 (1, 3, H, W), sRGB about [0, 1], H and W multiples of 16 (the model's
    `stride`), and "embedding" become "restored" and "stage1", (1, 3, H, W), not clamped, "uncertainty" of stage 1,
    (1, 1, H, W), and "scale_weights" of the last stage, (1, S, H, W).

    Args:
        name: a shipped name, a folder, a .safetensors file or a hub id.
        file_format: one of `EXPORT_FORMATS`.
        folder: where to write.

    Returns:
        The files.

    Raises:
        ValueError: for an unknown format or checkpoint, or where the packages of the extra `onnx` are missing.
    """
    if file_format not in EXPORT_FORMATS:
        raise ValueError(f'unknown format "{file_format}": use {", ".join(EXPORT_FORMATS)}')
    model, info = load_model(name)
    side, stem = 4 * model.stride, info.path.stem
    picture = torch.rand(1, 3, side, side + model.stride)
    embedding = model.embed(picture)
    free_sides = {2: "height", 3: "width"}
    level_inputs = (picture,) if embedding is None else (picture, embedding)
    level_axes = dict.fromkeys((LEVEL_INPUTS[0], *LEVEL_OUTPUTS), free_sides)
    written = [folder / f"{stem}-level.onnx"]
    level_names = LEVEL_INPUTS[: len(level_inputs)], LEVEL_OUTPUTS
    _write(_Level(model.eval()), level_inputs, level_names, level_axes, info.sha256, written[0])
    if embedding is not None:
        written.insert(0, folder / f"{stem}-embedding.onnx")
        parts = (torch.rand(2, 3, 64, 64), torch.rand(1, 3, 128, 128))
        patches_axis = {"patches": {0: "patches"}}
        _write(_Embedding(model), parts, (EMBEDDING_INPUTS, EMBEDDING_OUTPUTS), patches_axis, info.sha256, written[0])
    return tuple(written)


def _write(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    names: tuple[Sequence[str], Sequence[str]],
    free_axes: dict[str, dict[int, str]],
    sha256: str,
    output: Path,
) -> None:
    try:
        import onnx
    except ImportError as error:
        raise ValueError(f'exporting needs {error.name}: install it with pip install "opir[onnx]"') from None
    # The dynamo exporter follows sizes as formulas, which takes it minutes here; tracing takes seconds.
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        traced = Path(folder) / "traced.onnx"
        warnings.simplefilter("ignore")  # that tracing is the older exporter, and that it meets sizes
        torch.onnx.export(
            module,
            inputs,
            traced,
            dynamo=False,
            input_names=list(names[0]),
            output_names=list(names[1]),
            dynamic_axes=free_axes,
            opset_version=_OPSET,
        )
        graph = onnx.load(traced)
    onnx.helper.set_model_props(graph, {"opir_weights_sha256": sha256})
    onnx.checker.check_model(graph)
    with written_whole(output) as file:
        file.write(graph.SerializeToString())


class _Embedding(nn.Module):
    def __init__(self, model: OPIR) -> None:
        super().__init__()
        self.model = model

    def forward(self, patches: Tensor, scene: Tensor) -> tuple[Tensor, Tensor]:
        assert self.model.task_encoder is not None
        embedding = self.model.task_encoder.embed_parts(patches, scene)
        return self.model.choose_task_embedding(embedding), self.model.task_probabilities(embedding)


class _Level(nn.Module):
    def __init__(self, model: OPIR) -> None:
        super().__init__()
        self.model = model

    def forward(self, picture: Tensor, embedding: Tensor | None = None) -> tuple[Tensor, ...]:
        model = self.model
        done = restore_level(model.run_stage, 0, picture, embedding, model.config.num_stages, model.stride)
        first, last = done.stages[0], done.stages[-1]
        return last.restored, first.restored, first.uncertainty, last.scale_weights
