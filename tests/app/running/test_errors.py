"""Every mistake that a person can make with a file ends in one sentence that says what to do."""

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import tifffile
from PIL import Image

from app.running.kept_results import Asked
from app.tabs.clean_actions import Actions

WHAT_TO_DO = re.compile(r"[;:,] (so )?(export|copy|make|check|save|send|restore|turn)[^;]*$")


def _png_of_size(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def _broken(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:1500])


def _animated(path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    frames[0].save(path, "WEBP", save_all=True, append_images=frames[1:])


KINDS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "wrong type": ("notes.jpg", lambda path: path.write_text("not a photo")),
    "another wrong type": ("film.gif", lambda path: Image.new("RGB", (16, 16)).save(path, "GIF")),
    "too big": ("vast.png", lambda path: path.write_bytes(_png_of_size(30_000, 20_000))),
    "empty": ("empty.jpg", lambda path: path.write_bytes(b"")),
    "broken": ("broken.jpg", _broken),
    "animated": ("moving.webp", _animated),
    "zero size": ("zero.png", lambda path: path.write_bytes(_png_of_size(0, 10))),
    "unsupported colours": (
        "depth.tiff",
        lambda path: tifffile.imwrite(path, np.full((16, 16), 9, np.float32)),
    ),
    "missing": ("missing.jpg", lambda path: None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_sentence_says_what_to_do(kind: str, actions: Actions, tmp_path: Path) -> None:
    name, make = KINDS[kind]
    make(tmp_path / name)
    with pytest.raises(gr.Error) as raised:
        actions.restore(tmp_path / name, Asked())
    message = raised.value.message
    assert name in message
    assert "\n" not in message
    assert "Traceback" not in message
    assert WHAT_TO_DO.search(message), message
    assert not raised.value.print_exception
