"""Serve, restore one photo and stop, with no way out: python -m tests.app.visit_offline WEIGHTS FOLDER.

Run by `unshare` in a network of its own, in which only this machine itself can be reached.
"""

import fcntl
import json
import socket
import struct
import sys
import uuid
from pathlib import Path

from benchmarks.server.server_process import running_server
from tests.app.server.raw import Raw, named, png

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


def raise_loopback() -> None:
    """Switch on the one interface that a new network has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, _GET_FLAGS, asked))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))


def has_way_out() -> bool:
    """Say whether there is a route to anywhere else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            any_socket.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True


def visit(weights: str, folder: Path) -> dict[str, object]:
    """Restore a small photo, then stop the server while it works on a large one: what was seen."""
    reached, temp = folder / "reached", folder / "temp"
    settings = {
        "OPIR_CHECKPOINT": weights,
        "OPIR_DEVICE": "cpu",
        "OPIR_SHUTDOWN_SECONDS": "600",
        "OPIR_TEMP_FOLDER": str(temp),
        "OMP_NUM_THREADS": "1",
    }
    program = ("-m", "tests.app.alone", str(reached))
    with running_server(folder / "log", environment=settings, program=program) as server:
        raw = Raw(server.url)
        small = raw.restore(raw.uploaded("small.png", png()))
        session = uuid.uuid4().hex
        large = raw.uploaded("large.png", png(1200, 900))
        raw.join([named(large), "auto", 1.0, "auto"], session=session)
        with raw.messages(session) as messages:
            assert any(message["msg"] == "process_starts" for message in messages)
            server.process.terminate()
            ends = [message["msg"] for message in messages]
        status = server.process.wait(900)
        log = server.log_lines()
    return {
        "restored": small["success"],
        "running_job": "process_completed" in ends,
        "exit_status": status,
        "files_left": [str(path) for path in temp.rglob("*")],
        "reached": reached.read_text().splitlines(),
        "stopped": [line for line in log if line.get("message") == "stopped"],
    }


if __name__ == "__main__":
    if "--own-network" in sys.argv:
        raise_loopback()
        assert not has_way_out()
    print(json.dumps(visit(sys.argv[1], Path(sys.argv[2]))))
