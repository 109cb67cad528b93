"""A checkpoint as one ONNX graph that takes photos of any size, for programs without PyTorch.

H height, W width, S scales; the batch is always 1. What depends on the size is done by indices that the graph
computes from the photo, where the model itself asks for sizes in Python. The graph is `OPIR.forward`: stage 1 of a
hazy photo works at its own resolution there, not on a small copy as in `Restorer`.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from opir.files import written_whole
from opir.model.checkpoint import load_model
from opir.model.opir import OPIR
from opir.model.task_encoder import _MAX_PATCHES_PER_SIDE, _PATCH, _SCENE, TaskEncoder, _with_contrast
from opir.ops.filtering import TAPS
from opir.ops.padding import crop
from opir.ops.uncertainty import uncertainty_map

EXPORT_FORMATS = ("onnx",)
INPUT = "photo"
OUTPUTS = ("image", "stage1", "uncertainty", "scale_weights")
_OPSET = 18


def export_model(name: str | Path, file_format: str, output: Path) -> Path:
    """Write a checkpoint in another program's format.

    The graph's input is "photo", float32 (1, 3, H, W), sRGB in [0, 1], of any size. Its outputs have the photo's
    size: "image" and "stage1" (1, 3, H, W) in [0, 1], "uncertainty" (1, 1, H, W) of stage 1, and "scale_weights"
    (1, S, H, W) of the last stage. The weather is recognised as with `task="auto"`.

    Args:
        name: a shipped name, a folder, a .safetensors file or a hub id.
        file_format: one of `EXPORT_FORMATS`.
        output: the file to write.

    Raises:
        ValueError: for an unknown format or checkpoint, or where the packages of the extra `onnx` are missing.
    """
    if file_format not in EXPORT_FORMATS:
        raise ValueError(f'unknown format "{file_format}": use {", ".join(EXPORT_FORMATS)}')
    model, info = load_model(name)
    try:
        import onnx
    except ImportError as error:
        raise ValueError(f'exporting needs {error.name}: install it with pip install "opir[onnx]"') from None
    # The dynamo exporter follows sizes as formulas, which takes it minutes here; tracing takes seconds.
    free_sides = {2: "height", 3: "width"}
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        traced = Path(folder) / "traced.onnx"
        warnings.simplefilter("ignore")  # that tracing is the older exporter, and that it meets sizes
        torch.onnx.export(
            _AnySize(model),
            (torch.rand(1, 3, 83, 113),),
            traced,
            dynamo=False,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_axes=dict.fromkeys((INPUT, *OUTPUTS), free_sides),
            opset_version=_OPSET,
        )
        graph = onnx.load(traced)
    onnx.helper.set_model_props(graph, {"opir_weights_sha256": info.sha256})
    onnx.checker.check_model(graph)
    with written_whole(output) as file:
        file.write(graph.SerializeToString())
    return output


class _AnySize(nn.Module):
    """What `OPIR.forward` computes for one photo, in operations that an exported graph has."""

    def __init__(self, model: OPIR) -> None:
        super().__init__()
        self.model = model
        encoder = model.task_encoder
        self.embed = None if encoder is None else _AnySizeEncoder(encoder)

    def forward(self, photo: Tensor) -> tuple[Tensor, ...]:
        config, stride = self.model.config, self.model.stride
        height, width = photo.shape[-2:]
        rows, columns = ((size + stride - 1) // stride * stride for size in (height, width))
        image = _reflected(photo, torch.arange(rows), torch.arange(columns))
        first, first_uncertainty, guided = image, image, image
        scale_weights = image
        embedding = None if self.embed is None else self.embed(photo.clamp(0, 1))
        for index in range(config.num_stages):
            kernels, scale_weights = self.model.kernel_predictor(guided, embedding)
            uncertainty = uncertainty_map(kernels)
            if embedding is not None:
                kernels = kernels * self.model.task_modulators[index](kernels, uncertainty, embedding)
            image = _filter(image, kernels, scale_weights, config.scales)
            guided = image * uncertainty if config.uncertainty_guided else image
            if index == 0:
                first, first_uncertainty = image, uncertainty
        results = (image.clamp(0, 1), first.clamp(0, 1), first_uncertainty, scale_weights)
        return tuple(crop(result, height, width) for result in results)


class _AnySizeEncoder(nn.Module):
    """`TaskEncoder.forward` with the full grid of patches always, those beyond the photo's own count at weight 0."""

    def __init__(self, encoder: TaskEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, photo: Tensor) -> Tensor:
        encoder = self.encoder
        height, width = (torch.scalar_tensor(size, dtype=torch.float32) for size in photo.shape[-2:])
        rows, row_weights = _grid(height)
        columns, column_weights = _grid(width)
        count = _MAX_PATCHES_PER_SIDE
        cut = _reflected(photo, rows, columns)[0].reshape(3, count, _PATCH, count, _PATCH)
        detail = encoder.detail(_with_contrast(cut.permute(1, 3, 0, 2, 4).flatten(0, 1)))
        pooled = torch.cat([detail.mean(dim=(2, 3)), detail.amax(dim=(2, 3))], dim=1)
        weights = (row_weights[:, None] * column_weights).flatten()
        pooled = (weights[:, None] * pooled).sum(dim=0, keepdim=True)
        small_copy = _averaging(height, photo.shape[-2]) @ photo @ _averaging(width, photo.shape[-1]).T
        return encoder.combine(pooled, small_copy)


def _grid(size: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pixels of each patch along one side, patch after patch, and each patch's weight."""
    extended = size.clamp_min(_PATCH)
    count = (extended / _PATCH).round().clamp(1, _MAX_PATCHES_PER_SIDE)
    index = torch.arange(_MAX_PATCHES_PER_SIDE)
    span = extended - _PATCH
    starts = torch.where(count > 1, (index * span / (count - 1).clamp_min(1)).round(), (span / 2).floor())
    used = (index < count).float()
    pixels = (starts * used)[:, None] + torch.arange(_PATCH)
    return pixels.flatten().long(), used / count


def _averaging(size: Tensor, length: int) -> Tensor:
    """Return the matrix (128, length) of adaptive average pooling."""
    index, pixel = torch.arange(_SCENE)[:, None], torch.arange(length)
    size = size.long()
    start = index * size // _SCENE
    end = ((index + 1) * size + _SCENE - 1) // _SCENE
    inside = (pixel >= start) & (pixel < end)
    return inside.float() / (end - start)


def _reflected(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Take rows and columns of an image, (1, C, H, W); those beyond its border are mirrored."""
    height, width = image.shape[-2:]
    return image.index_select(-2, _mirrored(rows, height)).index_select(-1, _mirrored(columns, width))


def _mirrored(position: Tensor, size: int) -> Tensor:
    last = torch.scalar_tensor(size, dtype=torch.long) - 1
    period = (2 * last).clamp_min(1)
    position = position.abs() % period
    return torch.minimum(torch.minimum(position, period - position), last)


def _filter(image: Tensor, kernels: Tensor, scale_weights: Tensor, scales: tuple[int, ...]) -> Tensor:
    """`opir.ops.filter_multiscale` as slices."""
    height, width = image.shape[-2:]
    border = max(scales)
    rows, columns = (torch.arange(size + 2 * border) - border for size in (height, width))
    padded = _reflected(image, rows, columns)
    taps = kernels.reshape(1, -1, TAPS, height, width)
    restored = torch.zeros_like(image)
    for tap in range(TAPS):
        down, right = tap // 3 - 1, tap % 3 - 1
        blended = torch.zeros_like(image)
        for index, scale in enumerate(scales):
            top, left = border + scale * down, border + scale * right
            sample = padded[..., top : top + height, left : left + width]
            blended = blended + scale_weights[:, index : index + 1] * sample
        restored = restored + taps[:, :, tap] * blended
    return restored
