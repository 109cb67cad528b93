"""What explains a result, as files that the page shows."""

from pathlib import Path
from typing import Any

from app.drawing import panels
from app.look import sentences
from app.running.results import show
from opir import inspection
from opir.inference import Restoration

COUNT = 7
"""How many views `draw` returns."""
_LEAST_SIDE = 1500  # pixels: what is drawn for the page has at least so many where the photo has


def draw(result: Restoration, folder: Path) -> tuple[Any, ...]:
    """Draw the views of a result into a folder that holds "restored.jpg".

    Of a large photo all is drawn about as small as it is shown: in full, maps of 12 megapixels take half a gigabyte.

    Returns:
        Stage 1, stage 2, what stage 2 changed, what each level took away, the result and over it the uncertainty, how
        far thorough results lie apart, scales: paths, None for what there is not.
    """
    smaller = _times_smaller(max(result.width, result.height))
    two = result.stages > 1
    certain, doubt = inspection.trust_pair(result, smaller)
    taken = inspection.taken_pictures(result, smaller=smaller)
    spread = None if result.spread is None else inspection.spread_picture(result, smaller)
    change = inspection.change_picture(result, smaller=smaller) if two else None
    return (
        str(show(result.stage1, folder / "stage-1.jpg")),
        str(folder / "restored.jpg") if two else None,
        None if change is None else str(show(change, folder / "change.jpg")),
        [
            (str(show(taken[one.level], folder / f"taken-{one.level}.jpg")), sentences.taken_caption(one))
            for one in panels.found_in(result)
        ],
        (str(show(certain, folder / "certain.jpg")), str(show(doubt, folder / "uncertainty.jpg"))),
        None if spread is None else str(show(spread, folder / "spread.jpg")),
        [
            (str(show(picture, folder / f"{name.replace(' ', '-')}.jpg")), sentences.scale_caption(name))
            for name, picture in inspection.scale_pictures(result, smaller).items()
        ],
    )


def _times_smaller(side: int) -> int:
    """Return the largest power of two that leaves `_LEAST_SIDE` pixels; 1 for a smaller photo."""
    return 1 << max(side // _LEAST_SIDE, 1).bit_length() - 1
