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
SURE, CERTAIN, LIKELY, SEEN, HAZY = 0.95, 0.99, 0.6, 0.4, 0.5  # as in opir/inference/level_choice.py
STILL_SEEN, STILL_LIKELY = 0.4, 0.7


def run(part, *inputs):
    graph = graphs[part]
    return graph.run(None, {given.name: value for given, value in zip(graph.get_inputs(), inputs, strict=True)})


def look(picture):  # e_t, how probable streaks or flakes are, streaks alone, and haze
    embedding, ((rain, snow, haze, _),) = run("embedding", picture)
    return embedding, max(rain, snow), rain, haze


def run_stages(picture, embedding):  # Ĵ_n
    height, width = picture.shape[2:]
    padded = np.pad(picture, [(0, 0), (0, 0), (0, -height % 16), (0, -width % 16)], "reflect")
    return run("level", padded, embedding)[0][..., :height, :width]


def first_falling(seen):  # the coarsest level that removes streaks or flakes, or None, and what finer ones must show
    falling, streaks = [one[1] for one in seen], [one[2] for one in seen]
    sure = [level for level, p in enumerate(falling) if p >= SURE]
    if sure:
        first = sure[-1]
        if first > 0 and falling[first - 1] >= LIKELY:
            first -= 1
            first -= first > 0 and falling[first] >= SURE and streaks[first - 1] >= CERTAIN
        return first, STILL_LIKELY
    most = int(np.argmax(falling)) if falling else 0
    if falling and falling[most] >= LIKELY:
        return most, STILL_SEEN
    return 0 if falling and falling[0] >= SEEN else None, STILL_SEEN


def restore(photo):  # from the coarsest level, with a short side of 128 to 256 pixels, to the photo itself
    pyramid = [photo]
    while min(pyramid[-1].shape[2:]) >= 256:
        pyramid += run("down", pyramid[-1])
    pictures, seen = list(pyramid), [look(picture) for picture in pyramid]
    (first, still), begun = first_falling(seen), False
    for n in reversed(range(len(pyramid))):
        embedding, falling, _, haze = seen[n]
        works = falling >= still if begun else n == first or (n >= len(pyramid) - 2 and haze >= HAZY)
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
            first, still = first_falling(seen[:n])
    return pictures[0].clip(0, 1)


if __name__ == "__main__":
    name, photo_path, output_path = sys.argv[1:]
    graphs = {part: onnxruntime.InferenceSession(f"{name}-{part}.onnx") for part in PARTS}
    picture = ImageOps.exif_transpose(Image.open(photo_path)).convert("RGB")  # sRGB, upright; any size will do
    result = restore(np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255)
    Image.fromarray((result[0] * 255).round().astype(np.uint8).transpose(1, 2, 0)).save(output_path)
