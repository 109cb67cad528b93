"""How long the server takes from `python app.py` to its first answer, on two cores; writes JSON.

    python -m benchmarks.server.startup --output benchmarks/results/startup.json

Exits with 1 where a start took ten seconds or more.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.reliability.results import SummaryRow, write_results
from benchmarks.server.server_process import running_server

LIMIT_SECONDS = 10.0


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
    row = SummaryRow(
        f"from `python app.py` to its first answer, on {options.cores} cores",
        f"median {median} s, slowest {slowest} s of {options.times} starts",
        max(seconds) < LIMIT_SECONDS,
    )
    write_results(options.output, "make startup", [row], {"cores": options.cores, "seconds": seconds})
    print(f"{row.what}: {row.figure}")
    if not row.held:
        raise SystemExit(f"expected less than {LIMIT_SECONDS:g} s")


if __name__ == "__main__":
    main()
