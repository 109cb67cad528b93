"""Results of other weights are named; those of the shipped ones, and those of none, are not."""

import hashlib
import json
from pathlib import Path

from benchmarks.report.outdated import outdated


def test_results_of_other_weights_are_named(tmp_path: Path) -> None:
    shipped = tmp_path / "lite.safetensors"
    shipped.write_bytes(b"weights")
    own = hashlib.sha256(b"weights").hexdigest()
    other = 64 * "f"
    for name, report in {
        "mine": {"weights_sha256": own},
        "none": {"results": [1, 2]},
        "part": {"weights_sha256": own, "shares": [{"weights_sha256": other}]},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(report))
    assert outdated(shipped, tmp_path) == ["part.json is of other weights (ffffffffffff) than those that are shipped"]
