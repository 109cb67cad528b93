"""Model files: safetensors with the config and the provenance inside; loaded strictly, never unpickled."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from opir.calibration import Calibration, find_calibration
from opir.config import OPIRConfig
from opir.model import OPIR

SHIPPED_FOLDER = Path(__file__).resolve().parent.parent / "checkpoints"
_FORMAT = "opir-1"
_WEIGHTS_NAME = "model.safetensors"


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
    calibration: Calibration | None = None
    """What the uncertainty means in grey levels, where `opir calibrate` was run for these weights."""


def save_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file so that it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, metadata=metadata)
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file and its metadata; raises CheckpointError if it is none."""
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file ({error})") from None


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
    if len(parts) == 2 and not path.suffix and all(parts):
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
        ValueError: if a file beside it is named as a calibration and is none.
    """
    path = find_checkpoint(name)
    tensors, header = read_tensors(path)
    if header.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} is not an OPIR checkpoint: expected format {_FORMAT}, got {header.get('format')}"
        )
    try:
        config = OPIRConfig.from_dict(json.loads(header["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} holds no usable model config ({error})") from None
    model = OPIR(config)
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} does not hold the weights its config names ({detail})") from None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    training = json.loads(header.get("training", "{}"))
    calibration = find_calibration(digest, (path.parent, SHIPPED_FOLDER))
    return model.eval(), CheckpointInfo(path, config, digest, training, calibration)
