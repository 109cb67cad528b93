"""`app.py` that takes down whom it tries to reach: python -m tests.app.alone FILE [arguments of app.py].

Every name that is looked up and every address that is connected to, this machine apart, becomes a line of FILE.
"""

import runpy
import sys
from pathlib import Path
from typing import Any

OWN = ("127.", "localhost", "::1", "0.0.0.0")


def main() -> None:
    logged_job = Path(sys.argv[1]).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            address = arguments[1]
            reached = address[0] if isinstance(address, tuple) else ""  # a string is a socket in the file system
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            reached = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        else:
            return
        if reached and not str(reached).startswith(OWN):
            logged_job.write(f"{event} {reached}\n")

    sys.addaudithook(watch)
    sys.argv = ["app.py", *sys.argv[2:]]
    runpy.run_path("app.py", run_name="__main__")


if __name__ == "__main__":
    main()
