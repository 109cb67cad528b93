"""Restore a photo with an exported model, without PyTorch and without this package.

opir export lite --format onnx -o lite.onnx
pip install onnxruntime pillow numpy
python docs/onnx_example.py lite.onnx rainy.jpg restored.png
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

model_path, photo_path, output_path = sys.argv[1:]

# float32, sRGB in [0, 1], shape (1, 3, height, width), upright; any size will do.
picture = ImageOps.exif_transpose(Image.open(photo_path)).convert("RGB")
photo = np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255

session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
image, stage1, uncertainty, scale_weights = session.run(
    ["image", "stage1", "uncertainty", "scale_weights"], {"photo": photo}
)

Image.fromarray((image[0] * 255).round().astype(np.uint8).transpose(1, 2, 0)).save(output_path)
print(f"stage 2 changed stage 1 by {np.abs(image - stage1).mean() * 255:.2f} levels on average")
print(f"mean uncertainty {uncertainty.mean():.3f} (1: as if untouched)")
print(f"weights of the scales {scale_weights.mean(axis=(0, 2, 3)).round(3).tolist()}")
