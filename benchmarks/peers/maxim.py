"""MAXIM (Tu et al., CVPR 2022) as npm has it: TensorFlow.js graphs, run by TensorFlow for Python.

    .venv-peers/bin/python -m benchmarks.peers.maxim WORK

WORK is a folder that `python -m benchmarks.peers` prepared. Results that exist are kept: after a stop the same
command goes on. It runs in an environment of its own, so it imports nothing of `opir`, and TensorFlow only when it is
used.

Photos of more than `WHOLE` pixels do not fit the memory, so they are restored in tiles of at most 512×512 pixels that
overlap by 64. H height, W width.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]
METHODS: dict[str, tuple[str, str]] = {
    "maxim-deraining": ("maxim-deraining", "input"),
    "maxim-dehazing-indoor": ("maxim-dehazing-indoor", "input"),
    "maxim-dehazing-outdoor": ("maxim-dehazing-outdoor", "input"),
    "maxim-both": ("maxim-dehazing-outdoor", "maxim-deraining"),
}
"""By the name of a method: the package on npm, and the folder of WORK whose photos it restores."""
WHOLE = 768 * 512
TILE, OVERLAP, MULTIPLE = 512, 64, 64


class Maxim:
    """A graph with its weights."""

    def __init__(self, package: Path) -> None:
        """Read a package as npm unpacks it, with models/model.json; all cores will compute."""
        import tensorflow as tf
        from google.protobuf import json_format

        described = json.loads((package / "models" / "model.json").read_text())
        graph = json_format.ParseDict(described["modelTopology"], tf.compat.v1.GraphDef(), ignore_unknown_fields=True)
        weights = dict(read_weights(package / "models", described["weightsManifest"]))
        for node in graph.node:
            if node.op == "Const":
                node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[node.name]))
        (taken,), (given,) = (
            [end["name"] for end in described["signature"][side].values()] for side in ("inputs", "outputs")
        )
        with tf.Graph().as_default() as whole:
            tf.import_graph_def(graph, name="")
        settings = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=1)
        session = tf.compat.v1.Session(graph=whole, config=settings)
        self._run = session.make_callable(given, feed_list=[taken])

    def restore(self, photo: Array) -> Array:
        """Return a photo (H, W, 3) in [0, 1] restored, in tiles if it is large."""
        total, shares = np.zeros_like(photo), np.zeros((*photo.shape[:2], 1), np.float32)
        for rows, columns in tiles(*photo.shape[:2]):
            part = self.restore_whole(photo[rows, columns])
            share = _slope(len(part))[:, None, None] * _slope(part.shape[1])[None, :, None]
            total[rows, columns] += share * part
            shares[rows, columns] += share
        restored: Array = np.clip(total / shares, 0, 1)
        return restored

    def restore_whole(self, photo: Array) -> Array:
        """Return a photo or tile restored at once; its sides are padded to multiples of 64 by reflection."""
        height, width = photo.shape[:2]
        padding = ((0, -height % MULTIPLE), (0, -width % MULTIPLE), (0, 0))
        restored: Array = self._run(np.pad(photo, padding, mode="reflect")[None])[0]
        return restored[:height, :width]


def read_weights(folder: Path, manifest: list[dict[str, Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the tensors of a TensorFlow.js model: one after the other in the files that the manifest names."""
    for group in manifest:
        content, start = b"".join((folder / name).read_bytes() for name in group["paths"]), 0
        for weight in group["weights"]:
            kind, count = np.dtype(weight["dtype"]), int(np.prod(weight["shape"]))
            values = np.frombuffer(content, kind, count, start)
            yield weight["name"], values.reshape(weight["shape"])
            start += values.nbytes


def tiles(height: int, width: int) -> list[tuple[slice, slice]]:
    """Return the rows and columns of each tile; one for a photo that fits in memory."""
    if height * width <= WHOLE:
        return [(slice(0, height), slice(0, width))]
    return [(rows, columns) for rows in _windows(height) for columns in _windows(width)]


def _windows(length: int) -> list[slice]:
    """Return overlapping ranges of equal length that cover a side, spread evenly."""
    count = max(1, -(-(length - OVERLAP) // (TILE - OVERLAP)))
    side = -(-(length + (count - 1) * OVERLAP) // count)
    side = min(length, side + -side % MULTIPLE)
    starts = np.linspace(0, length - side, count).round().astype(int)
    return [slice(int(start), int(start) + side) for start in starts]


def _slope(length: int) -> Array:
    """Return the weight of a tile's pixels along one side, which falls where it overlaps its neighbours."""
    distance = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
    share: Array = np.minimum(distance / OVERLAP, 1, dtype=np.float32)
    return share


def read_photo(path: Path) -> Array:
    """Read a photo, (H, W, 3) in [0, 1]."""
    return np.asarray(Image.open(path).convert("RGB"), np.float32) / np.float32(255)


def write_photo(photo: Array, path: Path) -> None:
    """Write a photo of 8 bits; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    Image.fromarray((photo * 255).round().astype(np.uint8)).save(unfinished, format="png")
    unfinished.replace(path)


def versions(packages: Path) -> dict[str, str]:
    """Return the versions of the packages of npm and of TensorFlow."""
    import tensorflow as tf

    found = {path.parent.name: json.loads(path.read_text())["version"] for path in packages.glob("*/package.json")}
    return dict(sorted(found.items())) | {"tensorflow": tf.__version__}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    work: Path = parser.parse_args().work
    loaded: dict[str, Maxim] = {}
    (work / "versions.json").write_text(json.dumps(versions(work / "packages")))
    for wanted in json.loads((work / "photos.json").read_text()):
        for method in wanted["maxim"]:
            package, source = METHODS[method]
            output = work / method / wanted["photo"]
            if output.is_file():
                continue
            if package not in loaded:
                loaded[package] = Maxim(work / "packages" / package)
            write_photo(loaded[package].restore(read_photo(work / source / wanted["photo"])), output)
            print(output, flush=True)


if __name__ == "__main__":
    main()
