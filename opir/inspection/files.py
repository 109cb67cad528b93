"""What a restoration shows of itself, as files: pictures to look at, or the numbers behind them.

H height, W width, S scales.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from opir.inference.restoration import Restoration
from opir.inspection.maps import MAPS, pictures
from opir.ops.colours import in_unit

MAP_FORMATS = ("png", "npy", "tiff")

Save = Callable[[IO[bytes]], None]


def arrays(restoration: Restoration, names: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Return the numbers of maps, float32, by name.

    Args:
        restoration: made with `scale_weights=True` for "scales".
        names: some of `MAPS`: "stage1" (3, H, W) in [0, 1]; "change", what stage 2 added, (3, H, W) in [-1, 1];
            "uncertainty" (H, W), 1 where nothing is changed, from 0 up; "error_bound" (H, W), grey values;
            "spread", how far thorough results lie apart, (H, W), grey values;
            "scales", the weights of `restoration.scales`, (S, H, W) in [0, 1] with a sum of 1.

    Raises:
        ValueError: for an unknown name, or a map that the restoration has not.
    """
    made: dict[str, Callable[[], Any]] = {
        "stage1": lambda: in_unit(restoration.stage1_rgb).numpy(),
        "change": lambda: restoration.stage2_change,
        "uncertainty": lambda: restoration.uncertainty,
        "error_bound": lambda: restoration.error_bound,
        "spread": lambda: restoration.spread,
        "scales": lambda: restoration.scale_weights,
    }
    found = {}
    for name in names:
        if name not in made:
            raise ValueError(f'unknown map "{name}": use some of {", ".join(MAPS)}')
        values = made[name]()
        if values is None:
            raise ValueError(
                f"this restoration has no {name}: scales need scale_weights=True, error bounds a calibration, "
                "a spread a thorough restoration"
            )
        found[name] = np.asarray(values, np.float32)
    return found


def map_files(
    restoration: Restoration, names: Iterable[str], file_format: str = "png", mark: str = ""
) -> dict[str, Save]:
    """Return what writes each map to an open file, by the end of the file's name.

    Args:
        restoration: made with `scale_weights=True` for "scales".
        names: some of `MAPS`.
        file_format: "png" draws them, with a bar of their values; "npy" and "tiff" keep the numbers of `arrays`, a
            TIFF one page for each colour or scale.

        mark: text by which a picture is known for no photo.

    Raises:
        ValueError: as `pictures` and `arrays` do, and for an unknown format.
    """
    if file_format not in MAP_FORMATS:
        raise ValueError(f'unknown format of maps "{file_format}": use one of {", ".join(MAP_FORMATS)}')
    if file_format == "png":
        drawn = pictures(restoration, names)
        return {f"{name.replace(' ', '')}.png": partial(_save_png, picture, mark) for name, picture in drawn.items()}
    save = _save_npy if file_format == "npy" else _save_tiff
    return {f"{name}.{file_format}": partial(save, values) for name, values in arrays(restoration, names).items()}


def _save_png(picture: Image.Image, mark: str, file: IO[bytes]) -> None:
    info = PngImagePlugin.PngInfo()
    if mark:
        info.add_text("Software", mark)
    picture.save(file, "PNG", pnginfo=info)


def _save_npy(values: NDArray[np.float32], file: IO[bytes]) -> None:
    np.save(file, values, allow_pickle=False)


def _save_tiff(values: NDArray[np.float32], file: IO[bytes]) -> None:
    first, *others = [Image.fromarray(np.ascontiguousarray(page)) for page in values.reshape(-1, *values.shape[-2:])]
    first.save(file, "TIFF", save_all=True, append_images=others)
