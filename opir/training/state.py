"""The whole state of a run as one file, so that a run that was cut off goes on where it was.

Batches depend on the seed and the step alone, so no random state needs saving.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor, nn
from torch.optim import Optimizer

from opir.errors import printable
from opir.model.checkpoint import CheckpointError, read_tensors, save_tensors

_RUN = "run"
"""Key of the file's metadata that holds a `RunState`."""


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


def save_state(path: Path, state: RunState, model: nn.Module, ema: nn.Module, optimizer: Optimizer) -> None:
    """Write weights, their average, the optimizer and the step; the file before is replaced by a whole one or not."""
    groups = {"weights": model.state_dict(), "average": ema.state_dict(), "optimizer": _optimizer_tensors(optimizer)}
    tensors = {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}
    save_tensors(tensors, path, {_RUN: json.dumps(asdict(state))})


def load_state(path: Path, model: nn.Module, ema: nn.Module, optimizer: Optimizer) -> RunState:
    """Restore what `save_state` wrote into the given objects; a new run starts at step 0.

    Raises:
        CheckpointError: where the state is damaged, of another model, or of an earlier version.
    """
    if not path.is_file():
        if path.with_suffix("").is_dir():
            raise CheckpointError(
                f"{path.with_suffix('')} is the state of a run of an earlier version, which can not go on; "
                "remove it to start anew, or set another output"
            )
        return RunState()
    try:
        tensors, metadata = read_tensors(path)
        groups: dict[str, dict[str, Tensor]] = {"weights": {}, "average": {}, "optimizer": {}}
        for key, value in tensors.items():
            group, _, name = key.partition("/")
            groups[group][name] = value
        model.load_state_dict(groups["weights"])
        ema.load_state_dict(groups["average"])
        _restore_optimizer(optimizer, groups["optimizer"])
        return RunState(**json.loads(metadata[_RUN]))
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        detail = printable(str(error))[:200]
        raise CheckpointError(
            f"{path} is no state that this run can go on from ({detail}); remove it to start anew, "
            "or set another output"
        ) from error
