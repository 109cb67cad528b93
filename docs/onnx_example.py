"""Restore a photo with an exported model, from coarse to fine, without PyTorch and without this package.

opir export lite -o .
pip install onnxruntime pillow numpy
python docs/onnx_example.py lite rainy.jpg restored.png
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

PARTS = ("embedding", "level", "down", "change", "begin")
SURE, LIKELY, SEEN, STILL_SEEN, HAZY = 0.95, 0.6, 0.4, 0.4, 0.5  # as in opir/inference/level_choice.py


def run(part, *inputs):
    graph = graphs[part]
    return graph.run(None, {given.name: value for given, value in zip(graph.get_inputs(), inputs, strict=True)})


def look(picture):  # e_t, how probable streaks or flakes are, and haze
    embedding, ((rain, snow, haze, _),) = run("embedding", picture)
    return embedding, max(rain, snow), haze


def run_stages(picture, embedding):  # Ĵ_n
    height, width = picture.shape[2:]
    padded = np.pad(picture, [(0, 0), (0, 0), (0, -height % 16), (0, -width % 16)], "reflect")
    return run("level", padded, embedding)[0][..., :height, :width]


def first_falling(falling):  # the coarsest level that removes streaks or flakes, or None
    sure = [level for level, p in enumerate(falling) if p >= SURE]
    if sure:
        return sure[-1] - 1 if sure[-1] > 0 and falling[sure[-1] - 1] >= LIKELY else sure[-1]
    most = int(np.argmax(falling)) if falling else 0
    if falling and falling[most] >= LIKELY:
        return most
    return 0 if falling and falling[0] >= SEEN else None


def restore(photo):  # from the coarsest level, with a short side of 128 to 256 pixels, to the photo itself
    pyramid = [photo]
    while min(pyramid[-1].shape[2:]) >= 256:
        pyramid += run("down", pyramid[-1])
    pictures, seen = list(pyramid), [look(picture) for picture in pyramid]
    first, begun = first_falling([falling for _, falling, _ in seen]), False
    for n in reversed(range(len(pyramid))):
        embedding, falling, haze = seen[n]
        works = falling >= STILL_SEEN if begun else n == first or (n >= len(pyramid) - 2 and haze >= HAZY)
        begun = begun or n == first
        if not works:
            continue
        print(f"level {n}: rain or snow {falling:.2f}, haze {haze:.2f}")
        pictures[n] = run_stages(pictures[n], embedding)
        change = run("change", pyramid[n], pictures[n])
        for finer in reversed(range(n)):  # which begin with what this level did
            pictures[finer], *change = run("begin", pyramid[finer], *change)
            seen[finer] = look(pictures[finer])
        if not begun:
            first = first_falling([falling for _, falling, _ in seen[:n]])
    return pictures[0].clip(0, 1)


if __name__ == "__main__":
    name, photo_path, output_path = sys.argv[1:]
    graphs = {part: onnxruntime.InferenceSession(f"{name}-{part}.onnx") for part in PARTS}
    picture = ImageOps.exif_transpose(Image.open(photo_path)).convert("RGB")  # sRGB, upright; any size will do
    result = restore(np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255)
    Image.fromarray((result[0] * 255).round().astype(np.uint8).transpose(1, 2, 0)).save(output_path)
