"""Damaged checkpoints, and training states whose saving was killed."""

import json
import pickle
import random
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from benchmarks.reliability.doors import ROOT, environment
from benchmarks.reliability.model import TINIEST
from opir.model import OPIR, CheckpointError
from opir.training.state import RunState, load_state, save_state

COPY_AGAIN, TRAINED, SAFETENSORS = "copy or download it again", "use a file that `opir train` wrote", "never loaded"


def broken_checkpoints(sound: Path, folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield what is wrong, the file, and words that the error message must have."""
    folder.mkdir()
    data = sound.read_bytes()
    (header,) = struct.unpack_from("<Q", data)
    for name, length in (("its first bytes", 5), ("its header", 8 + header // 2), ("its weights", len(data) - 99)):
        yield (
            f"a checkpoint cut off in {name}",
            _written(folder / f"cut {length}.safetensors", data[:length]),
            COPY_AGAIN,
        )
    yield "an empty checkpoint", _written(folder / "empty.safetensors", b""), COPY_AGAIN
    page = b"<!doctype html><title>404 Not Found</title>"
    yield "a page of a web server for a checkpoint", _written(folder / "page.safetensors", page), COPY_AGAIN

    torch.save({"weights": torch.zeros(3)}, folder / "torch.safetensors")
    yield "a pickle by torch.save", folder / "torch.safetensors", SAFETENSORS
    harmful = pickle.dumps({"weights": [0.0]})
    yield "a plain pickle", _written(folder / "plain.safetensors", harmful), SAFETENSORS

    tensors = load_file(sound)
    save_file(tensors, folder / "foreign.safetensors")
    yield "weights without a config", folder / "foreign.safetensors", TRAINED
    config = TINIEST.to_dict()
    for fault, changed in (
        ("a config with an unknown key", config | {"depth": 3}),
        ("a config of another width", config | {"width": 12}),
        ("a config of a width that no machine holds", config | {"width": 10**7}),
        ("a config whose width is a text", config | {"width": "wide"}),
        ("a config that is a list", [1, 2]),
    ):
        path = folder / f"{fault}.safetensors"
        save_file(tensors, path, metadata={"format": "opir-1", "config": json.dumps(changed), "training": "{}"})
        yield fault, path, TRAINED


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _parts() -> tuple[OPIR, OPIR, torch.optim.Optimizer]:
    model = OPIR(TINIEST)
    optimizer = torch.optim.AdamW(model.parameters())
    sum(parameter.sum() for parameter in model.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    return model, OPIR(TINIEST), optimizer


def save_for_ever(path: Path) -> None:
    """Save one state after the other until killed; prints each step once it is safe."""
    parts = _parts()
    step = load_state(path, *parts).step
    while True:
        step += 1
        save_state(path, RunState(step=step), *parts)
        print(step, flush=True)


def killed_while_saving(path: Path, kills: int) -> tuple[int, int]:
    """Kill `save_for_ever` at random moments.

    Returns:
        How many kills, and after how many the state could not be loaded or was older than one known to be safe.
    """
    draw, lost = random.Random(0), 0
    call = f"from pathlib import Path; from {__name__} import save_for_ever; save_for_ever(Path({str(path)!r}))"
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", call],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(path.with_name("temporary")),
        )
        assert process.stdout is not None
        safe = int(process.stdout.readline())
        time.sleep(draw.uniform(0, 0.3))
        process.kill()
        safe = max([safe, *(int(line) for line in process.stdout.read().splitlines() if line.isdecimal())])
        process.wait()
        try:
            lost += load_state(path, *_parts()).step < safe
        except CheckpointError:
            lost += 1
    return kills, lost
