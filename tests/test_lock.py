"""The locked packages are those that pyproject.toml asks for, each with its hashes and from no named index."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
PIN = re.compile(
    r"^([a-z0-9-]+)==([^ ;]+)(?: ; ([^\\]+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\\n|\n|$))+)", re.M
)
EXTRAS = ("app", "train", "dev")


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = project["dependencies"] + [text for name in EXTRAS for text in project["optional-dependencies"][name]]
    return [Requirement(text) for text in texts]


def test_every_package_is_pinned_with_hashes_and_nothing_else_is_said() -> None:
    pins = list(PIN.finditer(LOCK))
    rest = PIN.sub("", LOCK)
    assert len(pins) > 80
    assert [line for line in rest.splitlines() if line and not line.startswith("#")] == []
    assert "://" not in LOCK


def test_the_lock_is_of_these_requirements() -> None:
    pinned: dict[str, list[str]] = {}
    for name, version, *_ in PIN.findall(LOCK):
        pinned.setdefault(name, []).append(version)
    for requirement in wanted():
        if requirement.name == "torch":
            assert "torch" not in pinned, "its build differs from machine to machine: constraints-cpu.txt"
            continue
        versions = pinned.get(requirement.name.lower())
        assert versions, f"{requirement.name} is not locked: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: make lock"


def test_nothing_that_a_locked_package_needs_is_missing() -> None:
    pinned = {name for name, *_ in PIN.findall(LOCK)}
    looked_at = 0
    for name in pinned:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # for other systems
            continue
        looked_at += 1
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in pinned | {"torch"}, f"{name} needs {need.name}: make lock"
    assert looked_at > 80


def test_ci_installs_from_the_lock() -> None:
    steps = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("make ")]
    assert steps == ["make locked", "make check", "make test"]
