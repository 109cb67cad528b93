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

What photo files may be, and what of them comes back. This page is made from the code by
`python -m benchmarks.reliability.format_table`; every claim is tried by `tests/opir/photo/test_claims.py`.

A photo is told by its bytes, whatever it is called, and comes back in its own format under its own name. Its
colours are converted to sRGB for the network and back to what the file says of them. What does not come back is
told in the sentence and in the record of each photo (`left_out`).

"""
_TAIL = """
**Read and written otherwise**

{more}

**In every format**

- The place where a photo was taken is left out of Exif, XMP, IPTC and texts, unless it is asked for
  (`--keep-location`). Keywords are the author's words and stay, whatever they name. Maker notes and thumbnails are
  left out always. Orientation is applied once.
- Exif data keep every type and letter. `ProcessingSoftware` says that the photo was restored: so a later run on the
  same folder knows its own results.
- What is hidden under transparency decides nothing and comes back as it was.
- Gain maps, depth maps, second pictures, the motion of motion photos, layers and signed proofs of origin (C2PA, which
  hold for the photo as it was) do not come back, and are told. Photos for HDR screens (PQ, HLG) are refused.
- Lossy files come back about as large as they came, at most half as large again; a JPEG in its own quantization
  tables, or finer ones where they are coarser than quality 80. They are encoded a second time: where nothing was
  changed, colours stay the same but for what that rounds, which shows in single pixels at sharp, colourful edges
  alone. Files without loss come back bit by bit.
- A JPEG that lacks its end is restored where at most 1 % of its pixels are missing, and told.
- Up to 100 megapixels are read, more where there is memory for it (`--max-megapixels`); the page allows what its
  setting `max_megapixels` says.
- A resolution without a unit, which tells the shape of pixels, stays so; a BMP can not hold it.
- The time of change is kept with `--keep-time`.

**Folders.** `._*`, `.DS_Store`, `Thumbs.db`, `desktop.ini`, `@eaDir`, `.thumbnails` and their like are passed over in
silence; a folder of nothing else is no fault. Everything else that is no photo is counted and told, as are linked
folders, camera raw files and results of earlier runs.
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
        _said(row.alpha),
        ", ".join(_WAYS[way] for way in row.colours) or "nothing: sRGB",
        *(_said(holds) for holds in (row.exif, row.xmp, row.iptc)),
        texts or _said(False),
        row.dpi or _said(False),
    ]
    return f"| {' | '.join(cells)} |"


def _said(holds: bool) -> str:
    return "yes" if holds else "no"


if __name__ == "__main__":
    renew([PAGE], lambda _: page(), "benchmarks.reliability.format_table", __doc__)
