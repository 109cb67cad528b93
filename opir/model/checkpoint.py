"""Model files: safetensors with the config and how the weights were trained; loaded strictly, never unpickled."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from opir.config import OPIRConfig
from opir.errors import printable
from opir.files import make_folder, written_whole
from opir.model.opir import OPIR

SHIPPED_FOLDER = Path(__file__).resolve().parents[2] / "checkpoints"
_FORMAT = "opir-1"
_WEIGHTS_NAME = "model.safetensors"
_LOCAL = (".", "..", "~", "runs", "checkpoints")
"""First parts of a name that always mean a local folder, even one that is missing, and never a user of the hub."""
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How files of torch.save and of pickle.dump begin."""


_UNUSABLE = (KeyError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError, MemoryError)
"""What a config with impossible values makes the model raise."""
_LONGEST_DETAIL = 400  # characters


class CheckpointError(ValueError):
    """A checkpoint is missing, or is not one of ours; the message says what to do."""


@dataclass(frozen=True)
class CheckpointInfo:
    """Where weights came from."""

    path: Path
    config: OPIRConfig
    sha256: str
    metadata: dict[str, Any] = field(default_factory=dict)
    """What training wrote: step, commit, data, metrics."""


def save_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file so that it appears whole or not at all; raises ImageError where it can not."""
    make_folder(path.parent)
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with written_whole(path) as file:
        file.write(save(contiguous, metadata=metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file and its metadata; raises CheckpointError if it is none."""
    try:
        with open(path, "rb") as file:
            if file.read(4).startswith(_PICKLES):
                raise CheckpointError(
                    f"{path} is a pickle, which could run anything and is never loaded: "
                    "save its weights with safetensors and use that file"
                )
        with safe_open(path, framework="pt") as opened:
            names = opened.keys()
            return {name: opened.get_tensor(name) for name in names}, opened.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file ({printable(str(error))}); copy or download it again"
        ) from None


def save_model(model: OPIR, path: str | Path, metadata: dict[str, Any]) -> None:
    """Write a model with its config; `metadata` holds JSON values such as step, commit, data and metrics."""
    header = {
        "format": _FORMAT,
        "config": json.dumps(model.config.to_dict()),
        "training": json.dumps(metadata),
    }
    save_tensors(model.state_dict(), Path(path), header)


def find_checkpoint(name: str | Path) -> Path:
    """Return the file meant by a shipped name, a folder, a file, or a Hugging Face hub id such as "user/model".

    Raises:
        CheckpointError: if there is none; the message names what was looked for.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        path = path / _WEIGHTS_NAME
    if path.is_file():
        return path
    shipped = SHIPPED_FOLDER / f"{name}.safetensors"
    if shipped.is_file():
        return shipped
    parts = str(name).split("/")
    if len(parts) == 2 and not path.suffix and all(parts) and parts[0] not in _LOCAL and not path.parent.exists():
        return _download(str(name))
    known = ", ".join(sorted(file.stem for file in SHIPPED_FOLDER.glob("*.safetensors"))) or "none"
    raise CheckpointError(
        f'no checkpoint "{name}": expected a shipped name ({known}), a .safetensors file, a folder with '
        f"{_WEIGHTS_NAME}, or a hub id such as user/model"
    )


def _download(hub_id: str) -> Path:
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise CheckpointError(f'"{hub_id}" looks like a hub id: install huggingface_hub, or give a file') from None
    try:
        return Path(hf_hub_download(hub_id, _WEIGHTS_NAME))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(f'no checkpoint "{hub_id}" here or on the hub: {reason}') from None


def load_model(name: str | Path) -> tuple[OPIR, CheckpointInfo]:
    """Load a model for inference, on the CPU.

    Args:
        name: as for `find_checkpoint`.

    Raises:
        CheckpointError: if there is no such file or it does not hold a complete OPIR model.
    """
    path = find_checkpoint(name)
    tensors, header = read_tensors(path)
    if header.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} is not an OPIR checkpoint: expected format {_FORMAT}, got {header.get('format')}; "
            f"use a file that `opir train` wrote"
        )
    try:
        config = OPIRConfig.from_dict(json.loads(header["config"]))
        training = dict(json.loads(header.get("training", "{}")))
        _check_shapes(config, tensors)
    except _UNUSABLE as error:
        detail = printable(str(error))[:_LONGEST_DETAIL]
        raise CheckpointError(
            f"{path} does not hold the weights its config names ({detail}); use a file that `opir train` wrote"
        ) from None
    model = OPIR(config)
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return model.eval(), CheckpointInfo(path, config, digest, training)


def read_training(path: Path) -> dict[str, Any]:
    """Return what training wrote into a model's file, of whatever model; raises CheckpointError if it is none."""
    return dict(json.loads(read_tensors(path)[1].get("training", "{}")))


def _check_shapes(config: OPIRConfig, tensors: dict[str, Tensor]) -> None:
    """Compare the shapes of weights with a config's, before the model takes memory: a config may name any size."""
    with torch.device("meta"):
        expected = OPIR(config).state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        wanted, got = (tuple(kept[name].shape) if name in kept else "nothing" for kept in (expected, tensors))
        if name == "task_encoder.prototypes" and wanted[1:] == got[1:] and wanted != got:
            raise ValueError(f"they know {got[0]} kinds of weather, this version {wanted[0]}: train anew")
        if wanted != got:
            raise ValueError(f"{name}: expected {wanted}, got {got}")
