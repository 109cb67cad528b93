"""The state of a run on disk, in files below 16 MiB, so that a run that was stopped can go on.

Batches depend on the seed and the step alone, so no random state needs saving.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from opir.errors import printable
from opir.files import written_whole
from opir.model.checkpoint import CheckpointError, read_tensors, save_tensors

_MOST_BYTES = 15_500_000
"""Bytes of tensors in one file, so that with its header it stays below 16 MiB."""
_ROWS_MARK = "#"
"""Stands between the name of a tensor that was cut into rows and the number of the piece."""


@dataclass
class RunState:
    """What is saved besides tensors."""

    step: int = 0
    seconds: float = 0.0
    """Time spent so far, over all restarts."""
    num_stages: int = 0
    """Stages that the last step trained; 0 before the first."""


def _optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    return {
        f"{index}.{name}": value
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def _restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _pieces(tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Cut tensors that are too large for a file into rows, named with a running number."""
    for name, tensor in tensors.items():
        if tensor.nbytes <= _MOST_BYTES:
            yield name, tensor
        else:
            rows = max(1, _MOST_BYTES * len(tensor) // tensor.nbytes)
            for index, piece in enumerate(torch.split(tensor, rows)):
                yield f"{name}{_ROWS_MARK}{index:04d}", piece.clone()


def _save_parts(tensors: dict[str, Tensor], folder: Path, kind: str) -> None:
    parts: list[dict[str, Tensor]] = [{}]
    for name, piece in _pieces(tensors):
        if sum(other.nbytes for other in parts[-1].values()) + piece.nbytes > _MOST_BYTES:
            parts.append({})
        parts[-1][name] = piece
    for index, part in enumerate(parts):
        save_tensors(part, folder / f"{kind}-{index:03d}.safetensors")


def _read_parts(folder: Path, kind: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    pieces: dict[str, list[Tensor]] = {}
    for file in sorted(folder.glob(f"{kind}-*.safetensors")):
        for key, value in sorted(read_tensors(file)[0].items()):
            name, cut, _ = key.partition(_ROWS_MARK)
            if cut:
                pieces.setdefault(name, []).append(value)
            else:
                tensors[name] = value
    return tensors | {name: torch.cat(rows) for name, rows in pieces.items()}


def save_state(folder: Path, state: RunState, model: nn.Module, ema: nn.Module, optimizer: Optimizer) -> None:
    """Write weights, their average, the optimizer and the step; each file appears whole.

    A state is complete once `latest.json` names it; the one before is removed only then.
    """
    target = folder / f"step-{state.step:07d}"
    _save_parts(model.state_dict(), target, "weights")
    _save_parts(ema.state_dict(), target, "average")
    _save_parts(_optimizer_tensors(optimizer), target, "optimizer")
    record = {"folder": target.name, **asdict(state)}
    marker = folder / "latest.json"
    with written_whole(marker) as written:
        written.write(json.dumps(record).encode())
    for old in folder.glob("step-*"):
        if old.name != target.name:
            for file in old.iterdir():
                file.unlink()
            old.rmdir()


def load_state(folder: Path, model: nn.Module, ema: nn.Module, optimizer: Optimizer) -> RunState:
    """Restore the newest complete state of a run into the given objects; a new run starts at step 0.

    Raises:
        CheckpointError: where the state is damaged, or of another model.
    """
    marker = folder / "latest.json"
    if not marker.is_file():
        return RunState()
    try:
        record: dict[str, Any] = json.loads(marker.read_text())
        source = folder / str(record.pop("folder"))
        model.load_state_dict(_read_parts(source, "weights"))
        ema.load_state_dict(_read_parts(source, "average"))
        _restore_optimizer(optimizer, _read_parts(source, "optimizer"))
        return RunState(**record)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        detail = printable(str(error))[:200]
        raise CheckpointError(
            f"{folder} holds no state that this run can go on from ({detail}); remove that folder to start anew, "
            "or set another output"
        ) from error
