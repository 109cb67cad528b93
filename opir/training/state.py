"""The whole state of a run on disk, so that a run that was cut off goes on where it was.

Batches depend on the seed and the step alone, so no random state needs saving.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from opir.checkpoints import read_tensors, save_tensors


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


def save_state(folder: Path, state: RunState, model: nn.Module, ema: nn.Module, optimizer: Optimizer) -> None:
    """Write weights, their average, the optimizer and the step; each file appears whole.

    A state is complete once `latest.json` names it; the one before is removed only then.
    """
    target = folder / f"step-{state.step:07d}"
    save_tensors(model.state_dict(), target / "weights.safetensors")
    save_tensors(ema.state_dict(), target / "average.safetensors")
    save_tensors(_optimizer_tensors(optimizer), target / "optimizer.safetensors")
    record = {"folder": target.name, **asdict(state)}
    marker = folder / "latest.json"
    temporary = marker.with_suffix(".part")
    temporary.write_text(json.dumps(record))
    os.replace(temporary, marker)
    for old in folder.glob("step-*"):
        if old.name != target.name:
            for file in old.iterdir():
                file.unlink()
            old.rmdir()


def load_state(folder: Path, model: nn.Module, ema: nn.Module, optimizer: Optimizer) -> RunState:
    """Restore the newest complete state of a run into the given objects; a new run starts at step 0."""
    marker = folder / "latest.json"
    if not marker.is_file():
        return RunState()
    record: dict[str, Any] = json.loads(marker.read_text())
    source = folder / str(record["folder"])
    model.load_state_dict(read_tensors(source / "weights.safetensors")[0])
    ema.load_state_dict(read_tensors(source / "average.safetensors")[0])
    _restore_optimizer(optimizer, read_tensors(source / "optimizer.safetensors")[0])
    del record["folder"]
    return RunState(**record)
