"""Write docs/files.md from the table of formats in the code; its claims are tried by tests/opir/photo/test_claims.py.

    python -m benchmarks.reliability.format_table [--check]

With --check nothing is written, and the command fails where the page is not up to date.
"""

from benchmarks.report.marked import renew
from benchmarks.report.provenance import ROOT
from opir.photo import FORMATS, Format

PAGE = ROOT / "docs" / "files.md"
_WAYS = {"icc": "ICC", "cicp": "code points (nclx, cICP)", "gamma": "gAMA and cHRM"}
_TEXTS = {b"COM": "comment", b"tEXt": "texts"}
_COLUMNS = (
    *("format", "endings", "bits a colour", "pixels without loss", "alpha", "colours described by"),
    *("Exif", "XMP", "IPTC", "texts", "resolution"),
)
_HEAD = """# Files

Which photo files are read, and what a restored file keeps of them. This page is made from the code by
`python -m benchmarks.reliability.format_table`; every claim is tested by `tests/opir/photo/test_claims.py`.

The format of a photo is recognised by its bytes, whatever its name is. The result has the same format and name.
Colours are converted to sRGB for the network, and the result back to the colour space of the file. What is not kept
is named in the line that is printed for the photo and in its JSON record (`left_out`).

"""
_TAIL = """
**Read and written otherwise**

{more}

**In every format**

- The place where a photo was taken is removed from Exif, XMP, IPTC and texts, unless `--keep-location` is given.
  Keywords are the author's words and are kept, whatever they name. Maker notes and thumbnails are always removed. The
  orientation is applied to the pixels.
- All other Exif data are kept unchanged. `ProcessingSoftware` is set to say that the photo was restored, so that a
  later run on the same folder recognises its own results.
- Colours that transparency hides have no influence on the result, and are kept.
- Gain maps, depth maps, second pictures, the motion of motion photos, layers, clipping paths, the private tags of a
  TIFF and signed proofs of origin (C2PA, which hold for the original only) are not kept, and are named. Photos for
  HDR screens (PQ, HLG) are refused.
- A lossy file becomes about as large as it was, at most half as large again. A JPEG is written with its own
  quantization tables, or with finer ones if they are coarser than quality 80. Encoding a second time rounds: where
  nothing was changed, this shows in single pixels at sharp, colourful edges only. A lossless file in which nothing
  was changed keeps every bit of its pixels.
- A JPEG whose end is missing is restored if at most 1 % of its pixels are missing, and this is named.
- At most 100 megapixels are read, more if there is memory for it (`--max-megapixels`); on the page the limit is the
  setting `OPIR_MAX_MEGAPIXELS`.
- A resolution without a unit, which only gives the shape of pixels, is kept; a BMP can not hold it.
- The time of the last change is kept with `--keep-time`.

**Folders.** `._*`, `.DS_Store`, `Thumbs.db`, `desktop.ini`, `@eaDir`, `.thumbnails` and similar files are skipped
silently, and a folder of nothing else is no error. Other files that are no photos, linked folders, camera raw files
and results of earlier runs are counted and named.
"""


def page() -> str:
    """Return the page."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|", *(_row(row) for row in FORMATS.values())]
    more = "\n".join(f"- {row.name}: {row.reads_more}." for row in FORMATS.values() if row.reads_more)
    return _HEAD + "\n".join(lines) + "\n" + _TAIL.format(more=more)


def _row(row: Format) -> str:
    depths = ", ".join("32 (fractions)" if depth == 32 else str(depth) for depth in row.depths)
    texts = ", ".join(title for kind, title in _TEXTS.items() if kind in row.texts)
    cells = [
        row.name,
        " ".join(f"`{ending}`" for ending in row.endings),
        depths,
        row.lossless,
        _yes_or_no(row.alpha),
        ", ".join(_WAYS[way] for way in row.colours) or "nothing: sRGB",
        *(_yes_or_no(holds) for holds in (row.exif, row.xmp, row.iptc)),
        texts or _yes_or_no(False),
        row.dpi or _yes_or_no(False),
    ]
    return f"| {' | '.join(cells)} |"


def _yes_or_no(holds: bool) -> str:
    return "yes" if holds else "no"


if __name__ == "__main__":
    renew([PAGE], lambda _: page(), "benchmarks.reliability.format_table", __doc__)
