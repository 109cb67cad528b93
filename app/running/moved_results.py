"""A result's large arrays in a file, and what is left of it in memory, until they are wanted again."""

import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from safetensors.torch import load, load_file, save
from torch import Tensor

from opir.files import written_whole

Result = TypeVar("Result")
_LARGE = 65_536
"""Bytes from which an array is moved."""


class _Place(NamedTuple):
    """Where an array of the result was."""

    name: str
    is_numpy: bool


def move_arrays(result: Result, path: Path) -> Result:
    """Write the large arrays of a result, a dataclass of arrays and such dataclasses, into a file.

    Args:
        result: it stays as it is.
        path: of the file, written whole or not at all.

    Returns:
        A copy with places instead of them, for `bring_back` alone.

    Raises:
        opir.errors.ImageError: where the file can not be written.
    """
    arrays: dict[str, Tensor] = {}

    def moved(value: Any) -> Any:
        if not isinstance(value, (np.ndarray, Tensor)) or value.nbytes < _LARGE:
            return value
        tensor = torch.as_tensor(value).cpu().clone(memory_format=torch.contiguous_format)
        place = _Place(str(len(arrays)), isinstance(value, np.ndarray))
        arrays[place.name] = tensor
        return place

    left = _changed(result, moved)
    with written_whole(path) as file:
        file.write(save(arrays))
    return left  # type: ignore[no-any-return]


def bring_back(left: Result, path: Path) -> Result:
    """Return the whole result again, from what `move_arrays` returned and its file.

    Raises:
        FileNotFoundError: where the file is gone.
    """
    # Mapped, so that memory holds what is looked at; Windows could not remove the file then.
    arrays = load(path.read_bytes()) if os.name == "nt" else load_file(path)

    def brought(value: Any) -> Any:
        if not isinstance(value, _Place):
            return value
        return arrays[value.name].numpy() if value.is_numpy else arrays[value.name]

    return _changed(left, brought)  # type: ignore[no-any-return]


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """Copy a value with everything in it that is no container changed."""
    if isinstance(value, _Place):
        return change(value)
    if is_dataclass(value) and not isinstance(value, type):
        clone = object.__new__(type(value))  # without what it has computed and kept beside its fields
        for field in fields(value):
            if hasattr(value, field.name):
                object.__setattr__(clone, field.name, _changed(getattr(value, field.name), change))
        return clone
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_changed(one, change) for one in value))
    if isinstance(value, (tuple, list)):
        return type(value)(_changed(one, change) for one in value)
    if isinstance(value, dict):
        return {name: _changed(one, change) for name, one in value.items()}
    return change(value)
