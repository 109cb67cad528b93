"""Markdown of what `benchmarks/peers` found: figures, and sentences that follow from them."""

from collections.abc import Sequence
from typing import Any

from benchmarks.report.provenance import source_line

ENOUGH = 3
"""How many photos of a set have to be compared before a sentence is written about it."""
OURS, UNTOUCHED, PRIOR = "OPIR", "untouched", "dark channel prior"
_MAXIM = {
    "maxim-deraining": "deraining",
    "maxim-dehazing-indoor": "dehazing, indoor",
    "maxim-dehazing-outdoor": "dehazing, outdoor",
    "maxim-both": "deraining, then dehazing",
}
_TOO_FEW = "MAXIM is not through with enough photos yet to say more: `make peers` goes on."
_TAKE = {UNTOUCHED: "nothing", PRIOR: "the dark channel prior", "MAXIM": "MAXIM", OURS: "OPIR"}


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)] + [""]


def _figure(found: dict[str, Any], harm: bool, best: float) -> str:
    mean = f"**{found['mean']:.2f}**" if found["mean"] == best else f"{found['mean']:.2f}"
    return f"{mean} (worst {found['worst']:.2f})" if harm else mean


def peers_table(report: dict[str, Any]) -> str:
    """Return PSNR of every method on every set."""
    rows = []
    for found in scored(report, least=1):
        methods, harm = found["methods"], found["harm"]
        best = max(value["mean"] for name, value in methods.items() if not (harm and name == UNTOUCHED))
        maxim = "; ".join(
            f"{_figure(methods[name], harm, best)} {title}" for name, title in _MAXIM.items() if name in methods
        )
        rows.append(
            [
                f"{found['title']} ({found['space'].upper()})",
                found["whose"],
                f"{found['photos']}, {found['size']}",
                "–" if harm else _figure(methods[UNTOUCHED], harm, best),
                _figure(methods[PRIOR], harm, best),
                maxim,
                _figure(methods[OURS], harm, best),
            ]
        )
    lines = _table(["photos", "whose kind", "how many", UNTOUCHED, PRIOR, "MAXIM", OURS], rows)
    if left := so_far(report):
        lines += [left, ""]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return "\n".join([*lines, source_line(report, "peers"), f"With {versions}.", ""])


def scored(report: dict[str, Any], least: int = ENOUGH) -> list[dict[str, Any]]:
    """Return the sets of which enough photos were compared."""
    return [found for found in report["sets"].values() if found["photos"] >= least]


def so_far(report: dict[str, Any]) -> str:
    """Return a warning if MAXIM has not restored all photos, or nothing."""
    sets = report["sets"].values()
    done, prepared = (sum(found[key] for found in sets) for key in ("photos", "prepared"))
    if done == prepared:
        return ""
    return (
        f"**So far from {done} of {prepared} photos**, to be taken with care: `make peers` goes on with the others."
    )


def peers_time_table(report: dict[str, Any]) -> str:
    """Return seconds and memory of every method at every size."""
    if "time" not in report:
        return "Not measured yet: `make peers-time`, on an idle machine.\n"
    rows = []
    for found in report["time"]["sizes"]:
        ours = found["methods"][OURS]["seconds"]
        for name, measured in found["methods"].items():
            tiles = measured.get("tiles", 1)
            part = measured.get("timed_tiles", tiles)
            how = "at once" if tiles == 1 else f"{tiles} tiles" + (f", reckoned from {part}" if part < tiles else "")
            rows.append(
                [
                    f"{found['width']}×{found['height']}",
                    name,
                    f"{measured['seconds']:.2f} s ({measured['runs']})",
                    f"{measured['seconds'] / ours:.1f}",
                    f"{measured['peak_mb']:,} MB",
                    how,
                ]
            )
    header = ["size", "method", "median time (turns)", "× OPIR", "peak memory", "how"]
    return "\n".join([*_table(header, rows), source_line(report["time"], "peers-time"), ""])


def figures(found: dict[str, Any]) -> dict[str, float]:
    """Return the mean PSNR of each method on a set, of MAXIM's the best that was tried."""
    means = {name: value["mean"] for name, value in found["methods"].items()}
    maxim = max(value for name, value in means.items() if name in _MAXIM)
    return {"MAXIM": maxim, **{name: means[name] for name in (OURS, PRIOR, UNTOUCHED)}}


def best_of(found: dict[str, Any]) -> str:
    """Return the method that comes closest to the truth."""
    means = figures(found)
    return max(means, key=means.__getitem__)


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _advice(sets: Sequence[dict[str, Any]]) -> str:
    """Return which method to take for which sets, with the figures of MAXIM and ours."""
    parts = []
    for method, take in _TAKE.items():
        won = []
        for found in sets:
            if best_of(found) == method:
                means = figures(found)
                others = [name for name in ("MAXIM", OURS) if name != method]
                beside = ", ".join(f"{name} {means[name]:.1f}" for name in others)
                won.append(f"{found['title']} ({means[method]:.1f} dB, {beside})")
        if won:
            parts.append(f"take {take} for {_listed(won)}")
    return "; ".join(reversed(parts))


def sentences(report: dict[str, Any]) -> list[str]:
    """Return who should use which, each sentence from the figures."""
    groups = {
        "**Weather that MAXIM was trained on and OPIR was not**": ("MAXIM's",),
        "**Weather drawn as OPIR was trained on it; on haze that grows with the distance both were**": (
            "ours",
            "both's",
        ),
        "**What neither was trained on**": ("neither's",),
    }
    found = [row for row in scored(report) if not row["harm"]]
    chosen = {title: [row for row in found if row["whose"] in whose] for title, whose in groups.items()}
    lines = [f"{title}: {_advice(sets)}." for title, sets in chosen.items() if sets]
    return [*lines, *_harm(report), _cost(report)]


def _harm(report: dict[str, Any]) -> list[str]:
    """Return what happens to photos without weather."""
    parts = []
    for found in scored(report):
        if found["harm"]:
            methods = found["methods"]
            worst = {OURS: methods[OURS]["worst"]}
            worst["MAXIM"] = max(value["worst"] for name, value in methods.items() if name in _MAXIM)
            kinder = max(worst, key=worst.__getitem__)
            other = next(name for name in worst if name != kinder)
            parts.append(
                f"{found['title']} come back from {kinder} with {worst[kinder]:.1f} dB at worst, "
                f"from {other} with {worst[other]:.1f}"
            )
    return [f"**Photos without weather**: {'; '.join(parts)}."] if parts else []


def _cost(report: dict[str, Any]) -> str:
    """Return how long each takes and what memory it needs."""
    if "time" not in report:
        return "**Time and memory** are not measured yet."
    parts = []
    for found in report["time"]["sizes"]:
        ours, maxim = found["methods"][OURS], found["methods"]["MAXIM"]
        parts.append(
            f"at {found['width']}×{found['height']} MAXIM takes {maxim['seconds'] / ours['seconds']:.0f} times as "
            f"long ({maxim['seconds']:.1f} s, OPIR {ours['seconds']:.2f} s) and "
            f"{maxim['peak_mb'] / ours['peak_mb']:.1f} times the memory"
        )
    return f"**Time and memory**: {'; '.join(parts)}."


def peers_sentences(report: dict[str, Any]) -> str:
    """Return the sentences as a list."""
    if not scored(report):
        return f"{_TOO_FEW}\n"
    left = so_far(report)
    return "\n".join([*([left, ""] if left else []), *(f"- {sentence}" for sentence in sentences(report)), ""])


def peers_pictures(report: dict[str, Any]) -> str:
    """Return the pictures that were drawn."""
    drawn = [f"![The photo, dark channel prior, MAXIM, OPIR](images/{name})" for name in report["pictures"]]
    return "\n\n".join(drawn or [_TOO_FEW]) + "\n"


def peers_short(report: dict[str, Any]) -> str:
    """Return the README's two lines."""
    page = "[docs/peers.md](docs/peers.md) has figures, pictures, time and memory, and says who should use which."
    if not scored(report):
        return f"{_TOO_FEW}\n{page}\n"
    wins: dict[str, list[str]] = {}
    for found in scored(report):
        if not found["harm"]:
            wins.setdefault(best_of(found), []).append(found["title"])
    parts = [f"{_TAKE[method]} on {_listed(titles)}" for method, titles in wins.items()]
    closest = (
        "The same photos were restored by OPIR, MAXIM (CVPR 2022, from npm) and the dark channel prior. Closest to "
        f"the truth comes {'; '.join(parts)}. {so_far(report)}"
    )
    return f"{closest.rstrip()}\n{page}\n"
