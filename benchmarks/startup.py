"""How long the server takes from `python app.py` to its first answer, on two cores; writes JSON.

python -m benchmarks.startup --output benchmarks/results/startup.json
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from benchmarks.load import provenance
from benchmarks.server_process import running_server


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.times):
            arguments = ["--checkpoint", options.checkpoint]
            with running_server(Path(folder, f"log-{number}"), arguments, cores=options.cores) as server:
                seconds.append(round(server.start_seconds, 2))
    median, slowest = round(statistics.median(seconds), 1), round(max(seconds), 1)
    summary = [
        {
            "what": f"from `python app.py` to its first answer, on {options.cores} cores",
            "figure": f"median {median} s, slowest {slowest} s of {options.times} starts",
        }
    ]
    report = {
        "command": "make startup",
        **provenance(),
        "cores": options.cores,
        "seconds": seconds,
        "summary": summary,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{summary[0]['what']}: {summary[0]['figure']}")


if __name__ == "__main__":
    main()
