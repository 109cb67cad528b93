"""What the gate lets in, as plain functions."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app.server.gate_rules import is_inside, is_open, is_own_site, named_files, streamed_session

OPEN_TEMPLATES = {
    "/",
    "/assets/{path:path}",
    "/config",
    "/config/",
    "/favicon.ico",
    "/manifest.json",
    "/robots.txt",
    "/static/{path:path}",
    "/svelte/{path:path}",
    "/theme.css",
    "/gradio_api/app_id",
    "/gradio_api/app_id/",
    "/gradio_api/call/v2/{api_name}",
    "/gradio_api/call/v2/{api_name}/",
    "/gradio_api/call/v2/{api_name}/{event_id}",
    "/gradio_api/call/{api_name}",
    "/gradio_api/call/{api_name}/",
    "/gradio_api/call/{api_name}/{event_id}",
    "/gradio_api/cancel",
    "/gradio_api/file={path_or_url:path}",
    "/gradio_api/heartbeat/{session_hash}",
    "/gradio_api/info",
    "/gradio_api/info/",
    "/gradio_api/login_check",
    "/gradio_api/login_check/",
    "/gradio_api/openapi.json",
    "/gradio_api/queue/data",
    "/gradio_api/queue/join",
    "/gradio_api/queue/status",
    "/gradio_api/reset",
    "/gradio_api/reset/",
    "/gradio_api/startup-events",
    "/gradio_api/theme.css",
    "/gradio_api/upload",
    "/gradio_api/upload_progress",
}


def all_routes(routes: Iterable[Any]) -> Iterator[Any]:
    """Yield routes, and those of routers among them, which newer FastAPIs keep as they are."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is not None:
            yield from all_routes(router.routes)
        elif getattr(route, "methods", None):
            yield route


def test_of_all_that_gradio_opens_only_what_the_page_needs_is_open() -> None:
    with gr.Blocks(analytics_enabled=False) as page:
        gr.HTML("")
    routes = list(all_routes(page.queue().app.routes))
    assert len(routes) > 60
    opened = set()
    for route in routes:
        path = (
            route.path.replace("{path:path}", "x").replace("{path_or_url:path}", "x").replace("{url_path:path}", "x")
        )
        for name in ("api_name", "event_id", "session_hash"):
            path = path.replace(f"{{{name}}}", "x")
        if any(is_open(method, path) for method in route.methods):
            opened.add(route.path)
    assert opened == OPEN_TEMPLATES


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT"])
def test_no_other_method_is_known(method: str) -> None:
    assert not is_open(method, "/")
    assert not is_open(method, "/gradio_api/upload")


def test_sites() -> None:
    own = "127.0.0.1:7860"
    assert is_own_site(None, None, own, ())
    assert is_own_site("http://127.0.0.1:7860", "same-origin", own, ())
    assert is_own_site("https://name.hf.space", "same-origin", "10.0.0.7:7860", ()), "a proxy may rename the host"
    assert is_own_site("http://127.0.0.1:7860", None, own, ())
    assert not is_own_site("https://evil.example", "cross-site", own, ())
    assert not is_own_site("http://127.0.0.1:8000", "same-site", own, ())
    assert not is_own_site("https://evil.example", None, own, ())
    assert not is_own_site("null", None, own, ())
    assert not is_own_site("null", None, None, ())
    assert is_own_site("https://friend.example", "cross-site", own, {"https://friend.example"})
    assert is_own_site("https://anyone.example", "cross-site", own, {"*"})


def test_files(tmp_path: Path) -> None:
    folder, secret = tmp_path / "visitors", tmp_path / "secret.png"
    folder.mkdir()
    secret.write_bytes(b"")
    (folder / "link.png").symlink_to(secret)
    assert is_inside(str(folder / "a" / "photo.png"), folder)
    for path in (
        "/etc/passwd",
        f"{folder}/../secret.png",
        f"{folder}/link.png",
        f"{folder}-too/photo.png",
        "photo.png",
        "",
        "http://127.0.0.1/a.png",
        f"file://{folder}/a.png",
        f"{folder}/a\0.png",
        f"{folder}/\ud800.png",
    ):
        assert not is_inside(path, folder), path


def test_whose_messages_an_address_streams() -> None:
    assert streamed_session("/gradio_api/queue/data", b"session_hash=a1b2") == "a1b2"
    assert streamed_session("/gradio_api/call/restore/c3d4", b"") == "c3d4"
    assert streamed_session("/gradio_api/call/v2/restore/c3d4", b"") == "c3d4"
    assert streamed_session("/gradio_api/call/restore", b"") is None
    assert streamed_session("/gradio_api/queue/join", b"session_hash=a1b2") is None


def test_every_way_to_name_a_file_is_found() -> None:
    body = {
        "data": [
            {"path": "/a", "url": "http://b"},
            [{"url": "http://c"}],
            {"value": {"image": {"path": "/d"}}},
            "/e",
        ],
        "event_data": {"path": ["/f"]},
    }
    assert list(named_files(body)) == ["/a", "http://c", "/d", ["/f"]]
