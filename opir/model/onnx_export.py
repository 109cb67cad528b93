"""A checkpoint as ONNX graphs, for programs without PyTorch: the task encoder, a level's stages, and the pyramid.

The graphs are traced from the model's own code, and take pictures of any size. Which levels work has to be decided
outside of them; `docs/onnx_example.py` shows how.

D embedding size, H height, W width, S scales, T tasks; the batch is always 1, colours are sRGB about [0, 1].
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from opir.files import written_whole
from opir.model.checkpoint import load_model
from opir.model.level import restore_level
from opir.model.opir import OPIR
from opir.model.task_encoder import MAX_PATCHES_PER_SIDE, PATCH, SCENE
from opir.ops.pyramid import Change, change_of, changed, down, enlarged

EXPORT_FORMATS = ("onnx",)
LEVEL_OUTPUTS = ("restored", "stage1", "uncertainty", "scale_weights")
_BEGUN = ("picture", "finer_contrast", "finer_added")
_WITHOUT_SIZE = {"embedding", "probabilities"}
_OPSET = 18


def export_model(name: str | Path, file_format: str, folder: Path) -> tuple[Path, ...]:
    """Write a checkpoint in another program's format.

    NAME-embedding.onnx: "picture", float32 (1, 3, H, W), becomes "embedding", (1, D), e_t for the stages, and
    "probabilities" of the tasks, (1, T). A model without the task-aware module has no such graph.

    NAME-level.onnx: "picture" with H and W multiples of 16 (the model's `stride`) and "embedding" become "restored"
    and "stage1", (1, 3, H, W), not clamped, "uncertainty" of stage 1, (1, 1, H, W), and "scale_weights" of the last
    stage, (1, S, H, W).

    NAME-down.onnx, NAME-change.onnx and NAME-begin.onnx: `down`, `change_of` and, in one, `changed` and `enlarged`
    of `opir.ops.pyramid`, with the names of their arguments and results.

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
    picture, finer = torch.rand(1, 3, side, side + model.stride), torch.rand(1, 3, 2 * side - 1, 2 * side)
    embedding, change = model.embed(picture), Change(picture[:, :1], picture)
    stages = (picture,) if embedding is None else (picture, embedding)
    graphs: dict[str, tuple[nn.Module, tuple[Tensor, ...], Sequence[str], Sequence[str]]] = {
        "embedding": (_Embedding(model), (picture,), ("picture",), ("embedding", "probabilities")),
        "level": (_Level(model), stages, ("picture", "embedding")[: len(stages)], LEVEL_OUTPUTS),
        "down": (_Function(down), (finer,), ("image",), ("coarser",)),
        "change": (_Function(change_of), (picture, picture), ("before", "restored"), Change._fields),
        "begin": (_Function(_begin), (finer, *change), ("finer", *Change._fields), _BEGUN),
    }
    if embedding is None:
        del graphs["embedding"]
    written = []
    for part, (module, given, inputs, outputs) in graphs.items():
        written.append(folder / f"{stem}-{part}.onnx")
        _write(module, given, inputs, outputs, info.sha256, written[-1])
    return tuple(written)


def _begin(finer: Tensor, contrast: Tensor, added: Tensor) -> tuple[Tensor, ...]:
    change = Change(contrast, added)
    return changed(finer, change), *enlarged(change, *finer.shape[-2:])


def _write(
    module: nn.Module,
    given: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    sha256: str,
    output: Path,
) -> None:
    try:
        import onnx
    except ImportError as error:
        raise ValueError(f'exporting needs {error.name}: install it with pip install "opir[onnx]"') from None
    # The dynamo exporter computes with sizes as symbols, which takes minutes here; tracing takes seconds.
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        traced = Path(folder) / "traced.onnx"
        warnings.simplefilter("ignore")  # that tracing is the older exporter, and that sizes are traced
        torch.onnx.export(
            module.eval(),
            given,
            traced,
            dynamo=False,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {2: "height", 3: "width"} for name in {*inputs, *outputs} - _WITHOUT_SIZE},
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

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        assert self.model.task_encoder is not None
        embedding = self.model.task_encoder.embed_parts(_patches(picture), _scene(picture))
        return self.model.choose_task_embedding(embedding), self.model.task_probabilities(embedding)


def _patches(picture: Tensor) -> Tensor:
    """Do what `native_patches` does, with the picture's size as a value of the graph."""
    rows, columns = (_places(torch._shape_as_tensor(picture)[axis]) for axis in (2, 3))
    cut = picture[0].index_select(1, rows.flatten()).index_select(2, columns.flatten())
    by_rows = cut.reshape(3, -1, PATCH, cut.shape[2]).permute(1, 0, 2, 3)
    by_columns = by_rows.reshape(-1, 3 * PATCH, columns.numel() // PATCH, PATCH).permute(0, 2, 1, 3)
    return by_columns.reshape(-1, 3, PATCH, PATCH)


def _places(size: Tensor) -> Tensor:
    """Return the rows of each patch, (patches, 64); reflected where a picture is smaller than a patch."""
    room = (size - PATCH).clamp(min=0)
    count = (size / PATCH).round().clamp(1, MAX_PATCHES_PER_SIDE).long()
    several = (_numbers(count) * room / (count - 1).clamp(min=1)).round().long()
    starts = torch.where(count == 1, room // 2, several)
    place, last = starts[:, None] + torch.arange(PATCH), size - 1
    place = place % (2 * last).clamp(min=1)
    reflected: Tensor = torch.minimum(place, 2 * last - place)
    return reflected


def _numbers(count: Tensor) -> Tensor:
    """Return 0, 1, ... below a number that is a value of the graph."""
    return torch.arange(count)  # type: ignore[call-overload,no-any-return]


def _scene(picture: Tensor) -> Tensor:
    """Do what `small_copy` does, likewise, as products with matrices (128, size) that average."""
    matrices = []
    for axis in (2, 3):
        size = torch._shape_as_tensor(picture)[axis]
        place, pixel = torch.arange(SCENE)[:, None] * size, _numbers(size)
        inside = ((pixel >= place // SCENE) & (pixel < (place + size + SCENE - 1) // SCENE)).float()
        matrices.append(inside / inside.sum(dim=1, keepdim=True))
    return matrices[0] @ picture.clamp(0, 1) @ matrices[1].T


class _Function(nn.Module):
    """A function of tensors as a module without weights."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> Any:
        return self.function(*tensors)


class _Level(nn.Module):
    def __init__(self, model: OPIR) -> None:
        super().__init__()
        self.model = model

    def forward(self, picture: Tensor, embedding: Tensor | None = None) -> tuple[Tensor, ...]:
        model = self.model
        done = restore_level(model.run_stage, picture, embedding, model.config.num_stages, model.stride)
        first, last = done.stages[0], done.stages[-1]
        return last.restored, first.restored, first.uncertainty, last.scale_weights
