"""Where to compute, and how precisely."""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

PRECISIONS = ("auto", "fp32", "bf16")

# Of mallopt(3), glibc.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_KEPT_BYTES, _ARENAS = 2**31 - 1, 2  # a server has some forty threads; a heap for each would keep holes of its own
_APART_FROM_BYTES = 2**24
_CONTAINER = Path("/sys/fs/cgroup")


def choose_device(name: str) -> torch.device:
    """Return the device of this name; "auto" takes a CUDA GPU where there is one, else the CPU.

    Raises:
        ValueError: for an unknown name, or a device that this machine does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f'unknown device "{name}": use "auto", "cpu" or "cuda"') from None
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ValueError(f'this machine has no device "{name}": use "cpu" or "auto"') from None
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the type that convolutions compute in; "auto" is bfloat16 where the hardware is made for it.

    A CPU without such instructions (AVX-512 BF16 or AMX) emulates bfloat16 and takes several times as long.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in PRECISIONS:
        raise ValueError(f'unknown precision "{name}": use one of {", ".join(PRECISIONS)}')
    if name == "auto":
        name = "bf16" if _computes_in_bfloat16(device) else "fp32"
    return torch.bfloat16 if name == "bf16" else torch.float32


def computing_in(precision: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which convolutions compute in this type, and results that need float32 keep it."""
    return nullcontext() if precision is torch.float32 else torch.autocast(device.type, precision)


def free_memory(device: torch.device) -> int | None:
    """Return the bytes that a device can still give, None where the system does not tell.

    A processor's are what the machine has left, the container (control groups 2), and the process (`ulimit -v`).
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    left = [_bytes_in("/proc/meminfo", "MemAvailable"), _left_in_container(), _left_to_process()]
    return min((one for one in left if one is not None), default=None)


def _bytes_in(file: str, name: str) -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in Path(file).read_text().splitlines() if ":" in line)
    except OSError:
        return None
    return int(lines[name].split()[0]) * 1024 if name in lines else None


def _left_in_container() -> int | None:
    try:
        most, taken = (int((_CONTAINER / name).read_text()) for name in ("memory.max", "memory.current"))
        counts = dict(line.split() for line in (_CONTAINER / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no container, or "max"
        return None
    # Files that were read stay counted as taken until somebody needs the room.
    return max(most - taken + int(counts.get("inactive_file", 0)), 0)


def _left_to_process() -> int | None:
    if find_spec("resource") is None:  # Windows
        return None
    import resource

    most, mapped = resource.getrlimit(resource.RLIMIT_AS)[0], _bytes_in("/proc/self/status", "VmSize")
    return None if most == resource.RLIM_INFINITY or mapped is None else max(most - mapped, 0)


@contextmanager
def lack_of_memory_told() -> Iterator[None]:
    """Let a processor's lack of memory in PyTorch be a MemoryError, as NumPy's and Python's is.

    Raises:
        MemoryError: in place of PyTorch's RuntimeError.
    """
    try:
        yield
    except RuntimeError as error:
        if "DefaultCPUAllocator" not in str(error):
            raise
        raise MemoryError("not enough memory") from error


def _computes_in_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


@cache
def work_after_forks() -> None:
    """Let processes that are forked off compute too, with one thread each.

    The threads that OpenMP has started do not exist in a child, which would wait for them without end. On a GPU
    PyTorch says by itself that such processes have to be spawned.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


def reuse_freed_memory() -> bool:
    """Let glibc keep large freed blocks for the next tensor instead of giving them back to the system each time.

    Zeroing fresh pages costs a CPU model nearly as much time as its convolutions. Up to 2 GiB stay with the process.

    Returns:
        Whether the C library took the settings; other libraries than glibc are left as they are.
    """
    mallopt = _from_c_library("mallopt")
    if mallopt is None:
        return False
    wanted = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: _KEPT_BYTES, _M_ARENA_MAX: _ARENAS}
    taken = [bool(mallopt(name, value)) for name, value in wanted.items()]
    return all(taken)


def empty_apart(shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return an unfilled tensor for what is kept while much else is computed: a level's picture, a result.

    On a CPU a large one gets memory of its own from the system, which takes it back with the tensor. Among the blocks
    that are reused (`reuse_freed_memory`) such tensors leave holes: 100 MB of 2 GB at 48 megapixels (docs/log.md).

    Args:
        shape: of the tensor.
        dtype: of its numbers.
        device: where it lies.
    """
    size = math.prod(shape) * dtype.itemsize
    if device.type != "cpu" or size < _APART_FROM_BYTES:
        return torch.empty(*shape, dtype=dtype, device=device)
    return torch.frombuffer(mmap.mmap(-1, size), dtype=dtype).view(*shape)


def give_back_freed_memory() -> bool:
    """Let glibc give all freed memory back to the system, where what comes next does not fit into it.

    Returns:
        Whether there was any to give back and a C library that does it.
    """
    trim = _from_c_library("malloc_trim")
    return trim is not None and bool(trim(0))


def _from_c_library(name: str) -> Any:
    """Return a function of the C library, None where it has none of this name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
