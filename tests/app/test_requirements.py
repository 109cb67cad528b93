"""requirements.txt alone is enough: a Space installs nothing else."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

START = """
import sys
from importlib.machinery import PathFinder

class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {missing!r} else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Installed
from app import page, serve
from app.tabs.clean_actions import Actions
from app.drawing.weather_map import WeatherMap
from opir.inference.restorer import Restorer

restorer = Restorer.from_pretrained("lite", device="cpu")
actions = Actions(restorer, WeatherMap.shipped_with(restorer))
page.build(actions)
actions.restore_file({photo!r}, "auto", 1.0)
print("started")
"""


def installed_by(lines: list[str]) -> set[str]:
    """Return the names of the packages that these requirements bring along, in this environment."""
    waiting, found = [(Requirement(line), "") for line in lines], set()
    while waiting:
        wanted, extra = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        for own in wanted.extras or {""}:
            if (name, own) in found:
                continue
            found.add((name, own))
            try:
                needed = distribution(name).requires or []
            except PackageNotFoundError:  # for other systems
                continue
            waiting += [(Requirement(line), own) for line in needed]
    return {name for name, _ in found}


def test_the_page_starts_and_restores_with_nothing_but_the_requirements(photo: Path) -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] not in "#-"]
    there = installed_by(lines)
    missing = {
        module
        for module, packages in packages_distributions().items()
        if not there & {package.lower().replace("_", "-") for package in packages} and module not in ("opir", "app")
    }
    assert {"pytest", "playwright", "hypothesis"} <= missing
    program = START.format(missing=missing, photo=str(photo))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("started\n"), done.stderr[-2000:]
