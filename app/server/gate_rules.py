"""What the server lets in, as plain functions: which addresses, which sites, which files.

Gradio opens many more doors than the page uses (a proxy, a screen recorder, an editor, deep links, component servers,
files by URL). Everything that is not named here is answered as if it did not exist.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

API = "/gradio_api"
FILE = f"{API}/file="
UPLOAD = f"{API}/upload"
JOIN = f"{API}/queue/join"
CALL = re.compile(rf"{API}/call/(?:v2/)?(?P<name>[^/]+)/?")
"""Asks for work through a public endpoint, by its name."""

_READ = re.compile(
    r"/|/config/?|/health|/theme\.css|/robots\.txt|/favicon\.ico|/manifest\.json"
    r"|/(?:static|assets|svelte)/.+"
    rf"|{API}/(?:info/?|openapi\.json|app_id/?|login_check/?|startup-events|theme\.css|queue/data|queue/status"
    r"|upload_progress|heartbeat/[^/]+|call/(?:v2/)?[^/]+/[^/]+|file=.+)"
)
_STREAM = re.compile(rf"{API}/call/(?:v2/)?[^/]+/(?P<session>[^/]+)")
"""The messages of one call, which is a session of its own."""
_WRITE = re.compile(rf"{UPLOAD}|{JOIN}|{API}/(?:cancel|reset/?)|{CALL.pattern.replace('?P<name>', '?:')}")


def is_open(method: str, path: str) -> bool:
    """Say whether the page or the public endpoint needs this address."""
    if method in ("GET", "HEAD"):
        return _READ.fullmatch(path) is not None
    return method == "POST" and _WRITE.fullmatch(path) is not None


def is_own_site(origin: str | None, fetch_site: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Say whether a request comes from the server's own page, from a program, or from a site that is allowed.

    Args:
        origin: the header of a browser; None where there is none.
        fetch_site: Sec-Fetch-Site, which no page can forge and no proxy has to know; browsers send it over HTTPS and
            to the machine itself.
        host: what the server is called by, for browsers that do not send the former.
        allowed: origins such as "https://example.org", in lower case, or "*".
    """
    if origin is None or "*" in allowed or origin.rstrip("/").lower() in allowed:
        return True
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    return urlsplit(origin).netloc.lower() == (host or "").lower() != ""


def is_inside(path: str, folder: Path) -> bool:
    """Say whether a file lies in a folder, symbolic links and dots resolved; never for a URL."""
    if "\0" in path or not path.startswith(("/", str(folder))):
        return False
    try:
        return Path(path).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # no name that a file can have
        return False


def streamed_session(path: str, query: bytes) -> str | None:
    """Return the session whose messages an address streams; None for other addresses."""
    if path == f"{API}/queue/data":
        return dict(parse_qsl(query.decode("latin-1"))).get("session_hash")
    streamed = _STREAM.fullmatch(path)
    return streamed["session"] if streamed else None


def named_files(data: Any) -> Iterator[Any]:
    """Yield every path and URL by which a request body names a file, at any depth."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "path" or (key == "url" and "path" not in data):
                yield value
            yield from named_files(value)
    elif isinstance(data, list):
        for value in data:
            yield from named_files(value)
