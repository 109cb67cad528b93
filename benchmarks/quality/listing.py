"""Which photos a figure was measured on, for docs/data.md: their names and the hashes of their pixels.

    python -m benchmarks.quality.listing FOLDER

A hash is that of the upright 8-bit RGB values, row by row, so that it holds in any lossless format.
"""

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

from opir.data import list_photos
from opir.photo import load_photo


def listed(folder: Path) -> Iterator[str]:
    """Return a line of a table for each photo: name without ending, size, and the start of its SHA-256."""
    for path in list_photos(folder):
        rgb = (load_photo(path).rgb * 255).round().byte()
        digest = hashlib.sha256(rgb.permute(1, 2, 0).contiguous().numpy().tobytes()).hexdigest()
        yield f"| {path.stem} | {rgb.shape[2]}×{rgb.shape[1]} | `{digest[:16]}` |"


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(
        "\n".join(
            [
                "| photo | size | SHA-256 of its pixels |",
                "|---|---|---|",
                *listed(parser.parse_args(arguments).folder),
            ]
        )
    )


if __name__ == "__main__":
    main()
