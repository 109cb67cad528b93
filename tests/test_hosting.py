"""The container's recipe is followed as far as it goes without Docker; proxies know the prefix that is tested."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from configparser import ConfigParser
from pathlib import Path

import pytest

from app.server.settings import Settings
from benchmarks.server.server_process import free_port
from tests.app.server.test_behind_a_proxy import PREFIX

ROOT = Path(__file__).resolve().parents[1]
STEPS = [line.split(None, 1) for line in (ROOT / "Dockerfile").read_text().splitlines() if line and line[0] != "#"]


def arguments(instruction: str) -> list[str]:
    return [rest for name, rest in STEPS if name == instruction]


def files_of(folder: Path) -> list[Path]:
    """Return all files but what Numba compiled, which goes to the user's folder where this is not writable."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def test_the_container_runs_as_nobody_special_with_packages_that_are_tested() -> None:
    order = [name for name, _ in STEPS]
    (made,) = re.findall(r"useradd .* (\w+)$", "\n".join(arguments("RUN")), re.MULTILINE)
    assert arguments("USER") == [made]
    assert order.index("USER") > max(index for index, name in enumerate(order) if name in ("RUN", "COPY"))
    assert "pip install --no-cache-dir -r requirements.txt" in arguments("RUN")


def test_what_the_container_copies_serves_the_page_and_its_health(tmp_path: Path) -> None:
    place = tmp_path / "page"
    for given, target in map(str.split, arguments("COPY")):
        source, copy = ROOT / given, place / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    settings = dict(text.split("=") for text in arguments("ENV"))
    Settings.from_environment(settings)
    before = files_of(place)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings
    environment |= {"OPIR_PORT": str(free_port()), "PYTHONDONTWRITEBYTECODE": "1", "OPIR_TEMP_FOLDER": str(tmp_path)}
    (command,) = arguments("CMD")
    words = [sys.executable, *eval(command)[1:]]
    health = shlex.split(arguments("HEALTHCHECK")[0].partition("CMD ")[2])
    with subprocess.Popen(words, cwd=place, env=environment, stderr=subprocess.PIPE) as server:
        try:
            until = time.monotonic() + 120
            asked = [sys.executable, *health[1:]]
            while subprocess.run(asked, env=environment, capture_output=True, check=False).returncode:
                assert server.poll() is None, server.stderr and server.stderr.read().decode()[-2000:]
                assert time.monotonic() < until, "no health within two minutes"
                time.sleep(0.5)
        finally:
            server.send_signal(signal.SIGTERM)
    assert server.returncode == 0
    assert files_of(place) == before


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_the_proxies_take_off_the_prefix_that_is_tested(name: str) -> None:
    text = (ROOT / "hosting" / name).read_text()
    assert f"GRADIO_ROOT_PATH={PREFIX}" in text
    assert "X-Forwarded-Host" in text
    assert f"{Settings().max_request_mb:g}" in text
    assert {"nginx.conf": f"location {PREFIX}/ {{", "Caddyfile": f"handle_path {PREFIX}/*"}[name] in text


def test_the_unit_starts_the_page() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "hosting" / "opir.service")
    service = unit["Service"]
    assert service["ExecStart"].split()[1] == "app.py"
    Settings.from_environment(dict(text.split("=") for text in service["Environment"].split()))
    assert float(service["TimeoutStopSec"]) > Settings().shutdown_seconds


def test_a_port_that_is_taken_names_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {**os.environ, "OPIR_PORT": str(port), "OPIR_HOST": "127.0.0.1"}
        ran = subprocess.run(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert ran.returncode == 2
    assert f"port {port} is taken: choose another by --port or OPIR_PORT" in ran.stderr
