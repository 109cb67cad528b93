"""Restore a photo with an exported model, from coarse to fine, without PyTorch and without this package.

opir export lite -o .
pip install onnxruntime pillow numpy
python docs/onnx_example.py lite rainy.jpg restored.png
"""

import sys

import numpy as np
import onnxruntime
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageOps

SURE, LIKELY, SEEN, STILL_SEEN, HAZY = 0.95, 0.6, 0.4, 0.7, 0.5  # as in opir/inference/level_choice.py


def look(x):  # e_t of a picture (3, H, W), how probable streaks or flakes are, and haze
    larger = np.pad(x, [(0, 0), *((0, max(0, 64 - size)) for size in x.shape[1:])], "reflect")
    counts = [min(max(1, round(size / 64)), 6) for size in larger.shape[1:]]
    rows, columns = (
        [round(n * (size - 64) / (count - 1)) for n in range(count)] if count > 1 else [(size - 64) // 2]
        for size, count in zip(larger.shape[1:], counts, strict=True)
    )
    patches = np.stack([larger[:, y : y + 64, x : x + 64] for y in rows for x in columns])
    scene = averaging(x.shape[1]) @ x.clip(0, 1) @ averaging(x.shape[2]).T
    e, (probabilities,) = embedding_graph.run(None, {"patches": patches, "scene": scene[None]})
    rain, snow, haze, _ = probabilities
    return e, max(rain, snow), haze


def averaging(size):  # the matrix (128, size) that averages a side to 128 pixels
    place, pixel = np.arange(128)[:, None] * size, np.arange(size)
    inside = (pixel >= place // 128) & (pixel < -(-(place + size) // 128))
    return (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)


def run_stages(x, e):  # Ĵ_n
    height, width = x.shape[1:]
    padded = np.pad(x, [(0, 0), (0, -height % 16), (0, -width % 16)], "reflect")
    return level_graph.run(["restored"], {"picture": padded[None], "embedding": e})[0][0, :, :height, :width]


def down(x):  # means of 2×2 pixels, at an odd border of those that there are
    x = np.pad(x, [(0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2)], "edge")
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def up(x, height, width):  # twice as large, bilinearly
    for axis in (1, 2):
        pixel = np.arange(2 * x.shape[axis])
        beside = (pixel // 2 - 1 + 2 * (pixel % 2)).clip(0, x.shape[axis] - 1)
        x = np.float32(0.75) * x.take(pixel // 2, axis) + np.float32(0.25) * x.take(beside, axis)
    return x[:, :height, :width]


def window_mean(x):
    around = np.pad(x, [(0, 0), (2, 2), (2, 2)], constant_values=np.nan)
    return np.nanmean(sliding_window_view(around, (5, 5), axis=(1, 2)), axis=(3, 4))


def change_of(before, restored):  # what a level did: x = (1 + contrast)·I + added
    i, j = (down(x.mean(axis=0, keepdims=True)) for x in (before, restored))
    covariance = window_mean(i * j) - window_mean(i) * window_mean(j)
    variance = window_mean(i * i) - window_mean(i) ** 2
    gain = ((covariance + 3e-4) / (variance + 3e-4)).clip(1, 4)
    contrast = up(window_mean(gain - 1), *before.shape[1:])
    return contrast, restored - before - contrast * before


def first_falling(falling):  # the coarsest level that removes streaks or flakes, or None
    sure = [level for level, p in enumerate(falling) if p >= SURE]
    if sure:
        return sure[-1] - 1 if sure[-1] > 0 and falling[sure[-1] - 1] >= LIKELY else sure[-1]
    most = int(np.argmax(falling)) if falling else 0
    return most if falling and falling[most] >= (LIKELY if most else SEEN) else None


def restore(photo):  # x_n = (1 + ↑contrast)·I_n + ↑added, from coarse to fine
    pyramid = [photo]
    while min(pyramid[-1].shape[1:]) >= 256:
        pyramid.append(down(pyramid[-1]))
    pictures, seen = list(pyramid), [look(x) for x in pyramid]
    first, begun = first_falling([falling for _, falling, _ in seen]), False
    for n in reversed(range(len(pyramid))):
        e, falling, haze = seen[n]
        works = falling >= STILL_SEEN if begun else n == first or (n >= len(pyramid) - 2 and haze >= HAZY)
        begun = begun or n == first
        if not works:
            continue
        print(f"level {n}: rain or snow {falling:.2f}, haze {haze:.2f}")
        pictures[n] = run_stages(pictures[n], e)
        change = change_of(pyramid[n], pictures[n])
        for finer in reversed(range(n)):
            change = [up(part, *pyramid[finer].shape[1:]) for part in change]
            pictures[finer] = pyramid[finer] + change[0] * pyramid[finer] + change[1]
            seen[finer] = look(pictures[finer])
        if not begun:
            first = first_falling([falling for _, falling, _ in seen[:n]])
    return pictures[0].clip(0, 1)


if __name__ == "__main__":
    name, photo_path, output_path = sys.argv[1:]
    embedding_graph, level_graph = (
        onnxruntime.InferenceSession(f"{name}-{part}.onnx", providers=["CPUExecutionProvider"])
        for part in ("embedding", "level")
    )
    picture = ImageOps.exif_transpose(Image.open(photo_path)).convert("RGB")  # sRGB, upright; any size will do
    result = restore(np.asarray(picture, np.float32).transpose(2, 0, 1) / 255)
    Image.fromarray((result * 255).round().astype(np.uint8).transpose(1, 2, 0)).save(output_path)
