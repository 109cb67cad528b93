"""Nothing leaves the machine, and a server that is asked to stop ends its work and tidies up."""

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.server.server_process import ROOT
from opir.inference.restorer import Restorer


def own_network() -> list[str]:
    """Return what runs a command in a network of its own; empty where this machine does not let us."""
    if not shutil.which("unshare"):
        return []
    for options in (["-n"], ["-r", "-n"]):
        if subprocess.run(["unshare", *options, "true"], capture_output=True, check=False).returncode == 0:
            return ["unshare", *options]
    return []


@pytest.fixture(scope="module")
def visit(restorer: Restorer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a server did that had no way out, or was only watched where there are no networks of one's own."""
    assert restorer.info is not None
    unshare = own_network()
    command = [*unshare, sys.executable, "-m", "tests.app.visit_offline", str(restorer.info.path)]
    command += [str(tmp_path_factory.mktemp("offline")), *(["--own-network"] if unshare else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.skipif(not own_network(), reason="this machine gives no network of one's own (unshare -n)")
def test_a_server_without_a_way_out_starts_and_restores(visit: dict[str, Any]) -> None:
    assert visit["restored"]


def test_no_other_machine_is_looked_up_or_connected_to(visit: dict[str, Any]) -> None:
    assert visit["restored"]
    assert visit["reached"] == []


def test_after_sigterm_the_running_job_ends_and_no_file_is_left(visit: dict[str, Any]) -> None:
    assert visit["running_job"]
    assert visit["exit_status"] == 0
    assert visit["files_left"] == []
    (stopped,) = visit["stopped"]
    assert stopped["jobs_left"] == 0
    assert stopped["restorations"] == {"done": 2}
