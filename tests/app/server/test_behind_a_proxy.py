"""The page at an address such as https://example.org/weather/, where a proxy takes the prefix off."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.look import words
from benchmarks.server.server_process import free_port, running_server
from opir.inference.restorer import Restorer
from tests.app.browsing import PATIENCE, expect_result, open_tab, upload, visit

PREFIX = "/weather"
HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


def proxy_of(server: str, here: str) -> Starlette:
    """Return a proxy that is as plain as one can be: no cookies, no buffering."""
    client = httpx.AsyncClient(base_url=server, timeout=None)

    async def forward(request: Request) -> Response:
        path = request.url.path
        if not path.startswith(f"{PREFIX}/"):
            return PlainTextResponse("another site", 404)
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        sent = client.build_request(
            request.method,
            httpx.URL(path=path.removeprefix(PREFIX), query=request.url.query.encode()),
            headers={**headers, "x-forwarded-host": here, "x-forwarded-proto": "http"},
            content=await request.body(),
        )
        answer = await client.send(sent, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose)
        )

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "HEAD", "POST"])])


@pytest.fixture(scope="module")
def address(restorer: Restorer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the proxy offers the page."""
    folder, port = tmp_path_factory.mktemp("proxied"), free_port()
    assert restorer.info is not None
    settings = {
        "OPIR_CHECKPOINT": str(restorer.info.path),
        "OPIR_DEVICE": "cpu",
        "OPIR_TEMP_FOLDER": str(folder / "temp"),
        "GRADIO_ROOT_PATH": PREFIX,
        "OMP_NUM_THREADS": "1",
    }
    with running_server(folder / "log", environment=settings) as server:
        proxy = uvicorn.Server(
            uvicorn.Config(proxy_of(server.url, f"127.0.0.1:{port}"), port=port, log_level="critical", lifespan="off")
        )
        running = threading.Thread(target=proxy.run, daemon=True)
        running.start()
        while not proxy.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}{PREFIX}/"
        proxy.should_exit = proxy.force_exit = True
        running.join(10)


def test_the_page_works_and_asks_for_nothing_beside_its_prefix(browser: Browser, address: str, photo: Path) -> None:
    page = browser.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    visit(page, address)
    upload(page, photo)
    expect_result(page)
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "street 0_opir.png"
    open_tab(page, words.TAB_ABOUT)
    expect(page.locator(".cm-content").nth(2)).to_contain_text(address.rstrip("/"), timeout=PATIENCE)
    page.close()
    web = [urlsplit(url) for url in asked if url.startswith("http")]
    assert {f"{url.scheme}://{url.netloc}" for url in web} == {address.removesuffix(f"{PREFIX}/")}
    assert [url.path for url in web if not url.path.startswith(f"{PREFIX}/")] == []


def test_a_program_can_restore_through_it(address: str, photo: Path, tmp_path: Path) -> None:
    client = Client(address, download_files=tmp_path, verbose=False)
    restored, _ = client.predict(handle_file(photo), api_name="/restore")
    assert Path(restored).name == "street 0_opir.png"
